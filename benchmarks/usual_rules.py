"""How it is usually done, for comparison: one fix, two fixes in a row, and the way of Traccar.

All three are given the same cases, the same distances and even the same law (orders, hours, leaves) as the
engine; they differ in what they make of a fix.  Traccar's geofence handler compares the geofences of a
position with those of the one before it, passes over positions that are older than the newest, and knows no
accuracy; a curfew begins for it when the hours do, at the next position.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from corrections_monitor.detection.against import compare
from corrections_monitor.detection.city import City
from corrections_monitor.detection.law import PersonLaw
from corrections_monitor.detection.slots import SlotKind
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.telemetry import Batch
from corrections_monitor.model.times import OPEN_END_MS, OPEN_START_MS
from simulators.episode_log import Found


class Rule(StrEnum):
    ONE_FIX = "one fix"
    TWO_FIXES = "two fixes in a row"
    TRACCAR = "as Traccar does"


@dataclass(slots=True)
class _Slot:
    """What a rule knows of one slot: the fixes in a row that contradict the present state."""

    out: bool = False
    against: int = 0
    since_ms: int = 0
    inside_ms: int = OPEN_START_MS
    open: Found | None = None


def judge(rule: Rule, city: City, batch: Batch) -> list[Found]:
    """The episodes a rule finds in fixes in order of arrival; each pages once."""
    fixes = batch.fixes
    person = city.people_at(batch.messages.device[fixes.message], fixes.t_ms)
    table = compare(city, person, fixes.lon, fixes.lat, fixes.acc_m, fixes.src)
    arrival, who, t_ms = (
        batch.messages.arrival_ms[fixes.message].tolist(),
        person.tolist(),
        fixes.t_ms.tolist(),
    )
    beyond, slots, zones = table.beyond_m.tolist(), table.slot.tolist(), table.zone.tolist()
    pairs = table.first_pair.tolist()
    needed = 2 if rule is Rule.TWO_FIXES else 1
    state: dict[int, _Slot] = {}
    newest: dict[int, int] = {}
    found: list[Found] = []
    for i, t in enumerate(t_ms):
        if rule is Rule.TRACCAR and t < newest.get(who[i], OPEN_START_MS):
            continue
        newest[who[i]] = t
        law = city.law(who[i])
        for k in range(pairs[i], pairs[i + 1]):
            slot = state.setdefault(slots[k], _Slot())
            _turn(slot, beyond[k] > 0, t, needed)
            demand, kind = _demanded(city, law, slots[k], slot, t)
            if slot.open is not None and not (slot.out and demand):
                slot.open.to_ms = t
                slot.open = None
            elif slot.open is None and slot.out and demand and beyond[k] > 0:
                zone_id = city.zones[zones[k]].zone_id
                slot.open = Found(
                    kind, city.person_ids[who[i]], zone_id, slot.since_ms, OPEN_END_MS, arrival[i], pagings=1
                )
                found.append(slot.open)
    return found


def _turn(slot: _Slot, outside: bool, t_ms: int, needed: int) -> None:
    if not outside:
        slot.inside_ms = max(slot.inside_ms, t_ms)
    if outside == slot.out:
        slot.against = 0
        return
    if not slot.against:
        slot.since_ms = t_ms
    slot.against += 1
    if slot.against >= needed:
        slot.out, slot.against = outside, 0


def _demanded(city: City, law: PersonLaw, number: int, slot: _Slot, t_ms: int) -> tuple[bool, str]:
    """Whether the law minds being beyond this slot now, and what that is called."""
    subject = city.subject(number)
    if city.slot_kind[number] == SlotKind.EXCLUSION:
        zone = next(z for z in law.exclusions if z.zone_id == subject)
        return law.exclusion_demand(zone, t_ms).holds, Kind.ZONE_ENTER
    if city.slot_kind[number] == SlotKind.LEAVE:
        return False, Kind.LEAVE_ASTRAY
    group = next(g for g in law.groups if g.subject == subject)
    back_ms = law.last_leave_end(t_ms)
    if back_ms is not None and slot.inside_ms < back_ms:
        kind = Kind.LEAVE_OVERDUE
    else:
        kind = Kind.ZONE_EXIT if group.is_always else Kind.CURFEW
    return law.group_demand(group, t_ms).holds, kind
