"""What a case folder would change (差异): rows to save and to withdraw, and the same in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from corrections_monitor.cases.layout import TABLES
from corrections_monitor.cases.writer import CELLS, zone_feature
from corrections_monitor.model.cases import CaseSet, Zone
from corrections_monitor.model.times import Interval
from corrections_monitor.rules.text import initials

Named = Mapping[str, frozenset[Any]]
"""The keys that a folder names, by table; of tables that are not there it says nothing."""

ROWS_SHOWN_MAX = 500
"""Rows of one table told in words; the counts are of all."""

_ENDED = ("people", "devices", "orders", "leaves", "suspensions", "duty")
_WITHDRAWN = ("zones", "contacts", "holidays")
# Offices and officers stay: history refers to them, and an account is ended by `credentials revoke`.


@dataclass(frozen=True)
class Plan:
    """``after``: the cases as they would stand; ``withdrawn``: keys that end without a successor;
    ``ended``: keys of rows of ``after`` that end because the folder no longer names them."""

    before: CaseSet
    after: CaseSet
    withdrawn: Mapping[str, frozenset[Any]]
    ended: Mapping[str, frozenset[Any]]

    def rows(self, table: str) -> tuple[list[Any], list[Any], list[Any]]:
        """Keys of a table that are new, changed and gone, each sorted."""
        standing, wanted = getattr(self.before, table), getattr(self.after, table)
        gone = {*self.withdrawn.get(table, ()), *self.ended.get(table, ())}
        new = [key for key in wanted if key not in standing]
        changed = [k for k, row in wanted.items() if k in standing and standing[k] != row and k not in gone]
        return sorted(new), sorted(changed), sorted(gone)

    @property
    def is_empty(self) -> bool:
        return not any(any(self.rows(column.name)) for column in fields(CaseSet))


def plan(before: CaseSet, merged: CaseSet, named: Named, *, whole: bool, now_ms: int) -> Plan:
    """What taking a folder over would change; ``merged`` is what stands with the folder's rows in place.

    ``whole``: the folder is the whole roster (全量), so that what it no longer names ends now, or is
    withdrawn where it has no end or has not begun.
    """
    if not whole:
        return Plan(before, merged, {}, {})
    withdrawn: dict[str, frozenset[Any]] = {}
    ended: dict[str, frozenset[Any]] = {}
    after: dict[str, Mapping[Any, Any]] = {}
    for table in (t for t in _ENDED if t in named):
        rows = getattr(merged, table)
        over = {k: row for k, row in rows.items() if k not in named[table] and row.span.to_ms > now_ms}
        never = frozenset(k for k, row in over.items() if row.span.from_ms >= now_ms and table != "people")
        ending = {k: _ended(row, now_ms) for k, row in over.items() if k not in never}
        withdrawn[table], ended[table] = never, frozenset(ending)
        after[table] = {k: row for k, row in {**rows, **ending}.items() if k not in never}
    used = {zone_id for leave in after.get("leaves", merged.leaves).values() for zone_id in leave.zone_ids}
    for table in (t for t in _WITHDRAWN if t in named):
        rows = getattr(merged, table)
        withdrawn[table] = frozenset(k for k in rows if k not in named[table] and k not in used)
        after[table] = {k: row for k, row in rows.items() if k not in withdrawn[table]}
    return Plan(before, replace(merged, **after), withdrawn, ended)


def _ended(row: Any, now_ms: int) -> Any:
    return replace(row, span=Interval(row.span.from_ms, max(now_ms, row.span.from_ms + 1)))


def in_words(found: Plan, zone: ZoneInfo, guarded: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The difference by table: ``{new, changed, gone}`` with ``{count, rows}`` each; a row has ``key`` and
    ``name``, a changed one also ``columns``: name → [before, after].  Tables without change are left out;
    ``guarded`` people are named by initials."""
    told: dict[str, Any] = {}
    for table in (column.name for column in fields(CaseSet)):
        new, changed, gone = found.rows(table)
        if new or changed or gone:
            standing, wanted = getattr(found.before, table), getattr(found.after, table)
            told[table] = {
                "new": _listed(new, (_row(found.after, k, wanted[k], guarded) for k in new)),
                "changed": _listed(
                    changed,
                    (
                        {
                            **_row(found.after, k, wanted[k], guarded),
                            "columns": _columns(table, standing[k], wanted[k], zone, guarded),
                        }
                        for k in changed
                    ),
                ),
                "gone": _listed(gone, (_row(found.before, k, standing[k], guarded) for k in gone)),
            }
    return told


def counts(found: Plan) -> dict[str, dict[str, int]]:
    """How many rows of each table are new, changed and gone; tables without change are left out."""
    told = {}
    for table in (column.name for column in fields(CaseSet)):
        numbers = dict(zip(("new", "changed", "gone"), map(len, found.rows(table)), strict=True))
        if any(numbers.values()):
            told[table] = numbers
    return told


def _listed(keys: list[Any], rows: Iterator[dict[str, Any]]) -> dict[str, Any]:
    return {"count": len(keys), "rows": list(islice(rows, ROWS_SHOWN_MAX))}


def _row(cases: CaseSet, key: Any, row: Any, guarded: frozenset[str]) -> dict[str, Any]:
    person_id = getattr(row, "person_id", None)
    person = cases.people.get(person_id) if person_id else None
    name = getattr(row, "name", None) or (person.name if person else "")
    return {
        "key": key_text(key),
        "name": initials(name) if person_id in guarded else name,
        "person_id": person_id,
    }


def key_text(key: Any) -> str:
    """A key as one word; its parts are joined by ``:``."""
    return ":".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _columns(
    table: str, before: Any, after: Any, zone: ZoneInfo, guarded: frozenset[str]
) -> dict[str, list[str]]:
    if isinstance(before, Zone):
        return _zone_columns(before, after)
    cells = CELLS[table]
    pairs = zip(TABLES[table].names, cells(before, zone), cells(after, zone), strict=True)
    told = {name: [was, becomes] for name, was, becomes in pairs if was != becomes}
    if "name" in told and getattr(before, "person_id", None) in guarded:
        told["name"] = [initials(name) for name in told["name"]]
    return told


def _zone_columns(before: Zone, after: Zone) -> dict[str, list[str]]:
    was, becomes = zone_feature(before), zone_feature(after)
    names = sorted({*was["properties"], *becomes["properties"]})
    told = {
        name: [str(was["properties"].get(name, "")), str(becomes["properties"].get(name, ""))]
        for name in names
        if was["properties"].get(name) != becomes["properties"].get(name)
    }
    # The shape itself is where somebody lives: that it moved is all that is told.
    return told | ({"geometry": ["…", "…"]} if was["geometry"] != becomes["geometry"] else {})
