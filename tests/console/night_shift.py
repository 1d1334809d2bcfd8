"""A county's night shift: a simulated district with its people, two months of history, and what is open now.

What is drawn is the same each time but for the present moment, so that pictures can be compared.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psycopg
from console_world import Server, world

from corrections_monitor import cases as case_folder
from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Config
from corrections_monitor.live.digests import DigestDesk
from corrections_monitor.model.alerts import Alert, AlertState, Line, Page, alert_id
from corrections_monitor.model.cases import CaseSet, Category, Circle, Person, Role
from corrections_monitor.model.episodes import (
    KIND_CAUSE,
    PER_SUBJECT_CAUSES,
    Change,
    Episode,
    Kind,
    Severity,
    episode_id,
)
from corrections_monitor.model.telemetry import Fixes
from corrections_monitor.model.times import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from corrections_monitor.paging.channels import Ways
from corrections_monitor.rules.outcome import Noted
from corrections_monitor.store.decisions import Entry
from simulators.city import CityPlan, write_city

COUNTY = "211102"
PEOPLE, HISTORY, HISTORY_DAYS = 400, 700, 60
LONG_NAME = "阿卜杜热合曼·买买提明·艾尼瓦尔"

# What is open now, gravest first: (kind, severity, minutes ago, acknowledged, over, reason).
OPEN: Sequence[tuple[Kind, Severity, float, bool, bool, str]] = (
    (
        Kind.ZONE_EXIT,
        Severity.CRITICAL,
        0.4,
        False,
        False,
        "越出“双台子区”界外 1,240 米（定位误差约 12 米，3 个定位点一致）",
    ),
    (Kind.STRAP_CUT, Severity.CRITICAL, 3, False, False, "手环报告腕带被剪断，电量 71%"),
    (Kind.SOS, Severity.CRITICAL, 6, True, False, "佩戴人按下求助键"),
    (Kind.ZONE_ENTER, Severity.CRITICAL, 14, True, True, "进入禁止区域“实验小学”内 35 米，停留 6 分钟后离开"),
    (Kind.CURFEW, Severity.MAJOR, 2, False, False, "宵禁时段不在住所，距住所 860 米"),
    (
        Kind.SILENCE_DEVICE,
        Severity.MAJOR,
        41,
        False,
        False,
        "全部设备已 41 分钟无联系，最后位置在辽河南路附近",
    ),
    (Kind.CURFEW, Severity.MAJOR, 55, True, False, "宵禁时段不在住所，距住所 2,310 米"),
    (Kind.SHIELDED, Severity.MAJOR, 75, False, True, "疑似信号被屏蔽：同一人手机定位良好而手环失联 12 分钟"),
    (Kind.LEAVE_OVERDUE, Severity.MAJOR, 190, True, False, "请假已于 18:00 到期，至今未返回住所"),
    (Kind.STRAP_LOOSE, Severity.MAJOR, 260, True, True, "手环报告腕带松动，3 分钟后恢复"),
    (Kind.SILENCE_POSITION, Severity.MINOR, 9, False, False, "有联系但 9 分钟没有可用定位"),
    (Kind.BATTERY_CRITICAL, Severity.MINOR, 22, False, False, "电量 4%，已提醒佩戴人充电"),
    (Kind.BATTERY_LOW, Severity.INFO, 35, False, False, "电量 18%"),
    (Kind.ORDER_EXPIRING, Severity.INFO, 600, False, False, "电子定位决定 14 天后到期，尚无延长决定"),
)
_HISTORY_KINDS = (
    (Kind.CURFEW, Severity.MAJOR, 30),
    (Kind.ZONE_EXIT, Severity.CRITICAL, 22),
    (Kind.SILENCE_DEVICE, Severity.MAJOR, 18),
    (Kind.BATTERY_LOW, Severity.INFO, 14),
    (Kind.STRAP_LOOSE, Severity.MAJOR, 8),
    (Kind.ZONE_ENTER, Severity.CRITICAL, 5),
    (Kind.STRAP_CUT, Severity.CRITICAL, 3),
)
_REASONS = {
    Kind.CURFEW: "宵禁时段不在住所，距住所 {n} 米",
    Kind.ZONE_EXIT: "越出“双台子区”界外 {n} 米",
    Kind.SILENCE_DEVICE: "全部设备 {n} 秒无联系",
    Kind.BATTERY_LOW: "电量低",
    Kind.STRAP_LOOSE: "手环报告腕带松动",
    Kind.ZONE_ENTER: "进入禁止区域内 {n} 米",
    Kind.STRAP_CUT: "手环报告腕带被剪断",
}


@dataclass(frozen=True)
class Night:
    """Who is looked at: officers' user names, the person whose file is opened, the gravest alert and one that
    is well under way."""

    supervisor: str
    officer: str
    auditor: str
    admin: str
    person_id: str
    newest: str
    under_way: str


@dataclass
class NightShift:
    server: Server
    night: Night


def district(folder: Path) -> CaseSet:
    """The city's cases; one person has the longest of names."""
    write_city(folder, CityPlan(SystemClock().wall_ms(), PEOPLE, seed=7))
    cases = case_folder.read(folder, world.ZONE)
    first = _people(cases)[0]
    return replace(cases, people={**cases.people, first.person_id: replace(first, name=LONG_NAME)})


