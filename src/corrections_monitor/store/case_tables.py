"""How each row of the case folder is laid out as a database row, and back.

A column is named like the dataclass's field, except ``span`` (``from_ms``, ``to_ms``) and ``group``
(``group_id``: GROUP is a word of SQL).  What has no column type of its own is JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any

import msgspec
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
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

    def decode(self, rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, Row]]:
        """The dataclasses of database rows of ``columns``, each under the key by which the CaseSet has it.

        Read with ``RawJson``.  Field by field, not row by row: a nation has three million rows.
        """
        if not rows:
            return iter(())
        values = dict(zip(self.columns, zip(*rows, strict=True), strict=True))
        read = [self._read(f.name, values) for f in fields(self.kind)]
        keys = zip(*(values[c] for c in self.key), strict=True) if len(self.key) > 1 else values[self.key[0]]
        return zip(keys, map(self.kind, *read), strict=True)

    def _read(self, field_name: str, values: Mapping[str, Sequence[Any]]) -> Iterable[Any]:
        if field_name == "span":
            return map(_span, values["from_ms"], values["to_ms"])
        column = values[_columns_of(field_name)[0]]
        if field_name in _NAMING_OTHERS:
            return map(sys.intern, column)
        decoder = self.decoders.get(field_name)
        return column if decoder is None else map(decoder, column)


class RawJson(Loader):
    """``jsonb`` of a binary cursor as the text it is, for the decoders here; its first byte is a version."""

    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        return bytes(data)[1:]


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


Position = tuple[float, float]


class _Polygons(msgspec.Struct, tag="MultiPolygon"):
    coordinates: tuple[tuple[model.Ring, ...], ...]


class _Point(msgspec.Struct, tag="Point"):
    coordinates: Position
    radius_m: float


class _Line(msgspec.Struct, tag="LineString"):
    coordinates: tuple[Position, ...]
    width_m: float


_SHAPES = msgspec.json.Decoder(_Polygons | _Point | _Line)
_names = msgspec.json.Decoder(tuple[str, ...]).decode


def _shape_from_json(text: bytes) -> model.Shape:
    shape = _SHAPES.decode(text)
    if isinstance(shape, _Point):
        return model.Circle(*shape.coordinates, shape.radius_m)
    if isinstance(shape, _Line):
        return model.Corridor(shape.coordinates, shape.width_m)
    return model.Area(shape.coordinates)


@lru_cache(maxsize=1_024)
def _schedule(text: bytes | None) -> Schedule:
    """Of a nation's zones most hold at the same few hours."""
    return parse_schedule(text and msgspec.json.decode(text))


@lru_cache(maxsize=1_024)
def _span(from_ms: int, to_ms: int) -> Interval:
    """An order and the device it allows run from the same day to the same day."""
    return Interval(from_ms, to_ms)


def _one_of(kind: type[Enum]) -> Decoder:
    """What ``kind(value)`` gives, at a fifth of its time."""
    return {member.value: member for member in kind}.__getitem__


CASE_TABLES: tuple[CaseTable, ...] = (
    CaseTable("offices", "offices", model.Office, ("office_id",), {"level": _one_of(model.Level)}),
    CaseTable(
        "officers",
        "officers",
        model.Officer,
        ("officer_id",),
        {"role": _one_of(model.Role), "channels": _names},
    ),
    CaseTable("duty", "duty", model.Duty, ("office_id", "officer_id", "from_ms"), {}),
    CaseTable("holidays", "holidays", model.Holiday, ("date",), {"kind": _one_of(model.DayKind)}),
    CaseTable(
        "people",
        "people",
        model.Person,
        ("person_id",),
        {"category": _one_of(model.Category), "level": _one_of(model.Supervision)},
    ),
    CaseTable(
        "devices", "devices", model.Device, ("device_id", "from_ms"), {"kind": _one_of(model.DeviceKind)}
    ),
    CaseTable("orders", "orders", model.Order, ("order_id",), {}),
    CaseTable(
        "zones",
        "zones",
        model.Zone,
        ("zone_id",),
        {
            "kind": _one_of(model.ZoneKind),
            "shape": _shape_from_json,
            "schedule": _schedule,
        },
    ),
    CaseTable("leaves", "leaves", model.Leave, ("leave_id",), {"zone_ids": _names}),
    CaseTable("suspensions", "suspensions", model.Suspension, ("person_id", "from_ms"), {}),
    CaseTable("contact_rules", "contacts", model.ContactRule, ("person_id", "protected_id"), {}),
)
