"""What only the whole set can tell: references, hierarchy, and rows that contradict each other.

The set is judged as it will be after the import; a fault is told at a row of this folder, for only that
can its author change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from corrections_monitor.cases.faults import Fault, shown
from corrections_monitor.cases.loading import Loading, file_of
from corrections_monitor.model.cases import CaseSet, Device, Level, Office, Order, ZoneKind

Place = tuple[str, Any, str]
"""A table, the key of one of its rows, and a column."""

_REFERENCES: tuple[tuple[str, str, Callable[[Any], str | None], str, str], ...] = (
    ("offices", "parent_id", lambda row: row.parent_id, "offices", "office"),
    ("officers", "office_id", lambda row: row.office_id, "offices", "office"),
    ("duty", "office_id", lambda row: row.office_id, "offices", "office"),
    ("duty", "officer_id", lambda row: row.officer_id, "officers", "officer"),
    ("people", "office_id", lambda row: row.office_id, "offices", "office"),
    ("people", "officer_id", lambda row: row.officer_id, "officers", "officer"),
    ("devices", "person_id", lambda row: row.person_id, "people", "person"),
    ("orders", "person_id", lambda row: row.person_id, "people", "person"),
    ("orders", "extends", lambda row: row.extends, "orders", "order"),
    ("leaves", "person_id", lambda row: row.person_id, "people", "person"),
    ("suspensions", "person_id", lambda row: row.person_id, "people", "person"),
    ("contacts", "person_id", lambda row: row.person_id, "people", "person"),
    ("contacts", "protected_id", lambda row: row.protected_id, "people", "person"),
)

_PARENT_LEVEL = {Level.STATION: Level.COUNTY, Level.COUNTY: Level.CITY, Level.CITY: None}


def check(merged: CaseSet, loading: Loading) -> Iterator[Fault]:
    """Every fault of the merged set that this folder brings about."""
    judge = _Judge(merged, loading)
    yield from judge.references()
    yield from judge.zone_references()
    yield from judge.shared_ids()
    yield from judge.usernames()
    yield from judge.hierarchy()
    yield from judge.orders()
    yield from judge.bindings()
    yield from judge.contacts()
    yield from judge.leaves()


class _Judge:
    def __init__(self, merged: CaseSet, loading: Loading) -> None:
        self._merged = merged
        self._loading = loading

    def _fault(self, message: str, *places: Place) -> Iterator[Fault]:
        """The fault at the first of the places that this folder gives; none: it is older than the folder."""
        for table, key, column in places:
            line = self._loading.line(table, key)
            if line is not None:
                yield Fault(file_of(table), line, column, message)
                return

    def references(self) -> Iterator[Fault]:
        """No row is ever removed, so only rows of this folder can refer to nothing."""
        for table, column, target_of, target_table, noun in _REFERENCES:
            targets: Mapping[str, Any] = getattr(self._merged, target_table)
            for line, row in self._loading.tables[table].given():
                target = target_of(row)
                if target and not self._loading.is_known(target_table, target, targets):
                    yield Fault(file_of(table), line, column, f"no such {noun} {shown(target)}")
        for line, leave in self._loading.tables["leaves"].given():
            for zone_id in leave.zone_ids:
                if not self._loading.is_known("zones", zone_id, self._merged.zones):
                    yield Fault(file_of("leaves"), line, "zone_ids", f"no such zone {shown(zone_id)}")

    def zone_references(self) -> Iterator[Fault]:
        known, merged = self._loading.is_known, self._merged
        for number, zone in self._loading.tables["zones"].given():
            target = zone.applies_to
            if not (
                target in ("", "*")
                or known("people", target, merged.people)
                or known("offices", target, merged.offices)
            ):
                message = f"no such person or office {shown(target)}"
                yield Fault(file_of("zones"), number, "applies_to", message)

    def shared_ids(self) -> Iterator[Fault]:
        people, offices = self._merged.people, self._merged.offices
        for shared in people.keys() & offices.keys():
            yield from self._fault(
                f"{shown(shared)} is an office and a person: ids are shared by both",
                ("people", shared, "person_id"),
                ("offices", shared, "office_id"),
            )

    def usernames(self) -> Iterator[Fault]:
        first: dict[str, str] = {}
        for officer_id, officer in self._merged.officers.items():
            other = first.setdefault(officer.username, officer_id)
            if other != officer_id:
                yield from self._fault(
                    f"{shown(officer.username)} is the username of {shown(other)} and {shown(officer_id)}",
                    ("officers", officer_id, "username"),
                    ("officers", other, "username"),
                )

    def hierarchy(self) -> Iterator[Fault]:
        """市局 ← 县区局 ← 司法所.  Each level's parent is one higher, which leaves no room for a cycle."""
        for office in self._merged.offices.values():
            parent = self._merged.offices.get(office.parent_id) if office.parent_id else None
            message = _parent_problem(office, parent)
            if message:
                places: list[Place] = [("offices", office.office_id, "parent_id")]
                if parent is not None:
                    places.append(("offices", parent.office_id, "level"))
                yield from self._fault(message, *places)

    def orders(self) -> Iterator[Fault]:
        for order in self._merged.orders.values():
            here: Place = ("orders", order.order_id, "person_id")
            person = self._merged.people.get(order.person_id)
            if person is not None and person.is_protected:
                yield from self._fault(
                    f"{shown(order.person_id)} is a protected person, who is never under order",
                    here,
                    ("people", order.person_id, "category"),
                )
            before = self._merged.orders.get(order.extends) if order.extends else None
            message = _extension_problem(order, before) if before is not None else None
            if before is not None and message:
                yield from self._fault(
                    message, ("orders", order.order_id, "extends"), ("orders", before.order_id, "order_id")
                )

    def bindings(self) -> Iterator[Fault]:
        """One device is worn by one person at a time."""
        by_device: dict[str, list[Device]] = {}
        for device in self._merged.devices.values():
            by_device.setdefault(device.device_id, []).append(device)
        for device_id, bindings in by_device.items():
            for earlier, later in _shared_at_once(bindings):
                yield from self._fault(
                    f"{shown(device_id)} is bound to {shown(earlier.person_id)} and "
                    f"{shown(later.person_id)} at the same time: end one binding first",
                    ("devices", (device_id, later.span.from_ms), "device_id"),
                    ("devices", (device_id, earlier.span.from_ms), "device_id"),
                )

    def contacts(self) -> Iterator[Fault]:
        for key, rule in self._merged.contacts.items():
            person = self._merged.people.get(rule.person_id)
            protected = self._merged.people.get(rule.protected_id)
            if person is not None and person.is_protected:
                yield from self._fault(
                    f"{shown(rule.person_id)} is a protected person: here stands who must keep away",
                    ("contacts", key, "person_id"),
                    ("people", rule.person_id, "category"),
                )
            if protected is not None and not protected.is_protected:
                yield from self._fault(
                    f"{shown(rule.protected_id)} is not a protected person",
                    ("contacts", key, "protected_id"),
                    ("people", rule.protected_id, "category"),
                )

    def leaves(self) -> Iterator[Fault]:
        for leave_id, leave in self._merged.leaves.items():
            for zone_id in leave.zone_ids:
                zone = self._merged.zones.get(zone_id)
                if zone is not None and zone.kind is ZoneKind.EXCLUSION:
                    yield from self._fault(
                        f"{shown(zone_id)} is an exclusion zone: a leave names places to go to",
                        ("leaves", leave_id, "zone_ids"),
                        ("zones", zone_id, "kind"),
                    )


