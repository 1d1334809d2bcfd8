"""What every benchmark ends in: an aligned table on the screen and the same figures as JSON.

A figure is quoted as the median of its repeats with the spread from the fastest to the slowest, beside its
target and what the same run measured for the usual way of doing it.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
HEADINGS = ("what", "unit", "target", "median", "spread", "beside", "holds")


@dataclass(frozen=True)
class Row:
    """One measured figure.

    ``repeats`` in ``unit``; ``target`` as a bound that ``at_most`` turns from a least into a most; ``times``
    how many times better than ``beside`` (a row's name) it is.
    """

    what: str
    unit: str
    repeats: Sequence[float]
    target: float | None = None
    at_most: bool = False
    beside: str = ""
    times: float | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def median(self) -> float:
        return statistics.median(self.repeats)

    @property
    def holds(self) -> bool | None:
        """Whether the median meets the target; None without one."""
        if self.target is None:
            return None
        return self.median <= self.target if self.at_most else self.median >= self.target


def report(name: str, rows: Sequence[Row], *, date: str, packages: Sequence[str] = ()) -> Path:
    """Print the rows and write ``results/<name>.json`` with machine and versions; the file's path.

    ``date`` is ISO 8601 and given by the caller; ``packages`` are the distributions that the figures hang on.
    """
    print(_table(rows))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    figures = [{**asdict(r), "repeats": list(r.repeats), "median": r.median, "holds": r.holds} for r in rows]
    content = {"name": name, "date": date, "machine": machine(packages), "rows": figures}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"written to {path}")
    return path


def machine(packages: Sequence[str] = ()) -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load": [round(x, 2) for x in os.getloadavg()],
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {package: _version(package) for package in packages},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _cells(row: Row) -> tuple[str, ...]:
    target = "" if row.target is None else ("≤ " if row.at_most else "≥ ") + _number(row.target)
    spread = f"{_number(min(row.repeats))} … {_number(max(row.repeats))}" if len(row.repeats) > 1 else ""
    beside = "" if row.times is None else f"{row.times:.1f} × {row.beside}"
    holds = {None: "", True: "yes", False: "NO"}[row.holds]
    return row.what, row.unit, target, _number(row.median), spread, beside, holds


def _table(rows: Sequence[Row]) -> str:
    lines = [HEADINGS, *(_cells(row) for row in rows)]
    wide = [max(len(line[k]) for line in lines) for k in range(len(HEADINGS))]
    right = (2, 3)
    return "\n".join(
        "  ".join(
            c.rjust(w) if k in right else c.ljust(w) for k, (c, w) in enumerate(zip(line, wide, strict=True))
        ).rstrip()
        for line in lines
    )
