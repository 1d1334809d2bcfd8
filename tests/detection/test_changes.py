"""Changes under way: each takes effect at its own time, and edits never reach back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from precinct import (
    NIGHT,
    Point,
    Row,
    Said,
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
    person,
    place,
    span,
    suspension,
    times,
)

from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.telemetry import BandEvent

PLACE = (Kind.ZONE_EXIT, Kind.CURFEW, Kind.ZONE_ENTER, Kind.LEAVE_OVERDUE, Kind.LEAVE_ASTRAY)


def out(*rows: Row, since: float = 11) -> Watch:
    """700 m east of the home from minute ``since`` to minute 30."""
    seen = Watch(cases(*rows))
    seen.stay(0, since - 1, 0)
    seen.stay(since, 30, 700)
    return seen


# -- zones --------------------------------------------------------------------------------------------
def test_a_new_zone_holds_from_now_and_is_no_reproach_for_before() -> None:
    seen = out()
    assert not seen.episodes(*PLACE)
    seen.amend(cases(home()), 30.5)
    seen.stay(31, 33, 700)
    assert times(seen.one(Kind.ZONE_EXIT))[0] >= 30.5


def test_a_zone_taken_away_closes_what_it_opened() -> None:
    seen = out(home())
    seen.amend(cases(), 30.5)
    assert times(seen.one(Kind.ZONE_EXIT)) == (11, 30.5)
    assert seen.one(Kind.ZONE_EXIT).reason == "规定已变更，不再适用"


def test_a_zone_made_wider_takes_the_person_in_from_the_next_fixes_on() -> None:
    seen = out(home())
    seen.amend(cases(home(shape=circle(radius_m=2_000))), 30.5)
    seen.stay(31, 33, 700)
    assert times(seen.one(Kind.ZONE_EXIT))[1] == 31


def test_an_edit_does_not_change_what_is_said_of_before_even_by_late_fixes() -> None:
    """The zone was wide until minute 30; fixes of before that arrive later are judged by the wide one."""
    seen = Watch(cases(home(shape=circle(radius_m=2_000))))
    seen.stay(0, 10, 0)
    seen.amend(cases(home()), 30)
    for k in range(11, 30):
        seen.fix(40 + k / 60, 700, t=k)
    assert not seen.episodes(*PLACE)
    seen.stay(41, 43, 700)
    assert times(seen.one(Kind.ZONE_EXIT))[0] >= 30


def test_hours_that_become_stricter_bind_from_now() -> None:
    start = clock("20:00")
    seen = Watch(cases(home(hours=NIGHT)), began_ms=at(start))
    seen.stay(start, start + 30, 700)
    assert not seen.episodes(*PLACE)
    earlier = [{"days": "Mo-Su", "from": "20:00", "to": "06:00"}]
    seen.amend(cases(home(hours=earlier)), start + 30.5)
    seen.stay(start + 31, start + 33, 700)
    assert times(seen.one(Kind.CURFEW))[0] >= start + 30


def test_a_forbidden_place_drawn_round_a_person_holds_from_now() -> None:
    seen = out()
    seen.amend(cases(forbidden(shape=circle(700))), 30.5)
    seen.stay(31, 33, 700)
    assert times(seen.one(Kind.ZONE_ENTER))[0] == 31


# -- leaves, suspensions ------------------------------------------------------------------------------
def test_a_leave_granted_while_out_ends_the_exit_at_its_own_beginning() -> None:
    seen = out(home())
    seen.amend(cases(home(), leave(40, 400)), 30.5)
    seen.stay(31, 45, 700)
    assert times(seen.one(Kind.ZONE_EXIT)) == (11, 40)
    assert seen.one(Kind.ZONE_EXIT).reason == "请假开始"


def test_a_leave_granted_backwards_ends_it_now_and_leaves_the_past_as_it_was() -> None:
    seen = out(home())
    seen.amend(cases(home(), leave(0, 400)), 30.5)
    episode = seen.one(Kind.ZONE_EXIT)
    assert times(episode) == (11, 30.5)


def test_a_leave_called_off_makes_the_absence_an_exit() -> None:
    seen = out(home(), leave(5, 400))
    assert not seen.episodes(*PLACE)
    seen.amend(cases(home(), leave(5, 30.5)), 30.5)
    seen.stay(31, 33, 700)
    assert [e.kind for e in seen.episodes(*PLACE)] == [Kind.LEAVE_OVERDUE]


def test_a_suspension_entered_now_closes_what_is_open() -> None:
    seen = out(home())
    seen.event(30.2, BandEvent.STRAP_CUT)
    seen.amend(cases(home(), suspension(30.5, 90)), 30.5)
    assert times(seen.one(Kind.ZONE_EXIT)) == (11, 30.5)
    assert seen.open_kinds() == ["strap.cut"]


# -- orders and bindings ------------------------------------------------------------------------------
def test_an_order_lifted_early_closes_what_is_open_with_its_reason() -> None:
    seen = out(home())
    seen.amend(cases(home(), order(span=span(-1440, 30.5))), 30.5)
    assert times(seen.one(Kind.ZONE_EXIT)) == (11, 30.5)
    assert seen.one(Kind.ZONE_EXIT).reason == "定位决定到期或解除"


def test_an_order_deleted_closes_it_too() -> None:
    seen = out(home())
    other = order("p2"), person(), person("p2")
    seen.amend(cases(home(), *other, band()), 30.5)
    assert times(seen.one(Kind.ZONE_EXIT))[1] == 30.5


def test_an_order_that_begins_during_the_recording_takes_effect_at_its_own_time() -> None:
    seen = Watch(cases(home(), order(span=span(20, 1440 * 30))))
    seen.stay(0, 30, 700)
    assert times(seen.one(Kind.ZONE_EXIT))[0] == 20


def test_a_device_handed_to_another_person_speaks_for_that_person_from_then_on() -> None:
    bands = band(span=span(-1440, 100)), band(person_id="p2", span=span(100, 1440 * 30)), band("b2")
    people = person(), person("p2"), order(), order("p2")
    seen = Watch(cases(home(), home("home2", "p2"), *people, *bands))
    for k in range(130):
        seen.fix(k, 0 if k < 100 else 700)
        seen.fix(k + 0.5, 0, device="b2")
    assert [(e.person_id, times(e)[0]) for e in seen.episodes(Kind.ZONE_EXIT)] == [("p2", 100)]


def test_fixes_of_before_the_handing_over_belong_to_whoever_wore_it_then() -> None:
    bands = band(span=span(-1440, 100)), band(person_id="p2", span=span(100, 1440 * 30))
    seen = Watch(cases(home(), person(), person("p2"), order(), order("p2"), *bands))
    seen.stay(0, 10, 0)
    for k in range(60, 90):
        seen.fix(110 + k / 60, 700, t=k)
    assert [(e.person_id, times(e)[0]) for e in seen.episodes(Kind.ZONE_EXIT)] == [("p1", 60)]


def test_a_device_handed_over_within_one_batch_is_silent_for_who_wore_it_all_the_same() -> None:
    """What it says on the next arm comes after the silence, whatever lies in one batch."""
    bands = band(span=span(-1440, 54.5)), band(person_id="p2", span=span(54.5, 1440 * 30)), band("b2", "p2")
    world = cases(home(), person(), person("p2"), order(), order("p2"), *bands)
    said = [Said(at(k), "b1", (Point(at(k), *place(0, 0)),)) for k in (*range(50), 54.6, 55.6)]
    said += [Said(at(k + 0.5), "b2", (Point(at(k + 0.5), *place(0, 0)),)) for k in range(56)]
    said.sort(key=lambda one: one.at_ms)
    before = [one for one in said if one.at_ms < at(53)]
    for size in (1, 2, 100):
        seen = Watch(world)
        for one in before:
            seen.hear([one], one.at_ms)
        for k in range(len(before), len(said), size):
            seen.hear(said[k : k + size], said[k : k + size][-1].at_ms)
        silence = seen.one(Kind.SILENCE_DEVICE)
        assert (silence.person_id, minute(silence.detected_ms)) == ("p1", 54)


# -- offices ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("event", [BandEvent.STRAP_CUT, BandEvent.SHIELDED])
def test_handing_a_person_over_moves_the_open_episodes_along(event: BandEvent) -> None:
    seen = out(home())
    seen.event(30.2, event)
    seen.amend(cases(home(), person(office_id="s2")), 30.5)
    assert {e.office_id for e in seen.engine.open_episodes()} == {"s2"}
    seen.stay(31, 33, 0)
    assert seen.one(Kind.ZONE_EXIT).office_id == "s2"


def test_the_zones_of_an_office_come_and_go_with_its_people() -> None:
    rows = home("s1-zone", "s1"), home("s2-zone", "s2", shape=circle(50_000))
    seen = Watch(cases(*rows))
    seen.stay(0, 10, 0)
    seen.amend(cases(*rows, person(office_id="s2")), 10.5)
    seen.stay(11, 13, 0)
    assert [e.subject for e in seen.episodes(Kind.ZONE_EXIT)] == ["s2-zone"]


# -- what stays ---------------------------------------------------------------------------------------
def test_an_edit_that_concerns_others_changes_nothing() -> None:
    plain, edited = Watch(cases(home())), Watch(cases(home()))
    for seen in (plain, edited):
        seen.stay(0, 10, 0)
        seen.stay(11, 20, 700)
        if seen is edited:
            seen.amend(cases(home(), forbidden("far", "s2"), person(), person("p9", "s2"), order()), 20.5)
        seen.stay(21, 30, 700)
        seen.stay(31, 40, 0)
        seen.until(60)
    assert plain.log() == edited.log()


def test_many_edits_keep_nothing_that_grows() -> None:
    seen = Watch(cases(home()))
    for k in range(40):
        seen.stay(k, k + 0.5, 0, every=0.5)
        seen.amend(cases(replace(home(), name=f"name {k}")), k + 0.9)
    assert len(seen.engine.past_cities) <= 17
    assert minute(seen.engine.now_ms) == 39.9
