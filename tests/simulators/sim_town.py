"""A small town for the simulators' tests: one district, homes with curfews, schools, leaves."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from corrections_monitor.model.cases import (
    Area,
    CaseSet,
    Category,
    Circle,
    ContactRule,
    Device,
    DeviceKind,
    Leave,
    Level,
    Office,
    Officer,
    Order,
    Person,
    Role,
    Supervision,
    Zone,
    ZoneKind,
)
from corrections_monitor.model.schedule import parse_schedule
from corrections_monitor.model.times import DAY_MS, HOUR_MS, Interval, parse_time

ZONE = ZoneInfo("Asia/Shanghai")
START_MS = parse_time("2026-03-02T08:00", ZONE)  # a Monday
LON, LAT = 122.07, 41.12
DISTRICT = ((121.9, 41.0), (122.25, 41.0), (122.25, 41.22), (122.1, 41.15), (121.9, 41.25), (121.9, 41.0))


def town(people: int = 40, hours: float = 24.0) -> CaseSet:
    """So many people, every third with a phone besides the band, every fifth ``strict``, one protected."""
    order = Interval(START_MS - 10 * DAY_MS, START_MS + 60 * DAY_MS)
    offices = {
        "C": Office("C", None, Level.CITY, "市局"),
        "D1": Office("D1", "C", Level.COUNTY, "区局"),
        "S1": Office("S1", "D1", Level.STATION, "司法所", lon=LON, lat=LAT),
    }
    officers = {"o1": Officer("o1", "S1", "王", Role.OFFICER, "o1")}
    zones = {
        "district": Zone("district", "区", ZoneKind.INCLUSION, "*", Area((((DISTRICT),),))),
        "away": Zone("away", "外地", ZoneKind.INCLUSION, "", Circle(122.6, 41.1, 3_000.0)),
    }
    for i in range(6):
        school = Circle(LON - 0.06 + 0.025 * i, LAT + 0.015 * (-1) ** i, 150.0)
        zones[f"school{i}"] = Zone(f"school{i}", "学校", ZoneKind.EXCLUSION, "S1", school)
    persons: dict[str, Person] = {"prot": Person("prot", "李", Category.PROTECTED, "S1", "o1")}
    devices = {("phone-prot", order.from_ms): Device("phone-prot", DeviceKind.PHONE, "prot", 60, order)}
    orders: dict[str, Order] = {}
    leaves: dict[str, Leave] = {}
    curfew = parse_schedule([{"days": "Mo-Su", "from": "21:00", "to": "06:00"}])
    for i in range(people):
        pid = f"p{i:03d}"
        level = Supervision.STRICT if i % 5 == 0 else Supervision.NORMAL
        persons[pid] = Person(pid, f"张{i}", Category.PROBATION, "S1", "o1", level=level)
        devices[(f"band-{pid}", order.from_ms)] = Device(f"band-{pid}", DeviceKind.BAND, pid, 60, order)
        if i % 3 == 0:
            devices[(f"phone-{pid}", order.from_ms)] = Device(
                f"phone-{pid}", DeviceKind.PHONE, pid, 60, order
            )
        orders[f"ord-{pid}"] = Order(f"ord-{pid}", pid, "29.2", "赵", date(2026, 2, 20), order)
        if i % 2 == 0:
            home = Circle(LON - 0.08 + 0.004 * i, LAT - 0.04 - 0.001 * i, 120.0)
            zones[f"home-{pid}"] = Zone(f"home-{pid}", "家", ZoneKind.INCLUSION, pid, home, schedule=curfew)
        if i % 7 == 1:
            leave = Interval(START_MS - HOUR_MS, START_MS + round(hours / 4 * HOUR_MS))
            leaves[f"leave-{pid}"] = Leave(f"leave-{pid}", pid, leave, "赵")
        if i % 7 == 3:
            whole = Interval(START_MS - HOUR_MS, START_MS + 48 * HOUR_MS)
            leaves[f"leave-{pid}"] = Leave(f"leave-{pid}", pid, whole, "赵", ("away",))
    contacts = {("p003", "prot"): ContactRule("p003", "prot", 200.0)}
    return CaseSet(
        offices=offices,
        officers=officers,
        people=persons,
        devices=devices,
        orders=orders,
        zones=zones,
        leaves=leaves,
        contacts=contacts,
    )
