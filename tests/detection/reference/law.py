"""What the law demands of one person at an instant, as plain questions."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from corrections_monitor.model.cases import CaseSet, ContactRule, Device, Leave, Zone, ZoneKind
from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.times import Interval
from reference.ground import outside_m
from reference.hours import windows
from reference.spans import Span, around, stretches


class Law:
    """The rows of one version of the cases that concern one person."""

    def __init__(self, cases: CaseSet, calendar: Calendar, person_id: str, about_ms: int) -> None:
        self.person = cases.people[person_id]
        self.calendar = calendar
        self.about_ms = about_ms
        mine = lambda rows: [r for r in rows.values() if r.person_id == person_id]  # noqa: E731
        self.orders = sorted(mine(cases.orders), key=lambda o: o.span.from_ms)
        self.suspensions = mine(cases.suspensions)
        self.leaves: list[Leave] = sorted(mine(cases.leaves), key=lambda v: (v.span.from_ms, v.leave_id))
        self.bindings: list[Device] = sorted(mine(cases.devices), key=lambda d: (d.device_id, d.span.from_ms))
        self.contacts: list[ContactRule] = mine(cases.contacts)
        self.leave_zones = {v.leave_id: [cases.zones[z] for z in v.zone_ids] for v in self.leaves}
        self._away: dict[tuple[str, float, float], float] = {}
        self.heard: dict[tuple[str, object], tuple[float, Zone]] = {}  # what fixes say of slots (``places``)
        self._demands: dict[str, list[Span]] = {}
        self.groups: dict[str, list[Zone]] = defaultdict(list)
        self.exclusions: dict[str, Zone] = {}
        if self.person.is_protected:
            return
        scopes = {"*", person_id, *(o.office_id for o in cases.offices_up(self.person.office_id))}
        for zone in sorted(cases.zones.values(), key=lambda z: z.zone_id):
            if zone.applies_to in scopes and zone.kind is ZoneKind.INCLUSION:
                self.groups[zone.group or zone.zone_id].append(zone)
            elif zone.applies_to in scopes:
                self.exclusions[zone.zone_id] = zone

    # -- questions about an instant ------------------------------------------------------------------
    def has_order(self, t_ms: int) -> bool:
        """Whether locating is permitted at all."""
        return self.person.span.holds(t_ms) and any(o.span.holds(t_ms) for o in self.orders)

    def may_be_judged(self, t_ms: int) -> bool:
        return self.has_order(t_ms) and not any(s.span.holds(t_ms) for s in self.suspensions)

    def is_on_leave(self, t_ms: int) -> bool:
        return any(v.span.holds(t_ms) for v in self.leaves)

    def is_hour_of(self, zone: Zone, t_ms: int) -> bool:
        return any(a <= t_ms < b for a, b in windows(zone.schedule, self.calendar, self.about_ms))

    def must_be_in(self, group: str, t_ms: int) -> bool:
        hours = any(self.is_hour_of(z, t_ms) for z in self.groups[group])
        return hours and self.may_be_judged(t_ms) and not self.is_on_leave(t_ms)

    def must_be_out_of(self, zone_id: str, t_ms: int) -> bool:
        """A leave does not lift it."""
        return self.is_hour_of(self.exclusions[zone_id], t_ms) and self.may_be_judged(t_ms)

    def leave_with_places(self, t_ms: int) -> Leave | None:
        """The leave in force whose places count; none when another in force allows anywhere."""
        in_force = [v for v in self.leaves if v.span.holds(t_ms)]
        return in_force[0] if in_force and all(v.zone_ids for v in in_force) else None

    def compared(self, group: str, t_ms: int) -> list[Zone]:
        """The members whose hours it is; all when it is nobody's, so that one knows where the person is
        when the hours begin."""
        members = self.groups[group]
        return [z for z in members if self.is_hour_of(z, t_ms)] or members

    def outside_m(self, zone: Zone, lon: float, lat: float) -> float:
        """How far outside a zone; remembered, because stories are told again and again."""
        key = zone.zone_id, lon, lat
        if key not in self._away:
            self._away[key] = outside_m(zone, lon, lat)
        return self._away[key]

    def bound(self, t_ms: int) -> list[Device]:
        return [b for b in self.bindings if b.span.holds(t_ms)]

    def always_holds(self, group: str) -> bool:
        return any(z.schedule.always for z in self.groups[group])

    # -- since when and until when ---------------------------------------------------------------------
    @cached_property
    def own_edges(self) -> list[int]:
        """Every instant at which a row of this person begins or ends."""
        rows = [*self.orders, *self.suspensions, *self.leaves, *self.bindings, self.person]
        spans: list[Interval] = [r.span for r in rows]
        return [t for span in spans for t in (span.from_ms, span.to_ms)]

    @cached_property
    def judged_spans(self) -> list[Span]:
        return stretches(self.may_be_judged, self.own_edges)

    @cached_property
    def order_spans(self) -> list[Span]:
        return stretches(self.has_order, self.own_edges)

    @cached_property
    def leave_spans(self) -> list[Span]:
        return stretches(self.is_on_leave, self.own_edges)

    def judged(self, t_ms: int) -> Span | None:
        return around(self.judged_spans, t_ms)

    def not_judged_since(self, t_ms: int) -> int:
        """When the judging that is over at an instant ended."""
        ends = [b for _, b in self.judged_spans if b <= t_ms]
        return max(ends) if ends else -(2**60)

    def demand(self, slot: str, t_ms: int) -> Span | None:
        """For how long, about an instant, the law demands what a slot is about; None when it does not.

        Slots: ``group:…`` to be in, ``exclusion:…`` to be out of, ``leave:…`` to be at.
        """
        if slot not in self._demands:
            kind, _, name = slot.partition(":")
            edges = list(self.own_edges)
            if kind == "leave":
                leave = next(v for v in self.leaves if v.leave_id == name)
                holds = lambda t: leave.span.holds(t) and self.may_be_judged(t)  # noqa: E731
            else:
                zones = self.groups[name] if kind == "group" else [self.exclusions[name]]
                for zone in zones:
                    spans = windows(zone.schedule, self.calendar, self.about_ms)
                    edges += [t for span in spans for t in span]
                must = self.must_be_in if kind == "group" else self.must_be_out_of
                holds = lambda t: must(name, t)  # noqa: E731
            self._demands[slot] = stretches(holds, edges)
        return around(self._demands[slot], t_ms)
