"""The daemon itself with a nation in its database: start, memory, a fix a minute from everybody, a kill.

    python -m benchmarks.start [--quick]

The cases of ``benchmarks.nation`` are written as a folder and imported; then the daemon is started as an
operator starts it, with broker, database and load on the same machine.  Everybody reports once a minute
through the broker; under that load the daemon is killed and started again: the time to readiness then holds
cases, snapshot and journal.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.nation import CALENDAR, Country
from benchmarks.report import Row, report
from benchmarks.whole import HERE, Whole, peak_mib, whole
from corrections_monitor import cases as case_folder

START_S, AFTER_KILL_S, MEMORY_GIB = 60.0, 30.0, 3.0


def everybody(w: Whole, cases: Path, rate: float, duration_s: float) -> dict[str, Any]:
    """Everybody in turn reports, ``rate`` messages a second in all; what is stored is asked of the database,
    which outlives the daemon."""
    return w.load(
        "--rate", str(rate), "--duration", str(duration_s), "--cases", str(cases), "--connections", "8",
        "--mqtt", f"mqtt://{HERE}:{w.broker_port}", "--database-url", w.url, "--patience", "150",
    )  # fmt: skip


def measure(people: int, folder: Path, duration_s: float) -> list[Row]:
    """Figures of one population."""
    cases = folder / "cases"
    cases.mkdir()
    country = Country(people, at_ms=time.time_ns() // 1_000_000)
    case_folder.write(country.cases, cases, CALENDAR.zone)
    del country
    began_s = time.monotonic()
    with whole(folder, cases) as w:
        import_s = time.monotonic() - began_s
        print(f"imported in {import_s:.0f} s", flush=True)
        start_s = w.start_daemon()
        assert w.daemon is not None
        print(f"ready after {start_s:.1f} s, {peak_mib(w.daemon.pid):.0f} MiB", flush=True)
        told = everybody(w, cases, people / 60, duration_s)
        print(told, flush=True)
        memory_gib = peak_mib(w.daemon.pid) / 1_024
        with ThreadPoolExecutor() as beside:
            through = beside.submit(everybody, w, cases, people / 60, duration_s)
            taken = w.metric("corrections_fixes_stored_total")
            while w.metric("corrections_fixes_stored_total") - taken < people / 60 * duration_s / 2:
                time.sleep(0.5)
            w.kill_daemon()
            again_s = w.start_daemon()
            print(f"killed under load, ready after {again_s:.1f} s", flush=True)
            killed = through.result()
        print(killed, flush=True)
        memory_gib = max(memory_gib, peak_mib(w.daemon.pid) / 1_024)
    cpu_s = sum(told["cpu"].values())
    spent_s = duration_s + told["drained_after_s"]
    return [
        Row(f"a fix a minute from {people:,} people, stored", "fixes/s", [told["fixes_stored"] / spent_s],
            extra={"ack_p99_ms": told["ack_p99_ms"]}),
        Row("cores in use meanwhile, load and all", "cores", [cpu_s / spent_s], 2.0, at_most=True,
            extra={k: round(v / spent_s, 3) for k, v in told["cpu"].items()}),
        Row("acknowledged fixes lost, with a SIGKILL between", "fixes",
            [told["fixes_lost"] + killed["fixes_lost"]], 0.0, at_most=True),
        Row(f"start with {people:,} people to readiness", "s", [start_s], START_S, at_most=True),
        Row("start after SIGKILL under load, beyond that", "s", [max(0.0, again_s - start_s)], AFTER_KILL_S,
            at_most=True),
        Row("peak memory of the daemon", "GiB", [memory_gib], MEMORY_GIB, at_most=True),
        Row("check and import of the case folder", "s", [import_s]),
    ]  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """0 when every target is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="20,000 people instead of 700,000")
    quick = parser.parse_args(argv).quick
    with tempfile.TemporaryDirectory(prefix="corrections-bench-", ignore_cleanup_errors=True) as made:
        rows = measure(20_000 if quick else 700_000, Path(made), 20.0 if quick else 90.0)
    name = "start-quick" if quick else "start"
    report(name, rows, date=datetime.now(UTC).isoformat(timespec="seconds"), packages=("numpy", "psycopg"))
    return 0 if all(row.holds is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
