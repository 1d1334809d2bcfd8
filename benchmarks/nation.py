"""The cases of a nation, and batches of its fixes: what the engine, start and memory are measured on.

2,891 real counties (``benchmarks.geofence``), five stations each; every person has an order, one device
that reports every minute, the county to stay in, a home with a curfew from 22:00 to 06:00, and the 0–5
forbidden places of the station.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks.geofence import Nation
from corrections_monitor.model.cases import (
    CaseSet,
    Category,
    Device,
    DeviceKind,
    Level,
    Office,
    Officer,
    Order,
    Person,
    Role,
    Zone,
    ZoneKind,
)
from corrections_monitor.model.schedule import Calendar, parse_schedule
from corrections_monitor.model.telemetry import NO_BATTERY, Batch, Fixes, Messages, Presence, empty_batch
from corrections_monitor.model.times import DAY_MS, Interval

T0_MS = 1_775_000_000_000  # 2026-04-01 07:33 in Shanghai
CALENDAR = Calendar(ZoneInfo("Asia/Shanghai"), frozenset())
STATIONS = 5  # of a county
_AT_NIGHT = parse_schedule([{"days": "Mo-Su", "from": "22:00", "to": "06:00"}])


@dataclass
class Country:
    """Cases of ``people`` persons, under order 30 days before and after ``at_ms``, and where their homes are;
    ``exclusions`` forbidden places a station."""

    people: int
    exclusions: int | None = None  # None: 0–5, drawn
    seed: int = 20260101
    at_ms: int = T0_MS

    def __post_init__(self) -> None:
        self._span = Interval(self.at_ms - 30 * DAY_MS, self.at_ms + 30 * DAY_MS)
        self._rng = np.random.default_rng(self.seed)
        self.nation = Nation(self.people, self.seed)
        self.cases = CaseSet(
            offices=self._offices(),
            officers={o.officer_id: o for o in self._officers()},
            people={p.person_id: p for p in self._persons()},
            devices={(d.device_id, d.span.from_ms): d for d in self._devices()},
            orders={o.order_id: o for o in self._orders()},
            zones={z.zone_id: z for z in self._zones()},
        )

    def _station(self, number: int) -> str:
        return f"S{self.nation.county[number]:04d}-{number % STATIONS}"

    def _offices(self) -> dict[str, Office]:
        counties = range(self.nation.counties)
        rows = [Office("city", None, Level.CITY, "全国")]
        rows += [Office(f"K{k:04d}", "city", Level.COUNTY, f"县区{k}") for k in counties]
        rows += [
            Office(f"S{k:04d}-{s}", f"K{k:04d}", Level.STATION, f"司法所{k}-{s}")
            for k in counties
            for s in range(STATIONS)
        ]
        return {o.office_id: o for o in rows}

    def _officers(self) -> Iterator[Officer]:
        for k in range(self.nation.counties):
            for s in range(STATIONS):
                name = f"F{k:04d}-{s}"
                yield Officer(name, f"S{k:04d}-{s}", name, Role.OFFICER, name.lower())

    def _persons(self) -> Iterator[Person]:
        for i in range(self.people):
            officer = f"F{self._station(i)[1:]}"
            yield Person(
                f"P{i:06d}", f"某{i}", Category.PROBATION, self._station(i), officer, self._span
            )  # fmt: skip

    def _devices(self) -> Iterator[Device]:
        for i in range(self.people):
            yield Device(f"d{i:06d}", DeviceKind.BAND, f"P{i:06d}", 60, self._span)

    def _orders(self) -> Iterator[Order]:
        approved_on = datetime.fromtimestamp(self._span.from_ms / 1_000, CALENDAR.zone).date()
        for i in range(self.people):
            yield Order(f"O{i:06d}", f"P{i:06d}", "29.2", "县局", approved_on, self._span)

    def _zones(self) -> Iterator[Zone]:
        nation = self.nation
        homes = shapely.STRtree(shapely.points(nation.home_lon, nation.home_lat))
        lived_in = set(homes.query(nation.geometries, predicate="intersects")[0].tolist())
        for k in range(nation.counties):
            yield Zone(f"Z{k:04d}", f"县区{k}", ZoneKind.INCLUSION, f"K{k:04d}", nation.shapes[k])
        for k, numbers in enumerate(nation.places_of):
            places = [n for n in numbers if n not in lived_in]  # nobody is forbidden their own home
            for s in range(STATIONS):
                wanted = int(self._rng.integers(0, 6)) if self.exclusions is None else self.exclusions
                for place in places[s * 6 : s * 6 + wanted]:
                    yield Zone(f"X{place}", f"学校{place}", ZoneKind.EXCLUSION, f"S{k:04d}-{s}",
                               nation.shapes[place])  # fmt: skip
        for i in range(self.people):
            shape = nation.shapes[len(nation.geometries) + i]
            yield Zone(f"H{i:06d}", "住所", ZoneKind.INCLUSION, f"P{i:06d}", shape, schedule=_AT_NIGHT)

    def fixes(self, who: NDArray[np.int64], arrival_ms: int, seq: int = 0) -> Batch:
        """One good fix near home of each of these persons, all arriving within 100 ms."""
        n = len(who)
        jitter = self._rng.normal(0, 0.0003, (2, n))
        arrival = arrival_ms + np.arange(n, dtype=np.int64) * 100 // n
        messages = Messages(
            arrival, who.astype(np.int32), np.full(n, seq, np.int64), np.full(n, NO_BATTERY, np.int16),
            arrival - 800, np.full(n, Presence.CONTACT, np.uint8),
        )  # fmt: skip
        speed = np.full(n, 1.2, np.float32)
        return Batch(
            messages,
            Fixes(
                np.arange(n, dtype=np.int64), arrival - 800, self.nation.home_lon[who] + jitter[0],
                self.nation.home_lat[who] + jitter[1], np.full(n, 8.0, np.float32), speed, speed * 0,
                np.zeros(n, np.uint8),
            ),
            empty_batch().events,
        )  # fmt: skip
