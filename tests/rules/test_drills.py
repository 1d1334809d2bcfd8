"""Drills: alerts that go the whole way to one officer, end by themselves, and touch nothing real."""

from __future__ import annotations

from town import Desk, acknowledged, an_episode, minutes, opened, resolved

from corrections_monitor.model.alerts import AlertState, Drill
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.settings import RulesSettings
from corrections_monitor.rules.book import AlertBook
from corrections_monitor.rules.outcome import Noted


def a_drill(officer: str = "own", at: float = 1, lasts: float = 60) -> Drill:
    return Drill(
        "d1", officer, "s1", Kind.ZONE_EXIT, Severity.CRITICAL, minutes(at), minutes(at + lasts), "演练：越界"
    )


def test_a_drill_climbs_to_its_officer_alone_and_writes_no_line() -> None:
    desk = Desk()
    desk.until(40, a_drill())
    assert desk.pages == [(1, 1, 0, "own"), (4, 1, 1, "own"), (9, 1, 2, "own"), (24, 1, 3, "own")]
    assert desk.lines == []
    assert desk.book.open_kinds() == {}
    assert (desk.alert.drill, desk.alert.person_id, desk.alert.alert_id) == (True, "", a_drill().alert_id)


def test_each_officer_practises_alone() -> None:
    desk = Desk()
    desk.until(1, a_drill("own"), a_drill("duty1"))
    desk.until(5, acknowledged(a_drill("own").alert_id, 2, "own"))
    assert [(at, who) for at, _, _, who in desk.pages] == [(1, "own"), (1, "duty1"), (4, "duty1")]


def test_a_drill_ends_when_its_time_is_over() -> None:
    desk = Desk()
    desk.until(61, a_drill())
    assert desk.alert.state is AlertState.RESOLVED
    assert desk.notes[-1].what is Noted.DRILL_ENDED
    before = len(desk.asides)
    desk.until(1_000)
    assert len(desk.asides) == before
    assert desk.book.snapshot() == _empty_at(1_000)


def test_a_resolved_drill_is_over() -> None:
    desk = Desk()
    desk.until(3, a_drill())
    desk.until(500, resolved(desk.alert.alert_id, 3, "own"))
    assert [at for at, *_ in desk.pages] == [1]
    assert desk.book.snapshot() == _empty_at(500)


def test_a_drill_joins_nothing_real_and_nothing_real_joins_it() -> None:
    desk = Desk()
    desk.until(2, a_drill(), opened(an_episode(Kind.ZONE_EXIT, 2)))
    assert sorted(alert.drill for alert in desk.alerts.values()) == [False, True]
    assert desk.book.episodes_of(a_drill().alert_id) is None


def test_a_drill_goes_through_a_snapshot() -> None:
    desk = Desk()
    desk.until(2, a_drill())
    desk.book = AlertBook.restore(desk.settings, desk.book.snapshot())
    desk.until(5)
    assert [at for at, *_ in desk.pages] == [1, 4]


def _empty_at(at: float) -> bytes:
    book = AlertBook(RulesSettings())
    book.advance([], [], Desk().cases, minutes(at))
    return book.snapshot()
