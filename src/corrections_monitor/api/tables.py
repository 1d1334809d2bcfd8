"""CSV for people: UTF-8, RFC 4180, and no cell that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_line(cells: Iterable[object]) -> str:
    """One line with its line end; None is an empty cell."""
    text = io.StringIO()
    csv.writer(text).writerow([_cell(cell) for cell in cells])
    return text.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    # Numbers may begin with a minus; text that does could be somebody's formula (CWE-1236).
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return value
