"""Reads a case folder: every file, every fault at once, merged over what is known already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from corrections_monitor.cases.checks import check
from corrections_monitor.cases.faults import WHOLE_FILE, CaseFaults, Fault
from corrections_monitor.cases.layout import KNOWN_FILES, TABLES, ZONES_FILE, TableLayout
from corrections_monitor.cases.loading import Loading, Table, file_of
from corrections_monitor.cases.rows import KEYS, PARSERS
from corrections_monitor.cases.table import read_rows
from corrections_monitor.cases.zones import read_features
from corrections_monitor.model.cases import CaseSet


def read(folder: Path, zone: ZoneInfo, base: CaseSet | None = None) -> CaseSet:
    """``base`` with the folder's rows added or put in place of those with the same key.

    ``zone``: in which times without an offset are read.  Rows of ``base`` that the folder does not name
    stay.  Raises CaseFaults with every fault of the folder, those against ``base`` included.
    """
    return read_named(folder, zone, base)[0]


def read_named(
    folder: Path, zone: ZoneInfo, base: CaseSet | None = None
) -> tuple[CaseSet, Mapping[str, frozenset[Any]]]:
    """As ``read``, with the keys that the folder itself names, by table (those that have a file)."""
    if not folder.is_dir():
        raise CaseFaults([Fault(folder.name, 1, WHOLE_FILE, "there is no such folder")])
    faults: list[Fault] = list(_misnamed_files(folder))
    loading = Loading(base or CaseSet())
    for layout in TABLES.values():
        loading.tables[layout.table] = _read_table(folder, layout, zone, faults)
    loading.tables["zones"] = _read_zones(folder, faults)
    merged = loading.merged()
    told = {(fault.file, fault.line, fault.column) for fault in faults}
    faults.extend(f for f in check(merged, loading) if (f.file, f.line, f.column) not in told)
    if faults:
        raise CaseFaults(faults)
    named = {
        name: frozenset(table.rows)
        for name, table in loading.tables.items()
        if (folder / file_of(name)).exists()
    }
    return merged, named


def _misnamed_files(folder: Path) -> Iterator[Fault]:
    """An optional file under a slightly wrong name would be left out without a word."""
    present = {path.name for path in folder.iterdir()}
    absent = sorted(KNOWN_FILES - present)
    for name in sorted(present - KNOWN_FILES):
        if name.lower().endswith((".csv", ".geojson", ".json")):
            meant = get_close_matches(name.lower(), absent, n=1, cutoff=0.8)
            if meant:
                yield Fault(name, 1, WHOLE_FILE, f"unknown file: is {meant[0]} meant?")


def _read_table(folder: Path, layout: TableLayout, zone: ZoneInfo, faults: list[Fault]) -> Table:
    path = folder / layout.file
    if not path.exists():
        if layout.required:
            faults.append(Fault(layout.file, 1, WHOLE_FILE, "the required file is missing"))
        return Table(readable=not layout.required)
    rows = read_rows(path, layout, zone, faults)
    if rows is None:
        return Table(readable=False)
    parse: Callable[[Any], Any] = PARSERS[layout.table]
    table = Table()
    first_line: dict[Any, int] = {}
    for row in rows:
        value = parse(row)
        # The key of a spoiled row is known only where it is one field.
        named = row.raw(layout.key[0])
        key = named if row.spoiled else KEYS[layout.table](value)
        if (not row.spoiled or len(layout.key) == 1) and first_line.setdefault(key, row.line) != row.line:
            row.fault(
                layout.key[0], f"the same {', '.join(layout.key)} stands on line {first_line[key]} already"
            )
        elif row.spoiled:
            table.named.add(named)
            if not row.misaligned:
                table.spoiled.append((row.line, value))
        else:
            table.rows[key] = value
            table.lines[key] = row.line
    return table


def _read_zones(folder: Path, faults: list[Fault]) -> Table:
    path = folder / ZONES_FILE
    if not path.exists():
        return Table()
    features = read_features(path, faults)
    if features is None:
        return Table(readable=False)
    table = Table()
    first_number: dict[str, int] = {}
    for feature in features:
        zone_id, number = feature.zone_id, feature.number
        if zone_id and first_number.setdefault(zone_id, number) != number:
            message = f"the same zone_id stands at feature {first_number[zone_id]} already"
            faults.append(Fault(ZONES_FILE, number, "zone_id", message))
        elif feature.zone is None:
            table.named.add(zone_id)
            table.spoiled.append((number, feature))
        else:
            table.rows[zone_id] = feature.zone
            table.lines[zone_id] = number
    return table
