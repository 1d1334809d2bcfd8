"""The duty roster changed and looked over: stand-in (替班), hand-over (交班), rotation (轮值), gaps (空岗).

A change is a difference of duty rows, and nothing else is kept of it: who is on call is what the rows say.
It never reaches back: what was so before the given instant stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from corrections_monitor.model.cases import CaseSet, Duty, Level
from corrections_monitor.model.settings import Rung
from corrections_monitor.model.times import Interval, to_ms
from corrections_monitor.rules.roster import Roster

TurnKey = tuple[str, str, int]
"""office_id, officer_id, from_ms: the key of a duty row."""

Turns = Mapping[TurnKey, Duty]
Change = dict[TurnKey, Duty | None]
"""The rows to write, by key; None: to withdraw."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """The officers of an office one after another, ``every_days`` days each, changing at ``at`` (civil).

    The first begins on ``first_day``; the last turn ends with ``last_day``'s change-over.
    """

    office_id: str
    officers: Sequence[str]
    every_days: int
    first_day: date
    last_day: date
    at: time


def stand_in(turns: Turns, office_id: str, officer_id: str, other_id: str, span: Interval) -> Change:
    """``other_id`` in place of ``officer_id`` within the span, where he was on call; empty when nowhere.

    Where the other is on call himself already, nothing is added.
    """
    before = _of_office(turns, office_id)
    mine = [d for d in before if d.officer_id == officer_id and d.span.overlaps(span)]
    own = [d.span for d in before if d.officer_id == other_id]
    taken = [part for d in mine for part in _without([_clip(d.span, span)], own)]
    after = [d for d in before if d not in mine]
    after += [Duty(office_id, officer_id, part) for d in mine for part in _without([d.span], [span])]
    after += [Duty(office_id, other_id, part) for part in taken]
    return _difference(before, after)


def hand_over(turns: Turns, office_id: str, officer_id: str, other_id: str, at_ms: int) -> Change:
    """The rest of the turn ``officer_id`` has at the instant goes to ``other_id``; empty: there is none."""
    present = [
        d
        for d in turns.values()
        if (d.office_id, d.officer_id) == (office_id, officer_id) and d.span.holds(at_ms)
    ]
    if not present:
        return {}
    span = Interval(at_ms, max(d.span.to_ms for d in present))
    return stand_in(turns, office_id, officer_id, other_id, span)


def rotate(turns: Turns, rotation: Rotation, zone: ZoneInfo, now_ms: int) -> Change:
    """The rotation's turns in place of whatever stands at the office for its span, from now on.

    Empty when nothing of it lies ahead.
    """
    before = _of_office(turns, rotation.office_id)
    planned = [
        Duty(rotation.office_id, d.officer_id, Interval(max(d.span.from_ms, now_ms), d.span.to_ms))
        for d in _expand(rotation, zone)
        if d.span.to_ms > now_ms
    ]
    if not planned:
        return {}
    span = Interval(planned[0].span.from_ms, planned[-1].span.to_ms)
    kept = [Duty(d.office_id, d.officer_id, part) for d in before for part in _without([d.span], [span])]
    return _difference(before, kept + planned)


def gaps(turns: Iterable[Duty], span: Interval) -> list[Interval]:
    """When within the span none of the turns holds, in order."""
    return _without([span], [d.span for d in turns])


@dataclass(frozen=True, slots=True)
class OfficeGap:
    """Hours when nobody is on call at an office; ``instead``: the rung that is told then, None when it is
    empty.  ``has_roster``: the office has turns at all."""

    office_id: str
    span: Interval
    has_roster: bool
    instead: Rung | None


def offices_without(offices: Iterable[str], cases: CaseSet, span: Interval) -> list[OfficeGap]:
    """The gaps within the span, soonest first: of offices that have a roster or, as stations, people."""
    roster = Roster(cases)
    stations = {p.office_id for p in cases.people.values() if not p.is_protected and p.span.overlaps(span)}
    rows: dict[str, list[Duty]] = {}
    for duty in cases.duty.values():
        if duty.officer_id in cases.officers:
            rows.setdefault(duty.office_id, []).append(duty)
    found = []
    for office_id in offices:
        level, turns = cases.offices[office_id].level, rows.get(office_id, [])
        if not turns and not (level is Level.STATION and office_id in stations):
            continue
        instead = _INSTEAD[level]
        somebody = level is Level.STATION or roster.resolve(instead, "", office_id, span.from_ms)
        found += [
            OfficeGap(office_id, gap, bool(turns), instead if somebody else None) for gap in gaps(turns, span)
        ]
    return sorted(found, key=lambda gap: (gap.span.from_ms, gap.office_id))


_INSTEAD = {
    Level.STATION: Rung.OWN_OFFICER,
    Level.COUNTY: Rung.COUNTY_SUPERVISORS,
    Level.CITY: Rung.CITY_SUPERVISORS,
}


def _expand(rotation: Rotation, zone: ZoneInfo) -> list[Duty]:
    days = range(0, (rotation.last_day - rotation.first_day).days + 1, rotation.every_days)
    starts = [_instant(rotation.first_day + timedelta(days=day), rotation.at, zone) for day in days]
    end_ms = _instant(rotation.last_day + timedelta(days=1), rotation.at, zone)
    return [
        Duty(rotation.office_id, rotation.officers[i % len(rotation.officers)], Interval(start_ms, until_ms))
        for i, (start_ms, until_ms) in enumerate(zip(starts, [*starts[1:], end_ms], strict=True))
    ]


def _instant(day: date, at: time, zone: ZoneInfo) -> int:
    return to_ms(datetime.combine(day, at, tzinfo=zone))


def _of_office(turns: Turns, office_id: str) -> list[Duty]:
    return [d for d in turns.values() if d.office_id == office_id]


def _clip(part: Interval, span: Interval) -> Interval:
    return Interval(max(part.from_ms, span.from_ms), min(part.to_ms, span.to_ms))


def _without(parts: Iterable[Interval], taken: Iterable[Interval]) -> list[Interval]:
    """What is left of the parts, each in order."""
    left = list(parts)
    for cut in taken:
        left = [
            Interval(start_ms, end_ms)
            for part in left
            for start_ms, end_ms in (
                (part.from_ms, min(part.to_ms, cut.from_ms)),
                (max(part.from_ms, cut.to_ms), part.to_ms),
            )
            if start_ms < end_ms
        ]
    return left


def _difference(before: Sequence[Duty], after: Sequence[Duty]) -> Change:
    """Of two rows of one key the longer stands: both say that the officer is on call."""
    wanted: dict[TurnKey, Duty] = {}
    for duty in sorted(after, key=lambda d: d.span.to_ms):
        wanted[duty.office_id, duty.officer_id, duty.span.from_ms] = duty
    standing = {(d.office_id, d.officer_id, d.span.from_ms): d for d in before}
    change: Change = {key: None for key in standing if key not in wanted}
    return change | {key: duty for key, duty in wanted.items() if standing.get(key) != duty}
