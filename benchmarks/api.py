"""What officers wait for: history pages, counts and a day's track, asked over HTTP of a full database.

    python -m benchmarks.api [--quick]

10 million fixes (a fix a minute, three days) and 200,000 violations (half a year), written by SQL; days that
are over are settled as upkeep settles them.  The server is ``serve``, a process of its own; one client asks,
one request at a time, each question with another place, person or office.  A figure is the 95th percentile,
the whole answer read.  Then all of the history is exported.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
from argon2 import PasswordHasher

from benchmarks.report import Row, report
from benchmarks.whole import COMMAND, HERE, free_port, peak_mib
from corrections_monitor.clock import SystemClock
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
)
from corrections_monitor.model.times import DAY_MS, Interval
from corrections_monitor.store import Store
from corrections_monitor.store.embedded import EmbeddedServer
from corrections_monitor.store.migrate import migrate

PAGE_MS, TRACK_MS, EXPORT_MIB = 100.0, 50.0, 32.0
STATIONS, DAYS = 40, 3
PASSWORD = "correct horse battery staple"
_FIXES = """
INSERT INTO fixes (t_ms, arrival_ms, device_no, lon_e7, lat_e7, acc_m, src, spd_cms)
SELECT t, t + 800, device_no, 1220700000 + (1e5 * sin(t / 3e6 + device_no))::integer,
       411200000 + (1e5 * cos(t / 4e6 + device_no))::integer, 8, 0, 120
FROM generate_series(%(from_ms)s::bigint, %(from_ms)s::bigint + 86399999, 60000) t, device_numbers
ORDER BY t, hashint4(device_no)
"""
_VIOLATIONS = """
WITH rows AS MATERIALIZED (
    SELECT n, 'p' || n * 7919 %% %(people)s AS person_id, %(now_ms)s - n * %(apart_ms)s::bigint AS at_ms,
           (ARRAY['curfew', 'zone.exit', 'silence.device', 'strap.loose', 'battery.low'])[1 + n %% 5] AS kind,
           (ARRAY['place', 'place', 'silence', 'tamper', 'battery'])[1 + n %% 5] AS cause
    FROM generate_series(1::bigint, %(count)s) n
), alerted AS (
    INSERT INTO alerts (alert_id, person_id, office_id, cause, subject, state, severity, opened_ms,
        updated_ms, reason, late, round, step, leading_episode, kind, round_why, drill, resolved_by,
        resolved_ms, disposition, note)
    SELECT 'a' || n, person_id, p.office_id, cause, '', 'resolved', n %% 4, at_ms, at_ms + 600000,
           '离开住所 300 米', false, 1, 0, 'e' || n, kind, 'first', false, 'boss', at_ms + 600000,
           (ARRAY['true_violation', 'false_alarm', 'device_fault'])[1 + n %% 3], '电话核实 ' || n
    FROM rows JOIN people p USING (person_id)
)
INSERT INTO episodes (episode_id, alert_id, kind, person_id, office_id, subject, started_ms, detected_ms,
    ended_ms, severity, late, reason, evidence, updated_ms)
SELECT 'e' || n, 'a' || n, kind, person_id, p.office_id, 'home', at_ms - 60000, at_ms, at_ms + 600000, n %% 4,
       false, '离开住所 300 米', jsonb_build_object('fixes', jsonb_build_array(
           jsonb_build_object('t', at_ms - 60000, 'lon', 122.08, 'lat', 41.13, 'acc', 10))), at_ms + 600000
