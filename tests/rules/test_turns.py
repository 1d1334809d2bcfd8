"""Stand-in, hand-over, rotation and gaps, as who is on call at an instant would see them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrections_monitor.model.cases import Duty
from corrections_monitor.model.times import DAY_MS, HOUR_MS, Interval, from_ms
from corrections_monitor.rules.turns import Change, Rotation, TurnKey, gaps, hand_over, rotate, stand_in

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICERS = ("an", "bo", "cai")


def roster(*turns: tuple[str, int, int], office: str = "s1") -> dict[TurnKey, Duty]:
    return {(office, who, since): Duty(office, who, Interval(since, until)) for who, since, until in turns}


def changed(turns: Mapping[TurnKey, Duty], change: Change) -> dict[TurnKey, Duty]:
    return {key: duty for key, duty in {**turns, **change}.items() if duty is not None}


def on_call(turns: Mapping[TurnKey, Duty], at: int, office: str = "s1") -> set[str]:
    return {d.officer_id for d in turns.values() if d.office_id == office and d.span.holds(at)}


def test_a_stand_in_has_the_span_and_the_officer_has_the_rest() -> None:
    turns = roster(("an", 0, 100), ("bo", 100, 200))
    change = stand_in(turns, "s1", "an", "bo", Interval(20, 30))
    assert change == {
        ("s1", "an", 0): Duty("s1", "an", Interval(0, 20)),
        ("s1", "bo", 20): Duty("s1", "bo", Interval(20, 30)),
        ("s1", "an", 30): Duty("s1", "an", Interval(30, 100)),
    }


def test_a_whole_turn_given_away_is_withdrawn() -> None:
    change = stand_in(roster(("an", 0, 100)), "s1", "an", "bo", Interval(0, 100))
    assert change == {("s1", "an", 0): None, ("s1", "bo", 0): Duty("s1", "bo", Interval(0, 100))}


def test_who_is_on_call_already_is_not_written_down_twice() -> None:
    turns = roster(("an", 0, 100), ("bo", 20, 50))
    change = stand_in(turns, "s1", "an", "bo", Interval(10, 60))
    written = sorted((d.officer_id, d.span.from_ms, d.span.to_ms) for d in change.values() if d is not None)
    assert written == [("an", 0, 10), ("an", 60, 100), ("bo", 10, 20), ("bo", 50, 60)]


def test_a_hand_over_is_of_the_rest_of_the_present_turn_only() -> None:
    turns = roster(("an", 0, 100), ("an", 200, 300), ("cai", 0, 100))
    after = changed(turns, hand_over(turns, "s1", "an", "bo", 40))
    assert [on_call(after, at) for at in (39, 40, 99, 250)] == [
        {"an", "cai"},
        {"bo", "cai"},
        {"bo", "cai"},
        {"an"},
    ]
    assert hand_over(turns, "s1", "an", "bo", 150) == {}
    assert hand_over(turns, "s2", "an", "bo", 40) == {}


_TURNS = st.lists(
    st.tuples(st.sampled_from(OFFICERS), st.integers(0, 30), st.integers(1, 30)).map(
        lambda turn: (turn[0], turn[1], turn[1] + turn[2])
    ),
    max_size=8,
)


@given(_TURNS, st.integers(-2, 40), st.integers(1, 40))
def test_whoever_was_on_call_somebody_still_is(
    rows: list[tuple[str, int, int]], since: int, lasting: int
) -> None:
    turns, span = roster(*rows), Interval(since, since + lasting)
    after = changed(turns, stand_in(turns, "s1", "an", "bo", span))
    for at in range(-3, 90):
        before = on_call(turns, at)
        wanted = before - {"an"} | {"bo"} if "an" in before and span.holds(at) else before
        assert on_call(after, at) == wanted, at
    assert all(key == (d.office_id, d.officer_id, d.span.from_ms) for key, d in after.items())


@given(_TURNS, st.integers(-2, 40), st.integers(1, 40))
def test_gaps_are_when_nobody_is_on_call(rows: list[tuple[str, int, int]], since: int, lasting: int) -> None:
    turns, span = roster(*rows), Interval(since, since + lasting)
    found = gaps(turns.values(), span)
    for at in range(-3, 90):
        assert any(gap.holds(at) for gap in found) is (span.holds(at) and not on_call(turns, at)), at
    assert all(a.to_ms < b.from_ms for a, b in pairwise(found))


WEEKLY = Rotation("s1", ("an", "bo"), 7, date(2026, 12, 7), date(2026, 12, 23), time(8, 30))


def test_a_weekly_rotation_changes_at_its_hour_and_ends_with_its_last_day() -> None:
    planned = [d for d in rotate({}, WEEKLY, SHANGHAI, 0).values() if d is not None]
    told = [
        (d.officer_id, *(f"{from_ms(t, SHANGHAI):%m-%d %H:%M}" for t in (d.span.from_ms, d.span.to_ms)))
        for d in planned
    ]
    assert told == [
        ("an", "12-07 08:30", "12-14 08:30"),
        ("bo", "12-14 08:30", "12-21 08:30"),
        ("an", "12-21 08:30", "12-24 08:30"),
    ]


def test_a_rotation_takes_the_place_of_what_stood_and_never_reaches_back() -> None:
    start = planned_start()
    turns = roster(
        ("cai", start - DAY_MS, start + 3 * DAY_MS), ("an", start - 9 * DAY_MS, start - 8 * DAY_MS)
    )
    elsewhere = roster(("cai", start, start + DAY_MS), office="s2")
    after = changed(turns | elsewhere, rotate(turns | elsewhere, WEEKLY, SHANGHAI, start + HOUR_MS))
    assert on_call(after, start + HOUR_MS - 1) == {"cai"}
    assert on_call(after, start + HOUR_MS) == {"an"}
    assert on_call(after, start - 9 * DAY_MS) == {"an"}
    assert on_call(after, start, "s2") == {"cai"}
    assert gaps(after.values(), Interval(start, start + 17 * DAY_MS)) == []


def planned_start() -> int:
    return min(key[2] for key in rotate({}, WEEKLY, SHANGHAI, 0))


def test_a_rotation_that_is_over_changes_nothing() -> None:
    assert rotate(roster(("cai", 0, 100)), WEEKLY, SHANGHAI, planned_start() + 17 * DAY_MS) == {}


def test_the_same_rotation_again_changes_nothing() -> None:
    turns = changed({}, rotate({}, WEEKLY, SHANGHAI, 0))
    assert rotate(turns, WEEKLY, SHANGHAI, 0) == {}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Shanghai"])
def test_the_change_over_keeps_its_civil_hour(zone: str) -> None:
    daily = Rotation("s1", ("an", "bo", "cai"), 1, date(2027, 3, 25), date(2027, 4, 2), time(8, 0))
    planned = rotate({}, daily, ZoneInfo(zone), 0)
    assert {f"{from_ms(key[2], ZoneInfo(zone)):%H:%M}" for key in planned} == {"08:00"}
    assert len(planned) == 9
