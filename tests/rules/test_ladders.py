"""Which ladder is climbed: by severity, kind, level and office; whom and by what its steps tell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from town import TOWN, Desk, an_episode, opened

from corrections_monitor.model.cases import Supervision
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.settings import LadderRow, LadderStep, RulesSettings, Rung
from corrections_monitor.rules.ladders import ladder
from corrections_monitor.rules.roster import Roster

OFFICES = ("s1", "k1", "c1")


def to(rung: Rung) -> tuple[LadderStep, ...]:
    return (LadderStep(0, (rung,)),)


BY_SEVERITY = LadderRow(to(Rung.STATION_CHIEF), severity=Severity.CRITICAL)
BY_LEVEL = LadderRow(to(Rung.OWN_OFFICER), level=Supervision.STRICT)
BY_KIND = LadderRow(to(Rung.COUNTY_DUTY), kind=Kind.SOS)
BY_CITY = LadderRow(to(Rung.CITY_DUTY), office_id="c1")
BY_STATION = LadderRow(to(Rung.COUNTY_SUPERVISORS), office_id="s1")
BY_BOTH = LadderRow(to(Rung.CITY_SUPERVISORS), kind=Kind.SOS, office_id="s1")


@pytest.mark.parametrize(
    ("rows", "wins"),
    [
        ([BY_SEVERITY], BY_SEVERITY),
        ([BY_LEVEL, BY_SEVERITY], BY_LEVEL),
        ([BY_SEVERITY, BY_KIND, BY_LEVEL], BY_KIND),
        ([BY_KIND, BY_CITY], BY_CITY),
        ([BY_STATION, BY_CITY], BY_STATION),
        ([BY_CITY, BY_STATION, BY_BOTH, BY_KIND], BY_BOTH),
    ],
)
def test_the_most_particular_row_wins_wherever_it_stands(rows: list[LadderRow], wins: LadderRow) -> None:
    for ordered in (rows, rows[::-1]):
        settings = replace(RulesSettings(), ladder_rows=tuple(ordered))
        found = ladder(settings, Severity.CRITICAL, Kind.SOS, Supervision.STRICT, OFFICES)
        assert found == wins.steps


@pytest.mark.parametrize(
    "row",
    [
        replace(BY_SEVERITY, severity=Severity.MAJOR),
        replace(BY_KIND, kind=Kind.CURFEW),
        replace(BY_LEVEL, level=Supervision.NORMAL),
        replace(BY_STATION, office_id="s2"),
        replace(BY_BOTH, office_id="s2"),
    ],
)
def test_a_row_about_others_changes_nothing(row: LadderRow) -> None:
    settings = replace(RulesSettings(), ladder_rows=(row,))
    found = ladder(settings, Severity.CRITICAL, Kind.SOS, Supervision.STRICT, OFFICES)
    assert found == RulesSettings().ladders[Severity.CRITICAL]


def test_a_row_makes_nothing_page_that_does_not() -> None:
    settings = replace(RulesSettings(), ladder_rows=(BY_KIND,))
    assert ladder(settings, Severity.MINOR, Kind.SOS, None, OFFICES) == ()


def test_a_step_tells_several_at_once_over_its_channels() -> None:
    steps = (
        LadderStep(0, (Rung.STATION_DUTY, Rung.STATION_CHIEF), (("mqtt",),)),
        LadderStep(60_000, (Rung.CITY_SUPERVISORS,)),
    )
    desk = Desk(settings=replace(RulesSettings(), ladder_rows=(LadderRow(steps, kind=Kind.CURFEW),)))
    outcome = desk.until(0, opened(an_episode(Kind.CURFEW)))
    assert {p.channels for p in outcome.pages} == {(("mqtt",),)}
    desk.until(5)
    assert desk.paged_at() == [(0, ("chief1", "duty1", "duty2")), (1, ("city-supervisor",))]


def test_the_ladder_of_a_round_is_that_of_the_kind_it_began_for() -> None:
    own = LadderRow(
        (LadderStep(0, (Rung.OWN_OFFICER,)), LadderStep(120_000, (Rung.OWN_OFFICER,))), kind=Kind.CURFEW
    )
    desk = Desk(settings=replace(RulesSettings(), ladder_rows=(own,)))
    desk.until(1, opened(an_episode(Kind.CURFEW)), opened(an_episode(Kind.LEAVE_OVERDUE, 1)))
    desk.until(10)
    assert desk.paged_at() == [(0, ("own",)), (2, ("own",))]


@pytest.mark.parametrize(
    ("rung", "who"),
    [
        (Rung.OWN_OFFICER, ("own",)),
        (Rung.COUNTY_SUPERVISORS, ("supervisor-a", "supervisor-b")),
        (Rung.CITY_SUPERVISORS, ("city-supervisor",)),
    ],
)
def test_posts_are_told_whoever_is_on_duty(rung: Rung, who: tuple[str, ...]) -> None:
    assert Roster(TOWN).resolve(rung, "p1", "s1", 0) == who
