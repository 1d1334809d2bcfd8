"""The rules section of the configuration, laid over the defaults of ``model.settings``.

Steps read as "minor, major after 30m": what holds from the start, then what holds from an age on.  Rows of
``[rules.ladder_for.NAME]`` hold for some alerts; their names are the operator's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from corrections_monitor.model.cases import Supervision
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.settings import LadderRow, LadderStep, RulesSettings, Rung, Steps

Words = tuple[tuple[int, str], ...]  # (offset_ms, word), as ``config_values.steps`` reads them
Rungs = tuple[
    tuple[int, tuple[str, ...], tuple[tuple[str, ...], ...]], ...
]  # as ``config_values.ladder`` reads them
_PARTICULAR = {
    "severity_by_level": "by_level",
    "severity_by_office": "by_office",
    "severity_by_person": "by_person",
}


def rules_settings(values: Mapping[str, Any]) -> RulesSettings:
    """The settings; a key given replaces its default alone, all others stay."""
    defaults = RulesSettings()
    severities = dict(defaults.severities)
    for name, steps in values.get("severity", {}).items():
        severities[Kind(name)] = replace(severities[Kind(name)], steps=_severities(steps))
    for section, attribute in _PARTICULAR.items():
        for whose, by_kind in values.get(section, {}).items():
            for name, steps in by_kind.items():
                rule = severities[Kind(name)]
                particular = dict(getattr(rule, attribute)) | {whose: _severities(steps)}
                severities[Kind(name)] = replace(rule, **{attribute: tuple(particular.items())})
    ladders = dict(defaults.ladders)
    for name, steps in values.get("ladder", {}).items():
        ladders[_severity(name)] = _ladder(steps)
    expires = {_severity(name): ms for name, ms in values.get("ack_expires", {}).items()}
    plain = {n: values[n] for n in ("rejoin_ms", "ack_reminder_ms", "repeat_ms") if n in values}
    return replace(
        defaults,
        severities=severities,
        ladders=ladders,
        ladder_rows=tuple(_row(row) for row in values.get("ladder_for", {}).values()),
        ack_expires_ms=defaults.ack_expires_ms | expires,
        **plain,
    )


def rows_alike(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rows of the ladder table that are about the same alerts, by name: which counts could not be told."""
    seen: dict[tuple[Any, ...], str] = {}
    found = []
    for name, row in values.get("ladder_for", {}).items():
        about = tuple(row.get(column) for column in ("severity", "kind", "level", "office"))
        if about in seen:
            found.append((seen[about], name))
        seen.setdefault(about, name)
    return found


def _row(row: Mapping[str, Any]) -> LadderRow:
    return LadderRow(
        _ladder(row.get("steps", ())),
        _severity(row["severity"]) if "severity" in row else None,
        Kind(row["kind"]) if "kind" in row else None,
        Supervision(row["level"]) if "level" in row else None,
        row.get("office"),
    )


def _ladder(steps: Rungs) -> Steps:
    return tuple(LadderStep(ms, tuple(map(Rung, rungs)), channels) for ms, rungs, channels in steps)


def _severity(name: str) -> Severity:
    return Severity[name.upper()]


def _severities(steps: Words) -> tuple[tuple[int, Severity], ...]:
    return tuple((ms, Severity[word.upper()]) for ms, word in steps)