def fall(server: Server, cases: CaseSet, database_url: str) -> Night:
    """Let it be night: everything that has happened is written into the database."""
    rng = random.Random(5)
    now_ms = SystemClock().wall_ms()
    people = _people(cases)
    open_now = [
        _happened(
            cases, people[n % len(people)], *row[:2], now_ms - round(row[2] * MINUTE_MS), row[4], row[5]
        )
        for n, row in enumerate(OPEN)
    ]
    history = [_long_ago(cases, rng, people, now_ms) for _ in range(HISTORY)]
    alerts = [alert for _, alert in (*open_now, *history)]
    under_way = open_now[2][1]

    async def write() -> None:
        async with server.store.transaction() as tx:
            await tx.write_alerts(alerts)
            await tx.write_lines([line for line, _ in (*open_now, *history)])
            await tx.write_pages([(page, "mqtt", "t") for page in _pages(cases, [*open_now, *history])])
            await tx.write_timeline(_timeline(cases, under_way))
        await _report(server, cases, rng, now_ms)

    async def sum_up() -> None:
        await server.store.put_state("digest", "2026-01-01", now_ms)
        await DigestDesk(server.store, Config, lambda: cases, Ways(), SystemClock()).look()

    server.do(write())
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO legal_holds VALUES (%s, '检察建议〔2026〕12 号', %s, %s)",
            [people[1].person_id, _who(cases, Role.SUPERVISOR, COUNTY), now_ms],
        )
        _answer(connection, cases, rng, open_now, history)
        _spoil(connection, people, now_ms)
        for state in ("claimed", "sent", "delivered"):
            connection.execute("UPDATE pages SET state = %s, attempts = 1, handed_ms = due_ms + 400", [state])
    server.do(sum_up())
    return Night(
        _who(cases, Role.SUPERVISOR, COUNTY),
        _who(cases, Role.OFFICER, people[0].office_id),
        _who(cases, Role.AUDITOR, COUNTY),
        _who(cases, Role.ADMIN, COUNTY),
        people[0].person_id,
        open_now[0][1].alert_id,
        under_way.alert_id,
    )


def _people(cases: CaseSet) -> list[Person]:
    """Those of the county, a station after the other in turn."""
    found = [
        p
        for p in cases.people.values()
        if p.category is not Category.PROTECTED and p.office_id.startswith(COUNTY)
    ]
    return sorted(found, key=lambda p: (p.person_id[-1], p.person_id))


def _who(cases: CaseSet, role: Role, office: str) -> str:
    """An officer of the role at the office or the nearest above it."""
    for above in cases.offices_up(office):
        for officer in cases.officers.values():
            if officer.role is role and officer.office_id == above.office_id:
                return officer.officer_id
    raise LookupError(f"no {role} for {office}")