FROM rows JOIN people p USING (person_id)
"""


@dataclass(frozen=True)
class Size:
    people: int
    violations: int
    requests: int


def _cases(people: int, now_ms: int) -> CaseSet:
    span = Interval(now_ms - 80 * DAY_MS, now_ms + 5 * DAY_MS)
    approved = datetime.fromtimestamp((now_ms - 81 * DAY_MS) / 1_000, UTC).date()
    stations = {f"s{n}": Office(f"s{n}", "county", Level.STATION, f"第{n}司法所") for n in range(STATIONS)}
    county = {"county": Office("county", None, Level.COUNTY, "县司法局")}
    names = [f"p{n}" for n in range(people)]
    return CaseSet(
        offices={**county, **stations},
        officers={"boss": Officer("boss", "county", "主管", Role.SUPERVISOR, "boss")},
        people={
            p: Person(p, f"姓名{p}", Category.PROBATION, f"s{n % STATIONS}", "boss", span)
            for n, p in enumerate(names)
        },
        devices={(f"d-{p}", span.from_ms): Device(f"d-{p}", DeviceKind.BAND, p, 60, span) for p in names},
        orders={f"o-{p}": Order(f"o-{p}", p, "29.2", "county head", approved, span) for p in names},
    )


async def fill(url: str, size: Size, now_ms: int) -> None:
    """The people by the store, what happened to them by SQL."""
    store = await Store.open(url, "engine")
    await store.save_cases(_cases(size.people, now_ms), "benchmark", now_ms - 80 * DAY_MS)
    await store.device_numbers([f"d-p{n}" for n in range(size.people)])
    await store.close()
    first = now_ms // DAY_MS - DAYS
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT ensure_partitions('fixes', %s::bigint[])", [[first + n for n in range(DAYS)]]
        )
        for n in range(DAYS):
            connection.execute(_FIXES, {"from_ms": (first + n) * DAY_MS})
            connection.execute("SELECT settle_partition('fixes', %s)", [now_ms])
        connection.execute(
            _VIOLATIONS,
            {
                "people": size.people,
                "count": size.violations,
                "now_ms": now_ms,
                "apart_ms": 180 * DAY_MS // size.violations,
            },
        )
        connection.execute(
            "INSERT INTO credentials (kind, id, hash, created_ms) VALUES ('officer', 'boss', %s, 0)",
            [PasswordHasher().hash(PASSWORD)],
        )
        connection.execute("VACUUM ANALYZE")


@contextmanager
def serving(url: str, folder: Path, username: str = "boss") -> Iterator[tuple[httpx.Client, int]]:
    """The server as an operator starts it; a client of it, logged in, and the server's pid."""
    port = free_port()
    environment = {
        **os.environ,
        "CORRECTIONS_DATABASE_URL": url,
        "CORRECTIONS_HTTP_LISTEN": f"{HERE}:{port}",
        "CORRECTIONS_STATE_DIR": str(folder / "state"),
    }
    with (folder / "serve.log").open("wb") as log:
        child = subprocess.Popen([*COMMAND, "serve"], env=environment, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://{HERE}:{port}/api/v1", timeout=60, trust_env=False) as client:
            login = _login(client, username).raise_for_status()
            client.headers["Authorization"] = f"Bearer {login.json()['token']}"
            client.cookies.clear()
            yield client, child.pid
    finally:
        child.terminate()
        child.wait(60)


def _login(client: httpx.Client, username: str) -> httpx.Response:
    for _ in range(600):
        try:
            return client.post("/session", json={"username": username, "password": PASSWORD})
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError("the server did not open its port within 60 s")


def exports(client: httpx.Client, pid: int, size: Size) -> list[Row]:
    """All of the history as a file: how long, and what it costs in memory."""
    rows = []
    for format_ in ("csv", "geojson"):
        before_mib, start, lines = peak_mib(pid), time.perf_counter(), 0
        with client.stream("GET", "/violations", params={"format": format_}) as answer:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                lines += piece.count(b"curfew")
        if lines < size.violations // 5:
            raise RuntimeError(f"the export holds {lines} curfews")
        rows += [
            Row(f"export of {size.violations:,} violations as {format_}", "s", [time.perf_counter() - start]),
            Row(f"memory beyond, {format_}", "MiB", [peak_mib(pid) - before_mib], EXPORT_MIB, at_most=True),
        ]
    return rows


def measure(client: httpx.Client, size: Size, now_ms: int) -> list[Row]:
    """Every question ``size.requests`` times."""
    pick = random.Random(20260101)
    chain: list[str] = []  # a cursor for each next page

    def next_page() -> dict[str, str]:
        return {"cursor": chain[-1]} if chain else {}

    pages = {
        "newest, then page by page": next_page,
        "of one station": lambda: {"office": f"s{pick.randrange(STATIONS)}"},
        "of one person": lambda: {"person": f"p{pick.randrange(size.people)}"},
        "of a kind and severity, one month": lambda: {
            "kind": "curfew",
            "severity": "major",
            "from": _day(now_ms - pick.randrange(31, 170) * DAY_MS),
            "to": _day(now_ms),
        },
        "false alarms, the oldest first": lambda: {"disposition": "false_alarm", "sort": "detected"},
        "by free text": lambda: {"q": f"核实 {pick.randrange(size.violations)}"},
    }
    rows = []
    for what, ask in pages.items():
        taken = []
        for _ in range(size.requests):
            answer, elapsed_ms = _timed(client, "/violations", ask())
            taken.append(elapsed_ms)
            if what.startswith("newest") and (cursor := answer.json()["next"]):
                chain.append(cursor)
        rows.append(_row(f"history page, {what}", taken, PAGE_MS))
    taken = []
    for _ in range(size.requests):
        day_ms = (now_ms // DAY_MS - pick.randrange(1, DAYS + 1)) * DAY_MS
        span = {"from": _instant(day_ms), "to": _instant(day_ms + DAY_MS), "reason": "benchmark"}
        answer, elapsed_ms = _timed(client, f"/people/p{pick.randrange(size.people)}/track", span)
        taken.append(elapsed_ms)
        if (fixes := len(answer.json()["features"])) < 1_440:
            raise RuntimeError(f"a day's track has {fixes} features")
    return [*rows, _row("a day's track, 1,440 fixes", taken, TRACK_MS)]


def _timed(client: httpx.Client, path: str, wanted: dict[str, str]) -> tuple[httpx.Response, float]:
    start = time.perf_counter()
    answer = client.get(path, params=wanted)
    elapsed_ms = (time.perf_counter() - start) * 1e3
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.url}: {answer.status_code} {answer.text[:200]}")
    return answer, elapsed_ms


def _row(what: str, taken: list[float], target_ms: float) -> Row:
    p95 = statistics.quantiles(taken, n=20)[-1]
    return Row(what, "ms p95", [p95], target_ms, at_most=True, extra={"p50": statistics.median(taken)})


def _instant(t_ms: int) -> str:
    return datetime.fromtimestamp(t_ms / 1_000, UTC).isoformat()


def _day(t_ms: int) -> str:
    return _instant(t_ms)[:10]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a twentieth of everything")
    quick = parser.parse_args(argv).quick
    size = Size(116, 10_000, 30) if quick else Size(2_315, 200_000, 100)
    now_ms = SystemClock().wall_ms()
    with (
        tempfile.TemporaryDirectory(prefix="corrections-bench-", ignore_cleanup_errors=True) as folder,
        EmbeddedServer.start(Path(folder) / "pg", {"max_wal_size": "4GB"}) as server,
    ):
        migrate(server.url())
        asyncio.run(fill(server.url(), size, now_ms))
        with serving(server.url(), Path(folder)) as (client, pid):
            rows = [*measure(client, size, now_ms), *exports(client, pid, size)]
    name = "api-quick" if quick else "api"
    report(name, rows, date=datetime.now(UTC).isoformat(timespec="seconds"), packages=("fastapi", "psycopg"))


if __name__ == "__main__":
    main()
