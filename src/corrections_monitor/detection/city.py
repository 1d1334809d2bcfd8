"""The cases compiled for judging: who wears what, which zones are whose, packed once.

People, devices and zones are numbered; the numbers are valid for one ``City`` only.  A *slot* is one
thing a person's place is compared with: an inclusion group, an exclusion zone, or the zones a leave
names.  ``slot_ptr`` and ``member_ptr`` are CSR offsets: person → slots → member zones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any, Protocol, TypeVar

import numpy as np

from corrections_monitor.detection.law import Group, PersonLaw
from corrections_monitor.geofence.index import ZoneIndex
from corrections_monitor.model.cases import CaseSet, Device, Person, Zone, ZoneKind
from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.telemetry import I32, I64, Bools


class SlotKind(IntEnum):
    GROUP = 0
    EXCLUSION = 1
    LEAVE = 2


_KINDS = tuple(SlotKind)


class City:
    """An immutable compilation of a ``CaseSet``.

    Arrays (P people, D devices, S slots, M members):
    ``slot_ptr`` int64[P+1]; ``slot_kind`` uint8[S]; ``slot_person`` int32[S]; ``member_ptr`` int64[S+1];
    ``member_zone`` int32[M]; ``buffer_m`` float64[Z]; ``slot_mixed`` bool[S]: members hold at different
    hours, so that the distance depends on the time of day.
    """

    def __init__(self, cases: CaseSet, calendar: Calendar, previous: City | None = None) -> None:
        """``previous``: the city before an edit, which lends what is still the same."""
        self.cases = cases
        self.calendar = calendar
        self.person_ids: list[str] = list(cases.people)
        self.person_no: dict[str, int] = {p: i for i, p in enumerate(self.person_ids)}
        self.device_ids: list[str] = sorted({d.device_id for d in cases.devices.values()})
        self.device_no: dict[str, int] = {d: i for i, d in enumerate(self.device_ids)}
        self.zones: list[Zone] = list(cases.zones.values())
        self.zone_no: dict[str, int] = {z.zone_id: i for i, z in enumerate(self.zones)}
        self.index: ZoneIndex = ZoneIndex([z.shape for z in self.zones], previous.index if previous else None)
        self.buffer_m = np.array([z.buffer_m for z in self.zones], dtype=np.float64)
        self._below = _offices_below(cases)
        self._zones_by_scope: dict[str, list[Zone]] = defaultdict(list)
        for zone in self.zones:
            if zone.applies_to:
                self._zones_by_scope[zone.applies_to].append(zone)
        self._rows = _RowsByPerson(cases)
        self._people_below: dict[str, I64] = {}
        self._laws: dict[int, PersonLaw] = {}
        self.bindings_of: list[list[tuple[Device, int]]] = self._bindings_by_device()
        self._pack_slots()
        self.protected: Bools = np.array([p.is_protected for p in cases.people.values()], dtype=bool)

    # -- who --------------------------------------------------------------------------------------
    def law(self, person: int) -> PersonLaw:
        """The rows that concern one person, compiled when first asked for."""
        law = self._laws.get(person)
        if law is None:
            law = self._laws[person] = self._compile_law(person)
        return law

    def person_at(self, device: int, t_ms: int) -> int:
        """Who wore the device at an instant; -1 when nobody did."""
        for binding, person in self.bindings_of[device]:
            if binding.span.holds(t_ms):
                return person
        return -1

    def people_at(self, device: I32, t_ms: I64) -> I32:
        """``person_at`` for arrays of length n."""
        first = self.first_binding_from[device], self.first_binding_to[device]
        out = np.where((t_ms >= first[0]) & (t_ms < first[1]), self.first_person[device], -1).astype(np.int32)
        for i in np.flatnonzero((out < 0) & (self.binding_count[device] > 1)):
            out[i] = self.person_at(int(device[i]), int(t_ms[i]))
        return out

    def permitted(self, person: I32, t_ms: I64) -> Bools:
        """Whether an order was in force at each event time, or the person is protected and consents.

        Without one no position may be kept (社区矫正法 art. 29).  ``person`` may be -1 (no).
        """
        safe = np.maximum(person, 0)
        ok = (person >= 0) & (t_ms >= self.order_from[safe]) & (t_ms < self.order_to[safe])
        for i in np.flatnonzero((person >= 0) & ~ok & (self.order_count[safe] > 1)):
            ok[i] = any(a <= t_ms[i] < b for a, b in self.law(int(person[i])).order_spans)
        return ok | ((person >= 0) & self.protected[safe])

    def monitored(self, people: I64, t_ms: int) -> int:
        """How many of these persons have an order in force."""
        permitted = self.permitted(people.astype(np.int32), np.full(len(people), t_ms, dtype=np.int64))
        return int((permitted & ~self.protected[people]).sum())

    def offices_of(self, person_id: str) -> tuple[str, ...]:
        """A person's office and all above it, nearest first; empty for someone not in the cases."""
        person = self.cases.people.get(person_id)
        return self._below.get(person.office_id, ()) if person is not None else ()

    def people_below(self, office_id: str) -> I64:
        """The numbers of everyone of an office and of those below it."""
        found = self._people_below.get(office_id)
        if found is None:
            numbers = [i for i, p in enumerate(self.person_ids) if office_id in self.offices_of(p)]
            found = self._people_below[office_id] = np.array(numbers, dtype=np.int64)
        return found

    # -- compiling --------------------------------------------------------------------------------
    def _bindings_by_device(self) -> list[list[tuple[Device, int]]]:
        found: list[list[tuple[Device, int]]] = [[] for _ in self.device_ids]
        for row in self.cases.devices.values():
            found[self.device_no[row.device_id]].append((row, self.person_no[row.person_id]))
        for rows in found:
            rows.sort(key=lambda r: r[0].span.from_ms, reverse=True)  # newest first: the usual question
        firsts = [rows[0] for rows in found]
        self.first_person = np.array([p for _, p in firsts], dtype=np.int32)
        self.first_binding_from = np.array([d.span.from_ms for d, _ in firsts], dtype=np.int64)
        self.first_binding_to = np.array([d.span.to_ms for d, _ in firsts], dtype=np.int64)
        self.binding_count = np.array([len(rows) for rows in found], dtype=np.int32)
        orders: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for order in self.cases.orders.values():
            person = self.person_no[order.person_id]
            span = self.cases.people[order.person_id].span
            start, end = max(order.span.from_ms, span.from_ms), min(order.span.to_ms, span.to_ms)
            if start < end:
                orders[person].append((start, end))
        count = len(self.person_ids)
        self.order_count = np.zeros(count, dtype=np.int32)
        self.order_from = np.zeros(count, dtype=np.int64)
        self.order_to = np.zeros(count, dtype=np.int64)
        for person, spans_ in orders.items():
            self.order_count[person] = len(spans_)
            self.order_from[person], self.order_to[person] = max(spans_)
        return found

    def _pack_slots(self) -> None:
        slot_ptr, member_ptr = [0], [0]
        kinds: list[int] = []
        persons: list[int] = []
        members: list[int] = []
        mixed: list[bool] = []
        self.subjects: list[str] = []
        self._slot_zones: list[tuple[Zone, ...]] = []
        for number, person in enumerate(self.cases.people.values()):
            for kind, subject, zones in self._slots_of(person):
                kinds.append(kind)
                persons.append(number)
                self.subjects.append(subject)
                members.extend(self.zone_no[z.zone_id] for z in zones)
                member_ptr.append(len(members))
                mixed.append(len({z.schedule for z in zones}) > 1)
                self._slot_zones.append(zones)
            slot_ptr.append(len(kinds))
        self.slot_ptr = np.array(slot_ptr, dtype=np.int64)
        self.slot_kind = np.array(kinds, dtype=np.uint8)
        self.slot_person = np.array(persons, dtype=np.int32)
        self.member_ptr = np.array(member_ptr, dtype=np.int64)
        self.member_zone = np.array(members, dtype=np.int32)
        self.slot_mixed = np.array(mixed, dtype=bool)

    def slots(self, person: int) -> range:
        """The slot numbers of a person."""
        return range(int(self.slot_ptr[person]), int(self.slot_ptr[person + 1]))

    def slot_zones(self, slot: int) -> tuple[Zone, ...]:
        return self._slot_zones[slot]

    def kind(self, slot: int) -> SlotKind:
        """What a slot is."""
        return _KINDS[int(self.slot_kind[slot])]

    def _slots_of(self, person: Person) -> Iterable[tuple[SlotKind, str, tuple[Zone, ...]]]:
        if person.is_protected:
            return
        groups: dict[str, list[Zone]] = defaultdict(list)
        exclusions: list[Zone] = []
        for zone in self._zones_of(person):
            if zone.kind is ZoneKind.EXCLUSION:
                exclusions.append(zone)
            else:
                groups[zone.group or zone.zone_id].append(zone)
        for subject in sorted(groups):
            yield SlotKind.GROUP, subject, tuple(groups[subject])
        for zone in exclusions:
            yield SlotKind.EXCLUSION, zone.zone_id, (zone,)
        for leave in self._rows.leaves.get(person.person_id, ()):
            if leave.zone_ids:
                yield SlotKind.LEAVE, leave.leave_id, tuple(self.cases.zones[z] for z in leave.zone_ids)

    def _zones_of(self, person: Person) -> list[Zone]:
        scopes = ["*", person.person_id, *self._below.get(person.office_id, ())]
        found = [z for scope in scopes for z in self._zones_by_scope.get(scope, ())]
        return sorted(found, key=lambda z: z.zone_id)

    def _compile_law(self, number: int) -> PersonLaw:
        person = self.cases.people[self.person_ids[number]]
        rows, key = self._rows, person.person_id
        groups = [s for s in self.slots(number) if self.slot_kind[s] == SlotKind.GROUP]
        exclusions = [s for s in self.slots(number) if self.slot_kind[s] == SlotKind.EXCLUSION]
        leaves = rows.leaves.get(key, ())
        return PersonLaw(
            person,
            self.calendar,
            tuple(Group(self.subjects[s], self._slot_zones[s]) for s in groups),
            tuple(self._slot_zones[s][0] for s in exclusions),
            rows.orders.get(key, ()),
            rows.suspensions.get(key, ()),
            leaves,
            tuple(tuple(self.cases.zones[z] for z in leave.zone_ids) for leave in leaves),
            rows.devices.get(key, ()),
            rows.contacts.get(key, ()),
        )


