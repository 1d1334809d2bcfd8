"""Fixes against slots: the one place where distances are asked for.

A fix of a person is compared with every member zone of every slot of that person.  ``Against`` holds the
table of (fix, slot) pairs, in order of fix, and below it the (fix, slot, member) rows the pairs are the
nearest of.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from corrections_monitor.detection.belief import Sighting
from corrections_monitor.detection.city import City
from corrections_monitor.detection.evidence import REACHES_M, doubt_m, doubt_of, log_odds
from corrections_monitor.detection.place import SlotFix
from corrections_monitor.detection.slots import SlotKind
from corrections_monitor.model.telemetry import F32, F64, I32, I64, U8


@dataclass(frozen=True, slots=True)
class Against:
    """Pairs of fix and slot.

    ``first_pair`` int64[n+1]: the pairs of fix i are first_pair[i]:first_pair[i+1].  Per pair (k):
    ``fix``, ``slot`` int64; ``beyond_m`` float64: distance on the wrong side, no larger than tells
    anything about a fix of its doubt; ``odds`` float64;
    ``zone`` int32: the nearest member.  Members of mixed hours are compared as if all held; whoever
    needs the hours asks ``slot_fixes``, which has ``away`` float64: how far outside each member, from
    ``first_row[k]`` int64[pairs] on.
    """

    first_pair: I64
    fix: I64
    slot: I64
    beyond_m: F64
    odds: F64
    zone: I32
    first_row: I64
    away: F64


def _away(city: City, zone: I32, lon: F64, lat: F64, doubt: F64) -> F64:
    """Metres outside each zone with its buffer; no more of them than tell anything about such a fix."""
    out = np.empty(len(zone))
    buffer_m = city.buffer_m[zone]
    widest_m = float(city.buffer_m.max(initial=0.0))
    class_of = np.searchsorted([limit for limit, _ in REACHES_M], doubt)
    for number, (_, reach_m) in enumerate(REACHES_M):
        rows = np.flatnonzero(class_of == number)
        if len(rows):
            away = city.index.signed_distance(zone[rows], lon[rows], lat[rows], reach_m + widest_m)
            out[rows] = np.clip(away - buffer_m[rows], -reach_m, reach_m)
    return out


def _runs(start: I64, count: I64) -> I64:
    """start[0], start[0]+1, … count[0] numbers, then those of start[1], and so on."""
    ends = np.cumsum(count)
    offset = np.repeat(start - (ends - count), count)
    out: I64 = np.arange(int(ends[-1]) if len(ends) else 0, dtype=np.int64) + offset
    return out


def compare(city: City, person: I32, lon: F64, lat: F64, acc_m: F32, src: U8) -> Against:
    """Compare n fixes with all slots of their persons.  ``person`` int32[n], none negative."""
    slots = city.slot_ptr[person + 1] - city.slot_ptr[person]
    first_pair = np.concatenate(([0], np.cumsum(slots)))
    fix = np.repeat(np.arange(len(person), dtype=np.int64), slots)
    slot = _runs(city.slot_ptr[person], slots)
    members = city.member_ptr[slot + 1] - city.member_ptr[slot]
    row = _runs(city.member_ptr[slot], members)
    row_fix = np.repeat(fix, members)
    zone = city.member_zone[row]
    doubt = doubt_m(acc_m, src)
    distance = _away(city, zone, lon[row_fix], lat[row_fix], doubt[row_fix])
    starts = np.cumsum(members) - members
    if len(row) == len(slot):  # nearly always: one zone a slot
        nearest, least = zone, distance
    else:
        least = np.minimum.reduceat(distance, starts) if len(starts) else distance
        is_least = np.flatnonzero(distance == np.repeat(least, members))
        pair_of_row = np.repeat(np.arange(len(slot)), members)
        nearest = np.empty(len(slot), dtype=np.int32)
        nearest[pair_of_row[is_least][::-1]] = zone[is_least][::-1]  # the first of equals wins
    beyond = np.where(city.slot_kind[slot] == SlotKind.EXCLUSION, -least, least)
    odds = log_odds(beyond, doubt[fix])
    return Against(first_pair, fix, slot, beyond, odds, nearest, starts, distance)


def slot_fixes(
    city: City,
    person: int,
    t_ms: int,
    position: tuple[float, float, float, int],
    table: Against | None = None,
    row: int = 0,
) -> list[tuple[int, SlotFix]]:
    """One fix against every slot of its person, by the hours of its event time.

    ``position``: lon, lat, 68 % radius in metres, source; ``table`` and ``row``: where the comparison
    already stands, if it does.
    """
    lon, lat, acc_m, src = position
    if table is None:
        table, row = (
            compare(
                city,
                np.array([person], np.int32),
                np.array([lon]),
                np.array([lat]),
                np.array([acc_m], np.float32),
                np.array([src], np.uint8),
            ),
            0,
        )
    doubt = doubt_of(acc_m, src)
    found: list[tuple[int, SlotFix]] = []
    for k in range(int(table.first_pair[row]), int(table.first_pair[row + 1])):
        slot = int(table.slot[k])
        beyond, odds, zone = float(table.beyond_m[k]), float(table.odds[k]), city.zones[int(table.zone[k])]
        if city.slot_mixed[slot] and city.kind(slot) is SlotKind.GROUP:
            held = city.law(person).holding(city.slot_zones(slot), t_ms)
            away = table.away[int(table.first_row[k]) + np.array(held)]
            beyond, nearest = float(away.min()), held[int(away.argmin())]
            zone = city.zones[int(city.member_zone[int(city.member_ptr[slot]) + nearest])]
            odds = float(log_odds(np.array([beyond]), np.array([doubt]))[0])
        found.append((slot, SlotFix(Sighting(t_ms, lon, lat, doubt, beyond), odds, zone)))
    return found
