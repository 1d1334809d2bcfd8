"""What the law demands of one person at an instant: orders, suspensions, leaves, hours.

Everything is answered as a ``Stretch``: whether a thing holds at ``t_ms``, and from when to when that
answer stays the same.  Spans are disjoint, sorted (from_ms, to_ms) pairs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from corrections_monitor.model.cases import (
    ContactRule,
    Device,
    Leave,
    Order,
    Person,
    Suspension,
    Zone,
)
from corrections_monitor.model.schedule import Calendar, spans
from corrections_monitor.model.times import DAY_MS, OPEN_END_MS, OPEN_START_MS, Interval

Spans = tuple[tuple[int, int], ...]


class Stretch(NamedTuple):
    """An answer and the time (from_ms inclusive, to_ms exclusive) for which it stays the same."""

    holds: bool
    from_ms: int
    to_ms: int


NEVER = Stretch(False, OPEN_START_MS, OPEN_END_MS)


def stretch_at(united: Spans, t_ms: int) -> Stretch:
    """The answer of disjoint, sorted spans at an instant."""
    i = bisect_right(united, (t_ms, OPEN_END_MS + 1)) - 1
    if i >= 0 and t_ms < united[i][1]:
        return Stretch(True, *united[i])
    before = united[i][1] if i >= 0 else OPEN_START_MS
    after = united[i + 1][0] if i + 1 < len(united) else OPEN_END_MS
    return Stretch(False, before, after)


def unite(pieces: Iterable[tuple[int, int]]) -> Spans:
    """Merge overlapping and touching spans."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        elif end > start:
            merged.append((start, end))
    return tuple(merged)


def subtract(spans_: Spans, holes: Spans) -> Spans:
    """The parts of ``spans_`` that lie in no hole."""
    out: list[tuple[int, int]] = []
    for start, end in spans_:
        for hole_start, hole_end in holes:
            if hole_end <= start or hole_start >= end:
                continue
            if hole_start > start:
                out.append((start, hole_start))
            start = max(start, hole_end)
        if start < end:
            out.append((start, end))
    return tuple(out)


def all_hold(answers: Sequence[Stretch]) -> Stretch:
    """The conjunction: while one component says no, and says no the longest, the whole says no."""
    refusing = [s for s in answers if not s.holds]
    if refusing:
        return max(refusing, key=lambda s: s.to_ms)
    return Stretch(True, max(s.from_ms for s in answers), min(s.to_ms for s in answers))


@dataclass(frozen=True, slots=True)
class Group:
    """Inclusion zones of a person compared together; ``subject`` names the group (or the one zone)."""

    subject: str
    members: tuple[Zone, ...]

    @property
    def is_always(self) -> bool:
        return any(z.schedule.always for z in self.members)


@dataclass(frozen=True)
class PersonLaw:
    """All rows that concern one person, ready to be asked."""

    person: Person
    calendar: Calendar
    groups: tuple[Group, ...] = ()
    exclusions: tuple[Zone, ...] = ()
    orders: tuple[Order, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    leaves: tuple[Leave, ...] = ()
    leave_zones: tuple[tuple[Zone, ...], ...] = ()  # per leave, the zones it names
    bindings: tuple[Device, ...] = ()
    contacts: tuple[ContactRule, ...] = field(default=())

    @cached_property
    def order_spans(self) -> Spans:
        """When locating is permitted at all (社区矫正法 art. 29), within the person's term."""
        return _within(unite((o.span.from_ms, o.span.to_ms) for o in self.orders), self.person.span)

    @cached_property
    def suspended_spans(self) -> Spans:
        return unite((s.span.from_ms, s.span.to_ms) for s in self.suspensions)

    @cached_property
    def judged_spans(self) -> Spans:
        """When violations can happen: an order in force and no suspension."""
        return subtract(self.order_spans, self.suspended_spans)

    @cached_property
    def leave_spans(self) -> Spans:
        return unite((leave.span.from_ms, leave.span.to_ms) for leave in self.leaves)

    def judged(self, t_ms: int) -> Stretch:
        return stretch_at(self.judged_spans, t_ms)

    def on_leave(self, t_ms: int) -> Stretch:
        return stretch_at(self.leave_spans, t_ms)

    def hours(self, zones: Sequence[Zone], t_ms: int) -> Stretch:
        """Whether any of the zones holds by its schedule."""
        if any(z.schedule.always for z in zones):
            return Stretch(True, OPEN_START_MS, OPEN_END_MS)
        pieces = unite(p for z in zones for p in spans(z.schedule, self.calendar, t_ms))
        answer = stretch_at(pieces, t_ms)
        if not answer.holds and answer.to_ms == OPEN_END_MS:
            # Spans are known for some days ahead only; look again before they run out.
            return answer._replace(to_ms=t_ms + 7 * DAY_MS)
        return answer

    def group_demand(self, group: Group, t_ms: int) -> Stretch:
        """Whether the person must be inside the group now."""
        leave = self.on_leave(t_ms)
        answers = (
            self.judged(t_ms),
            leave._replace(holds=not leave.holds),
            self.hours(group.members, t_ms),
        )
        return all_hold(answers)

    def exclusion_demand(self, zone: Zone, t_ms: int) -> Stretch:
        """Whether the person must be outside the zone now; a leave does not lift it."""
        return all_hold((self.judged(t_ms), self.hours((zone,), t_ms)))

    def holding(self, members: Sequence[Zone], t_ms: int) -> tuple[int, ...]:
        """Which members of a group (by position) are compared at ``t_ms``: those that hold, or all when none
        does, so that it is known where the person is when the hours begin."""
        held = tuple(
            i
            for i, z in enumerate(members)
            if z.schedule.always or stretch_at(spans(z.schedule, self.calendar, t_ms), t_ms).holds
        )
        return held or tuple(range(len(members)))

    def leave_with_zones(self, t_ms: int) -> int | None:
        """The position of a leave in force at ``t_ms`` that names zones, unless another allows anywhere."""
        in_force = [i for i, leave in enumerate(self.leaves) if leave.span.holds(t_ms)]
        if not in_force or any(not self.leaves[i].zone_ids for i in in_force):
            return None
        return in_force[0]

    def last_leave_end(self, t_ms: int) -> int | None:
        """When the last leave before ``t_ms`` ended."""
        ends = [end for _, end in self.leave_spans if end <= t_ms]
        return max(ends) if ends else None

    def bound(self, t_ms: int) -> tuple[Device, ...]:
        return tuple(b for b in self.bindings if b.span.holds(t_ms))

    def why_not_judged(self, t_ms: int) -> str:
        """``order-ended``, ``suspended`` or ``term-ended``."""
        if not stretch_at(self.order_spans, t_ms).holds:
            return "order-ended"
        return "suspended"

    def boundaries(self) -> Iterable[int]:
        """The instants at which a row of this person begins or ends."""
        rows: tuple[tuple[Order, ...] | tuple[Suspension, ...] | tuple[Leave, ...] | tuple[Device, ...], ...]
        rows = (self.orders, self.suspensions, self.leaves, self.bindings)
        for group in rows:
            for row in group:
                yield row.span.from_ms
                yield row.span.to_ms


def _within(spans_: Spans, bounds: Interval) -> Spans:
    return tuple(
        (max(a, bounds.from_ms), min(b, bounds.to_ms))
        for a, b in spans_
        if a < bounds.to_ms and bounds.from_ms < b
    )
