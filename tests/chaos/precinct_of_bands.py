"""A station's people with a band each, and what each of them will do: the world of the killings.

Some cut their strap, some walk out of the circle they must stay in, the rest do nothing.  What must come
of it is told here from the case folder alone: who is paged at which step, how often each row exists.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from corrections_monitor.model.cases import (
    CaseSet,
    Category,
    Circle,
    Device,
    DeviceKind,
    Duty,
    Level,
    Office,
    Officer,
    Order,
    Person,
    Role,
    Zone,
    ZoneKind,
)
from corrections_monitor.model.schedule import ALWAYS_HOLDS, Schedule
from corrections_monitor.model.times import DAY_MS, Interval
from simulators import encode

LON, LAT = 122.07, 41.12
METRES_PER_LON = 111_320 * math.cos(math.radians(LAT))
RADIUS_M = 100.0
START_M, FAR_M, SPEED_MPS = 80.0, 260.0, 10.0  # from the middle: where everyone is, where who leaves stops
INWARDS_M = 0.0  # where who breaks a curfew goes, out of a smaller circle around his start
NIGHT_RADIUS_M = 30.0
STEP_S = 2.0
LADDER = "station-duty, station-chief after 2s, county-duty after 4s, city-duty after 6s"
PAGED = ("duty", "chief", "duty-county", "duty-city")  # by step


class PageRow(NamedTuple):
    """What makes a page one of a kind for whoever reads it."""

    person_id: str
    kind: str
    step: int
    officer_id: str
    channel: str


@dataclass
class Wearer:
    """One person with a band; ``does``: strap.cut, zone.exit, curfew or nothing; ``since_ms``: begun when."""

    number: int
    does: str
    since_ms: int | None = None
    cut_told: bool = False

    @property
    def person_id(self) -> str:
        return f"p{self.number:03d}"

    @property
    def device_id(self) -> str:
        return f"band-{self.number:03d}"

    def fixes(self, now_ms: int) -> tuple[str, str]:
        """Topic and payload of a message of two fixes, 100 ms apart."""
        texts = []
        for t_ms in (now_ms - 100, now_ms):
            east_m = START_M
            if self.does == "zone.exit" and self.since_ms is not None:
                east_m = min(FAR_M, START_M + SPEED_MPS * max(0, t_ms - self.since_ms) / 1_000)
            elif self.does == "curfew" and self.since_ms is not None:
                east_m = max(INWARDS_M, START_M - SPEED_MPS * max(0, t_ms - self.since_ms) / 1_000)
            texts.append(encode.fix(t_ms, LON + east_m / METRES_PER_LON, LAT, 5.0))
        return encode.fix_topic("county", self.device_id), encode.fix_payload(None, texts, 80)

    def cut(self, now_ms: int) -> tuple[str, str]:
        """The band says that its strap was cut."""
        self.cut_told = True
        return encode.band_topic("county", self.device_id), encode.band_payload(None, now_ms, "strap_cut")


def wearers(count: int) -> list[Wearer]:
    """So many, a third of each."""
    return [Wearer(i, ("strap.cut", "zone.exit", "nothing")[i % 3]) for i in range(count)]


def cases_of(
    everyone: list[Wearer], now_ms: int, report_every_s: int, night: Schedule = ALWAYS_HOLDS
) -> CaseSet:
    """All in one station, under order, bound to one circle; who has a curfew to another at night as well."""
    span = Interval(now_ms - 10 * DAY_MS, now_ms + 10 * DAY_MS)
    offices = {
        "city": Office("city", None, Level.CITY, "市局"),
        "county": Office("county", "city", Level.COUNTY, "区局"),
        "station": Office("station", "county", Level.STATION, "司法所"),
    }
    roles = (
        ("duty", "station", Role.OFFICER),
        ("chief", "station", Role.CHIEF),
        ("duty-county", "county", Role.OFFICER),
        ("duty-city", "city", Role.OFFICER),
    )
    people, devices, orders = {}, {}, {}
    for one in everyone:
        people[one.person_id] = Person(one.person_id, one.person_id, Category.PROBATION, "station", "duty")
        devices[(one.device_id, span.from_ms)] = Device(
            one.device_id, DeviceKind.BAND, one.person_id, report_every_s, span
        )
        order_id = f"o-{one.person_id}"
        orders[order_id] = Order(order_id, one.person_id, "29.2", "chief", date(2000, 1, 1), span)
    everyone_is_in = Zone("circle", "圈", ZoneKind.INCLUSION, "station", Circle(LON, LAT, RADIUS_M))
    start = Circle(LON + START_M / METRES_PER_LON, LAT, NIGHT_RADIUS_M)
    at_night = [
        Zone(f"night-{one.person_id}", "家", ZoneKind.INCLUSION, one.person_id, start, schedule=night)
        for one in everyone
        if one.does == "curfew"
    ]
    return CaseSet(
        offices=offices,
        officers={o: Officer(o, office, o, role, o) for o, office, role in roles},
        duty={(office, o, span.from_ms): Duty(office, o, span) for o, office, _ in roles if o != "chief"},
        people=people,
        devices=devices,
        orders=orders,
        zones={zone.zone_id: zone for zone in (everyone_is_in, *at_night)},
    )


def pages_expected(everyone: list[Wearer], channels: tuple[str, ...]) -> Counter[PageRow]:
    """Once each: every step of the ladder over every channel, for everyone who has done something."""
    return Counter(
        PageRow(one.person_id, one.does, step, officer_id, channel)
        for one in everyone
        if one.since_ms is not None
        for step, officer_id in enumerate(PAGED)
        for channel in channels
    )
