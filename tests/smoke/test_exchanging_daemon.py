"""The daemon as its user has it: a roster left in a folder, violations out over HTTPS, killed in between."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from one_station import now_ms, station, write
from program import Daemon, call_well, wait_for

sys.path += [str(Path(__file__).parent.parent / room) for room in ("exchange", "api")]

from authority import Authority
from exchange_town import deliver
from https_server import Platform

from corrections_monitor.model.alerts import Alert, AlertState, Line, alert_id
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import Cause, Change, Episode, Kind, Severity, episode_id
from corrections_monitor.model.times import DAY_MS, Interval
from corrections_monitor.store import Store

PEOPLE = ("p1", "p2", "p3")


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with Platform(Authority(tmp_path / "authority")) as running:
        yield running


async def violate(store: Store, person_id: str, began_ms: int) -> str:
    """A violation that somebody has to look at, as the daemon writes it."""
    name = episode_id(person_id, Kind.CASE_OPEN, "band", began_ms)
    episode = Episode(
        name, Kind.CASE_OPEN, person_id, "station", "band", None, began_ms, began_ms, None, False, "拆壳", {}
    )
    alert = Alert(
        alert_id(name, Cause.TAMPER, ""), person_id, "station", Cause.TAMPER, "", AlertState.OPEN,
        Severity.CRITICAL, began_ms, began_ms, "拆壳", False, 1, 1, None, began_ms, name, Kind.CASE_OPEN,
    )  # fmt: skip
    async with store.transaction() as tx:
        await tx.write_alerts([alert])
        await tx.write_lines([Line(Change.OPENED, began_ms, episode, Severity.CRITICAL, (), alert.alert_id)])
    return name


async def test_violations_reach_the_platform_though_the_daemon_is_killed(
    daemon: Callable[..., Daemon], database_url: str, tmp_path: Path, platform: Platform, store: Store
) -> None:
    call_well("import", write(station(*PEOPLE), tmp_path / "cases"), database_url=database_url)
    (tmp_path / "out").mkdir()
    running = daemon(
        endpoint=True,
        CORRECTIONS_OUTGOING__FOLDER=str(tmp_path / "out"),
        CORRECTIONS_OUTGOING__AT="every 1m",
        CORRECTIONS_OUTGOING__WEBHOOKS__PLATFORM__URL=f"{platform.url}/violations",
        CORRECTIONS_OUTGOING__WEBHOOKS__PLATFORM__SECRET="a secret of two platforms",
        CORRECTIONS_OUTGOING__WEBHOOKS__PLATFORM__CA=str(platform.authority.file),
    )
    platform.answer = lambda _number: 503
    ids = [await violate(store, p, now_ms() - DAY_MS) for p in PEOPLE[:2]]
    running.start()
    wait_for(lambda: platform.posts, "the platform is asked and refuses")
    running.kill()
    platform.answer = lambda _number: 200
    refused = len(platform.posts)
    running.start()

    def taken() -> set[str]:
        posts = platform.posts[refused:]
        return {v["episode_id"] for post in posts for v in json.loads(post.body)["violations"]}

    wait_for(lambda: set(ids) <= taken(), "what was refused is taken after the restart")
    wait_for(lambda: list((tmp_path / "out").glob("*.csv")), "a file is there")
    assert not list((tmp_path / "out").glob(".*"))
    assert running.stop() == 0


def shorter(cases: CaseSet, person_id: str) -> CaseSet:
    order = cases.orders[f"o-{person_id}"]
    ends = replace(order, span=Interval(order.span.from_ms, now_ms() + DAY_MS))
    return replace(cases, orders={**cases.orders, order.order_id: ends})


async def test_a_roster_is_held_confirmed_and_applied_once_though_the_daemon_is_killed(
    daemon: Callable[..., Daemon], database_url: str, tmp_path: Path, store: Store
) -> None:
    cases = station(*PEOPLE)
    call_well("import", write(cases, tmp_path / "cases"), database_url=database_url)
    (tmp_path / "roster").mkdir()
    deliver(shorter(cases, "p1"), tmp_path / "roster")
    running = daemon(
        endpoint=True,
        CORRECTIONS_ROSTER__SOURCE=str(tmp_path / "roster"),
        CORRECTIONS_ROSTER__AT="every 1m",
    )
    running.start()
    wait_for(lambda: running.metric("roster_pending") == 1, "the roster waits")
    before = await store.load_cases()
    shown = call_well("roster", "show", database_url=database_url)
    assert "! order-shortened: p1 张p1" in shown
    assert "~ orders o-p1" in shown
    dry = call_well("import", tmp_path / "roster", "--dry-run", database_url=database_url)
    assert "! order-shortened: p1 张p1" in dry
    assert await store.load_cases() == before
    running.kill()
    call_well("roster", "confirm", "--reason", "已核实", database_url=database_url)
    running.start()
    wait_for(lambda: running.metric("roster_exchanges_total", outcome="applied") == 1, "it is applied")
    after, version = await store.load_cases()
    assert after.orders["o-p1"].span.to_ms < before[0].orders["o-p1"].span.to_ms
    assert version == before[1] + 1
    assert running.stop() == 0