def _happened(
    cases: CaseSet, person: Person, kind: Kind, severity: Severity, began_ms: int, over: bool, reason: str
) -> tuple[Line, Alert]:
    home = cases.zones[f"home-{person.person_id}"].shape
    assert isinstance(home, Circle)
    fixes = [
        {
            "t": began_ms + n * MINUTE_MS,
            "lon": home.lon + 0.004 + n * 0.0011,
            "lat": home.lat + 0.002,
            "acc": 12.0,
        }
        for n in range(3)
    ]
    found = Episode(
        episode_id(person.person_id, kind, "home", began_ms),
        kind,
        person.person_id,
        person.office_id,
        "home",
        f"home-{person.person_id}" if kind in (Kind.ZONE_EXIT, Kind.CURFEW) else None,
        began_ms,
        began_ms + 20 * SECOND_MS,
        began_ms + 12 * MINUTE_MS if over else None,
        False,
        reason,
        {"fixes": fixes},
    )
    cause = KIND_CAUSE[kind]
    subject = "home" if cause in PER_SUBJECT_CAUSES else ""
    alert = Alert(
        alert_id(found.episode_id, cause, subject),
        person.person_id,
        person.office_id,
        cause,
        subject,
        AlertState.OPEN,
        severity,
        found.detected_ms,
        found.detected_ms,
        reason,
        False,
        1,
        2,
        None,
        found.detected_ms,
        found.episode_id,
        kind,
    )
    return Line(Change.OPENED, found.detected_ms, found, severity, (), alert.alert_id), alert


def _long_ago(cases: CaseSet, rng: random.Random, people: list[Person], now_ms: int) -> tuple[Line, Alert]:
    kind, severity, _ = rng.choices(_HISTORY_KINDS, [weight for *_, weight in _HISTORY_KINDS])[0]
    ago_ms = round((1 + rng.betavariate(1, 1.3) * (HISTORY_DAYS - 1)) * DAY_MS)
    reason = _REASONS[kind].format(n=rng.randrange(60, 2_400))
    return _happened(cases, rng.choice(people), kind, severity, now_ms - ago_ms, True, reason)


def _pages(cases: CaseSet, found: list[tuple[Line, Alert]]) -> list[Page]:
    return [
        Page(a.alert_id, 1, 0, _who(cases, Role.OFFICER, a.office_id), a.severity, a.opened_ms)
        for _, a in found
        if a.severity.pages
    ]


def _timeline(cases: CaseSet, alert: Alert) -> list[Entry]:
    """Of the one that is well under way: paged, escalated to the chief."""
    officer, chief = (_who(cases, r, alert.office_id) for r in (Role.OFFICER, Role.CHIEF))
    at_ms = alert.opened_ms
    kind = {"kind": alert.kind.value, "severity": str(alert.severity)}
    return [
        Entry(alert.alert_id, at_ms, Noted.OPENED, None, kind),
        Entry(alert.alert_id, at_ms, Noted.PAGED, officer, {"round": 1, "step": 0, "rung": "station-duty"}),
        Entry(
            alert.alert_id,
            at_ms + 3 * MINUTE_MS,
            Noted.PAGED,
            chief,
            {"round": 1, "step": 1, "rung": "station-chief"},
        ),
    ]


