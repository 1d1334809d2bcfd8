"""The cases compiled for judging: who wears what, which zones are whose, packed once.

People, devices and zones are numbered; the numbers are valid for one ``City`` only.  A *slot* is one
thing a person's place is compared with: an inclusion group, an exclusion zone, or the zones a leave
names.  ``slot_ptr`` and ``member_ptr`` are CSR offsets: person → slots → member zones.
"""

from __future__ import annotations

import numpy as np

from corrections_monitor.detection.by_person import Bindings, ByPerson, spans_of
from corrections_monitor.detection.law import Group, PersonLaw
from corrections_monitor.detection.slots import SlotKind, compile_slots
from corrections_monitor.geofence.index import ZoneIndex
from corrections_monitor.model.cases import CaseSet, Person, Zone
from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.telemetry import I32, I64, Bools

_KINDS = tuple(SlotKind)


class City:
    """An immutable compilation of a ``CaseSet``.

    Arrays (P people, D devices, S slots, M members, Z zones):
    ``slot_ptr`` int64[P+1]; ``slot_kind`` uint8[S]; ``slot_person`` int32[S]; ``member_ptr`` int64[S+1];
    ``member_zone`` int32[M]; ``buffer_m`` float64[Z]; ``slot_mixed`` bool[S]: members hold at different
    hours, so that the distance depends on the time of day; ``protected`` bool[P]; ``order_count``,
    ``order_from``, ``order_to`` int64[P]: how many orders a person has within the term, and the newest.
    """

    def __init__(self, cases: CaseSet, calendar: Calendar, previous: City | None = None) -> None:
        """``previous``: the city before an edit, which lends what is still the same."""
        self.cases = cases
        self.calendar = calendar
        self.person_ids: list[str] = sorted(cases.people)  # a snapshot is numbered like its city
        self.person_no: dict[str, int] = {p: i for i, p in enumerate(self.person_ids)}
        self.device_ids: list[str] = sorted({d.device_id for d in cases.devices.values()})
        self.device_no: dict[str, int] = {d: i for i, d in enumerate(self.device_ids)}
        self.zones: list[Zone] = list(cases.zones.values())
        self.index: ZoneIndex = ZoneIndex([z.shape for z in self.zones], previous.index if previous else None)
        self.buffer_m = np.array([z.buffer_m for z in self.zones], dtype=np.float64)
        self.protected: Bools = np.array([p.is_protected for p in self._people()], dtype=bool)
        self._below = _offices_below(cases)
        self._people_below: dict[str, I64] = {}
        self._laws: dict[int, PersonLaw] = {}
        self._sort_rows()
        self._compile_bindings()
        self._compile_orders()
        slots = compile_slots(cases, self.person_no, self.zones, self._below, self._leaves.of)
        self.slot_ptr, self.slot_kind, self.slot_person = slots.ptr, slots.kind, slots.person
        self.member_ptr, self.member_zone = slots.member_ptr, slots.member_zone
        self.slot_mixed, self._leave_of_slot = slots.mixed, slots.leaves

    # -- who --------------------------------------------------------------------------------------
    def law(self, person: int) -> PersonLaw:
        """The rows that concern one person, compiled when first asked for."""
        law = self._laws.get(person)
        if law is None:
            law = self._laws[person] = self._compile_law(person)
        return law

    def person_at(self, device: int, t_ms: int) -> int:
        """Who wore the device at an instant; -1 when nobody did."""
        for binding, person in self.bindings.of(device):
            if binding.span.holds(t_ms):
                return person
        return -1

    def people_at(self, device: I32, t_ms: I64) -> I32:
        """``person_at`` for arrays of length n."""
        worn = (t_ms >= self._newest_from[device]) & (t_ms < self._newest_to[device])
        out = np.where(worn, self._newest_person[device], -1).astype(np.int32)
        for i in np.flatnonzero((out < 0) & (self.bindings.count[device] > 1)):
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
    def _people(self) -> list[Person]:
        """Everybody, as numbered."""
        return [self.cases.people[person_id] for person_id in self.person_ids]

    def _sort_rows(self) -> None:
        cases, number = self.cases, self.person_no
        self._orders = ByPerson(cases.orders.values(), number, key=lambda r: r.span.from_ms)
        self._suspensions = ByPerson(cases.suspensions.values(), number, key=lambda r: r.span.from_ms)
        self._leaves = ByPerson(cases.leaves.values(), number, key=lambda r: (r.span.from_ms, r.leave_id))
        self._devices = ByPerson(cases.devices.values(), number, key=lambda r: (r.device_id, r.span.from_ms))
        self._contacts = ByPerson(cases.contacts.values(), number, key=lambda r: r.protected_id)

    def _compile_bindings(self) -> None:
        self.bindings = Bindings(self.cases.devices.values(), self.device_no, self.person_no)
        newest = self.bindings.newest  # the usual question
        self._newest_person = self.bindings.person[newest]
        self._newest_from, self._newest_to = self.bindings.from_ms[newest], self.bindings.to_ms[newest]

    def _compile_orders(self) -> None:
        person = self._orders.person
        from_ms, to_ms = spans_of(self.cases.orders.values())
        term_from, term_to = spans_of(self._people())
        start, end = np.maximum(from_ms, term_from[person]), np.minimum(to_ms, term_to[person])
        self.order_cut: Bools = np.zeros(len(self.person_ids), dtype=bool)  # an order that the term cuts
        self.order_cut[person[(start > from_ms) | (end < to_ms)]] = True
        rows = np.flatnonzero(start < end)
        rows = rows[np.lexsort((end[rows], start[rows]))]
        self.order_count = np.bincount(person[rows], minlength=len(self.person_ids))
        self.order_from = np.zeros(len(self.person_ids), dtype=np.int64)
        self.order_to = np.zeros(len(self.person_ids), dtype=np.int64)
        self.order_from[person[rows]], self.order_to[person[rows]] = start[rows], end[rows]  # the last stays

    def slots(self, person: int) -> range:
        """The slot numbers of a person."""
        return range(int(self.slot_ptr[person]), int(self.slot_ptr[person + 1]))

    def slot_zones(self, slot: int) -> tuple[Zone, ...]:
        """The members of a slot."""
        members = self.member_zone[self.member_ptr[slot] : self.member_ptr[slot + 1]]
        return tuple([self.zones[zone] for zone in members.tolist()])

    def kind(self, slot: int) -> SlotKind:
        """What a slot is."""
        return _KINDS[int(self.slot_kind[slot])]

    def subject(self, slot: int) -> str:
        """The name of a slot: its group's, its zone's or its leave's."""
        leave_id = self._leave_of_slot.get(slot)
        if leave_id is not None:
            return leave_id
        zone = self.zones[int(self.member_zone[self.member_ptr[slot]])]
        return zone.zone_id if self.kind(slot) is SlotKind.EXCLUSION else zone.group or zone.zone_id

    def _compile_law(self, number: int) -> PersonLaw:
        slots = self.slots(number)
        leaves = self._leaves.of(number)
        return PersonLaw(
            self.cases.people[self.person_ids[number]],
            self.calendar,
            tuple(
                Group(self.subject(s), self.slot_zones(s)) for s in slots if self.kind(s) is SlotKind.GROUP
            ),
            tuple(self.slot_zones(s)[0] for s in slots if self.kind(s) is SlotKind.EXCLUSION),
            self._orders.of(number),
            self._suspensions.of(number),
            leaves,
            tuple(tuple(self.cases.zones[z] for z in leave.zone_ids) for leave in leaves),
            self._devices.of(number),
            self._contacts.of(number),
        )


def _offices_below(cases: CaseSet) -> dict[str, tuple[str, ...]]:
    """Per office: itself and all above it, that is, every office whose zones reach its people."""
    return {o: tuple(up.office_id for up in cases.offices_up(o)) for o in cases.offices}
