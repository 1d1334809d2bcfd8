"""Late data: what is told in the end does not depend on when, or together with what, a fix came.

Each of these was once found by a random world (``test_oracle``) on which engine and reference disagreed.
"""

from __future__ import annotations

import pytest
from precinct import (
    NIGHT,
    Point,
    Said,
    Watch,
    at,
    band,
    cases,
    circle,
    clock,
    home,
    leave,
    order,
    phone,
    place,
    span,
    suspension,
    times,
)

from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.telemetry import BandEvent

visit = home("visit", applies_to="", shape=circle(50_000, radius_m=3_000))


def test_who_came_home_before_the_hours_ended_is_told_so_after_them() -> None:
    seen = Watch(cases(home(hours=NIGHT)), began_ms=at(clock("21:00")))
    seen.stay(clock("22:10"), clock("05:50", 1), 5_000, every=10)
    seen.until(clock("06:01", 1))
    assert times(seen.one(Kind.CURFEW))[1] == clock("06:00", 1)
    seen.fix(clock("06:02", 1), 0, t=clock("05:55", 1))
    seen.fix(clock("06:03", 1), 0, t=clock("05:57", 1))
    assert times(seen.one(Kind.CURFEW))[1] == clock("05:55", 1)
    assert [change for change, *_ in seen.log(Kind.CURFEW)] == ["opened", "closed", "updated"]


@pytest.mark.parametrize("judge_everyone", [False, True])
def test_a_late_fix_in_hours_that_are_over_counts_though_it_agrees_with_what_is_believed(
    judge_everyone: bool,
) -> None:
    """The columns know until when a fix changes nothing, and since when."""
    seen = Watch(cases(home(hours=NIGHT)), judge_everyone=judge_everyone)
    seen.stay(clock("21:00"), clock("21:10"), 5_000)
    seen.stay(clock("06:30", 1), clock("06:40", 1), 5_000, acc=3_000)
    assert not seen.episodes(Kind.CURFEW)
    seen.fix(clock("06:41", 1), 5_000, t=clock("05:00", 1))
    assert times(seen.one(Kind.CURFEW)) == (clock("05:00", 1), clock("06:00", 1))
    assert seen.one(Kind.CURFEW).late


def test_fixes_out_of_order_after_an_episode_is_over_leave_it_as_it_was() -> None:
    seen = Watch(cases(home(), visit, leave(10, 2_000, "visit"), suspension(600, 900)))
    seen.stay(0, 590, 5_000, every=10)
    seen.until(601)
    assert times(seen.one(Kind.LEAVE_ASTRAY)) == (10, 600)
    said = len(seen.told)
    points = tuple(Point(at(t), *place(5_000, 0)) for t in (650, 652, 651))
    seen.hear([Said(at(653), "b1", points)], at(653))
    assert seen.told[said:] == []


def test_an_edit_under_a_device_whose_clock_is_ahead_is_in_force_from_its_own_time() -> None:
    seen = Watch(cases())
    seen.stay(0, 10, 5_000)
    seen.fix(10.97, 5_000, t=11.04)
    seen.amend(cases(home()), 11)
    seen.fix(12, 5_000)
    assert times(seen.one(Kind.ZONE_EXIT))[0] == pytest.approx(11.04)


def test_two_fixes_of_the_same_instant_are_taken_in_the_same_order_however_they_come() -> None:
    """Which of the two was the last before the crossing decides to when it is dated."""
    two = [Said(at(9), device, (Point(at(9), *place(east, 0)),)) for device, east in (("b1", 198), ("f1", 0))]
    found = []
    for first, second in (two, two[::-1]):
        seen = Watch(cases(home(), band(), phone()))
        seen.stay(0, 8, 0)
        seen.hear([first], at(9))
        seen.hear([second], at(9.1))
        seen.stay(10, 12, 2_000)
        found.append(times(seen.one(Kind.ZONE_EXIT)))
    assert found[0] == found[1]


def test_with_the_order_begins_the_time_for_a_position() -> None:
    seen = Watch(cases(home(), order(span=span(60, 40_000))))
    for minute in range(70):
        seen.event(minute, BandEvent.HEARTBEAT)
    assert seen.log(Kind.SILENCE_POSITION) == [("opened", 65, "silence.position")]


def test_a_device_that_speaks_for_the_first_time_is_given_its_time_for_a_position() -> None:
    old, new = phone(span=span(-1440, 30)), band(span=span(5, 40_000))
    seen = Watch(cases(home(), old, new))
    for minute in range(100, 110):
        seen.event(minute, BandEvent.HEARTBEAT)
    assert seen.log(Kind.SILENCE_POSITION) == [("opened", 105, "silence.position")]


