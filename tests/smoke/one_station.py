"""The smallest city: one station with a chief, one person with a band and a home to stay in."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from corrections_monitor import cases as case_folder
from corrections_monitor.model.cases import (
    CaseSet,
    Category,
    Circle,
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
from corrections_monitor.model.times import DAY_MS, Interval
from simulators import encode
from simulators.mqtt import Server
from simulators.sender import Sender

ZONE = ZoneInfo("Asia/Shanghai")
LON, LAT = 122.07, 41.12


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def station(*person_ids: str) -> CaseSet:
    """Everyone named under order with a band, bound to one circle of 500 m."""
    span = Interval(now_ms() - 10 * DAY_MS, now_ms() + 50 * DAY_MS)  # far from any reminder
    offices = {
        "city": Office("city", None, Level.CITY, "市局"),
        "county": Office("county", "city", Level.COUNTY, "区局"),
        "station": Office("station", "county", Level.STATION, "司法所"),
    }
    officers = {
        "chief": Officer("chief", "station", "王所", Role.CHIEF, "wang"),
        "admin": Officer("admin", "city", "管理员", Role.ADMIN, "root"),
    }
    return CaseSet(
        offices=offices,
        officers=officers,
        people={p: Person(p, f"张{p}", Category.PROBATION, "station", "chief") for p in person_ids},
        devices={(band(p), span.from_ms): Device(band(p), DeviceKind.BAND, p, 60, span) for p in person_ids},
        orders={f"o-{p}": Order(f"o-{p}", p, "29.2", "局长", date(2000, 1, 1), span) for p in person_ids},
        zones={"circle": Zone("circle", "圈", ZoneKind.INCLUSION, "station", Circle(LON, LAT, 500.0))},
    )


def band(person_id: str) -> str:
    return f"band-{person_id}"


def write(cases: CaseSet, folder: Path) -> Path:
    """As a case folder; returns where."""
    folder.mkdir(exist_ok=True)
    case_folder.write(cases, folder, ZONE)
    return folder


def forbidden_here(cases: CaseSet) -> CaseSet:
    """The same, and where everyone is has become a place where nobody may be."""
    zone = Zone("forbidden", "学校", ZoneKind.EXCLUSION, "station", Circle(LON, LAT, 200.0))
    return replace(cases, zones={**cases.zones, "forbidden": zone})


class Band:
    """One person's band on the daemon's own endpoint; ``acked`` counts what was acknowledged."""

    def __init__(self, port: int, person_id: str, password: str) -> None:
        name = band(person_id)
        self._fix_topic = encode.fix_topic("county", name)
        self._band_topic = encode.band_topic("county", name)
        self.acked = 0
        self.sent: list[int] = []  # times of the fixes
        self.sender: Sender[int] = Sender(Server("127.0.0.1", port, name, password), name, self._acked)

    def _acked(self, _t_ms: int, refused: bool) -> None:
        assert not refused
        self.acked += 1

    def fix(self, t_ms: int | None = None, *, padding: int = 0) -> None:
        """A fix in the middle of the circle, now."""
        t_ms = now_ms() if t_ms is None else t_ms
        self.sent.append(t_ms)
        text = encode.fix_payload(None, [encode.fix(t_ms, LON, LAT, 8.0)], 80)
        self.sender.put(t_ms, self._fix_topic, text + " " * padding)

    def says(self, event: str) -> None:
        """A band event, now."""
        self.sender.put(0, self._band_topic, encode.band_payload(None, now_ms(), event))
