"""How cost grows: CPU per fix over people, zones a person, batch size, message size and connections.

    python -m benchmarks.growth [--quick]

What grows linearly with the load is a flat line here; nothing may rise.  The first three are steps of the
engine alone, the others the daemon with broker, database and load.  ``docs/growth.svg`` is drawn from it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl
import numpy as np

from benchmarks.engine import BATCH, REPEATS, ROUND_MS, SETTINGS, apart, cpu_s
from benchmarks.nation import CALENDAR, T0_MS, Country
from benchmarks.report import Row, report
from benchmarks.throughput import flood
from benchmarks.whole import Whole, whole
from corrections_monitor.detection.engine import Engine
from corrections_monitor.live.lasting import made_to_last

PLOT = Path(__file__).parents[1] / "docs/growth.svg"
CAPTION = """CPU of one fix; level: cost grows with the load
and with nothing else.

Line: median.  Band: fastest to slowest.
Above: steps of the engine alone.
Below: the daemon, with broker and database."""
WARM = 2  # steps not counted
RISE_MAX = 1.5  # between the smallest and the largest; a machine with neighbours is that uneven


@dataclass
class Curve:
    """``figures``: for each size the repeats of CPU microseconds per fix."""

    over: str
    rise_max: float = RISE_MAX
    figures: dict[int, list[float]] = field(default_factory=dict)

    @property
    def rise(self) -> float:
        """How many times more a fix costs at the largest size than at the smallest."""
        medians = [statistics.median(repeats) for repeats in self.figures.values()]
        return medians[-1] / medians[0]


def stepped(shape: tuple[int, int | None, tuple[int, ...]]) -> list[list[float]]:
    """Microseconds per fix of engine steps: (people, forbidden places a station, the sizes of batches), for
    each size its repeats.  Everybody has been heard, and reports once a minute."""
    people, exclusions, sizes = shape
    with made_to_last():
        country = Country(people, exclusions)
        engine = Engine(country.cases, CALENDAR, SETTINGS, T0_MS)
    engine.step(None, T0_MS + 1)
    now = T0_MS + 1_000
    for start in range(0, people, BATCH):
        batch = country.fixes(np.arange(start, min(people, start + BATCH)), now + 1, 1)
        now += 200
        engine.step(batch, now)
    now = max(now, T0_MS + ROUND_MS)
    found = []
    for size in sizes:
        figures = []
        for n in range(WARM + REPEATS):
            who = np.unique((np.arange(size) + n * size) % people)
            batch = country.fixes(who, now + 1)
            batch.messages.seq[:] = engine.columns.seq[who] + 1
            now += max(100, ROUND_MS * len(who) // people)
            spent_s = cpu_s(lambda b=batch, t=now: engine.step(b, t))  # type: ignore[misc]
            figures.append(spent_s / len(who) * 1e6)
        found.append(figures[WARM:])
    return found


def of_engine(quick: bool) -> Iterator[Curve]:
    """People, zones a person, batch size."""
    most = 20_000 if quick else 700_000
    some = most if quick else 100_000
    batches = tuple(n for n in (100, 1_000, 10_000, 100_000) if n <= some)
    people, zones, batch = Curve("people (batches of 1,000)"), Curve("zones a person"), Curve("fixes a batch")
    for n in sorted({1_000, 10_000, some, most}):
        sizes = batches if n == some else (1_000,)
        found = dict(zip(sizes, apart(stepped, (n, None, sizes)), strict=True))
        people.figures[n] = found[1_000]
        if n == some:
            batch.figures = found
    for k in (0, 2, 4, 8):
        (zones.figures[2 + k],) = apart(stepped, (20_000, k, (10_000,)))
    yield from (people, zones, batch)


def of_daemon(quick: bool) -> Iterator[Curve]:
    """Fixes a message through the broker, and connections to the daemon's own endpoint."""
    duration_s = 3.0 if quick else 6.0
    with tempfile.TemporaryDirectory(prefix="corrections-bench-", ignore_cleanup_errors=True) as made:
        folder, cases = Path(made), Path(made) / "cases"
        city = [sys.executable, "-m", "simulators", "city", str(cases), "--people", "20000"]
        subprocess.run(city, check=True, stdout=subprocess.DEVNULL)
        with whole(folder, cases) as w:
            w.start_daemon()
            flood(w, cases, 6_000, 6, 1, 0, "--no-seq")  # everybody's first fix
            message, connection = Curve("fixes a message"), Curve("connections")
            for fixes in (1, 3, 10, 30):
                message.figures[fixes] = _floods(w, cases, 8_000 / fixes, duration_s, fixes)
            for connections in (1_000, 3_000, 10_000):  # a device that says more than six a second is none
                connection.figures[connections] = _floods(w, cases, 6_000, duration_s, 1, connections)
            yield message
            yield connection


def _floods(
    w: Whole, cases: Path, rate: float, duration_s: float, fixes: int, connections: int = 0
) -> list[float]:
    """The daemon's microseconds per fix, three times."""
    told = [flood(w, cases, rate, duration_s, fixes, connections, "--no-seq") for _ in range(3)]
    return [t["cpu"]["daemon"] / t["fixes_acknowledged"] * 1e6 for t in told]


def draw(curves: list[Curve]) -> None:
    """One panel for each curve, medians over the spread."""
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "growth"
    from matplotlib import pyplot as plt  # after the backend is chosen

    figure, axes = plt.subplots(2, 3, figsize=(10, 5.4), layout="constrained")
    for axis, curve in zip(axes.flat, curves, strict=False):
        sizes, repeats = list(curve.figures), list(curve.figures.values())
        axis.fill_between(sizes, [min(r) for r in repeats], [max(r) for r in repeats], alpha=0.2)
        axis.plot(sizes, [statistics.median(r) for r in repeats], marker="o")
        axis.set(xscale="log", title=curve.over, ylim=(0, max(map(max, repeats)) * 1.15))
        axis.set_xticks(sizes, [f"{size:,}" for size in sizes], minor=False)
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    for axis in axes[:, 0]:
        axis.set_ylabel("CPU µs a fix")
    for axis in axes.flat[len(curves) :]:
        axis.axis("off")
        axis.text(0, 0.5, CAPTION, va="center", linespacing=1.6)
    figure.savefig(PLOT, metadata={"Date": None})


def main(argv: list[str] | None = None) -> int:
    """0 when no curve rises."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="up to 20,000 people, seconds each; draws nothing"
    )
    quick = parser.parse_args(argv).quick
    curves = []
    for curve in (*of_engine(quick), *of_daemon(quick)):
        curves.append(curve)
        print(
            curve.over,
            json.dumps({k: round(statistics.median(v), 2) for k, v in curve.figures.items()}),
            flush=True,
        )
    if not quick:
        draw(curves)
    rows = [
        Row(f"CPU a fix, from the fewest to the most {curve.over}", "times", [curve.rise], curve.rise_max,
            at_most=True, extra={str(k): v for k, v in curve.figures.items()})
        for curve in curves
    ]  # fmt: skip
    name = "growth-quick" if quick else "growth"
    report(name, rows, date=datetime.now(UTC).isoformat(timespec="seconds"), packages=("numpy",))
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
