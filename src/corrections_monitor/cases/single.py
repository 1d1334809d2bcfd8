"""One row given by itself — an edit through the API — judged by the checks a folder goes through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from corrections_monitor.cases.checks import check
from corrections_monitor.cases.faults import CaseFaults, Fault, shown
from corrections_monitor.cases.layout import TABLES, TableLayout
from corrections_monitor.cases.loading import Loading, Table
from corrections_monitor.cases.rows import KEYS, PARSERS
from corrections_monitor.cases.table import Row
from corrections_monitor.cases.writer import CELLS, zone_feature
from corrections_monitor.cases.zones import parse_feature
from corrections_monitor.model.cases import CaseSet

ZONES = "zones"
_ONLY_LINE = 1


def read_one(table: str, value: Mapping[str, Any], base: CaseSet, zone: ZoneInfo) -> tuple[Any, Any]:
    """The key and row of ``value``: an object with the file's columns, for zones a GeoJSON Feature.

    ``base``: what the row may refer to and must agree with.  Raises CaseFaults with every fault, each at
    the column it concerns.
    """
    faults: list[Fault] = []
    loading = Loading(base, {name: Table() for name in (*TABLES, ZONES)})
    loaded = loading.tables[table]
    if table == ZONES:
        _read_zone(value, loaded, faults)
    else:
        _read_row(TABLES[table], value, loaded, zone, faults)
    told = {fault.column for fault in faults}
    faults += [fault for fault in check(loading.merged(), loading) if fault.column not in told]
    if faults:
        raise CaseFaults(faults)
    [found] = loaded.rows.items()
    return found


def columns_of(table: str, row: Any, zone: ZoneInfo) -> dict[str, Any]:
    """The row as ``read_one`` takes it."""
    if table == ZONES:
        return zone_feature(row)
    return dict(zip(TABLES[table].names, CELLS[table](row, zone), strict=True))


def _read_zone(value: Mapping[str, Any], loaded: Table, faults: list[Fault]) -> None:
    feature = parse_feature(_ONLY_LINE, dict(value), faults)
    if feature.zone is None:
        loaded.spoiled.append((_ONLY_LINE, feature))
    else:
        loaded.rows[feature.zone_id] = feature.zone
        loaded.lines[feature.zone_id] = _ONLY_LINE


def _read_row(
    layout: TableLayout, value: Mapping[str, Any], loaded: Table, zone: ZoneInfo, faults: list[Fault]
) -> None:
    faults += [
        Fault(layout.file, _ONLY_LINE, name[:40], "unknown column")
        for name in value
        if name not in layout.names
    ]
    cells: list[str] = []
    for name in layout.names:
        text = _cell(value.get(name))
        if text is None:
            faults.append(
                Fault(layout.file, _ONLY_LINE, name, f"{shown(value[name])} is not text or a number")
            )
        cells.append(text or "")
    position = {name: at for at, name in enumerate(layout.names)}
    row = Row(layout.file, _ONLY_LINE, cells, position, zone, faults)
    parsed = PARSERS[layout.table](row)
    if row.spoiled or faults:
        loaded.named.add(row.raw(layout.key[0]))
        loaded.spoiled.append((_ONLY_LINE, parsed))
    else:
        key = KEYS[layout.table](parsed)
        loaded.rows[key] = parsed
        loaded.lines[key] = _ONLY_LINE


def _cell(value: Any) -> str | None:
    """The field a CSV would hold; None when it could not."""
    match value:
        case None:
            return ""
        case bool():
            return None
        case str():
            return value
        case int() | float():
            return repr(value)
        case list() if all(isinstance(part, str) for part in value):
            return ";".join(value)
    return None
