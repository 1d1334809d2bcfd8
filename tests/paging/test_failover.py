"""One channel stands in for another: by turns, when the first fails or keeps silent."""

from __future__ import annotations

import time
from dataclasses import replace

import psycopg
import pytest
from by_hand import claim
from mqtt_world import until
from outgoing import FAILOVER_MS, Outgoing, quick
from receivers import HttpReceiver, MailServer, RunningClock, SilentServer
from town import an_episode, opened

from corrections_monitor.metrics import Metrics
from corrections_monitor.model.alerts import Page
from corrections_monitor.model.cases import Officer, Role
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.paging.by_apprise import AppriseChannel
from corrections_monitor.paging.channels import Channel, Ways, addressed
from corrections_monitor.paging.webhook import WebhookChannel
from corrections_monitor.store import Store
from corrections_monitor.store.outbox import PageState

SECRET = "0123456789abcdef"
LI = Officer("li", "s1", "李强", Role.OFFICER, "li", ("mailto://a@x.cn", "wecombot://KEY", "mailto://b@x.cn"))
EPISODE = replace(an_episode(Kind.CURFEW, who="p2"), office_id="s2")  # of which one officer is told
WAYS = Ways(mqtt=True, webhooks=("police",))
TURNS = (("webhook:first",), ("webhook:second", "mailto"))


def turns(*named: tuple[str, ...]) -> list[tuple[int, int, str]]:
    """(turn, seconds after the step, channel without the server's hash) of a page over these channels."""
    page = Page("a1", 1, 0, "li", Severity.MAJOR, 1_000, channels=named)
    rows = addressed(page, LI, WAYS, 30_000)
    return [
        (p.turn, (p.due_ms - 1_000) // 1_000, c.split(":")[-1] if "mailto" not in c else "mail")
        for p, c, _ in rows
    ]


def test_without_names_everything_is_used_at_once() -> None:
    assert turns() == [(0, 0, "mqtt"), (0, 0, "police"), (0, 0, "mail"), (0, 0, "wecombot"), (0, 0, "mail")]


def test_named_by_turns_each_turn_waits_for_those_before() -> None:
    assert turns(("mqtt",), ("wecombot", "police"), ("mailto",)) == [
        (0, 0, "mqtt"), (1, 30, "police"), (1, 30, "wecombot"), (2, 60, "mail"), (2, 60, "mail"),
    ]  # fmt: skip


def test_a_turn_of_which_the_officer_has_nothing_is_passed_over() -> None:
    assert turns(("sms",), ("mqtt", "mqtt"), ("mqtt",), ("wecombot",)) == [
        (0, 0, "mqtt"),
        (1, 30, "wecombot"),
    ]
    assert turns(("sms",)) == turns()


@pytest.fixture
def outgoing(store: Store, database_url: str, clock: RunningClock) -> Outgoing:
    return Outgoing(store, database_url, clock, Metrics())


async def _decide(outgoing: Outgoing, *urls: str) -> None:
    ways = Ways(webhooks=("first", "second"))
    await outgoing.decide(opened(EPISODE), urls=urls, ways=ways, channels=TURNS)


async def test_what_the_first_channel_takes_goes_over_no_other(
    outgoing: Outgoing, receiver: HttpReceiver
) -> None:
    await _decide(outgoing)
    first, second = WebhookChannel(receiver.url, SECRET), WebhookChannel("http://127.0.0.1:1/", SECRET)
    async with outgoing.worker({"webhook:first": first, "webhook:second": second}) as worker:
        await until(lambda: ("webhook", "delivered", 1) in outgoing.states())
        outgoing.clock.skip(minutes=1)
        worker.wake()
        found = await outgoing.settle("delivered", "moot")
    await first.close()
    await second.close()
    assert found == [("webhook", "delivered", 1), ("webhook", "moot", 0)]


async def test_a_channel_that_refuses_is_stood_in_for_at_once(
    outgoing: Outgoing, receiver: HttpReceiver, mail: MailServer
) -> None:
    """Long before ``failover_after``, over every channel of the next turn, each under a key of its own."""
    refuses = HttpReceiver(lambda _number: "410 Gone")
    async with refuses:
        first, second = WebhookChannel(refuses.url, SECRET), WebhookChannel(receiver.url, SECRET)
        channels: dict[str, Channel] = {
            "webhook:first": first, "webhook:second": second, "apprise": AppriseChannel(),
        }  # fmt: skip
        await _decide(outgoing, f"mailto://127.0.0.1:{mail.port}?from=a@b.cn&to=c@d.cn&mode=insecure")
        async with outgoing.worker(channels, quick(timeout_s=10)):
            await until(lambda: receiver.posts and mail.mails)
            found = await outgoing.settle("failed", "delivered", "sent")
        await first.close()
        await second.close()
    assert outgoing.clock.wall_ms() < outgoing.due_ms() + FAILOVER_MS
    assert found == [("webhook", "failed", 1), ("webhook", "delivered", 1), ("apprise", "sent", 1)]
    keys = {post.headers["idempotency-key"] for post in refuses.posts + receiver.posts}
    assert len(keys) == 2


async def test_a_channel_that_keeps_silent_is_stood_in_for_after_a_while(
    outgoing: Outgoing, receiver: HttpReceiver, silent: SilentServer
) -> None:
    """While the first is still being tried; the ladder's step is one row a channel all along."""
    first = WebhookChannel(f"http://127.0.0.1:{silent.port}/", SECRET)
    second = WebhookChannel(receiver.url, SECRET)
    await _decide(outgoing)
    began_s = time.monotonic()
    async with outgoing.worker({"webhook:first": first, "webhook:second": second}, quick(timeout_s=30)):
        await until(lambda: receiver.posts)
        took_s = time.monotonic() - began_s
        await until(lambda: [state for _, state, _ in outgoing.states()] == ["claimed", "delivered"])
    await first.close()
    await second.close()
    assert FAILOVER_MS / 1_000 <= took_s < FAILOVER_MS / 1_000 + 2


async def test_one_of_two_that_failed_leaves_it_to_the_other(outgoing: Outgoing, database_url: str) -> None:
    """The next turn is hurried only when nothing of this one can come of it any more."""
    outbox, now_ms = outgoing.store.outbox, outgoing.clock.wall_ms()
    both = (("webhook:first", "webhook:second"), ("mailto",))
    await outgoing.decide(
        opened(EPISODE),
        urls=("mailto://a@b.cn",),
        ways=Ways(webhooks=("first", "second")),
        channels=both,
    )
    first, second = await claim(outbox, now_ms)
    await outbox.record(first, PageState.FAILED, now_ms)
    assert await outbox.due(now_ms) == []
    await outbox.record(second, PageState.UNCONFIRMED, now_ms)
    (stand_in,) = await outbox.due(now_ms)
    assert stand_in.channel.startswith("apprise:mailto")
    assert await outbox.delivered(second.page_id, now_ms), "it had arrived after all"
    assert await claim(outbox, now_ms) == []
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT state, attempts FROM pages ORDER BY page_id").fetchall()
    assert rows == [("failed", 1), ("delivered", 1), ("moot", 0)]
