"""How grave a thing is (严重程度): by kind, by person, office and supervision level, by age.  CONTRACT §3."""

from __future__ import annotations

from collections.abc import Sequence

from corrections_monitor.model.cases import Supervision
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.settings import RulesSettings, SeverityRule

Steps = tuple[tuple[int, Severity], ...]


def severity(
    settings: RulesSettings,
    kind: Kind,
    level: Supervision | None,
    offices: Sequence[str],
    person_id: str,
    age_ms: int,
) -> tuple[Severity, int | None]:
    """The severity at an age since started_at, and the next age at which it changes (None: never).

    ``offices`` is the person's office and those above it, nearest first; ``level`` is None and
    ``person_id`` empty for an outage.  An age below zero counts as zero: a device's clock may be ahead.
    """
    steps = _steps_for(settings.severities[kind], level, offices, person_id)
    now, next_age_ms = steps[0][1], None
    for from_age_ms, severity_then in steps[1:]:
        if max(age_ms, 0) >= from_age_ms:
            now = severity_then
        elif severity_then != now:
            next_age_ms = from_age_ms
            break
    return now, next_age_ms


def _steps_for(
    rule: SeverityRule, level: Supervision | None, offices: Sequence[str], person_id: str
) -> Steps:
    """The most particular steps win: the person's, the nearest office's, the level's, the kind's."""
    if not (rule.by_person or rule.by_office or rule.by_level):
        return rule.steps
    by_person, by_office, by_level = dict(rule.by_person), dict(rule.by_office), dict(rule.by_level)
    if person_id in by_person:
        return by_person[person_id]
    for office_id in offices:
        if office_id in by_office:
            return by_office[office_id]
    return by_level.get(level, rule.steps) if level is not None else rule.steps
