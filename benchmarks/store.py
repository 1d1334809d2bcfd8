"""Durable, idempotent writes of fixes: rows per second beside ``executemany``, and bytes per stored fix.

    python -m benchmarks.store [--quick]

Every device reports once a minute, in random order, one fix in ten from another source and one in ten
without a speed: the pattern that fills an index worst.  Every batch is one committed transaction with
fsync on; both ways insert into the same kind of table, ON CONFLICT DO NOTHING, taking turns.  Bytes are heap
and index together: as written, and after upkeep has rewritten the day in key order.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psycopg

from benchmarks.report import Row, report
from corrections_monitor.model.telemetry import I32, I64, Bools, Fixes
from corrections_monitor.store import Store
from corrections_monitor.store.embedded import EmbeddedServer
from corrections_monitor.store.migrate import migrate

DAY_MS = 86_400_000
DAY_START_MS = 20_500 * DAY_MS
TARGET_BYTES = 110.0
TARGET_ROWS_S, TARGET_TIMES = 180_000.0, 3.0
_ONE_BY_ONE = """
INSERT INTO fixes (t_ms, arrival_ms, device_no, lon_e7, lat_e7, acc_m, src, spd_cms, hdg_cdeg)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_SIZE = """
SELECT sum(pg_table_size(i.inhrelid)) + sum(pg_indexes_size(i.inhrelid))
FROM pg_inherits i WHERE i.inhparent = 'fixes'::regclass
"""


class Fleet:
    """Devices that report once a minute, each at its own second."""

    def __init__(self, devices: int, seed: int = 20260101) -> None:
        self._rng = np.random.default_rng(seed)
        self._phase_ms = self._rng.integers(0, 60_000, devices)

    def minute(self, n: int, start_ms: int) -> tuple[I64, Fixes]:
        """Minute ``n`` as (which device, fix): one row per device, in random order."""
        count = len(self._phase_ms)
        who = self._rng.permutation(count)
        uniform = self._rng.random((5, count))
        return who, Fixes(
            message=np.arange(count),
            t_ms=start_ms + n * 60_000 + self._phase_ms[who],
            lon=122 + uniform[0] / 3,
            lat=41 + uniform[1] / 3,
            acc_m=(3 + 50 * uniform[2]).astype(np.float32),
            spd_mps=np.where(uniform[3] < 0.1, np.nan, 20 * uniform[3]).astype(np.float32),
            hdg_deg=(360 * uniform[4]).astype(np.float32),
            src=np.where(uniform[2] < 0.1, 2, 0).astype(np.uint8),
        )


async def measure(url: str, devices: int, minutes: int) -> list[Row]:
    """Write ``minutes`` batches by the store and every fourth also by executemany into another day."""
    store = await Store.open(url, "engine")
    numbers = await store.device_numbers([f"d{n}" for n in range(devices)])
    async with store.transaction() as tx:  # so that executemany's day has its partition too
        who, fixes = Fleet(1).minute(0, DAY_START_MS - 3 * DAY_MS)
        await tx.insert_fixes(numbers[who], fixes, fixes.t_ms)
    fleet, ours, again, usual = Fleet(devices), [], [], []
    everything = np.ones(devices, dtype=bool)
    for n in range(minutes):
        who, fixes = fleet.minute(n, DAY_START_MS)
        ours.append(devices / await _write(store, numbers[who], fixes, everything))
        if n % 4 == 0:
            again.append(devices / await _write(store, numbers[who], fixes, ~everything))
            usual.append(devices / _write_one_by_one(url, numbers[who].tolist(), fixes))
    await store.close()
    size, settled = _sizes(url)
    stored = devices * minutes
    return [
        Row(
            "batches by COPY",
            "rows/s",
            ours,
            max(TARGET_ROWS_S, TARGET_TIMES * statistics.median(usual)),
            beside="executemany",
            times=statistics.median(ours) / statistics.median(usual),
        ),
        Row("executemany", "rows/s", usual),
        Row("the same batches delivered again", "rows/s", again),
        Row("a fix with its index, as written", "bytes", [size / stored]),
        Row("a fix with its index, the day settled", "bytes", [settled / stored], TARGET_BYTES, at_most=True),
    ]


async def _write(store: Store, device_no: I32, fixes: Fixes, newer: Bools) -> float:
    start = time.perf_counter()
    async with store.transaction() as tx:
        await tx.insert_fixes(device_no, fixes, fixes.t_ms + 500, newer)
    return time.perf_counter() - start


def _write_one_by_one(url: str, device_no: list[int], fixes: Fixes) -> float:
    """The same rows three days earlier, row by row in pipeline mode."""
    t_ms = (fixes.t_ms - 3 * DAY_MS).tolist()
    lon_e7, lat_e7 = (
        np.rint(fixes.lon * 1e7).astype(int).tolist(),
        np.rint(fixes.lat * 1e7).astype(int).tolist(),
    )
    acc, src = fixes.acc_m.tolist(), fixes.src.tolist()
    speed = [None if np.isnan(s) else round(s * 100) for s in fixes.spd_mps.tolist()]
    heading = [round(h * 100) - 18_000 for h in fixes.hdg_deg.tolist()]
    rows = list(zip(t_ms, t_ms, device_no, lon_e7, lat_e7, acc, src, speed, heading, strict=True))
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        start = time.perf_counter()
        cursor.executemany(_ONE_BY_ONE, rows)
        connection.commit()
        return time.perf_counter() - start


def _sizes(url: str) -> tuple[float, float]:
    """Bytes of the day the store wrote, before and after it is settled."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT drop_partitions('fixes', %s)", [DAY_START_MS])
        before = connection.execute(_SIZE).fetchone()
        connection.execute("SELECT settle_partition('fixes', %s)", [DAY_START_MS + 9 * DAY_MS])
        after = connection.execute(_SIZE).fetchone()
    assert before is not None
    assert after is not None
    return float(before[0]), float(after[0])


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1,000 devices for 40 minutes")
    quick = parser.parse_args(argv).quick
    devices, minutes = (1_000, 40) if quick else (4_000, 300)
    with (
        tempfile.TemporaryDirectory(prefix="corrections-bench-", ignore_cleanup_errors=True) as folder,
        EmbeddedServer.start(
            Path(folder) / "pg", {"shared_buffers": "512MB", "max_wal_size": "4GB"}
        ) as server,
    ):
        migrate(server.url())
        rows = asyncio.run(measure(server.url(), devices, minutes))
    name = "store-quick" if quick else "store"
    report(name, rows, date=datetime.now(UTC).isoformat(timespec="seconds"), packages=("psycopg", "numpy"))


if __name__ == "__main__":
    main()
