"""A case folder half read: the rows of each table, where they stand, and what they are merged over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from corrections_monitor.cases.layout import ZONES_FILE
from corrections_monitor.model.cases import CaseSet


@dataclass
class Table:
    """The rows of one file.

    ``spoiled``: line and value of rows left out for a fault, with stand-ins where the faults are.
    ``named``: the ids of such rows; what refers to them is not at fault itself.
    ``readable``: false when the file's ids are not known at all; nothing is said of references to it.
    """

    rows: dict[Any, Any] = field(default_factory=dict)
    lines: dict[Any, int] = field(default_factory=dict)
    spoiled: list[tuple[int, Any]] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    readable: bool = True

    def given(self) -> Iterator[tuple[int, Any]]:
        """Line and value of every row, spoiled ones included."""
        for key, row in self.rows.items():
            yield self.lines[key], row
        yield from self.spoiled


@dataclass
class Loading:
    """The tables of the folder by the name of their CaseSet attribute."""

    base: CaseSet
    tables: dict[str, Table] = field(default_factory=dict)

    def merged(self) -> CaseSet:
        """The base with this folder's rows added or in place of those with the same key."""
        values: dict[str, Mapping[Any, Any]] = {}
        for column in fields(CaseSet):
            before: Mapping[Any, Any] = getattr(self.base, column.name)
            rows = self.tables[column.name].rows
            values[column.name] = {**before, **rows} if before else rows
        return CaseSet(**values)

    def is_known(self, table: str, row_id: str, merged: Mapping[str, Any]) -> bool:
        """Whether a reference to the id leads somewhere, or may lead to a row that is at fault itself."""
        loaded = self.tables[table]
        return row_id in merged or row_id in loaded.named or not loaded.readable

    def line(self, table: str, key: Any) -> int | None:
        """Where the folder gives this row; None when it is the base's."""
        return self.tables[table].lines.get(key)


def file_of(table: str) -> str:
    """The file that holds a table."""
    return ZONES_FILE if table == "zones" else f"{table}.csv"
