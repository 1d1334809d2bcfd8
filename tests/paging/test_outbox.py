"""The way of a page, on a real database and to real receivers, good, dead, hanging, flapping and killed."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from mqtt_world import until
from outgoing import Outgoing, quick
from receivers import HttpReceiver, MailServer, RunningClock, SilentServer, plain
from town import T0, an_episode, minutes, opened

from corrections_monitor.metrics import Metrics
from corrections_monitor.model.alerts import Answer
from corrections_monitor.model.episodes import Kind
from corrections_monitor.paging.by_apprise import AppriseChannel
from corrections_monitor.paging.channels import Channel, Notice, Ways
from corrections_monitor.paging.mqtt import MqttChannel
from corrections_monitor.paging.results import Handed, Result
from corrections_monitor.paging.webhook import WebhookChannel
from corrections_monitor.store import EVERYTHING, Store
from corrections_monitor.store.answers import Given, answer
from corrections_monitor.store.outbox import ClaimedPage, DuePage

SECRET = "0123456789abcdef"


@pytest.fixture
def outgoing(store: Store, database_url: str, clock: RunningClock) -> Outgoing:
    return Outgoing(store, database_url, clock, Metrics())


class Wrapped:
    """The store's outbox, for those that behave otherwise."""

    def __init__(self, store: Store) -> None:
        self._outbox = store.outbox

    async def due(self, *args: Any) -> list[DuePage]:
        return await self._outbox.due(*args)

    async def hold(self, until_ms: Mapping[int, int], now_ms: int) -> None:
        await self._outbox.hold(until_ms, now_ms)

    async def claim(self, page_ids: Sequence[int], now_ms: int, lease_ms: int) -> list[ClaimedPage]:
        return await self._outbox.claim(page_ids, now_ms, lease_ms)

    async def recheck(self, claimed: ClaimedPage) -> bool:
        return await self._outbox.recheck(claimed)

    async def record(self, claimed: ClaimedPage, *args: Any, **kwargs: Any) -> bool:
        return await self._outbox.record(claimed, *args, **kwargs)


class Mqtt:
    """An officer's topic that takes everything at once."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, object]]] = []

    async def publish(self, topic: str, payload: bytes) -> bool:
        self.taken.append((topic, json.loads(payload)))
        return True


async def test_a_page_goes_out_over_every_channel_the_officer_has(
    outgoing: Outgoing, receiver: HttpReceiver, mail: MailServer
) -> None:
    mailto = f"mailto://127.0.0.1:{mail.port}?from=jz@pj.cn&to=li@pj.cn&mode=insecure"
    ways = Ways(mqtt=True, webhooks=("platform",))
    (alert_id,) = await outgoing.decide(
        opened(an_episode(Kind.ZONE_EXIT, reason="在区域外 312 米（精度 8 米）")), urls=(mailto,), ways=ways
    )
    mqtt, hook = Mqtt(), WebhookChannel(receiver.url, SECRET)
    channels: dict[str, Channel] = {
        "mqtt": MqttChannel([mqtt.publish]),
        "webhook:platform": hook,
        "apprise": AppriseChannel(),
    }
    async with outgoing.worker(channels, quick(timeout_s=10)):
        found = await outgoing.settle("sent", "delivered")
    await hook.close()
    # Two officers on duty, three channels each.
    took = [("mqtt", "sent", 1), ("webhook", "delivered", 1), ("apprise", "sent", 1)]
    assert sorted(found) == sorted(took * 2)
    assert {topic for topic, _ in mqtt.taken} == {f"cm/v1/officers/duty{n}/page" for n in (1, 2)}
    for alert in [a for _, a in mqtt.taken] + [json.loads(p.body) for p in receiver.posts]:
        assert (alert["alert_id"], alert["kinds"], alert["state"]) == (alert_id, ["zone.exit"], "open")
        assert alert["opened_at"] == "2027-01-15T16:00:00.000+08:00"
        assert set(alert) == {
            "alert_id", "state", "severity", "cause", "kinds", "person_id", "person_name", "office_id",
            "opened_at", "updated_at", "acknowledged_by", "acknowledged_at", "resolved_by", "resolved_at",
            "disposition", "episodes", "position", "reason", "drill", "late",
        }  # fmt: skip
    text = plain(mail.mails[0])
    assert "在区域外 312 米（精度 8 米）" in text
    assert "红旗司法所" in text
    assert "姓名p1" not in text
    assert outgoing.metrics.pages.labels("webhook", "delivered")._value.get() == 2


async def test_hanging_channels_delay_nobody_elses_page(
    outgoing: Outgoing, receiver: HttpReceiver, silent: SilentServer
) -> None:
    """A dumb webhook and a dumb mail server have sixty pages each, older and graver than ours."""
    people = [f"v{number}" for number in range(30)]
    mailto = f"mailto://127.0.0.1:{silent.port}?from=a@b.cn&to=c@d.cn&mode=insecure"
    await outgoing.decide(
        *(opened(an_episode(Kind.ZONE_EXIT, who=who, subject=who)) for who in people),
        urls=(mailto,),
        ways=Ways(webhooks=("dumb",)),
    )
    dumb, good = (
        WebhookChannel(f"http://127.0.0.1:{silent.port}/", SECRET),
        WebhookChannel(receiver.url, SECRET),
    )
    channels: dict[str, Channel] = {"webhook:dumb": dumb, "webhook:good": good, "apprise": AppriseChannel()}
    async with outgoing.worker(channels, quick(timeout_s=5)) as worker:
        await until(lambda: silent.connections >= 8)  # both lanes are full and hang
        # What a hanging lane holds is bounded: the rest stays in the outbox, for whoever can send it.
        held = sum(state == "claimed" for _, state, _ in outgoing.states())
        assert held == 2 * 4
        await outgoing.decide(opened(an_episode(Kind.CURFEW, who="p2")), ways=Ways(webhooks=("good",)))
        worker.wake()
        await until(lambda: receiver.posts, timeout_s=2)
    await dumb.close()
    await good.close()


async def test_a_flapping_receiver_is_tried_again_under_the_same_key(
    outgoing: Outgoing, receiver: HttpReceiver
) -> None:
    receiver.answer = lambda number: "503 Busy" if number <= 2 else "200 OK"
    await outgoing.decide(opened(an_episode(Kind.SOS, who="strict")), ways=Ways(webhooks=("x",)))
    hook = WebhookChannel(receiver.url, SECRET)
    async with outgoing.worker({"webhook:x": hook}, quick(concurrency=1)):
        found = await outgoing.settle("delivered")
    await hook.close()
    assert sum(attempts for _, _, attempts in found) == 4
    keys = [post.headers["idempotency-key"] for post in receiver.posts]
    assert len(keys) == 4
    assert len(set(keys)) == 2


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("404 Not Found", ("webhook", "failed", 1)),
        ("503 Busy", ("webhook", "failed", 4)),
        (None, ("webhook", "unconfirmed", 3)),
    ],
)
async def test_how_a_page_ends_that_is_never_taken(
    outgoing: Outgoing, receiver: HttpReceiver, said: str | None, expected: tuple[str, str, int]
) -> None:
    receiver.answer = lambda _number: said
    await outgoing.decide(opened(an_episode(Kind.ZONE_EXIT)), ways=Ways(webhooks=("x",)))
    hook = WebhookChannel(receiver.url, SECRET)
    async with outgoing.worker({"webhook:x": hook}):
        assert await outgoing.settle("failed", "unconfirmed") == [expected, expected]
    await hook.close()


class Slow:
    """Takes its time; tells when it has begun."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.keys: list[str] = []

    async def send(self, notice: Notice) -> Result:
        self.keys.append(notice.key)
        self.begun.set()
        await asyncio.sleep(30)
        return Result(Handed.SENT)


