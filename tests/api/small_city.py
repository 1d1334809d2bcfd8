"""A small city for the API's tests: two counties, three stations, someone of every role, five people.

``city`` ⊃ ``county-a`` ⊃ (``station-a1``, ``station-a2``), ``city`` ⊃ ``county-b`` ⊃ ``station-b1``.
Officer ids are ``<role>-<office>``, usernames the same; every password is ``PASSWORD``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from corrections_monitor.model.alerts import Alert, AlertState, Line, alert_id
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
    Suspension,
    Zone,
    ZoneKind,
)
from corrections_monitor.model.episodes import PER_SUBJECT_CAUSES, Change, Episode, Kind, Severity, episode_id
from corrections_monitor.model.telemetry import Fixes
from corrections_monitor.model.times import DAY_MS, HOUR_MS, MINUTE_MS, Interval, to_ms
from corrections_monitor.store import Store

ZONE = ZoneInfo("Asia/Shanghai")
NOW_MS = to_ms(datetime(2026, 11, 24, 4, 0, tzinfo=UTC))
PASSWORD = "correct horse battery staple"

STATIONS = {"station-a1": "county-a", "station-a2": "county-a", "station-b1": "county-b"}
OFFICES = {
    "city": Office("city", None, Level.CITY, "盘锦市司法局", "211100"),
    "county-a": Office("county-a", "city", Level.COUNTY, "甲县司法局"),
    "county-b": Office("county-b", "city", Level.COUNTY, "乙县司法局"),
    **{s: Office(s, c, Level.STATION, f"{s} 司法所", lon=122.07, lat=41.12) for s, c in STATIONS.items()},
}
PEOPLE = {"p-a1": "station-a1", "q-a1": "station-a1", "p-a2": "station-a2", "p-b1": "station-b1"}
HOSPITAL = Interval(NOW_MS + 5 * DAY_MS, NOW_MS + 6 * DAY_MS)
SPAN = Interval(NOW_MS - 30 * DAY_MS, NOW_MS + 30 * DAY_MS)


def officer_id(role: Role, office_id: str) -> str:
    return f"{role}-{office_id}"


def cases() -> CaseSet:
    """The whole city's rows."""
    officers = {
        officer_id(role, office): Officer(
            officer_id(role, office), office, f"{role}@{office}", role, officer_id(role, office)
        )
        for office in OFFICES
        for role in Role
    }
    people = {
        p: Person(p, f"姓名{p}", Category.PROBATION, s, officer_id(Role.OFFICER, s), SPAN)
        for p, s in PEOPLE.items()
    }
    guarded = Person("guarded", "被保护人", Category.PROTECTED, "station-a1", "officer-station-a1")
    return CaseSet(
        offices=OFFICES,
        officers=officers,
        people={**people, "guarded": guarded},
        devices={
            (f"band-{p}", SPAN.from_ms): Device(f"band-{p}", DeviceKind.BAND, p, 60, SPAN) for p in PEOPLE
        },
        orders={
            f"order-{p}": Order(f"order-{p}", p, "29.2", "county head", date(2026, 10, 20), SPAN)
            for p in PEOPLE
        },
        zones={
            f"home-{p}": Zone(f"home-{p}", "住所", ZoneKind.INCLUSION, p, Circle(122.07, 41.12, 100.0))
            for p in PEOPLE
        },
        leaves={
            f"leave-{p}": Leave(f"leave-{p}", p, Interval(NOW_MS + DAY_MS, NOW_MS + 2 * DAY_MS), "chief")
            for p in PEOPLE
        },
        suspensions={(p, HOSPITAL.from_ms): Suspension(p, HOSPITAL, "住院") for p in PEOPLE},
    )


def violation(
    person_id: str, kind: Kind = Kind.ZONE_EXIT, started_ms: int = NOW_MS - HOUR_MS, subject: str = "home"
) -> tuple[Line, Alert]:
    """An episode that opened, and the alert it opened, as rules hand them to the store."""
    office_id = PEOPLE[person_id]
    detected_ms = started_ms + 2 * MINUTE_MS
    episode = Episode(
        episode_id=episode_id(person_id, kind, subject, started_ms),
        kind=kind,
        person_id=person_id,
        office_id=office_id,
        subject=subject,
        zone_id=f"home-{person_id}",
        started_ms=started_ms,
        detected_ms=detected_ms,
        ended_ms=None,
        late=False,
        reason="离开住所 300 米",
        evidence={"fixes": [{"t": started_ms, "lon": 122.08, "lat": 41.13, "acc": 10.0}]},
    )
    alert = Alert(
        alert_id=alert_id(episode.episode_id, episode.cause, subject),
        person_id=person_id,
        office_id=office_id,
        cause=episode.cause,
        subject=subject if episode.cause in PER_SUBJECT_CAUSES else "",
        state=AlertState.OPEN,
        severity=Severity.CRITICAL,
        opened_ms=detected_ms,
        updated_ms=detected_ms,
        reason=episode.reason,
        late=False,
        round=1,
        step=1,
        step_due_ms=detected_ms + 3 * MINUTE_MS,
        round_started_ms=detected_ms,
        leading_episode=episode.episode_id,
        kind=kind,
    )
    paged = (officer_id(Role.OFFICER, office_id),)
    line = Line(Change.OPENED, detected_ms, episode, Severity.CRITICAL, paged, alert.alert_id)
    return line, alert


async def report(
    store: Store, person_id: str, t_ms: int, lon: float, lat: float, arrival_ms: int | None = None
) -> None:
    """One GNSS fix of a person's band, stored as the daemon stores it."""
    numbers = await store.device_numbers([f"band-{person_id}"])
    nan = np.full(1, np.nan, np.float32)
    fixes = Fixes(
        message=np.zeros(1, np.int64),
        t_ms=np.array([t_ms]),
        lon=np.array([lon]),
        lat=np.array([lat]),
        acc_m=np.array([8.0], np.float32),
        spd_mps=np.array([1.5], np.float32),
        hdg_deg=nan,
        src=np.zeros(1, np.uint8),
    )
    async with store.transaction() as tx:
        await tx.insert_fixes(numbers, fixes, np.array([t_ms if arrival_ms is None else arrival_ms]))
