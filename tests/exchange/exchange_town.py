"""A town for exchanges: one station, three people under order with bands, zones, a contact rule."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from corrections_monitor import cases as case_folder
from corrections_monitor.exchange.source import MARK
from corrections_monitor.model.cases import (
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
    Suspension,
    Zone,
    ZoneKind,
)
from corrections_monitor.model.times import DAY_MS, Interval

ZONE = ZoneInfo("Asia/Shanghai")
NOW_MS = 1_795_000_000_000 // DAY_MS * DAY_MS - 8 * 3_600_000  # a midnight in Panjin
SPAN = Interval(NOW_MS - 10 * DAY_MS, NOW_MS + 60 * DAY_MS)
PEOPLE = ("p1", "p2", "p3")


class HandClock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def wall_ms(self) -> int:
        return self.now_ms

    def monotonic_s(self) -> float:
        return self.now_ms / 1_000


def town() -> CaseSet:
    offices = [
        Office("city", None, Level.CITY, "盘锦市司法局"),
        Office("county", "city", Level.COUNTY, "甲县司法局"),
        Office("station", "county", Level.STATION, "一所"),
    ]
    officers = [
        Officer("o1", "station", "王所", Role.CHIEF, "wang"),
        Officer("head", "city", "李主任", Role.SUPERVISOR, "li"),
    ]
    guarded = Person("v1", "被保护人", Category.PROTECTED, "station", "o1")
    people = [Person(p, f"张{p}", Category.PROBATION, "station", "o1", SPAN) for p in PEOPLE]
    bands = [Device(f"b-{p}", DeviceKind.BAND, p, 60, SPAN) for p in PEOPLE]
    return CaseSet(
        offices={o.office_id: o for o in offices},
        officers={o.officer_id: o for o in officers},
        people={p.person_id: p for p in (*people, guarded)},
        devices={(d.device_id, d.span.from_ms): d for d in bands},
        orders={f"o-{p}": Order(f"o-{p}", p, "29.2", "局长", date(2026, 11, 1), SPAN) for p in PEOPLE},
        zones={"home": Zone("home", "住所", ZoneKind.INCLUSION, "p1", Circle(122.07, 41.12, 200.0))},
        leaves={"l1": Leave("l1", "p1", Interval(NOW_MS + DAY_MS, NOW_MS + 2 * DAY_MS), "所长")},
        suspensions={("p3", SPAN.from_ms): Suspension("p3", Interval(SPAN.from_ms, NOW_MS - DAY_MS), "住院")},
        contacts={("p1", "v1"): ContactRule("p1", "v1", 300.0)},
    )


def changed(cases: CaseSet, table: str, key: Any, **columns: Any) -> CaseSet:
    """The cases with columns of one row changed."""
    rows = dict(getattr(cases, table))
    rows[key] = replace(rows[key], **columns)
    return replace(cases, **{table: rows})


def without(cases: CaseSet, table: str, *keys: Any) -> CaseSet:
    rows = {k: row for k, row in getattr(cases, table).items() if k not in keys}
    return replace(cases, **{table: rows})


def deliver(cases: CaseSet, folder: Path) -> Path:
    """Write the folder as the other system does: the mark last."""
    (folder / MARK).unlink(missing_ok=True)
    case_folder.write(cases, folder, ZONE)
    newest = max(path.stat().st_mtime_ns for path in folder.iterdir())
    (folder / MARK).write_text("")
    os.utime(folder / MARK, ns=(newest, newest))
    return folder