def _offices_below(cases: CaseSet) -> dict[str, tuple[str, ...]]:
    """Per office: itself and all above it, that is, every office whose zones reach its people."""
    return {o: tuple(up.office_id for up in cases.offices_up(o)) for o in cases.offices}


class _RowsByPerson:
    def __init__(self, cases: CaseSet) -> None:
        self.orders = _by_person(cases.orders.values(), key=lambda r: r.span.from_ms)
        self.suspensions = _by_person(cases.suspensions.values(), key=lambda r: r.span.from_ms)
        self.leaves = _by_person(cases.leaves.values(), key=lambda r: (r.span.from_ms, r.leave_id))
        self.devices = _by_person(cases.devices.values(), key=lambda r: (r.device_id, r.span.from_ms))
        self.contacts = _by_person(cases.contacts.values(), key=lambda r: r.protected_id)


class _OfPerson(Protocol):
    @property
    def person_id(self) -> str: ...


RowT = TypeVar("RowT", bound=_OfPerson)


def _by_person(rows: Iterable[RowT], key: Callable[[RowT], Any]) -> dict[str, tuple[RowT, ...]]:
    found: dict[str, list[RowT]] = defaultdict(list)
    for row in rows:
        found[row.person_id].append(row)
    return {person: tuple(sorted(some, key=key)) for person, some in found.items()}
