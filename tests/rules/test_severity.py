"""How grave a thing is, by age and by who it concerns."""

from __future__ import annotations

import pytest

from corrections_monitor.model.cases import Supervision
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.settings import RulesSettings, SeverityRule
from corrections_monitor.model.times import HOUR_MS, MINUTE_MS
from corrections_monitor.rules.severity import severity

DEFAULT = RulesSettings()
INFO, MINOR, MAJOR, CRITICAL = Severity


@pytest.mark.parametrize(
    ("age_ms", "expected"),
    [
        (-5, (MINOR, 30 * MINUTE_MS)),
        (30 * MINUTE_MS - 1, (MINOR, 30 * MINUTE_MS)),
        (30 * MINUTE_MS, (MAJOR, 3 * HOUR_MS)),
        (3 * HOUR_MS - 1, (MAJOR, 3 * HOUR_MS)),
        (3 * HOUR_MS, (CRITICAL, None)),
    ],
)
def test_silence_by_age(age_ms: int, expected: tuple[Severity, int | None]) -> None:
    assert severity(DEFAULT, Kind.SILENCE_DEVICE, Supervision.NORMAL, ["s1"], "p1", age_ms) == expected


def test_silence_of_strict_persons() -> None:
    found = severity(DEFAULT, Kind.SILENCE_DEVICE, Supervision.STRICT, ["s1"], "p1", 0)
    assert found == (MAJOR, 3 * HOUR_MS)


@pytest.mark.parametrize(
    ("person", "offices", "level", "expected"),
    [
        ("p1", ["s1", "k1"], Supervision.STRICT, CRITICAL),
        ("p2", ["s1", "k1"], Supervision.STRICT, MINOR),
        ("p2", ["s2", "k1"], Supervision.STRICT, INFO),
        ("p2", ["s3", "k2"], Supervision.STRICT, CRITICAL),
        ("p2", ["s3", "k2"], Supervision.NORMAL, MAJOR),
        ("", [], None, MAJOR),
    ],
)
def test_the_most_particular_table_wins(
    person: str, offices: list[str], level: Supervision | None, expected: Severity
) -> None:
    rule = SeverityRule(
        ((0, MAJOR),),
        by_level=(("strict", ((0, CRITICAL),)),),
        by_office=(("k1", ((0, INFO),)), ("s1", ((0, MINOR),))),
        by_person=(("p1", ((0, CRITICAL),)),),
    )
    settings = RulesSettings(severities={Kind.CURFEW: rule})
    assert severity(settings, Kind.CURFEW, level, offices, person, 0) == (expected, None)


def test_a_step_that_changes_nothing_is_no_deadline() -> None:
    rule = SeverityRule(((0, MAJOR), (10, MAJOR), (20, CRITICAL)))
    settings = RulesSettings(severities={Kind.CURFEW: rule})
    assert severity(settings, Kind.CURFEW, None, [], "", 0) == (MAJOR, 20)
