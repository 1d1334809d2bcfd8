"""Nearness to a protected person: two moving devices, no order of arrival, nothing kept but the distance."""

from __future__ import annotations

import pytest
from precinct import Watch, band, cases, order, person, phone, protected, times

from corrections_monitor.model.cases import ContactRule
from corrections_monitor.model.episodes import Kind


def pair(distance_m: float = 300, *rows: object) -> Watch:
    rule = ContactRule("p1", "v1", distance_m)
    return Watch(cases(person(), protected(), band(), phone("fv", "v1"), rule, *rows))  # type: ignore[arg-type]


def both(seen: Watch, start: float, end: float, one_m: float, other_m: float, lag: float = 0.5) -> None:
    for k in range(round(end - start) + 1):
        seen.fix(start + k, one_m)
        seen.fix(start + k + lag, other_m, device="fv")


def test_closer_than_allowed_is_found_and_ends_when_farther_again() -> None:
    seen = pair()
    both(seen, 0, 10, 0, 2_000)
    both(seen, 11, 20, 0, 100)
    both(seen, 21, 30, 0, 2_000)
    episode = seen.one(Kind.CONTACT_NEAR)
    assert 11 <= times(episode)[0] <= 12
    assert 21 <= times(episode)[1] <= 22.5
    assert (episode.person_id, episode.subject, episode.zone_id) == ("p1", "v1", None)


@pytest.mark.parametrize("lag", [0.1, 0.5, 0.9])
def test_whoever_moves_and_whoever_speaks_last(lag: float) -> None:
    for moves in ("p1", "v1"):
        seen = pair()
        both(seen, 0, 10, 0, 2_000, lag)
        both(seen, 11, 16, *((1_900, 2_000) if moves == "p1" else (0, 100)), lag)
        assert seen.one(Kind.CONTACT_NEAR)


def test_fixes_far_apart_in_time_are_not_compared() -> None:
    seen = pair()
    both(seen, 0, 10, 0, 2_000)
    seen.stay(60, 70, 2_000)
    assert not seen.episodes(Kind.CONTACT_NEAR)


def test_just_outside_the_distance_nothing_is_said() -> None:
    seen = pair()
    both(seen, 0, 60, 0, 330)
    assert not seen.episodes(Kind.CONTACT_NEAR)


def test_coarse_positions_of_either_say_nothing_at_once() -> None:
    seen = pair()
    for k in range(60):
        seen.fix(k, 0, acc=600)
        seen.fix(k + 0.5, 100, device="fv")
    assert not seen.episodes(Kind.CONTACT_NEAR)


def test_only_the_distance_is_kept_of_where_they_met() -> None:
    seen = pair()
    both(seen, 0, 10, 0, 2_000)
    both(seen, 11, 20, 0, 100)
    episode = seen.one(Kind.CONTACT_NEAR)
    assert set(episode.evidence) == {"distance_m", "limit_m"}
    assert episode.evidence["distance_m"] == 100
    assert "100 米" in episode.reason


def test_a_protected_person_has_no_silence_no_census_and_no_place_of_their_own() -> None:
    seen = pair()
    both(seen, 0, 3, 0, 2_000)
    seen.until(3_000)
    assert {e.person_id for e in seen.episodes()} == {"p1"}
    assert "v1" not in seen.engine.memory or not seen.engine.memory["v1"].story.now.slots


def test_without_an_order_nobody_is_compared() -> None:
    seen = pair(300, order("p2"), person("p2"))
    both(seen, 0, 20, 0, 100)
    assert not seen.episodes(Kind.CONTACT_NEAR)
