"""People who differ in everything that a threshold could have been fitted to, for ``false_pages``.

Zones of 50 to 500 m, report intervals of 10 to 300 s, receivers that are clean, urban or bad, and every kind
of violation put to whom it suits.  Truth is worked out by the simulators alone.
"""

from __future__ import annotations

from datetime import date
from itertools import product
from zoneinfo import ZoneInfo

from corrections_monitor.ingest.message import Message
from corrections_monitor.model.cases import (
    CaseSet,
    Category,
    Circle,
    Device,
    DeviceKind,
    Leave,
    Level,
    Office,
    Officer,
    Order,
    Person,
    Role,
    Zone,
    ZoneKind,
)
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.schedule import parse_schedule
from corrections_monitor.model.times import DAY_MS, HOUR_MS, Interval, parse_time
from simulators.scenario import rows_in_order
from simulators.truth import Truth
from simulators.world import Plan, build

RADII_M = (50.0, 100.0, 200.0, 500.0)
INTERVALS_S = (10, 30, 60, 120, 300)
KINDS = (
    Kind.ZONE_EXIT,
    Kind.ZONE_ENTER,
    Kind.CURFEW,
    Kind.LEAVE_OVERDUE,
    Kind.SILENCE_DEVICE,
    Kind.SILENCE_POSITION,
    Kind.SILENCE_BAND,
    Kind.STRAP_CUT,
    Kind.STRAP_LOOSE,
    Kind.SEPARATED,
    Kind.SPOOFED,
)
NIGHT = parse_schedule([{"days": "Mo-Su", "from": "22:00", "to": "06:00"}])
ZONE = ZoneInfo("Asia/Shanghai")
START_MS = parse_time("2026-03-02T17:00", ZONE)
SPAN = Interval(START_MS, START_MS + 12 * HOUR_MS)
LON, LAT = 122.07, 41.12


def town(crowd: int) -> CaseSet:
    """``crowd`` people of each zone size, interval and way of living: kept to a place, kept to it by night,
    kept out of one; every other one kept has a leave that ends within the span, every third a phone too."""
    term = Interval(START_MS - 10 * DAY_MS, START_MS + 60 * DAY_MS)
    people: dict[str, Person] = {}
    devices: dict[tuple[str, int], Device] = {}
    orders: dict[str, Order] = {}
    zones: dict[str, Zone] = {}
    leaves: dict[str, Leave] = {}
    grid = product(range(crowd), ("kept", "night", "ban"), RADII_M, INTERVALS_S)
    for i, (turn, way, radius_m, every_s) in enumerate(grid):
        pid = f"{way}-{radius_m:.0f}-{every_s}-{turn}"
        people[pid] = Person(pid, pid, Category.PROBATION, "station", "officer")
        orders[pid] = Order(f"order-{pid}", pid, "29.2", "chief", date(2026, 2, 20), term)
        for kind in (DeviceKind.BAND, DeviceKind.PHONE)[: 2 if i % 3 == 0 else 1]:
            name = f"{kind}-{pid}"
            devices[name, term.from_ms] = Device(name, kind, pid, every_s, term)
        spot = Circle(LON + 0.03 * (i % 20), LAT + 0.02 * (i // 20), radius_m)
        if way == "ban":
            zones[f"ban-{pid}"] = Zone(f"ban-{pid}", pid, ZoneKind.EXCLUSION, pid, spot)
        else:
            hours = NIGHT if way == "night" else parse_schedule(None)
            zones[f"home-{pid}"] = Zone(f"home-{pid}", pid, ZoneKind.INCLUSION, pid, spot, schedule=hours)
        if way == "kept" and i % 2 == 0:
            away = Interval(START_MS - HOUR_MS, START_MS + 5 * HOUR_MS)
            leaves[pid] = Leave(f"leave-{pid}", pid, away, "chief")
    return CaseSet(
        offices={
            "city": Office("city", None, Level.CITY, "city"),
            "county": Office("county", "city", Level.COUNTY, "county"),
            "station": Office("station", "county", Level.STATION, "station", lon=LON, lat=LAT),
        },
        officers={"officer": Officer("officer", "station", "officer", Role.OFFICER, "officer")},
        people=people,
        devices=devices,
        orders={o.order_id: o for o in orders.values()},
        zones=zones,
        leaves={v.leave_id: v for v in leaves.values()},
    )


def live(
    cases: CaseSet, noise: str, each: int, seed: int
) -> tuple[list[Message], list[Truth], dict[Kind, int]]:
    """A night of the town with ``each`` violations of every kind: the messages, the truth, and how many
    violations of a kind found nobody they suit."""
    world = build(cases, Plan(SPAN, ZONE, seed, noise, dict.fromkeys(KINDS, each)))
    rows = rows_in_order(world)
    messages = [Message(r.topic, r.payload.encode(), r.arrival_ms, False, False, None) for r in rows]
    return messages, world.truths(), world.unplaced
