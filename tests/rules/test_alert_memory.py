"""What joins which alert, what late data does, and what the book remembers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from town import (
    Desk,
    acknowledged,
    an_episode,
    closed,
    minutes,
    opened,
    updated,
)

from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.settings import LadderStep, RulesSettings, Rung
from corrections_monitor.rules.book import AlertBook

DUTY = ("duty1", "duty2")


A_DAY = 24 * 60.0


def test_a_restored_book_knows_what_is_due_next() -> None:
    silent, leaving = Desk(), Desk()
    silent.until(6, opened(an_episode(Kind.SILENCE_DEVICE, 5, started=0)))
    leaving.until(6, opened(an_episode(Kind.ZONE_EXIT, 5)))
    due = [AlertBook.restore(d.settings, d.book.snapshot()).next_due_ms for d in (silent, leaving)]
    assert due == [minutes(30), minutes(8)]


def test_a_new_episode_within_the_rejoin_time_joins_and_the_ladder_climbs_on() -> None:
    desk = Desk()
    first, second = an_episode(Kind.ZONE_EXIT), an_episode(Kind.ZONE_EXIT, 9)
    desk.until(60, opened(first), closed(first, 5), opened(second))
    # Step 2 stood three minutes away when the ladder halted at 5; it is three minutes away at 9.
    assert desk.paged_at() == [(0, DUTY), (3, ("chief1",)), (12, ("county-duty",)), (27, ("city-duty",))]
    assert len(desk.alerts) == 1
    assert desk.lines[-1].episode.episode_id == second.episode_id


def test_a_new_episode_after_the_rejoin_time_is_a_new_alert() -> None:
    desk = Desk()
    first, second = an_episode(Kind.ZONE_EXIT), an_episode(Kind.ZONE_EXIT, 10.001)
    desk.until(10.001, opened(first), closed(first, 5), opened(second))
    assert [at for at, _ in desk.paged_at()] == [0, 3, 10.001]
    assert len(desk.alerts) == 2


@pytest.mark.parametrize(("after_ms", "alerts"), [(5 * 60_000, 1), (5 * 60_000 + 1, 2)])
def test_the_rejoin_time_ends_to_the_millisecond(after_ms: int, alerts: int) -> None:
    desk = Desk()
    first = an_episode(Kind.ZONE_EXIT)
    second = replace(an_episode(Kind.ZONE_EXIT, 12), started_ms=minutes(5) + after_ms)
    desk.until(12, opened(first), closed(first, 5), opened(second))
    assert len(desk.alerts) == alerts


@pytest.mark.parametrize(("found", "alerts"), [(60.0, 1), (60.001, 2)])
def test_what_was_long_in_being_found_is_news(found: float, alerts: int) -> None:
    desk = Desk()
    first = an_episode(Kind.UNMONITORED, subject="p1")
    second = an_episode(Kind.UNMONITORED, 5 + found, subject="band1", started=5)
    desk.until(5 + found, opened(first), closed(first, 5), opened(second))
    assert len(desk.alerts) == alerts


@pytest.mark.parametrize("calls", [[], [26 * 60.0]])
def test_a_matter_that_is_over_for_a_day_is_not_joined_however_time_was_cut(calls: list[float]) -> None:
    desk = Desk()
    first = an_episode(Kind.SILENCE_DEVICE, 5, started=0)
    desk.until(10, opened(first), closed(first, 10))
    for at in calls:
        desk.until(at)
    told_at = 10 + 24 * 60 + 0.1 + 120
    desk.until(told_at, opened(an_episode(Kind.UNMONITORED, told_at, started=10)))
    assert len(desk.alerts) == 2


def test_a_tampers_ladder_tells_the_times_as_they_were_corrected() -> None:
    desk = Desk()
    loose = an_episode(Kind.STRAP_LOOSE)
    desk.until(5, opened(loose), closed(loose, 5))
    desk.until(11, updated(closed(loose, 5, ended=4).episode, 6, "更正"))
    assert (desk.lines[-1].paged, desk.lines[-1].episode.ended_ms) == (("chief1",), minutes(4))


def test_what_rejoins_an_acknowledged_alert_pages_nobody() -> None:
    desk = Desk()
    first = an_episode(Kind.ZONE_EXIT)
    desk.until(1, opened(first))
    desk.until(60, acknowledged(desk.alert.alert_id, 2), closed(first, 3), opened(an_episode(Kind.CURFEW, 4)))
    assert [at for at, _ in desk.paged_at()] == [0]
    assert len(desk.alerts) == 1


def test_a_minor_silence_that_rejoins_leaves_the_ladder_halted_until_it_pages() -> None:
    desk = Desk()
    first = an_episode(Kind.SILENCE_DEVICE, 5, started=0)
    second = an_episode(Kind.SILENCE_DEVICE, 40, started=35)
    desk.until(100, opened(first), closed(first, 35), opened(second))
    # Paged at 30, halted at 35 with 5 minutes to the chief; the second silence is major at 65.
    assert desk.paged_at() == [(30, DUTY), (70, ("chief1",)), (85, ("county-duty",))]


def test_a_late_episode_that_is_over_is_paged_once() -> None:
    desk = Desk()
    exit_then = an_episode(Kind.ZONE_EXIT, 0, started=-120, late=True)
    desk.until(60, opened(exit_then), closed(exit_then, 0, ended=-90))
    assert desk.paged_at() == [(0, DUTY)]
    assert desk.alert.late


def test_a_late_episode_from_before_a_matter_that_is_over_is_an_alert_of_its_own() -> None:
    desk = Desk()
    now, then = an_episode(Kind.ZONE_EXIT), an_episode(Kind.ZONE_EXIT, 3, started=-120, late=True)
    again = an_episode(Kind.ZONE_EXIT, 4)
    desk.until(4, opened(now), closed(now, 2), opened(then), closed(then, 3, ended=-90), opened(again))
    assert [at for at, _ in desk.paged_at()] == [0, 3]
    assert desk.lines[-1].alert_id == desk.lines[0].alert_id


def test_late_data_corrects_an_ended_episode_in_its_alert() -> None:
    desk = Desk()
    leaving = an_episode(Kind.ZONE_EXIT)
    desk.until(1, opened(leaving), closed(leaving, 1))
    correction = closed(leaving, 1, ended=0.5).episode
    desk.until(30, updated(correction, 20))
    assert desk.log()[-1] == ("updated", 20, "critical", ())
    assert desk.lines[-1].alert_id == desk.alert.alert_id


def test_after_a_day_the_book_has_forgotten_what_is_over() -> None:
    desk, empty = Desk(), Desk()
    leaving = an_episode(Kind.ZONE_EXIT)
    desk.until(1, opened(leaving), closed(leaving, 1))
    desk.until(1 + A_DAY)
    assert desk.book.snapshot() != empty.book.snapshot()
    desk.until(2 + A_DAY)
    empty.until(2 + A_DAY)
    assert desk.book.snapshot() == empty.book.snapshot()


@pytest.mark.parametrize("calls", [[], [45 + A_DAY]])
def test_corrections_of_what_is_forgotten_still_pass(calls: list[float]) -> None:
    """The severity is that of the length it had; which alert it belonged to, the store knows."""
    desk = Desk()
    silent = an_episode(Kind.SILENCE_DEVICE, 5, started=0)
    desk.until(40, opened(silent), closed(silent, 40))
    for at in calls:
        desk.until(at)
    correction = updated(closed(silent, 40, ended=39).episode, 50 + A_DAY)
    desk.until(50 + A_DAY, correction)
    last = desk.lines[-1]
    assert (last.episode, last.severity, last.alert_id) == (correction.episode, Severity.MAJOR, "")


def test_a_ladder_shortened_by_an_edit_while_halted_just_ends() -> None:
    desk = Desk()
    first = an_episode(Kind.ZONE_EXIT)
    desk.until(9, opened(first), closed(first, 9))
    short = RulesSettings(ladders={Severity.CRITICAL: (LadderStep(0, (Rung.STATION_DUTY,)),)})
    desk.book = AlertBook.restore(short, desk.book.snapshot())
    desk.until(60, opened(an_episode(Kind.ZONE_EXIT, 10)))
    assert [at for at, _ in desk.paged_at()] == [0, 3, 8]
    assert desk.alert.step_due_ms is None


def test_a_snapshot_of_another_format_is_refused() -> None:
    body = AlertBook(RulesSettings()).snapshot()
    with pytest.raises(ValueError, match="format 9"):
        AlertBook.restore(RulesSettings(), body.replace(b"\xa6format\x01", b"\xa6format\x09"))