def _shared_at_once(bindings: list[Device]) -> Iterator[tuple[Device, Device]]:
    """Each binding of one device with the longest earlier one of another person that overlaps it."""
    longest: Device | None = None
    runner_up: Device | None = None  # the longest of those whose person is not the longest one's
    for binding in sorted(bindings, key=lambda binding: binding.span.from_ms):
        rival = longest
        if longest is not None and longest.person_id == binding.person_id:
            rival = runner_up
        if rival is not None and rival.span.overlaps(binding.span):
            yield rival, binding
        if longest is None or binding.span.to_ms > longest.span.to_ms:
            if longest is not None and longest.person_id != binding.person_id:
                runner_up = longest
            longest = binding
        elif longest.person_id != binding.person_id and (
            runner_up is None or binding.span.to_ms > runner_up.span.to_ms
        ):
            runner_up = binding


def _parent_problem(office: Office, parent: Office | None) -> str | None:
    wanted = _PARENT_LEVEL[office.level]
    if wanted is None:
        return "a city bureau stands at the top and has no parent" if office.parent_id else None
    if not office.parent_id:
        return f"must not be empty: a {office.level} belongs to a {wanted}"
    if parent is None or parent.level is wanted:
        return None
    if parent.office_id == office.office_id:
        return "an office cannot be its own parent"
    return f"a {office.level} belongs to a {wanted}, but {shown(parent.office_id)} is a {parent.level}"


def _extension_problem(order: Order, before: Order) -> str | None:
    if before.order_id == order.order_id:
        return "an order cannot extend itself"
    if before.person_id != order.person_id:
        return f"{shown(before.order_id)} is an order of another person, {shown(before.person_id)}"
    if order.span.from_ms <= before.span.from_ms:
        return f"an extension begins after {shown(before.order_id)} began"
    return None
