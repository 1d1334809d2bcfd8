"""The engine with a nation in it: step, tick, start, memory, and how cost grows with the population.

    python -m benchmarks.engine [--quick]

The cases are those of ``benchmarks.nation``.  Each population is measured in a process of its own, whose
peak is its memory (the cases' own making included).  Times are CPU of one core.  A step takes 10,000 fixes
of as many persons; the tick goes over all.  *One by one* judges the same 10,000 fixes without the proof by
columns, on a tenth of the batch.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from benchmarks.nation import CALENDAR, T0_MS, Country
from benchmarks.report import Row, report
from corrections_monitor.detection.engine import Engine
from corrections_monitor.detection.snapshot import restore, snapshot
from corrections_monitor.model.settings import DetectionSettings

SETTINGS = DetectionSettings()
BATCH = 10_000
REPEATS = 15
ROUND_MS = 60_000


def cpu_s(work: Callable[[], Any]) -> float:
    """CPU seconds of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def measure(people: int) -> dict[str, Any]:
    """Figures of one population."""
    country = Country(people)
    made: list[Engine] = []
    build_s = cpu_s(lambda: made.append(Engine(country.cases, CALENDAR, SETTINGS, T0_MS)))
    engine = made[0]
    first_tick_s = cpu_s(lambda: engine.step(None, T0_MS + 1))
    now, everyone_s = T0_MS + 1_000, 0.0
    for start in range(0, people, BATCH):
        who = np.arange(start, min(people, start + BATCH))
        batch = country.fixes(who, now + 1, 1)
        now += 200
        everyone_s += cpu_s(lambda b=batch, t=now: engine.step(b, t))  # type: ignore[misc]
    steps, ticks = [], []
    now = max(now, T0_MS + ROUND_MS)
    for n in range(REPEATS):
        who = (np.arange(BATCH) + n * BATCH) % people
        who = np.unique(who)
        batch = country.fixes(who, now + 1)
        batch.messages.seq[:] = engine.columns.seq[who] + 1
        now += ROUND_MS // (people // BATCH or 1) if people > BATCH else ROUND_MS
        spent_s = cpu_s(lambda b=batch, t=now: engine.step(b, t))  # type: ignore[misc]
        steps.append(spent_s * 1_000 * BATCH / len(who))
        now += 1
        ticks.append(cpu_s(lambda t=now: engine.step(None, t)) * 1_000)  # type: ignore[misc]
    bodies: list[bytes] = []
    snapshot_s = cpu_s(lambda: bodies.append(snapshot(engine)))
    restore_s = cpu_s(lambda: restore(bodies[0], country.cases, CALENDAR, SETTINGS))
    return {
        "people": people,
        "build_s": build_s,
        "first_tick_ms": first_tick_s * 1_000,
        "everyone_s": everyone_s,
        "step_ms": steps,
        "tick_ms": ticks,
        "snapshot_s": snapshot_s,
        "snapshot_mib": len(bodies[0]) / 2**20,
        "restore_s": restore_s,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def one_by_one(people: int) -> list[float]:
    """Milliseconds per 10,000 fixes when each is judged by itself."""
    country = Country(people)
    engine = Engine(country.cases, CALENDAR, SETTINGS, T0_MS, judge_everyone=True)
    engine.step(None, T0_MS + 1)
    times, now = [], T0_MS + 1_000
    for n in range(3):
        who = np.arange(BATCH // 10)
        batch = country.fixes(who, now + 1, n + 1)
        now += ROUND_MS
        times.append(cpu_s(lambda b=batch, t=now: engine.step(b, t)) * 1_000 * 10)  # type: ignore[misc]
    return times


def apart(function: Callable[[Any], Any], argument: Any) -> Any:
    """The function in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, (argument,))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="20,000 people instead of 700,000")
    quick = parser.parse_args(argv).quick
    sizes = (2_000, 20_000) if quick else (1_000, 10_000, 100_000, 700_000)
    found = []
    for people in sizes:
        found.append(apart(measure, people))
        short = {
            k: round(statistics.median(v) if isinstance(v, list) else v, 3) for k, v in found[-1].items()
        }
        print(json.dumps(short), flush=True)
    most, usual = found[-1], apart(one_by_one, 10_000)
    step = statistics.median(most["step_ms"])
    rows = [
        Row(f"step of 10,000 among {f['people']:,}", "ms", f["step_ms"]) for f in found[:-1]
    ] + [
        Row(
            f"step of 10,000 among {most['people']:,}", "ms", most["step_ms"], 25.0, at_most=True,
            beside="one by one", times=statistics.median(usual) / step,
        ),
        Row("one by one", "ms", usual),
        Row("tick over all", "ms", most["tick_ms"], 10.0, at_most=True),
        Row("first look at everybody", "ms", [most["first_tick_ms"]]),
        Row("everybody's first fix", "s", [most["everyone_s"]]),
        Row("compiling the cases", "s", [most["build_s"]]),
        Row("snapshot", "s", [most["snapshot_s"]]),
        Row("snapshot", "MiB", [most["snapshot_mib"]]),
        Row("restored from a snapshot, cases compiled again", "s", [most["restore_s"]], 60.0, at_most=True),
        Row("peak memory of one engine, and a second while it is restored", "GiB", [most["peak_gib"]]),
    ]  # fmt: skip
    name = "engine-quick" if quick else "engine"
    report(name, rows, date=datetime.now(UTC).isoformat(timespec="seconds"), packages=("numpy", "shapely"))


if __name__ == "__main__":
    main()