async def _acknowledge(outgoing: Outgoing, alert_id: str) -> None:
    async with outgoing.store.seeing(EVERYTHING) as connection:
        given = Given(Answer.ACKNOWLEDGED, "duty1", outgoing.clock.wall_ms())
        assert (await answer(connection, alert_id, given)).won


async def test_nobody_is_paged_once_it_is_acknowledged(outgoing: Outgoing) -> None:
    (alert_id,) = await outgoing.decide(opened(an_episode(Kind.ZONE_EXIT)), ways=Ways(webhooks=("x",)))
    slow = Slow()
    # One place: the second officer's page waits in the outbox while the first is being sent.
    async with outgoing.worker({"webhook:x": slow}, quick(timeout_s=1, concurrency=1)):
        await slow.begun.wait()
        await _acknowledge(outgoing, alert_id)
        found = await outgoing.settle("moot")
    assert [attempts for _, _, attempts in found] == [1, 0]
    assert len(slow.keys) == 1


async def test_nobody_is_paged_who_is_answered_for_at_the_last_moment(outgoing: Outgoing) -> None:
    (alert_id,) = await outgoing.decide(opened(an_episode(Kind.ZONE_EXIT)), ways=Ways(mqtt=True))

    class AnsweredWhenClaimed(Wrapped):
        async def claim(self, page_ids: Sequence[int], now_ms: int, lease_ms: int) -> list[ClaimedPage]:
            claimed = await super().claim(page_ids, now_ms, lease_ms)
            if claimed:
                await _acknowledge(outgoing, alert_id)
            return claimed

    mqtt = Mqtt()
    channels = {"mqtt": MqttChannel([mqtt.publish])}
    async with outgoing.worker(channels, pages=AnsweredWhenClaimed(outgoing.store)):
        found = await outgoing.settle("moot")
    assert [attempts for _, _, attempts in found] == [1, 1]
    assert mqtt.taken == []


async def test_a_worker_killed_while_sending_leaves_the_page_to_its_lease(outgoing: Outgoing) -> None:
    await outgoing.decide(opened(an_episode(Kind.ZONE_EXIT)), ways=Ways(mqtt=True))
    slow, mqtt = Slow(), Mqtt()
    async with outgoing.worker({"mqtt": slow}, quick(timeout_s=60)):
        await slow.begun.wait()
    assert {state for _, state, _ in outgoing.states()} == {"claimed"}
    async with outgoing.worker({"mqtt": MqttChannel([mqtt.publish])}) as worker:
        await asyncio.sleep(0.1)
        assert mqtt.taken == []
        outgoing.clock.skip(minutes=6)
        worker.wake()
        assert await outgoing.settle("sent") == [("mqtt", "sent", 2)] * 2


