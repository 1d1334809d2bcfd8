"""How each row of the case folder is laid out as a database row, and back.

A column is named like the dataclass's field, except ``span`` (``from_ms``, ``to_ms``) and ``group``
(``group_id``: GROUP is a word of SQL).  What has no column type of its own is JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from psycopg.types.json import Jsonb

from corrections_monitor.model import cases as model
from corrections_monitor.model.schedule import Schedule, format_schedule, parse_schedule
from corrections_monitor.model.times import Interval

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

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names, in the order of the dataclass's fields."""
        return tuple(c for f in fields(self.kind) for c in _columns_of(f.name))

    def encode(self, row: Row) -> list[Any]:
        """The row's values in the order of ``columns``."""
        values: list[Any] = []
        for f in fields(self.kind):
            values += _encoded(getattr(row, f.name))
        return values

    def decode(self, values: tuple[Any, ...]) -> Row:
        """The dataclass of a database row with ``columns``."""
        found = dict(zip(self.columns, values, strict=True))
        arguments: dict[str, Any] = {}
        for f in fields(self.kind):
            if f.name == "span":
                arguments["span"] = Interval(found["from_ms"], found["to_ms"])
                continue
            value = found[_columns_of(f.name)[0]]
            decoder = self.decoders.get(f.name)
            arguments[f.name] = decoder(value) if decoder is not None else value
        return self.kind(**arguments)

    def key_of(self, row: Row) -> Any:
        """The key under which the CaseSet holds the row."""
        found = dict(zip(self.columns, self.encode(row), strict=True))
        parts = tuple(found[column] for column in self.key)
        return parts if len(parts) > 1 else parts[0]


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
        {"kind": model.ZoneKind, "shape": _shape_from_json, "schedule": parse_schedule},
    ),
    CaseTable("leaves", "leaves", model.Leave, ("leave_id",), {"zone_ids": tuple}),
    CaseTable("suspensions", "suspensions", model.Suspension, ("person_id", "from_ms"), {}),
    CaseTable("contact_rules", "contacts", model.ContactRule, ("person_id", "protected_id"), {}),
)
