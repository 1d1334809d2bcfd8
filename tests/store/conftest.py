"""Small cities, batches and alerts to store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from corrections_monitor.model.alerts import Alert, AlertState, Line, Page
from corrections_monitor.model.cases import (
    Area,
    CaseSet,
    Category,
    Circle,
    ContactRule,
    Corridor,
    DayKind,
    Device,
    DeviceKind,
    Duty,
    Holiday,
    Leave,
    Level,
    Office,
    Officer,
    Order,
    Person,
    Role,
    Supervision,
    Suspension,
    Zone,
    ZoneKind,
)
from corrections_monitor.model.episodes import Cause, Change, Episode, Kind, Severity
from corrections_monitor.model.schedule import parse_schedule
from corrections_monitor.model.telemetry import Events, Fixes
from corrections_monitor.model.times import Interval

T0_MS = 1_764_000_000_000
MakeFixes = Callable[..., Fixes]


@pytest.fixture
def city() -> CaseSet:
    """A city bureau over two counties, a station under each, a person at each station."""
    offices = [
        Office("c", None, Level.CITY, "盘锦市局", "211100", 122.07, 41.12),
        Office("k1", "c", Level.COUNTY, "双台子区局"),
        Office("k2", "c", Level.COUNTY, "大洼区局"),
        Office("s1", "k1", Level.STATION, "一所"),
        Office("s2", "k2", Level.STATION, "二所"),
    ]
    ring = ((122.0, 41.0), (122.1, 41.0), (122.1, 41.1), (122.0, 41.1), (122.0, 41.0))
    hole = ((122.02, 41.02), (122.03, 41.02), (122.03, 41.03), (122.02, 41.02))
    night = parse_schedule([{"days": "Mo-Fr,PH", "from": "22:00", "to": "06:00"}])
    zones = [
        Zone("z1", "双台子", ZoneKind.INCLUSION, "k1", Area(((ring, hole), (ring,))), buffer_m=50.5),
        Zone("z2", "家", ZoneKind.INCLUSION, "p1", Circle(122.0512345678, 41.1, 150.0), "home", night),
        Zone("z3", "河堤", ZoneKind.EXCLUSION, "*", Corridor(((122.0, 41.0), (122.1, 41.3)), 30.0)),
    ]
    people = [
        Person("p1", "张三", Category.PROBATION, "s1", "o1", Interval(T0_MS), Supervision.STRICT),
        Person("p2", "李四", Category.PAROLE, "s2", "o2"),
        Person("v1", "王五", Category.PROTECTED, "s1", "o1"),
    ]
    devices = [
        Device("d1", DeviceKind.BAND, "p1", 60, Interval(T0_MS, T0_MS + 10**9)),
        Device("d2", DeviceKind.PHONE, "p2"),
        Device("dv", DeviceKind.PHONE, "v1"),
    ]
    return CaseSet(
        offices={o.office_id: o for o in offices},
        officers={
            "o1": Officer("o1", "s1", "赵一", Role.OFFICER, "zhao", ("mailto://a@b.c", "json://h")),
            "o2": Officer("o2", "s2", "钱二", Role.CHIEF, "qian"),
        },
        duty={("s1", "o1", T0_MS): Duty("s1", "o1", Interval(T0_MS, T0_MS + 1000))},
        holidays={date(2026, 10, 1): Holiday(date(2026, 10, 1), DayKind.OFF)},
        people={p.person_id: p for p in people},
        devices={(d.device_id, d.span.from_ms): d for d in devices},
        orders={"r1": Order("r1", "p1", "29.1", "县局", date(2026, 1, 2), Interval(T0_MS, T0_MS + 10**9))},
        zones={z.zone_id: z for z in zones},
        leaves={"l1": Leave("l1", "p1", Interval(T0_MS, T0_MS + 5), "赵一", ("z1", "z2"))},
        suspensions={("p1", T0_MS): Suspension("p1", Interval(T0_MS, T0_MS + 9), "住院")},
        contacts={("p1", "v1"): ContactRule("p1", "v1", 500.0)},
    )


@pytest.fixture
def fixes() -> MakeFixes:
    """fixes(t_ms, …): one per time given, a minute's walk apart, by GNSS unless said otherwise."""

    def make(t_ms: Sequence[int], src: int = 0, lon: float = 122.05, spd: float = 1.25) -> Fixes:
        n = len(t_ms)
        return Fixes(
            message=np.arange(n, dtype=np.int64),
            t_ms=np.array(t_ms, np.int64),
            lon=np.full(n, lon),
            lat=np.full(n, 41.1),
            acc_m=np.full(n, 8.5, np.float32),
            spd_mps=np.full(n, spd, np.float32),
            hdg_deg=np.full(n, 359.99, np.float32),
            src=np.full(n, src, np.uint8),
        )

    return make


@pytest.fixture
def events() -> Callable[..., Events]:
    def make(t_ms: Sequence[int], ev: int = 1, battery: int = 80) -> Events:
        n = len(t_ms)
        return Events(
            np.arange(n, dtype=np.int64),
            np.array(t_ms, np.int64),
            np.full(n, ev, np.uint8),
            np.full(n, battery, np.int16),
        )

    return make


EPISODE = Episode(
    "e1",
    Kind.ZONE_EXIT,
    "p1",
    "s1",
    "home",
    "z2",
    T0_MS,
    T0_MS + 60_000,
    None,
    False,
    "离开规定区域",
    {"n": 2},
)
ALERT = Alert(
    "a1", "p1", "s1", Cause.PLACE, "", AlertState.OPEN, Severity.CRITICAL, T0_MS + 60_000, T0_MS + 60_000,
    "离开规定区域", False, 1, 1, T0_MS + 240_000, T0_MS + 60_000, "e1",
    Kind.ZONE_EXIT,
)  # fmt: skip
PAGE = Page("a1", 1, 0, "o1", Severity.CRITICAL, T0_MS + 60_000)


@pytest.fixture
def alert() -> Alert:
    """An open critical alert of p1 at station s1."""
    return ALERT


@pytest.fixture
def opened() -> Line:
    """The line that opened its episode."""
    return Line(Change.OPENED, T0_MS + 60_000, EPISODE, Severity.CRITICAL, ("o1",), "a1")


@pytest.fixture
def closed() -> Line:
    """The line that closes it."""
    ended = replace(EPISODE, ended_ms=T0_MS + 120_000)
    return Line(Change.CLOSED, T0_MS + 130_000, ended, Severity.CRITICAL, (), "a1")


@pytest.fixture
def page() -> Page:
    """Its first page, to officer o1."""
    return PAGE
