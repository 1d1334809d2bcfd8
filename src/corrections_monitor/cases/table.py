"""A CSV file as rows of checked fields; what is wrong is noted with line and column.

The accessors of ``Row`` always return a value of the right type.  After a fault it is a stand-in, and
``Row.spoiled`` says that the row must not be used: so one pass finds every fault of a row.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from corrections_monitor.cases.faults import WHOLE_FILE, WHOLE_ROW, Fault, shown
from corrections_monitor.cases.layout import TableLayout
from corrections_monitor.cases.text import id_fault, read_text, text_fault
from corrections_monitor.model.times import OPEN_END_MS, OPEN_START_MS, Interval, midnight_ms, parse_time

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
_INTEGER = re.compile(r"\d{1,18}\Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)

# Epoch milliseconds can name years that no calendar and no database has.
_EARLIEST_MS = midnight_ms(date(1900, 1, 1), ZoneInfo("UTC"))
_LATEST_MS = midnight_ms(date(9998, 12, 31), ZoneInfo("UTC"))

Choice = TypeVar("Choice", bound=StrEnum)


class Row:
    """One record of a CSV file; fields are named by column and stripped of surrounding blanks."""

    __slots__ = ("_cells", "_faults", "_position", "file", "line", "misaligned", "spoiled", "zone")

    def __init__(
        self,
        file: str,
        line: int,
        cells: Sequence[str],
        position: dict[str, int],
        zone: ZoneInfo,
        faults: list[Fault],
    ) -> None:
        self.file = file
        self.line = line
        self.zone = zone
        self.spoiled = False
        self._cells = cells
        self._position = position
        self._faults = faults
        self.misaligned = False
        if len(cells) != len(position):
            self.fault(WHOLE_ROW, f"has {len(cells)} fields where the header names {len(position)}")
            self.misaligned = True

    def fault(self, column: str, message: str) -> None:
        """Note a fault; the row is spoiled."""
        self.spoiled = True
        # A column that the header lacks was reported there, once; and of a row with too few or too many
        # fields nobody knows which stands under which column.
        if not self.misaligned and (column in self._position or column == WHOLE_ROW):
            self._faults.append(Fault(self.file, self.line, column, message))

    def raw(self, column: str) -> str:
        """The field, or empty when the column or field is absent."""
        at = self._position.get(column)
        return self._cells[at].strip() if at is not None and at < len(self._cells) else ""

    def optional(self, column: str) -> str:
        value = self.raw(column)
        problem = text_fault(value)
        if problem:
            self.fault(column, problem)
        return value

    def text(self, column: str) -> str:
        value = self.optional(column)
        if not value:
            self.fault(column, "must not be empty")
        return value

    def id(self, column: str, forbidden: str = "") -> str:
        """An id that this row gives or refers to."""
        value = self.raw(column)
        problem = id_fault(value, forbidden) if value else "must not be empty"
        if problem:
            self.fault(column, problem)
        return value

    def choice(self, column: str, kind: type[Choice], default: Choice | None = None) -> Choice:
        value = self.raw(column)
        if not value and default is not None:
            return default
        try:
            return kind(value)
        except ValueError:
            expected = ", ".join(kind)
            self.fault(column, f"{shown(value)} is not one of {expected}" if value else "must not be empty")
            return next(iter(kind))

    def number(self, column: str, low: float, high: float, unit: str) -> float:
        """A finite number from ``low`` to ``high``, both included."""
        value = self.raw(column)
        number = float(value) if _NUMBER.match(value) else math.nan
        if not low <= number <= high:
            self.fault(column, f"{shown(value)} is not a number of {unit} from {low:g} to {high:g}")
        return number

    def integer(self, column: str, low: int, high: int, unit: str) -> int:
        value = self.raw(column)
        number = int(value) if _INTEGER.match(value) else low - 1
        if not low <= number <= high:
            self.fault(column, f"{shown(value)} is not a whole number of {unit} from {low} to {high}")
        return number

    def day(self, column: str) -> date:
        value = self.raw(column)
        try:
            if _DATE.match(value):
                return date.fromisoformat(value)
        except ValueError:
            pass  # a date that no calendar has, such as 2026-02-30
        self.fault(
            column, f"{shown(value)} is not a date: expected YYYY-MM-DD" if value else "must not be empty"
        )
        return date.min

    def interval(self) -> Interval:
        """The columns ``from`` and ``to``; empty is open."""
        start, end = self.raw("from"), self.raw("to")
        from_ms = self._time("from", start, OPEN_START_MS, end=False)
        to_ms = self._time("to", end, OPEN_END_MS, end=True)
        if from_ms is None or to_ms is None:
            return Interval()
        if to_ms <= from_ms:
            self.fault("to", f"the end {shown(end)} is not after the start {shown(start)}")
        return Interval(from_ms, to_ms)

    def _time(self, column: str, value: str, open_ms: int, *, end: bool) -> int | None:
        if not value:
            return open_ms
        parsed = _parsed_time(value, self.zone, end)
        if parsed is None:
            self.fault(column, f"{shown(value)} is not a time: expected ISO 8601 or epoch milliseconds")
        return parsed


@lru_cache(maxsize=4096)
def _parsed_time(value: str, zone: ZoneInfo, end: bool) -> int | None:
    """Case folders repeat few distinct times in many rows."""
    try:
        t_ms = parse_time(value, zone, end=end)
    except ValueError:
        return None
    return t_ms if _EARLIEST_MS <= t_ms <= _LATEST_MS else None


def read_rows(path: Path, layout: TableLayout, zone: ZoneInfo, faults: list[Fault]) -> Iterator[Row] | None:
    """The rows of a CSV file, or None when their keys cannot be known; faults are noted on the way."""
    text = read_text(path)
    if isinstance(text, Fault):
        faults.append(text)
        return None
    records = _records(layout.file, text, faults)
    line, header = next(records, (1, []))
    names = [name.strip() for name in header]
    faults.extend(_header_faults(layout, line, names))
    if not set(layout.key) <= set(names) or len(set(names)) < len(names):
        return None
    position = {name: at for at, name in enumerate(names)}
    return (Row(layout.file, line, cells, position, zone, faults) for line, cells in records)


def _records(file: str, text: str, faults: list[Fault]) -> Iterator[tuple[int, list[str]]]:
    """Each record that holds anything, with the line on which it starts."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            faults.append(Fault(file, line, WHOLE_ROW, f"is not valid CSV: {_csv_advice(str(error))}"))
            if "limit" in str(error):
                return  # what follows lies inside the same runaway field
            continue
        # Spreadsheets leave rows of bare commas behind; they say nothing.
        if any(cell.strip() for cell in cells):
            yield line, cells


def _csv_advice(error: str) -> str:
    if "unexpected end" in error or "limit" in error:
        return "a quoted field that starts here is not closed"
    if "expected after" in error:
        return "a closing quote is followed by more text; write a quote inside a field twice"
    return error


def _header_faults(layout: TableLayout, line: int, names: list[str]) -> Iterator[Fault]:
    if not names:
        yield Fault(layout.file, line, WHOLE_FILE, "is empty: the first line must name the columns")
        return
    for name in layout.required_names:
        if name not in names:
            yield Fault(layout.file, line, name, "the required column is missing")
    for at, name in enumerate(names):
        if not name:
            yield Fault(layout.file, line, WHOLE_ROW, f"column {at + 1} has no name")
        elif name in names[:at]:
            yield Fault(layout.file, line, name, "the column is named twice")
        elif name not in layout.names:
            yield Fault(layout.file, line, name[:40], "unknown column")
