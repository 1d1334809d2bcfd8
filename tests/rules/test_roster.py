"""Who answers at which rung."""

from __future__ import annotations

import pytest
from town import DUSK, FULL_DUTY, OFFICERS, T0, duty, town

from corrections_monitor.model.cases import CaseSet, Duty, Level, Office
from corrections_monitor.model.settings import Rung
from corrections_monitor.model.times import Interval
from corrections_monitor.rules.roster import Roster


@pytest.mark.parametrize(
    ("rung", "with_duty", "without"),
    [
        (Rung.STATION_DUTY, ("duty1", "duty2"), ("own",)),
        (Rung.STATION_CHIEF, ("chief1",), ("chief1",)),
        (Rung.COUNTY_DUTY, ("county-duty",), ("supervisor-a", "supervisor-b")),
        (Rung.CITY_DUTY, ("city-duty",), ("city-supervisor",)),
    ],
)
def test_a_rung_is_its_duty_officers_or_those_who_stand_in(
    rung: Rung, with_duty: tuple[str, ...], without: tuple[str, ...]
) -> None:
    assert Roster(town()).resolve(rung, "p1", "s1", T0) == with_duty
    assert Roster(town({})).resolve(rung, "p1", "s1", T0) == without


@pytest.mark.parametrize(
    ("rung", "who"),
    [
        (Rung.STATION_DUTY, ("county-duty",)),
        (Rung.STATION_CHIEF, ()),
        (Rung.COUNTY_DUTY, ("county-duty",)),
        (Rung.CITY_DUTY, ("city-duty",)),
    ],
)
def test_an_outage_is_the_countys(rung: Rung, who: tuple[str, ...]) -> None:
    assert Roster(town()).resolve(rung, "", "s1", T0) == who


def test_an_outage_of_the_broker_is_the_citys() -> None:
    assert Roster(town()).resolve(Rung.STATION_DUTY, "", "", T0) == ("city-duty",)


def test_a_turn_holds_from_its_start_to_before_its_end() -> None:
    turn = {("s1", "duty1", T0): Duty("s1", "duty1", Interval(T0, T0 + 10))}
    roster = Roster(town(turn))
    found = [roster.resolve(Rung.STATION_DUTY, "p1", "s1", at) for at in (T0 - 1, T0, T0 + 9, T0 + 10)]
    assert found == [("own",), ("duty1",), ("duty1",), ("own",)]


def test_two_turns_of_one_officer_are_one_page() -> None:
    turns = FULL_DUTY | {("s1", "duty1", T0): Duty("s1", "duty1", Interval(T0, DUSK))}
    assert Roster(town(turns)).resolve(Rung.STATION_DUTY, "p1", "s1", T0) == ("duty1", "duty2")


def test_a_turn_of_someone_unknown_counts_as_nobody() -> None:
    assert Roster(town(duty(("s1", "gone")))).resolve(Rung.STATION_DUTY, "p1", "s1", T0) == ("own",)


def test_a_city_without_officers_answers_with_nobody() -> None:
    cases = CaseSet(offices={"c1": Office("c1", None, Level.CITY, "局")})
    assert all(Roster(cases).resolve(rung, "p1", "c1", T0) == () for rung in Rung)


def test_duty_may_be_done_by_officers_of_other_offices() -> None:
    assert Roster(town(duty(("s1", "own2")))).resolve(Rung.STATION_DUTY, "p1", "s1", T0) == ("own2",)
    assert "own2" in {o.officer_id for o in OFFICERS}
