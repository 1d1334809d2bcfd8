"""A flood to one officer: one message, in which every alert stands in a line and is answered by itself."""

from __future__ import annotations

import re
from dataclasses import replace

import psycopg
import pytest
from mqtt_world import until
from outgoing import MANNER, Outgoing, quick
from receivers import HttpReceiver, MailServer, RunningClock, plain
from town import TOWN, an_episode, opened, person

from corrections_monitor.links import Link, digest, read_link
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.alerts import Answer
from corrections_monitor.model.episodes import Kind, Transition
from corrections_monitor.paging.by_apprise import AppriseChannel
from corrections_monitor.paging.channels import Channel, Ways
from corrections_monitor.paging.results import RetrySettings
from corrections_monitor.paging.settings import ChannelSettings
from corrections_monitor.paging.webhook import WebhookChannel
from corrections_monitor.store import Store
from corrections_monitor.store.answers import Given, Via
from corrections_monitor.store.links import answer_once, link_key

FLOOD = [f"v{number}" for number in range(20)]
SECRET = "0123456789abcdef"


@pytest.fixture
def outgoing(store: Store, database_url: str, clock: RunningClock) -> Outgoing:
    cases = replace(TOWN, people={**TOWN.people, **{who: person(who, "s2", "own2") for who in FLOOD}})
    return Outgoing(store, database_url, clock, Metrics(), cases=cases)


def of(kind: Kind, who: str) -> Transition:
    """At the station where one officer is told."""
    return opened(replace(an_episode(kind, who=who, subject=who), office_id="s2"))


def address(mail: MailServer) -> str:
    return f"mailto://127.0.0.1:{mail.port}?from=jz@pj.cn&to=li@pj.cn&mode=insecure"


async def test_a_flood_comes_as_one_message_and_a_critical_alert_by_itself(
    outgoing: Outgoing, mail: MailServer, receiver: HttpReceiver, database_url: str
) -> None:
    """Twenty major alerts at once and a critical one; the platform is given every alert object."""
    flood = [of(Kind.CURFEW, who) for who in FLOOD]
    await outgoing.decide(*flood, of(Kind.ZONE_EXIT, "p2"), urls=(address(mail),), ways=Ways(webhooks=("x",)))
    hook = WebhookChannel(receiver.url, SECRET)
    channels: dict[str, Channel] = {"apprise": AppriseChannel(), "webhook:x": hook}
    async with outgoing.worker(channels, quick(timeout_s=10)):
        found = await outgoing.settle("sent", "delivered")
    await hook.close()
    assert len(receiver.posts) == 21
    subjects = sorted(message["Subject"] for message in mail.mails)
    assert subjects == ["20 条警情（重要 20）", "【紧急】姓某某某 离开规定区域"]
    with psycopg.connect(database_url) as connection:
        (keys,) = connection.execute("SELECT count(DISTINCT (alert_id, channel)) FROM pages").fetchone() or (
            0,
        )
    assert len(found) == keys == 42, "a row for every step and channel"


async def test_every_line_of_a_bundle_has_its_own_link(outgoing: Outgoing, mail: MailServer) -> None:
    alert_ids = await outgoing.decide(*(of(Kind.CURFEW, who) for who in FLOOD), urls=(address(mail),))
    async with outgoing.worker({"apprise": AppriseChannel()}, quick(timeout_s=10)):
        await outgoing.settle("sent")
    (message,) = mail.mails
    lines = plain(message).strip().splitlines()
    assert len(lines) == len(FLOOD)
    store, now_ms = outgoing.store, outgoing.clock.wall_ms()
    key, links = await link_key(store, now_ms), dict[str, str]()
    for number, line in enumerate(lines, 1):
        shape = (
            r"(\d+)\. 【重要】姓某+ 规定时段外出，建设司法所，01-15 16:00 起 https://jz\.example\.cn/a/(\S+)"
        )
        found = re.fullmatch(shape, line)
        assert found, line
        assert int(found[1]) == number
        link = read_link(key, found[2])
        assert link is not None
        links[link.alert_id] = found[2]
        assert link == Link(link.alert_id, "own2", outgoing.due_ms() + MANNER.link_expires_ms)
    assert links.keys() == set(alert_ids)

    # A press answers that alert, and no other.
    given = Given(Answer.ACKNOWLEDGED, "own2", now_ms, via=Via.LINK)
    assert (await answer_once(store, ["c1"], alert_ids[3], given, digest(links[alert_ids[3]]))).won
    assert await _states(outgoing) == {alert_ids[3]: "acknowledged"} | {
        alert_id: "open" for alert_id in alert_ids if alert_id != alert_ids[3]
    }


