"""Writes a case folder that ``read`` reads back to the same, in an order that makes exports diff well."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from corrections_monitor.cases.layout import TABLES, ZONES_FILE
from corrections_monitor.model.cases import Area, CaseSet, Circle, Corridor, Ring, Shape, Zone
from corrections_monitor.model.schedule import format_schedule
from corrections_monitor.model.times import OPEN_END_MS, OPEN_START_MS, format_time, parse_time

_DAY_CHARS = len("2026-01-01")


def write(cases: CaseSet, folder: Path, zone: ZoneInfo) -> None:
    """Write every file of the folder, empty ones too, so that nothing of an earlier export remains.

    Times are civil in ``zone``: days where they begin or end at midnight, else with their offset.
    Positions are WGS-84.  Each file is put in place whole.  Raises OSError when that fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for layout in TABLES.values():
        table: Mapping[Any, Any] = getattr(cases, layout.table)
        cells = CELLS[layout.table]
        rows = (cells(table[key], zone) for key in sorted(table))
        with _replaced(folder / layout.file) as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(layout.names)
            out.writerows(rows)
    with _replaced(folder / ZONES_FILE) as file:
        write_features((zone_feature(cases.zones[zone_id]) for zone_id in sorted(cases.zones)), file)


class _replaced:
    """A text file written beside its place and moved there when whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = path.with_name(f".{path.name}.new")

    def __enter__(self) -> TextIO:
        self._file = self._draft.open("w", encoding="utf-8", newline="")
        return self._file

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if error is None:
            os.replace(self._draft, self._path)
        else:
            self._draft.unlink()


def write_features(features: Iterable[dict[str, Any]], file: TextIO) -> None:
    """A GeoJSON FeatureCollection, one feature a line, streamed."""
    file.write('{"type":"FeatureCollection","features":[')
    for number, feature in enumerate(features):
        file.write(",\n" if number else "\n")
        file.write(json.dumps(feature, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    file.write("\n]}\n")


def zone_feature(zone: Zone) -> dict[str, Any]:
    """The GeoJSON feature of a zone; optional properties only where they say something."""
    properties: dict[str, Any] = {
        "zone_id": zone.zone_id,
        "name": zone.name,
        "kind": zone.kind.value,
        "applies_to": zone.applies_to,
    }
    if isinstance(zone.shape, Circle):
        properties["radius_m"] = zone.shape.radius_m
    elif isinstance(zone.shape, Corridor):
        properties["width_m"] = zone.shape.width_m
    if zone.group is not None:
        properties["group"] = zone.group
    if not zone.schedule.always:
        properties["schedule"] = format_schedule(zone.schedule)
    if zone.buffer_m:
        properties["buffer_m"] = zone.buffer_m
    return {"type": "Feature", "properties": properties, "geometry": _geometry(zone.shape)}


def _geometry(shape: Shape) -> dict[str, Any]:
    match shape:
        case Circle():
            return {"type": "Point", "coordinates": [shape.lon, shape.lat]}
        case Corridor():
            return {"type": "LineString", "coordinates": _line(shape.line)}
        case Area(polygons=(polygon,)):
            return {"type": "Polygon", "coordinates": [_line(ring) for ring in polygon]}
        case Area():
            coordinates = [[_line(ring) for ring in polygon] for polygon in shape.polygons]
            return {"type": "MultiPolygon", "coordinates": coordinates}


def _line(positions: Ring) -> list[list[float]]:
    return [list(position) for position in positions]


def _start(t_ms: int, zone: ZoneInfo) -> str:
    return "" if t_ms <= OPEN_START_MS else _time(t_ms, t_ms, zone, end=False)


def _end(t_ms: int, zone: ZoneInfo) -> str:
    # A day's end is the midnight after it; the instant before that midnight carries the day's date.
    return "" if t_ms >= OPEN_END_MS else _time(t_ms, t_ms - 1, zone, end=True)


def _time(t_ms: int, in_day_ms: int, zone: ZoneInfo, *, end: bool) -> str:
    day = str(format_time(in_day_ms, zone))[:_DAY_CHARS]
    if parse_time(day, zone, end=end) == t_ms:
        return day
    return str(format_time(t_ms, zone))


def _plain(value: Any) -> str:
    """A field's text: None is empty, several values stand with ``;`` between."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ";".join(value)
    return repr(value) if isinstance(value, float) else str(value)


def _cells(*attributes: str) -> Callable[[Any, ZoneInfo], Iterator[str]]:
    """The row in the order of the file's columns; ``from`` and ``to`` are of the value's span."""

    def row(value: Any, zone: ZoneInfo) -> Iterator[str]:
        for attribute in attributes:
            if attribute == "from":
                yield _start(value.span.from_ms, zone)
            elif attribute == "to":
                yield _end(value.span.to_ms, zone)
            else:
                yield _plain(getattr(value, attribute))

    return row


# The attributes of a row are named like its columns.
CELLS = {table: _cells(*layout.names) for table, layout in TABLES.items()}
"""By table: the fields of a row in the order of the file's columns."""
