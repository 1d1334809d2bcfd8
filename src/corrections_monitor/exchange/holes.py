"""What a change of the cases would take out of supervision (脱管, 漏管): the reason to ask a person first.

Only what lies ahead counts.  A person is looked at when a row of theirs changed: a nation's roster in which
a few rows differ costs little.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from corrections_monitor.detection.law import Spans, subtract, unite
from corrections_monitor.exchange.plan import Plan, key_text
from corrections_monitor.model.cases import CaseSet, Device, Zone
from corrections_monitor.model.times import OPEN_END_MS
from corrections_monitor.rules.text import initials

REPORTS_EVERY_S_MAX = 1_800
"""No device on the market reports more rarely (30 s – 30 min): rarer is as good as never."""


class HoleKind(StrEnum):
    """Why a person has to look at it."""

    ORDER = "order-shortened"  # an order ends earlier, is gone, or so is the person
    NO_DEVICE = "no-device"  # under order with the device taken away
    SUSPENDED = "suspended"  # under order and no longer judged
    RARER = "reports-rarer"  # the device may be silent for hours unnoticed
    ZONE = "zone-gone"  # a zone is gone, or is for somebody else, or of the other kind
    CONTACT = "contact-gone"  # whom to keep away from
    FEWER = "fewer-people"  # so many fewer are monitored that the folder itself is in doubt


@dataclass(frozen=True, slots=True)
class Hole:
    """``subject``: person_id, zone_id or pair; ``from_ms``, ``to_ms``: when it is open (None: no end)."""

    kind: HoleKind
    subject: str
    name: str
    from_ms: int
    to_ms: int | None = None
    before: int = 0
    after: int = 0

    @property
    def matter(self) -> tuple[str, str, int | None]:
        """What is the same hole when the same folder is looked at later."""
        return self.kind.value, self.subject, self.to_ms


def holes(found: Plan, now_ms: int, fewer_max: float) -> list[Hole]:
    """Every hole that the plan would tear, by kind and subject; none where nobody is left unmonitored.

    ``fewer_max``: by what share the people monitored now may become fewer without being asked.
    """
    told = [*_people(found, now_ms), *_zones(found, now_ms), *_contacts(found, now_ms)]
    before, after = _monitored(found.before, now_ms), _monitored(found.after, now_ms)
    if after < before * (1 - fewer_max):
        told.append(Hole(HoleKind.FEWER, "*", "", now_ms, None, before, after))
    return sorted(told, key=lambda hole: (hole.kind, hole.subject))


def with_initials(found: Iterable[Hole], guarded: frozenset[str]) -> tuple[Hole, ...]:
    """The holes, ``guarded`` people named by initials."""
    return tuple(
        replace(hole, name=initials(hole.name)) if hole.subject.partition(":")[0] in guarded else hole
        for hole in found
    )


def _people(found: Plan, now_ms: int) -> Iterator[Hole]:
    concerned = _concerned(found)
    before, after = _Lives(found.before, concerned), _Lives(found.after, concerned)
    for person_id in sorted(concerned & found.before.people.keys()):
        name = found.before.people[person_id].name
        was, becomes = before.orders(person_id), after.orders(person_id)
        lost = _ahead(subtract(was, becomes), now_ms)
        if lost:
            yield _hole(HoleKind.ORDER, person_id, name, lost)
        bare = _ahead(_both(becomes, subtract(before.bound(person_id), after.bound(person_id))), now_ms)
        if bare:
            yield _hole(HoleKind.NO_DEVICE, person_id, name, bare)
        silent = _ahead(
            _both(becomes, subtract(after.suspended(person_id), before.suspended(person_id))), now_ms
        )
        if silent:
            yield _hole(HoleKind.SUSPENDED, person_id, name, silent)
        rare = _rarer(before.devices.get(person_id, []), after.devices.get(person_id, []), now_ms)
        if rare and _ahead(becomes, now_ms):
            yield Hole(HoleKind.RARER, person_id, name, now_ms, None, *rare)


def _hole(kind: HoleKind, subject: str, name: str, spans: Spans) -> Hole:
    end = spans[-1][1]
    return Hole(kind, subject, name, spans[0][0], None if end >= OPEN_END_MS else end)


def _concerned(found: Plan) -> set[str]:
    """Everyone with a row that is new, changed or gone."""
    people: set[str] = set()
    for table in ("people", "devices", "orders", "suspensions"):
        standing: Mapping[Any, Any] = getattr(found.before, table)
        wanted: Mapping[Any, Any] = getattr(found.after, table)
        for keys in found.rows(table):
            people |= {rows[key].person_id for key in keys for rows in (standing, wanted) if key in rows}
    return people


class _Lives:
    """The spans of some people in one set of cases."""

    def __init__(self, cases: CaseSet, people: set[str]) -> None:
        self._people = cases.people
        self._orders = _by_person(cases.orders.values(), people)
        self._suspensions = _by_person(cases.suspensions.values(), people)
        self.devices: Mapping[str, list[Device]] = _by_person(cases.devices.values(), people)

    def orders(self, person_id: str) -> Spans:
        person = self._people.get(person_id)
        if person is None or person.is_protected:
            return ()
        return _both(_spans(self._orders.get(person_id, ())), ((person.span.from_ms, person.span.to_ms),))

    def bound(self, person_id: str) -> Spans:
        return _spans(self.devices.get(person_id, ()))

    def suspended(self, person_id: str) -> Spans:
        return _spans(self._suspensions.get(person_id, ()))


def _by_person(rows: Iterable[Any], people: set[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        if row.person_id in people:
            found.setdefault(row.person_id, []).append(row)
    return found


def _spans(rows: Iterable[Any]) -> Spans:
    return unite((row.span.from_ms, row.span.to_ms) for row in rows)


def _both(one: Spans, other: Spans) -> Spans:
    return subtract(one, subtract(one, other))


def _ahead(spans: Spans, now_ms: int) -> Spans:
    return tuple((max(start, now_ms), end) for start, end in spans if end > now_ms)


def _rarer(before: list[Device], after: list[Device], now_ms: int) -> tuple[int, int] | None:
    """The report interval of the most frequent device, before and after, where it becomes too rare."""
    was = [d.report_every_s for d in before if d.span.to_ms > now_ms]
    becomes = [d.report_every_s for d in after if d.span.to_ms > now_ms]
    if was and becomes and min(was) <= REPORTS_EVERY_S_MAX < min(becomes):
        return min(was), min(becomes)
    return None


def _zones(found: Plan, now_ms: int) -> Iterator[Hole]:
    _, changed, gone = found.rows("zones")
    for zone_id in (*changed, *gone):
        was, becomes = found.before.zones[zone_id], found.after.zones.get(zone_id)
        if was.applies_to and (becomes is None or _other_zone(was, becomes)):
            yield Hole(HoleKind.ZONE, zone_id, was.name, now_ms)


def _other_zone(was: Zone, becomes: Zone) -> bool:
    return (was.applies_to, was.kind) != (becomes.applies_to, becomes.kind)


def _contacts(found: Plan, now_ms: int) -> Iterator[Hole]:
    _, changed, gone = found.rows("contacts")
    for key in (*changed, *gone):
        was, becomes = found.before.contacts[key], found.after.contacts.get(key)
        if becomes is None or becomes.distance_m < was.distance_m:
            person = found.before.people.get(was.person_id)
            yield Hole(HoleKind.CONTACT, key_text(key), person.name if person else "", now_ms)


def _monitored(cases: CaseSet, now_ms: int) -> int:
    """People with an order in force and a device bound."""
    ordered = {o.person_id for o in cases.orders.values() if o.span.holds(now_ms)}
    bound = {d.person_id for d in cases.devices.values() if d.span.holds(now_ms)}
    return sum(
        1
        for person_id in ordered & bound
        if person_id in cases.people and cases.people[person_id].span.holds(now_ms)
    )
