"""``ack`` and ``drill`` on a real database: answering and practising where there is no console."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from by_hand import claim
from command_line import CommandLine
from psycopg import conninfo

from corrections_monitor.model.settings import RulesSettings
from corrections_monitor.rules.book import AlertBook
from corrections_monitor.store import Store
from corrections_monitor.store.outbox import PageState

sys.path.append(str(Path(__file__).parent.parent / "api"))

import small_city as world


@pytest.fixture
def alert_id(database_url: str) -> str:
    """A violation of somebody of station-a1 that nobody has answered."""
    line, alert = world.violation("p-a1")

    async def write() -> None:
        store = await Store.open(database_url, "engine")
        await store.save_cases(world.cases(), "test", world.NOW_MS)
        async with store.transaction() as tx:
            await tx.write_alerts([alert])
            await tx.write_lines([line])
        await store.close()

    asyncio.run(write())
    return alert.alert_id


def test_one_acknowledges_and_the_other_is_told_who(
    cli: CommandLine, database_url: str, alert_id: str
) -> None:
    env = _env(database_url)

    def ack(officer: str, *more: str, alert: str = alert_id) -> tuple[int, str]:
        result = cli.monitor("ack", alert, "--officer", officer, *more, env=env)
        assert len(result.faults) == (result.status != 0), result.err
        return result.status, result.out + result.err

    for who in ("officer-station-b1", "auditor-station-a1", "nobody"):
        status, said = ack(who)
        assert (status, who in said) == (1, True)
    assert ack("officer-station-a1", alert="a0")[0] == 1
    for _ in range(2):  # once more by the same changes nothing
        assert ack("officer-station-a1", "--note", "电话通知")[0] == 0
    status, said = ack("chief-station-a1")
    assert status == 1
    assert "acknowledged by officer-station-a1 at 20" in said


def test_a_drill_goes_the_whole_way_is_measured_and_leaves_no_violation(
    cli: CommandLine, database_url: str
) -> None:
    env, officer = _env(database_url), "officer-station-a1"
    asyncio.run(_with_store(database_url, _save_cases))
    wrong = cli.monitor("drill", "order", officer, "nobody", "--reason", "演练", env=env)
    assert (wrong.status, wrong.faults) == (1, ["drill order: no officer nobody"])
    assert cli.monitor("drill", "report", "d0", env=env).status == 1
    done = cli.monitor("drill", "order", officer, "chief-station-a1", "--reason", "演练：越界", env=env)
    assert done.status == 0, done.err
    drill_id = done.out.strip()

    def report() -> dict[str, dict[str, object]]:
        said = cli.monitor("drill", "report", drill_id, env=env)
        assert said.status == 0, said.err
        return {row["officer_id"]: row for row in map(json.loads, said.out.splitlines())}

    assert {row["state"] for row in report().values()} == {None}  # no daemon has taken it yet
    asyncio.run(_with_store(database_url, _take_drills))
    rows = report()
    assert {row["paged_after_s"] for row in rows.values()} == {1.0}
    alert_id = str(rows[officer]["alert_id"])
    assert cli.monitor("ack", alert_id, "--officer", officer, env=env).status == 0
    rows = report()
    assert rows[officer]["acknowledged_after_s"] is not None
    assert rows["chief-station-a1"]["acknowledged_after_s"] is None
    assert {row["resolved_after_s"] for row in rows.values()} == {None}
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM episodes").fetchone() == (0,)
        assert connection.execute("SELECT count(*), bool_and(drill) FROM alerts").fetchone() == (2, True)


async def _save_cases(store: Store) -> None:
    await store.save_cases(world.cases(), "test", world.NOW_MS)


async def _take_drills(store: Store) -> None:
    """As the daemon does, with a channel that takes every page after a second."""
    cases, _ = await store.load_cases()
    async with store.transaction() as tx:
        drills = await tx.take_drills(1)
        at_ms = drills[0].at_ms
        outcome = AlertBook(RulesSettings()).advance([], [], cases, at_ms, drills)
        await tx.write_alerts(outcome.alerts)
        await tx.write_pages([(page, "mqtt", "topic") for page in outcome.pages])
    for claimed in await claim(store.outbox, at_ms, 10, 60_000):
        assert await store.outbox.record(claimed, PageState.SENT, at_ms + 1_000)


async def _with_store(database_url: str, work: Callable[[Store], Awaitable[None]]) -> None:
    store = await Store.open(database_url, "engine")
    try:
        await work(store)
    finally:
        await store.close()


def _env(database_url: str) -> dict[str, str]:
    named = conninfo.conninfo_to_dict(database_url)
    return {"CORRECTIONS_DATABASE_URL": f"postgresql:///{named.pop('dbname')}?{urlencode(named)}"}