async def _report(server: Server, cases: CaseSet, rng: random.Random, now_ms: int) -> None:
    """Everybody is somewhere; the first person has walked about all day."""
    homes = {
        p.person_id: cases.zones[f"home-{p.person_id}"].shape
        for p in cases.people.values()
        if p.category is not Category.PROTECTED
    }
    first = _people(cases)[0].person_id
    rows = [
        (f"band-{p}", now_ms - rng.randrange(5, 55) * SECOND_MS, home.lon + rng.gauss(0, 4e-4), home.lat, 0.3)
        for p, home in homes.items()
        if isinstance(home, Circle) and p != first
    ]
    home = homes[first]
    assert isinstance(home, Circle)
    for n in range(300):
        turn = n / 300 * 2 * math.pi
        radius = 0.012 * math.sin(turn / 2) ** 2
        rows.append(
            (
                f"band-{first}",
                now_ms - (300 - n) * MINUTE_MS,
                home.lon + radius * math.cos(turn * 3),
                home.lat + radius * math.sin(turn * 2),
                0.4 + 1.4 * math.sin(turn * 5) ** 2,
            )
        )
    bound = {device.device_id for device in cases.devices.values()}
    rows = [row for row in rows if row[0] in bound]
    numbers = await server.store.device_numbers([row[0] for row in rows])
    t_ms = np.array([row[1] for row in rows])
    count = len(rows)
    fixes = Fixes(
        message=np.zeros(count, np.int64),
        t_ms=t_ms,
        lon=np.array([row[2] for row in rows]),
        lat=np.array([row[3] for row in rows]),
        acc_m=np.array([rng.choice((6.0, 8.0, 15.0, 40.0)) for _ in rows], np.float32),
        spd_mps=np.array([row[4] for row in rows], np.float32),
        hdg_deg=np.full(count, np.nan, np.float32),
        src=np.zeros(count, np.uint8),
    )
    async with server.store.transaction() as tx:
        await tx.insert_fixes(numbers, fixes, t_ms + 800)


def _answer(
    connection: psycopg.Connection[tuple[object, ...]],
    cases: CaseSet,
    rng: random.Random,
    open_now: list[tuple[Line, Alert]],
    history: list[tuple[Line, Alert]],
) -> None:
    """Who acknowledged and resolved what, and when; slower in one station than in the others."""
    for (_, alert), row in zip(open_now, OPEN, strict=True):
        if row[3]:
            _acknowledge(connection, cases, alert, rng.randrange(40, 200))
    slow = sorted({alert.office_id for _, alert in history})[0]
    findings = ("true_violation", "false_alarm", "device_fault", "authorised")
    notes = {
        "true_violation": "已电话核实并批评教育",
        "false_alarm": "定位漂移",
        "device_fault": "已更换手环",
        "authorised": "已批准外出就医",
    }
    for _, alert in history:
        after_s = round(rng.lognormvariate(4.6, 0.8)) * (3 if alert.office_id == slow else 1)
        _acknowledge(connection, cases, alert, after_s)
        finding = rng.choices(findings, (60, 22, 8, 10))[0]
        connection.execute(
            "UPDATE alerts SET state = 'resolved', resolved_by = acknowledged_by, resolved_ms = %s,"
            " disposition = %s, note = %s, inspected = true WHERE alert_id = %s",
            (
                alert.opened_ms + after_s * SECOND_MS * rng.randrange(3, 12),
                finding,
                notes[finding],
                alert.alert_id,
            ),
        )


def _acknowledge(
    connection: psycopg.Connection[tuple[object, ...]], cases: CaseSet, alert: Alert, after_s: int
) -> None:
    at_ms, who = alert.opened_ms + after_s * SECOND_MS, _who(cases, Role.OFFICER, alert.office_id)
    connection.execute(
        "UPDATE alerts SET state = 'acknowledged', acknowledged_by = %s, acknowledged_ms = %s"
        " WHERE alert_id = %s",
        (who, at_ms, alert.alert_id),
    )
    connection.execute(
        "INSERT INTO alert_timeline (alert_id, at_ms, what, who, detail)"
        " VALUES (%s, %s, 'acknowledged', %s, '{}')",
        (alert.alert_id, at_ms, who),
    )


def _spoil(connection: psycopg.Connection[tuple[object, ...]], people: list[Person], now_ms: int) -> None:
    """What could not be used."""
    faults = (
        ("out_of_range", "lat 141.1"),
        ("too_old", "t 2026-09-01 00:00:00"),
        ("undecodable", "not JSON"),
        ("future", "12 min ahead"),
    )
    for n, (reason, detail) in enumerate(faults):
        device = f"band-{people[n].person_id}"
        connection.execute(
            "INSERT INTO quarantine (arrival_ms, device_id, topic, reason, detail, payload)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (now_ms - n * HOUR_MS, device, f"cm/v1/{COUNTY}/{device}/fix", reason, detail, b"{}"),
        )
