"""What the case folder demands of each person, as an obedient life must respect it.

A *demand* is a set of zones of which one must be entered; a person's day is cut into spans in which the
same demands hold.  Derived from CONTRACT §1 (groups, schedules), not from the detection engine.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from corrections_monitor.model.cases import CaseSet, Device, Leave, Order, Person, Zone, ZoneKind
from corrections_monitor.model.schedule import Calendar, Schedule, spans
from corrections_monitor.model.times import DAY_MS, Interval

T = TypeVar("T")

Demand = frozenset[str]
"""zone_ids of which the person must be in at least one."""


@dataclass(frozen=True, slots=True)
class Group:
    """Inclusion zones compared together; ``name`` is the group's, or the lone zone's id."""

    name: str
    zones: tuple[Zone, ...]

    @property
    def always(self) -> frozenset[str]:
        """The members that hold at all times."""
        return frozenset(z.zone_id for z in self.zones if z.schedule.always)


@dataclass(frozen=True)
class Subject:
    """One person with what applies to them."""

    person: Person
    devices: tuple[Device, ...]
    orders: tuple[Order, ...]
    groups: tuple[Group, ...]
    exclusions: tuple[Zone, ...]
    leaves: tuple[Leave, ...]
    suspended: tuple[Interval, ...]
    avoids: tuple[tuple[str, float], ...]  # protected person_id, distance_m

    @property
    def person_id(self) -> str:
        return self.person.person_id

    @cached_property
    def standing(self) -> frozenset[Demand]:
        """The demands that hold at all times."""
        return frozenset(g.always for g in self.groups if g.always)

    @cached_property
    def forbidden(self) -> frozenset[str]:
        """The exclusion zones, whatever their hours."""
        return frozenset(z.zone_id for z in self.exclusions)

    def under_order(self, span: Interval) -> bool:
        """Whether one order and every device cover the whole span, with no suspension in it."""
        return (
            bool(self.devices)
            and any(_covers(o.span, span) for o in self.orders)
            and all(_covers(d.span, span) for d in self.devices)
            and not any(s.overlaps(span) for s in self.suspended)
        )


def _covers(outer: Interval, span: Interval) -> bool:
    return outer.from_ms <= span.from_ms and span.to_ms <= outer.to_ms


def holding_spans(schedule: Schedule, calendar: Calendar, span: Interval) -> list[tuple[int, int]]:
    """The disjoint, sorted (from_ms, to_ms) within the span in which the schedule holds."""
    found: set[tuple[int, int]] = set()
    for t_ms in range(span.from_ms, span.to_ms + DAY_MS, DAY_MS):
        found.update(spans(schedule, calendar, t_ms))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        start, end = max(start, span.from_ms), min(end, span.to_ms)
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


@dataclass(frozen=True, slots=True)
class Bound:
    """A run of time in which scheduled demands hold without a break."""

    from_ms: int
    to_ms: int
    demands: frozenset[Demand]


def bound_runs(subject: Subject, calendar: Calendar, span: Interval) -> list[Bound]:
    """When the person's scheduled groups bind them, each run with everything demanded during it."""
    pieces: list[Bound] = []
    for group in subject.groups:
        if group.always:
            continue
        hours = {z.zone_id: holding_spans(z.schedule, calendar, span) for z in group.zones}
        edges = sorted({t for windows in hours.values() for window in windows for t in window})
        for start, end in itertools.pairwise(edges):
            holding = frozenset(z for z, windows in hours.items() if any(a <= start < b for a, b in windows))
            if holding:
                pieces.append(Bound(start, end, frozenset({holding})))
    runs: list[Bound] = []
    for piece in sorted(pieces, key=lambda b: (b.from_ms, b.to_ms)):
        if runs and piece.from_ms <= runs[-1].to_ms:
            last = runs.pop()
            piece = Bound(last.from_ms, max(last.to_ms, piece.to_ms), last.demands | piece.demands)
        runs.append(piece)
    return runs


def subjects(cases: CaseSet) -> list[Subject]:
    """Everyone of the case folder, in order of person_id, protected persons included."""
    by_target: Mapping[str, list[Zone]] = _gather((z.applies_to, z) for z in cases.zones.values())
    devices = _gather((d.person_id, d) for d in cases.devices.values())
    orders = _gather((o.person_id, o) for o in cases.orders.values())
    leaves = _gather((v.person_id, v) for v in cases.leaves.values())
    suspended = _gather((s.person_id, s.span) for s in cases.suspensions.values())
    avoids = _gather((c.person_id, (c.protected_id, c.distance_m)) for c in cases.contacts.values())
    made = []
    for person_id, person in sorted(cases.people.items()):
        targets = [person_id, *(o.office_id for o in cases.offices_up(person.office_id)), "*"]
        zones = [] if person.is_protected else [z for t in targets for z in by_target.get(t, [])]
        made.append(
            Subject(
                person=person,
                devices=tuple(sorted(devices.get(person_id, []), key=lambda d: d.device_id)),
                orders=tuple(orders.get(person_id, [])),
                groups=_groups(zones),
                exclusions=tuple(z for z in zones if z.kind is ZoneKind.EXCLUSION),
                leaves=tuple(sorted(leaves.get(person_id, []), key=lambda v: v.span.from_ms)),
                suspended=tuple(suspended.get(person_id, [])),
                avoids=tuple(avoids.get(person_id, [])),
            )
        )
    return made


def _groups(zones: list[Zone]) -> tuple[Group, ...]:
    named: dict[tuple[bool, str], list[Zone]] = defaultdict(list)
    for zone in zones:
        if zone.kind is ZoneKind.INCLUSION:
            named[(zone.group is None, zone.group or zone.zone_id)].append(zone)
    return tuple(Group(name, tuple(members)) for (_, name), members in sorted(named.items()))


def _gather(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return found
