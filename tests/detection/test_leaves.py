"""Leaves: away with permission, back too late, somewhere else than permitted."""

from __future__ import annotations

from precinct import (
    NIGHT,
    Watch,
    at,
    band,
    cases,
    circle,
    clock,
    forbidden,
    home,
    leave,
    minute,
    order,
    span,
    times,
)

from corrections_monitor.model.cases import ZoneKind
from corrections_monitor.model.episodes import Kind

PLACE = (Kind.ZONE_EXIT, Kind.CURFEW, Kind.LEAVE_OVERDUE, Kind.LEAVE_ASTRAY)
visit = home("visit", applies_to="", shape=circle(50_000, radius_m=3_000))
assert visit.kind is ZoneKind.INCLUSION


def test_on_leave_one_may_be_anywhere() -> None:
    seen = Watch(cases(home(), home("bed", hours=NIGHT), leave(60, 2_000)))
    seen.stay(0, 59, 0)
    seen.stay(61, 1_990, 90_000, every=5)
    assert not seen.episodes(*PLACE)


def test_leaving_before_the_leave_begins_is_an_exit_that_ends_with_its_beginning() -> None:
    seen = Watch(cases(home(), leave(60, 2_000)))
    seen.stay(0, 30, 0)
    seen.stay(31, 80, 5_000)
    episode = seen.one(Kind.ZONE_EXIT)
    assert times(episode) == (31, 60)
    assert episode.reason == "请假开始"


def test_not_back_when_the_leave_ends_is_overdue_and_not_an_exit() -> None:
    seen = Watch(cases(home(), leave(60, 300)))
    seen.stay(0, 59, 0)
    seen.stay(61, 320, 5_000)
    assert not seen.episodes(Kind.ZONE_EXIT)
    episode = seen.one(Kind.LEAVE_OVERDUE)
    assert (times(episode)[0], minute(episode.detected_ms)) == (300, 300)
    seen.stay(321, 330, 0)
    assert times(seen.one(Kind.LEAVE_OVERDUE)) == (300, 321)


def test_once_back_going_out_again_is_an_exit() -> None:
    seen = Watch(cases(home(), leave(60, 300)))
    seen.stay(0, 59, 0)
    seen.stay(61, 320, 5_000)
    seen.stay(321, 330, 0)
    seen.stay(331, 340, 5_000)
    assert [(e.kind, times(e)[0]) for e in seen.episodes(*PLACE)] == [
        (Kind.LEAVE_OVERDUE, 300),
        (Kind.ZONE_EXIT, 331),
    ]


def test_back_before_the_leave_ends_and_out_after_it_is_an_exit() -> None:
    seen = Watch(cases(home(), leave(60, 300)))
    seen.stay(0, 59, 0)
    seen.stay(61, 200, 5_000)
    seen.stay(201, 310, 0)
    seen.stay(311, 320, 5_000)
    assert [(e.kind, times(e)[0]) for e in seen.episodes(*PLACE)] == [(Kind.ZONE_EXIT, 311)]


def test_an_overdue_return_in_curfew_hours_is_overdue_too() -> None:
    end = clock("23:00")
    seen = Watch(cases(home(hours=NIGHT), leave(clock("20:00"), end)), began_ms=at(clock("19:00")))
    seen.stay(clock("19:00"), clock("19:50"), 0)
    seen.stay(clock("20:01"), clock("23:30"), 5_000)
    assert [(e.kind, times(e)[0]) for e in seen.episodes(*PLACE)] == [(Kind.LEAVE_OVERDUE, end)]


def test_silent_through_the_end_of_the_leave_is_overdue_once_seen_outside() -> None:
    seen = Watch(cases(home(), leave(60, 300)))
    seen.stay(0, 59, 0)
    seen.stay(61, 200, 5_000)
    seen.until(500)
    seen.stay(501, 505, 5_000)
    assert times(seen.one(Kind.LEAVE_OVERDUE))[0] == 300