@pytest.mark.chaos
async def test_kills_at_any_moment_leave_nobody_unpaged_and_every_page_with_one_key(
    outgoing: Outgoing,
) -> None:
    seed = 4_071
    rng = random.Random(seed)
    sent: list[str] = []

    class Takes:
        async def send(self, notice: Notice) -> Result:
            await asyncio.sleep(rng.random() * 0.02)
            sent.append(notice.key)
            await asyncio.sleep(rng.random() * 0.02)
            return Result(Handed.SENT)

    people = [f"v{number}" for number in range(60)]
    await outgoing.decide(
        *(opened(an_episode(Kind.ZONE_EXIT, who=who, subject=who)) for who in people), ways=Ways(mqtt=True)
    )
    kills = 0
    while any(state != "sent" for _, state, _ in outgoing.states()):
        async with outgoing.worker({"mqtt": Takes()}):
            await asyncio.sleep(0.03 + rng.random() * 0.12)
        kills += 1
        outgoing.clock.skip(minutes=1)
    assert len(set(sent)) == len(outgoing.states()) == 2 * len(people), f"seed {seed}"
    assert kills > 2


class DiesBeforeRecord(Wrapped):
    """Except that the first record of every page never happens."""

    async def record(self, claimed: ClaimedPage, *args: Any, **kwargs: Any) -> bool:
        if claimed.attempt == 1:
            raise ConnectionError("the database went away")
        return await super().record(claimed, *args, **kwargs)


async def test_what_was_sent_and_not_recorded_is_sent_again_under_the_same_key(
    outgoing: Outgoing, receiver: HttpReceiver
) -> None:
    await outgoing.decide(opened(an_episode(Kind.ZONE_EXIT)), ways=Ways(webhooks=("x",)))
    hook = WebhookChannel(receiver.url, SECRET)
    async with outgoing.worker({"webhook:x": hook}, pages=DiesBeforeRecord(outgoing.store)) as worker:
        await until(lambda: len(receiver.posts) == 2)
        outgoing.clock.skip(minutes=1)
        worker.wake()
        await outgoing.settle("delivered")
    await hook.close()
    keys = [post.headers["idempotency-key"] for post in receiver.posts]
    assert len(keys) == 4
    assert len(set(keys)) == 2


class AwayAtFirst(Wrapped):
    """A database that cannot be reached the first time."""

    tried = 0

    async def due(self, *args: Any) -> list[DuePage]:
        self.tried += 1
        if self.tried == 1:
            raise ConnectionError("no route")
        return await super().due(*args)


async def test_a_database_that_is_away_is_waited_for(outgoing: Outgoing) -> None:
    await outgoing.decide(opened(an_episode(Kind.ZONE_EXIT)), ways=Ways(mqtt=True))
    mqtt, pages = Mqtt(), AwayAtFirst(outgoing.store)
    async with outgoing.worker({"mqtt": MqttChannel([mqtt.publish])}, pages=pages):
        await until(lambda: len(mqtt.taken) == 2)
    assert pages.tried > 1


class LosesTheCancellation(Wrapped):
    """A driver that is cancelled and answers all the same, as under Python 3.11's wait_for."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.asked = asyncio.Event()

    async def due(self, *_args: Any) -> list[DuePage]:
        first = not self.asked.is_set()
        self.asked.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            if not first:
                raise
        return []


async def test_a_worker_ends_even_if_the_driver_loses_its_cancellation(outgoing: Outgoing) -> None:
    pages = LosesTheCancellation(outgoing.store)
    async with asyncio.timeout(5), outgoing.worker({}, pages=pages):
        await pages.asked.wait()


async def test_a_channel_with_a_fault_of_its_own_is_tried_again(outgoing: Outgoing) -> None:
    class Faulty:
        tried = 0

        async def send(self, notice: Notice) -> Result:
            self.tried += 1
            if self.tried <= 2:
                raise KeyError("plugin")
            return Result(Handed.DELIVERED)

    await outgoing.decide(opened(an_episode(Kind.ZONE_EXIT)), ways=Ways(mqtt=True))
    async with outgoing.worker({"mqtt": Faulty()}):
        assert {state for _, state, _ in await outgoing.settle("delivered")} == {"delivered"}


@pytest.mark.parametrize(("ways", "channel"), [(Ways(webhooks=("gone",)), "webhook"), (Ways(), "nowhere")])
async def test_a_page_that_can_go_nowhere_is_seen_to_fail(
    outgoing: Outgoing, ways: Ways, channel: str
) -> None:
    await outgoing.decide(opened(an_episode(Kind.ZONE_EXIT)), ways=ways)
    async with outgoing.worker({}):
        assert await outgoing.settle("failed") == [(channel, "failed", 1)] * 2


def test_the_tests_time_is_the_towns() -> None:
    assert minutes(0) == T0
