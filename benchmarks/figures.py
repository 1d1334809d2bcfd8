"""The README's table of figures, from the results of the last full runs: ``python -m benchmarks.figures``.

Only what has a target or a comparison is quoted; the rest stands in ``results/``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- figures -->\n", "<!-- /figures -->\n"
ORDER = (
    "throughput", "start", "growth", "ingest", "geofence", "engine", "store", "replay", "false_pages",
    "oracle", "api",
)  # fmt: skip
COMPARED = (
    "one fix: ",
    "two fixes in a row: ",
    "as Traccar does: ",
)  # the usual rules, beside our own figure


def table() -> str:
    """All quoted figures as a table in Markdown."""
    lines = ["| what | unit | target | measured | beside | holds |", "|---|---|---|---|---|---|"]
    for name in ORDER:
        path = RESULTS / f"{name}.json"
        if path.exists():
            lines += [_line(row) for row in json.loads(path.read_text("utf-8"))["rows"] if _is_quoted(row)]
    return "\n".join(lines) + "\n"


def _is_quoted(row: dict[str, Any]) -> bool:
    if row["what"].startswith(COMPARED):
        return True
    return (row["target"] is not None or row["times"] is not None) and not row["extra"].get("part")


def _line(row: dict[str, Any]) -> str:
    bound = "" if row["target"] is None else f"{'≤' if row['at_most'] else '≥'} {_number(row['target'])}"
    beside = f"{_number(row['times'])} × {row['beside']}" if row["times"] is not None else ""
    holds = {True: "yes", False: "**no**", None: ""}[row["holds"]]
    return f"| {row['what']} | {row['unit']} | {bound} | {_number(row['median'])} | {beside} | {holds} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write() -> None:
    """Put the table between its marks in the README."""
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(before + BEGIN + table() + END + after, encoding="utf-8")


if __name__ == "__main__":
    write()