async def test_what_is_answered_meanwhile_leaves_the_bundle(outgoing: Outgoing, mail: MailServer) -> None:
    """A bundle that was refused is sent again without what has been answered since."""
    alert_ids = await outgoing.decide(*(of(Kind.CURFEW, who) for who in FLOOD), urls=(address(mail),))
    mail.answers = ["451 later"]
    later = replace(quick(timeout_s=10), retry=RetrySettings(first_ms=1_500, longest_ms=1_500))
    async with outgoing.worker({"apprise": AppriseChannel()}, later) as worker:
        await until(lambda: mail.refused)
        await outgoing.settle("pending")
        async with outgoing.store.transaction() as tx:
            given = Given(Answer.ACKNOWLEDGED, "own2", outgoing.clock.wall_ms())
            assert (await tx.answer(alert_ids[0], given)).won
        worker.wake()
        found = await outgoing.settle("sent", "moot")
    assert sorted({(state, attempts) for _, state, attempts in found}) == [("moot", 1), ("sent", 2)]
    (message,) = mail.mails
    assert message["Subject"] == "19 条警情（重要 19）"


async def test_a_flood_that_is_held_back_is_not_stuck_and_comes_together(
    outgoing: Outgoing, mail: MailServer
) -> None:
    """Alerts that trickle in: one message, then, a minute on, all that came meanwhile."""
    settings = replace(quick(timeout_s=10), flood_per_minute=1)
    first, *rest = FLOOD
    async with outgoing.worker({"apprise": AppriseChannel()}, settings) as worker:
        await outgoing.decide(of(Kind.CURFEW, first), urls=(address(mail),))
        await until(lambda: mail.mails)
        for who in rest:
            await outgoing.decide(of(Kind.CURFEW, who), urls=(address(mail),))
            worker.wake()
        await until(lambda: outgoing.held() == len(rest))
        assert await worker.lying(0) == 0
        assert len(mail.mails) == 1
        outgoing.clock.skip(minutes=1.1, steadily=True)
        worker.wake()
        await outgoing.settle("sent")
    assert [m["Subject"] for m in mail.mails[1:]] == [f"{len(rest)} 条警情（重要 {len(rest)}）"]


async def test_a_throttle_holds_all_but_the_first_page_of_a_critical_alert(
    outgoing: Outgoing, mail: MailServer
) -> None:
    """One message a minute: majors wait their turn, critical ones do not."""
    settings = replace(quick(timeout_s=10), by_channel={"mailto": ChannelSettings(10, 4, per_minute=1)})
    async with outgoing.worker({"apprise": AppriseChannel()}, settings) as worker:
        await outgoing.decide(of(Kind.CURFEW, "v0"), urls=(address(mail),))
        await until(lambda: mail.mails)
        critical = [of(Kind.ZONE_EXIT, f"v{number}") for number in (1, 2, 3)]
        await outgoing.decide(*critical, of(Kind.CURFEW, "v4"), urls=(address(mail),))
        worker.wake()
        await until(lambda: outgoing.held() == 1)
        await until(lambda: len(mail.mails) == 4)
        assert [("紧急" in m["Subject"]) for m in mail.mails] == [False, True, True, True]
        outgoing.clock.skip(minutes=1.1, steadily=True)
        worker.wake()
        await outgoing.settle("sent")
    assert mail.mails[4]["Subject"].startswith("【重要】")


async def _states(outgoing: Outgoing) -> dict[str, str]:
    with psycopg.connect(outgoing.url) as connection:
        return dict(connection.execute("SELECT alert_id, state FROM alerts").fetchall())
