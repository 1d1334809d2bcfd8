"""How each row of the case folder is laid out as a database row, and back.

A column is named like the dataclass's field, except ``span`` (``from_ms``, ``to_ms``) and ``group``
(``group_id``: GROUP is a word of SQL).  What has no column type of its own is JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from corrections_monitor.model import cases as model
from corrections_monitor.model.schedule import Schedule, format_schedule, parse_schedule
from corrections_monitor.model.times import Interval

_NAMING_OTHERS = frozenset({"office_id", "officer_id", "person_id", "applies_to", "approved_by", "name"})
"""Fields that name the same few things in many rows: one string for all of them saves a third."""

Row = Any
Decoder = Callable[[Any], Any]


@dataclass(frozen=True)
class CaseTable:
    """One table: its dataclass, the CaseSet mapping it fills, its key columns, and what to decode."""

    name: str
    attribute: str
    kind: type[Any]
    key: tuple[str, ...]
    decoders: Mapping[str, Decoder]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Column names, in the order of the dataclass's fields."""
        return tuple(c for f in fields(self.kind) for c in _columns_of(f.name))

    def encode(self, row: Row) -> list[Any]:
        """The row's values in the order of ``columns``."""
        values: list[Any] = []
        for f in fields(self.kind):
            values += _encoded(getattr(row, f.name))
        return values

    def decode(self, values: tuple[Any, ...]) -> tuple[Any, Row]:
        """The dataclass of a database row with ``columns``, under the key by which the CaseSet holds it."""
        arguments = [decoder(values, at) for at, decoder in self._plan]
        parts = tuple(values[at] for at in self._key_at)
        return parts if len(parts) > 1 else parts[0], self.kind(*arguments)

    @cached_property
    def _key_at(self) -> tuple[int, ...]:
        return tuple(self.columns.index(column) for column in self.key)

    @cached_property
    def _plan(self) -> tuple[tuple[int, Callable[[tuple[Any, ...], int], Any]], ...]:
        """For each field of the dataclass, in order, the number of its first column and how it is read."""
        return tuple(
            (self.columns.index(_columns_of(f.name)[0]), _reading(f.name, self.decoders.get(f.name)))
            for f in fields(self.kind)
        )


def _reading(field_name: str, decoder: Decoder | None) -> Callable[[tuple[Any, ...], int], Any]:
    if field_name == "span":
        return lambda values, at: Interval(values[at], values[at + 1])
    if decoder is not None:
        return lambda values, at: decoder(values[at])
    if field_name in _NAMING_OTHERS:
        return lambda values, at: values[at] and sys.intern(values[at])
    return lambda values, at: values[at]


def _columns_of(field_name: str) -> tuple[str, ...]:
    if field_name == "span":
        return ("from_ms", "to_ms")
    return ("group_id",) if field_name == "group" else (field_name,)


def _encoded(value: Any) -> list[Any]:
    if isinstance(value, Interval):
        return [value.from_ms, value.to_ms]
    if isinstance(value, Enum):
        return [value.value]
    if isinstance(value, tuple):
        return [Jsonb(list(value))]
    if isinstance(value, Schedule):
        windows = format_schedule(value)
        return [None if windows is None else Jsonb(windows)]
    if isinstance(value, (model.Area, model.Circle, model.Corridor)):
        return [Jsonb(_shape_to_json(value))]
    return [value]


def _shape_to_json(shape: model.Shape) -> dict[str, Any]:
    """GeoJSON as zones.geojson has it: MultiPolygon, Point + radius_m, LineString + width_m."""
    match shape:
        case model.Area(polygons):
            return {"type": "MultiPolygon", "coordinates": polygons}
        case model.Circle(lon, lat, radius_m):
            return {"type": "Point", "coordinates": [lon, lat], "radius_m": radius_m}
        case model.Corridor(line, width_m):
            return {"type": "LineString", "coordinates": line, "width_m": width_m}


def _shape_from_json(value: Mapping[str, Any]) -> model.Shape:
    coordinates = value["coordinates"]
    match value["type"]:
        case "MultiPolygon":
            return model.Area(tuple(tuple(_positions(ring) for ring in polygon) for polygon in coordinates))
        case "Point":
            return model.Circle(coordinates[0], coordinates[1], value["radius_m"])
        case _:
            return model.Corridor(_positions(coordinates), value["width_m"])


@lru_cache(maxsize=1_024)
def _schedule(text: bytes) -> Schedule:
    """Of a nation's zones most hold at the same few hours."""
    return parse_schedule(msgspec.json.decode(text))


def _positions(pairs: list[list[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((lon, lat) for lon, lat in pairs)


CASE_TABLES: tuple[CaseTable, ...] = (
    CaseTable("offices", "offices", model.Office, ("office_id",), {"level": model.Level}),
    CaseTable(
        "officers", "officers", model.Officer, ("officer_id",), {"role": model.Role, "channels": tuple}
    ),
    CaseTable("duty", "duty", model.Duty, ("office_id", "officer_id", "from_ms"), {}),
    CaseTable("holidays", "holidays", model.Holiday, ("date",), {"kind": model.DayKind}),
    CaseTable(
        "people",
        "people",
        model.Person,
        ("person_id",),
        {"category": model.Category, "level": model.Supervision},
    ),
    CaseTable("devices", "devices", model.Device, ("device_id", "from_ms"), {"kind": model.DeviceKind}),
    CaseTable("orders", "orders", model.Order, ("order_id",), {}),
    CaseTable(
        "zones",
        "zones",
        model.Zone,
        ("zone_id",),
        {
            "kind": model.ZoneKind,
            "shape": _shape_from_json,
            "schedule": lambda windows: _schedule(msgspec.json.encode(windows)),
        },
    ),
    CaseTable("leaves", "leaves", model.Leave, ("leave_id",), {"zone_ids": tuple}),
    CaseTable("suspensions", "suspensions", model.Suspension, ("person_id", "from_ms"), {}),
    CaseTable("contact_rules", "contacts", model.ContactRule, ("person_id", "protected_id"), {}),
)
