"""Episodes, alerts and officers' answers: nothing twice, nothing overwritten, one winner."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import psycopg

from corrections_monitor.model.alerts import Alert, AlertState, Answer, Disposition, Line
from corrections_monitor.model.episodes import Severity
from corrections_monitor.store import EVERYTHING, Store
from corrections_monitor.store.answers import AnswerResult, Given, answer
from corrections_monitor.store.decisions import Entry

T0_MS = 1_764_000_000_000
AT_MS = T0_MS + 90_000


async def _open(store: Store, alert: Alert, *lines: Line) -> None:
    async with store.transaction() as tx:
        await tx.write_lines(lines)
        await tx.write_alerts([alert])


async def _answer(
    store: Store, officer: str, given: Answer, disposition: Disposition | None = None, alert_id: str = "a1"
) -> AnswerResult:
    async with store.seeing(EVERYTHING) as connection:
        return await answer(connection, alert_id, Given(given, officer, AT_MS, "看过", disposition))


def _alert_row(url: str, columns: str) -> Any:
    with psycopg.connect(url) as connection:
        return connection.execute(f"SELECT {columns} FROM alerts").fetchone()


async def test_an_episode_is_kept_as_it_last_was_with_every_line_of_its_log(
    store: Store, database_url: str, alert: Alert, opened: Line, closed: Line
) -> None:
    await _open(store, alert, opened)
    await _open(store, alert, closed)
    with psycopg.connect(database_url) as connection:
        episodes = connection.execute(
            "SELECT ended_ms, alert_id, evidence, severity FROM episodes"
        ).fetchall()
        lines = connection.execute("SELECT change, paged FROM episode_lines ORDER BY line_id").fetchall()
    assert episodes == [(T0_MS + 120_000, "a1", {"n": 2}, 3)]
    assert lines == [("opened", ["o1"]), ("closed", [])]


async def test_an_episode_that_is_over_still_says_what_happened(
    store: Store, database_url: str, alert: Alert, opened: Line, closed: Line
) -> None:
    await _open(store, alert, opened)
    back = replace(closed, episode=replace(closed.episode, reason="已返回"))
    await _open(store, alert, back)
    with psycopg.connect(database_url) as connection:
        kept = connection.execute("SELECT reason FROM episodes").fetchone()
        said = connection.execute("SELECT reason FROM episode_lines ORDER BY line_id").fetchall()
    assert kept == (opened.episode.reason,)
    assert said == [(opened.episode.reason,), ("已返回",)]


async def test_a_line_that_names_no_alert_leaves_the_episode_with_the_one_it_has(
    store: Store, database_url: str, alert: Alert, opened: Line, closed: Line
) -> None:
    await _open(store, alert, opened)
    await _open(store, alert, replace(closed, alert_id=""))
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT alert_id, ended_ms FROM episodes").fetchone()
    assert row == ("a1", T0_MS + 120_000)


async def test_of_two_officers_at_once_one_wins_and_the_other_learns_who(
    store: Store, api_store: Store, alert: Alert, opened: Line
) -> None:
    await _open(store, alert, opened)
    results = await asyncio.gather(*(_answer(api_store, f"o{n}", Answer.ACKNOWLEDGED) for n in range(8)))
    winners = [r for r in results if r.won]
    assert len(winners) == 1
    assert {(r.state, r.by, r.at_ms) for r in results} == {(AlertState.ACKNOWLEDGED, winners[0].by, AT_MS)}


async def test_an_acknowledged_alert_can_be_resolved_but_not_twice(
    store: Store, api_store: Store, database_url: str, alert: Alert, opened: Line
) -> None:
    await _open(store, alert, opened)
    assert (await _answer(api_store, "o1", Answer.ACKNOWLEDGED)).won
    assert (await _answer(api_store, "o2", Answer.RESOLVED, Disposition.FALSE_ALARM)).won
    late = await _answer(api_store, "o1", Answer.RESOLVED, Disposition.DRILL)
    assert (late.won, late.state, late.by) == (False, AlertState.RESOLVED, "o2")
    assert not (await _answer(api_store, "o1", Answer.ACKNOWLEDGED)).won
    row = _alert_row(database_url, "state, acknowledged_by, resolved_by, disposition, note")
    assert row == ("resolved", "o1", "o2", "false_alarm", "看过")


async def test_an_unknown_alert_has_no_standing_answer(api_store: Store) -> None:
    assert (await _answer(api_store, "o1", Answer.ACKNOWLEDGED, alert_id="none")).state is None


async def test_the_daemon_takes_each_answer_once_and_in_order(
    store: Store, api_store: Store, alert: Alert, opened: Line
) -> None:
    await _open(store, alert, opened)
    await _answer(api_store, "o1", Answer.ACKNOWLEDGED)
    await _answer(api_store, "o2", Answer.RESOLVED, Disposition.TRUE_VIOLATION)
    async with store.transaction() as tx:
        taken = await tx.take_answers(7)
    assert [(a.answer, a.officer_id, a.disposition) for a in taken] == [
        (Answer.ACKNOWLEDGED, "o1", None),
        (Answer.RESOLVED, "o2", Disposition.TRUE_VIOLATION),
    ]
    async with store.transaction() as tx:
        assert await tx.take_answers(8) == []


async def test_an_answer_taken_in_a_failed_batch_is_taken_again(
    store: Store, api_store: Store, alert: Alert, opened: Line
) -> None:
    await _open(store, alert, opened)
    await _answer(api_store, "o1", Answer.ACKNOWLEDGED)
    try:
        async with store.transaction() as tx:
            assert len(await tx.take_answers(7)) == 1
            raise RuntimeError
    except RuntimeError:
        pass
    async with store.transaction() as tx:
        assert len(await tx.take_answers(7)) == 1


async def test_the_daemon_does_not_overwrite_an_answer_it_has_not_taken_yet(
    store: Store, api_store: Store, database_url: str, alert: Alert, opened: Line
) -> None:
    await _open(store, alert, opened)
    await _answer(api_store, "o1", Answer.ACKNOWLEDGED)
    await _open(store, replace(alert, step=2), opened)
    assert _alert_row(database_url, "state, acknowledged_by, step") == ("acknowledged", "o1", 2)


async def test_a_new_round_opens_the_alert_anew(
    store: Store, api_store: Store, database_url: str, alert: Alert, opened: Line
) -> None:
    await _open(store, replace(alert, severity=Severity.MAJOR), opened)
    await _answer(api_store, "o1", Answer.ACKNOWLEDGED)
    await _open(store, replace(alert, round=2, step=1), opened)
    assert _alert_row(database_url, "state, acknowledged_by, severity, round") == ("open", None, 3, 2)


async def test_an_answer_leaves_timeline_audit_and_word_to_both_processes(
    store: Store, api_store: Store, database_url: str, alert: Alert, opened: Line
) -> None:
    await _open(store, alert, opened)
    async with store.transaction() as tx:
        await tx.write_timeline([Entry("a1", T0_MS, "paged", None, {"to": ["o1"]})])
    told = store.listen("alerts", "answers")
    assert {await anext(told), await anext(told)} == {("alerts", ""), ("answers", "")}
    await _answer(api_store, "o1", Answer.ACKNOWLEDGED)
    heard = {await asyncio.wait_for(anext(told), 5) for _ in range(2)}
    await told.aclose()  # type: ignore[attr-defined]
    assert heard == {("alerts", "a1"), ("answers", "a1")}
    with psycopg.connect(database_url) as connection:
        timeline = connection.execute("SELECT what, who FROM alert_timeline ORDER BY entry_id").fetchall()
        audit = connection.execute("SELECT actor, action, target FROM audit").fetchall()
    assert timeline == [("paged", None), ("acknowledged", "o1")]
    assert audit == [("o1", "alert.acknowledged", "a1")]


async def test_an_alert_written_in_a_batch_is_told_after_the_commit(
    store: Store, api_store: Store, alert: Alert, opened: Line
) -> None:
    told = api_store.listen("alerts")
    assert await anext(told) == ("alerts", "")
    await _open(store, alert, opened)
    assert await asyncio.wait_for(anext(told), 5) == ("alerts", "a1")
    await told.aclose()  # type: ignore[attr-defined]
