"""What is wrong with a case folder, said so that a clerk finds the place and knows what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

WHOLE_FILE = "file"
"""Stands in place of a column when the fault is the file's, not a field's."""

WHOLE_ROW = "row"
"""Stands in place of a column when the fault is the whole row's."""

_SHOWN_CHARS_MAX = 60
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.  ``line`` is where the record starts, counted from 1; for a GeoJSON feature its number."""

    file: str
    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return _UNPRINTABLE.sub("�", f"{self.file}:{self.line}: {self.column}: {self.message}")


class CaseFaults(Exception):
    """The case folder has faults; nothing of it was loaded."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault.line)))
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


def shown(value: object) -> str:
    """The value in double quotes, on one line and cut to a readable length."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if len(text) > _SHOWN_CHARS_MAX:
        text = text[:_SHOWN_CHARS_MAX] + "…"
    return f'"{_UNPRINTABLE.sub("�", text)}"'