def test_an_episode_that_was_over_before_it_is_told_leaves_open_what_goes_on() -> None:
    seen = Watch(cases(home(), phone()))
    seen.stay(0, 30, 0, device="f1", every=10)
    seen.stay(60, 80, 5_000, device="f1", every=10)
    assert [times(e)[0] for e in seen.episodes(Kind.ZONE_EXIT)] == [60]
    points = [Point(at(t), *place(5_000 if 32 <= t < 40 else 0, 0)) for t in range(31, 59)]
    seen.hear([Said(at(81), "f1", tuple(points))], at(81))
    assert [times(e)[:1] for e in seen.episodes(Kind.ZONE_EXIT)] == [(60,), (32,)]
    assert seen.open_kinds() == ["zone.exit"]
    seen.stay(90, 110, 0, device="f1", every=10)
    assert [times(e) for e in seen.episodes(Kind.ZONE_EXIT)] == [(60, 90), (32, 40)]


def test_one_that_is_over_may_begin_when_another_that_goes_on_was_first_told_to() -> None:
    seen = Watch(cases(home(), phone()))
    seen.stay(0, 30, 0, device="f1", every=10)
    seen.stay(60, 80, 5_000, device="f1", every=10)
    inside = [Point(at(t), *place(0, 0)) for t in (63, 64, 65, 66)]
    seen.hear([Said(at(81), "f1", tuple(inside))], at(81))
    assert [times(e)[0] for e in seen.episodes(Kind.ZONE_EXIT)] == [70]
    outside = [Point(at(t), *place(5_000, 0)) for t in (60.5, 61, 61.5)]
    seen.hear([Said(at(82), "f1", tuple(outside))], at(82))
    known = seen.episodes(Kind.ZONE_EXIT)
    assert [round(times(e)[0], 2) for e in known] == [70, 60]
    assert len({e.episode_id for e in known}) == 2
    assert seen.open_kinds() == ["zone.exit"]


def test_the_sentence_moves_with_the_start() -> None:
    seen = Watch(cases(home(), phone()))
    seen.stay(0, 30, 0, device="f1", every=10)
    seen.stay(60, 80, 5_000, device="f1", every=10)
    seen.hear([Said(at(81), "f1", tuple(Point(at(t), *place(900, 0)) for t in (50, 51)))], at(81))
    episode = seen.one(Kind.ZONE_EXIT)
    assert times(episode)[0] == 50
    assert episode.reason == "03-02 00:50:00起越出““home””界外 700 米（定位误差约 10 米，2 个定位点一致）"
    assert [f["t"] for f in episode.evidence["fixes"]] == [at(50), at(51)]


def test_our_own_deafness_does_not_outlast_the_word_of_a_device() -> None:
    """Nobody got a position all the while; but what was said to be silent has spoken."""
    seen = Watch(cases(home()))
    seen.stay(0, 3, 0)
    seen.until(60)
    assert seen.open_kinds() == ["silence.device"]
    seen.engine.deaf_until(at(60.5))
    seen.event(61, BandEvent.HEARTBEAT)
    assert times(seen.one(Kind.SILENCE_DEVICE)) == (3, 61)
    assert seen.open_kinds() == []


@pytest.mark.parametrize("judge_everyone", [False, True])
def test_a_battery_that_was_charged_and_is_empty_again_is_told(judge_everyone: bool) -> None:
    seen = Watch(cases(home()), judge_everyone=judge_everyone)
    seen.event(1, BandEvent.CHARGING)
    seen.fix(2, 0)
    seen.fix(3, 0, percent=35)
    seen.fix(4, 0, percent=4)
    assert [str(e.kind) for e in seen.episodes()] == ["battery.low", "battery.critical"]


def test_late_fixes_that_agree_with_the_cases_of_now_are_judged_by_those_of_their_time() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 4, 0)
    seen.amend(cases(home(shape=circle(radius_m=2_000))), 30)
    seen.stay(31, 33, 0)
    seen.hear([Said(at(34), "b1", tuple(Point(at(t), *place(1_000, 0)) for t in (5, 6, 7)))], at(34))
    assert times(seen.one(Kind.ZONE_EXIT)) == (5, 31)


def test_what_was_said_to_be_over_and_went_on_is_an_episode_of_its_own() -> None:
    """Nothing is ever reopened."""
    seen = Watch(cases(home()))
    seen.stay(0, 9, 0)
    seen.stay(10, 19, 5_000)
    seen.stay(20, 21, 0)
    assert times(seen.one(Kind.ZONE_EXIT)) == (10, 20)
    points = tuple(Point(at(t), *place(5_000, 0)) for t in (20.2, 20.4, 20.6, 20.8))
    seen.hear([Said(at(21.5), "b1", points)], at(21.5))
    assert [times(e)[0] for e in seen.episodes(Kind.ZONE_EXIT)] == [10, 20]
    assert seen.open_kinds() == ["zone.exit"]
