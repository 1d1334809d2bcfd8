"""Which ladder an alert climbs (逐级上报): the rows of the table that fit it, the most particular wins."""

from __future__ import annotations

from collections.abc import Sequence

from corrections_monitor.model.cases import Supervision
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.settings import LadderRow, RulesSettings, Steps

_Rank = tuple[int, bool, bool, bool]


def ladder(
    settings: RulesSettings,
    severity: Severity,
    kind: Kind,
    level: Supervision | None,
    offices: Sequence[str],
) -> Steps:
    """The steps; empty for a severity that does not page.

    ``offices`` is the alert's office and those above it, nearest first.  A row of a nearer office counts
    more than any of a farther one, among those of one office the kind's, then the level's.
    """
    if not severity.pages:
        return ()
    fitting = [
        (rank, row.steps)
        for row in settings.ladder_rows
        if (rank := _rank(row, severity, kind, level, offices)) is not None
    ]
    if fitting:
        return max(fitting, key=lambda found: found[0])[1]
    return settings.ladders.get(severity, ())


def _rank(
    row: LadderRow, severity: Severity, kind: Kind, level: Supervision | None, offices: Sequence[str]
) -> _Rank | None:
    """How particular a row is; None when it is about others."""
    if row.severity not in (None, severity) or row.kind not in (None, kind) or row.level not in (None, level):
        return None
    if row.office_id is not None and row.office_id not in offices:
        return None
    nearness = len(offices) - offices.index(row.office_id) if row.office_id is not None else 0
    return nearness, row.kind is not None, row.level is not None, row.severity is not None