def test_leaves_that_follow_one_another_are_one() -> None:
    rows = home(), leave(60, 300), leave(300, 600, leave_id="l2")
    seen = Watch(cases(*rows))
    seen.stay(0, 59, 0)
    seen.stay(61, 590, 5_000, every=2)
    assert not seen.episodes(*PLACE)
    seen.stay(601, 610, 5_000)
    assert times(seen.one(Kind.LEAVE_OVERDUE))[0] == 600


def test_a_leave_does_not_lift_a_forbidden_place() -> None:
    seen = Watch(cases(home(), forbidden(), leave(60, 300)))
    seen.stay(0, 70, 0)
    seen.stay(71, 80, 1_000)
    assert times(seen.one(Kind.ZONE_ENTER))[0] == 71


def test_elsewhere_than_permitted_is_astray_after_the_travel_grace_counted_from_setting_out() -> None:
    seen = Watch(cases(home(), visit, leave(60, 2_000, "visit")))
    seen.stay(0, 59, 0)
    seen.stay(61, 420, 20_000)
    assert not seen.episodes(*PLACE)
    seen.stay(421, 430, 20_000)
    episode = seen.one(Kind.LEAVE_ASTRAY)
    assert (times(episode)[0], minute(episode.detected_ms), episode.subject) == (61, 421, "l1")
    seen.stay(431, 440, 50_000)
    assert times(seen.one(Kind.LEAVE_ASTRAY))[1] == 431


def test_on_the_way_and_where_permitted_nobody_is_astray() -> None:
    seen = Watch(cases(home(), visit, leave(60, 3_000, "visit")))
    seen.stay(0, 59, 0)
    seen.stay(61, 300, 20_000)
    seen.stay(301, 1_500, 50_000, every=5)
    seen.stay(1_505, 1_800, 20_000, every=5)
    seen.stay(1_805, 2_900, 0, every=5)
    assert not seen.episodes(*PLACE)


def test_at_home_during_a_leave_nobody_is_astray() -> None:
    seen = Watch(cases(home(), visit, leave(60, 2_000, "visit")))
    seen.stay(0, 1_500, 0, every=5)
    assert not seen.episodes(*PLACE)


def test_the_grace_is_for_each_way_anew() -> None:
    seen = Watch(cases(home(), visit, leave(60, 3_000, "visit")))
    seen.stay(0, 59, 0)
    for k in range(4):
        seen.stay(61 + 300 * k, 310 + 300 * k, 20_000, every=5)
        seen.stay(315 + 300 * k, 360 + 300 * k, 50_000, every=5)
    assert not seen.episodes(*PLACE)


def test_astray_ends_with_the_leave_and_overdue_takes_its_place() -> None:
    seen = Watch(cases(home(), visit, leave(60, 600, "visit")))
    seen.stay(0, 59, 0)
    seen.stay(61, 620, 20_000)
    assert [(e.kind, times(e)) for e in seen.episodes(Kind.LEAVE_ASTRAY)] == [(Kind.LEAVE_ASTRAY, (61, 600))]
    assert times(seen.one(Kind.LEAVE_OVERDUE))[0] == 600


def test_a_leave_within_the_order_only() -> None:
    rows = home(), leave(60, 2_000), order(span=span(-1440, 500)), band()
    seen = Watch(cases(*rows))
    seen.stay(0, 59, 0)
    seen.stay(61, 600, 5_000)
    assert not seen.episodes(*PLACE)


def test_one_wild_fix_at_home_is_no_return_from_leave() -> None:
    began, dusk = clock("17:00"), clock("22:00")
    seen = Watch(cases(home(hours=NIGHT), leave(clock("18:00"), clock("20:00"))), began_ms=at(began))
    seen.stay(began, clock("17:50"), 0)
    seen.stay(clock("18:01"), clock("20:30"), 5_000)
    seen.fix(clock("20:31"), 0)
    seen.stay(clock("20:32"), clock("22:10"), 5_000)
    assert [(e.kind, times(e)[0]) for e in seen.episodes(*PLACE)] == [(Kind.LEAVE_OVERDUE, dusk)]
