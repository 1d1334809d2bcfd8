"""The properties of one feature of zones.geojson: a zone, or all that is wrong with it."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Any, TypeVar

from corrections_monitor.cases.faults import Fault, shown
from corrections_monitor.cases.geometry import parse_shape
from corrections_monitor.cases.layout import ZONES_FILE
from corrections_monitor.cases.rows import HALF_EARTH_M
from corrections_monitor.cases.text import id_fault, text_fault
from corrections_monitor.model.cases import Zone, ZoneKind
from corrections_monitor.model.schedule import ALWAYS_HOLDS, Schedule, parse_schedule

GEOMETRY = "geometry"

_REQUIRED = ("zone_id", "name", "kind", "applies_to")
_OPTIONAL = ("radius_m", "width_m", "group", "schedule", "buffer_m", "crs")
_SIZE_OF = {"Point": "radius_m", "LineString": "width_m"}


class ZoneCrs(StrEnum):
    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


Choice = TypeVar("Choice", bound=StrEnum)


class Properties:
    """The properties of one feature; null is as good as absent, as drawing programs write it."""

    def __init__(self, number: int, properties: dict[str, Any], faults: list[Fault]) -> None:
        self._number = number
        self._properties = properties
        self._faults = faults

    def zone(self, geometry: Any) -> Zone | None:
        """The zone, None when its shape is at fault.  Other faults are noted only."""
        for name in self._properties:
            if name not in _REQUIRED and name not in _OPTIONAL:
                self.fault(name[:40], "unknown property")
        for name in _REQUIRED:
            if name not in self._properties:
                self.fault(name, "the required property is missing")
        zone_id = self.id("zone_id")
        kind = self.choice("kind", ZoneKind, ZoneKind.INCLUSION)
        crs = self.choice("crs", ZoneCrs, ZoneCrs.WGS84)
        size_m = self.size(geometry.get("type") if isinstance(geometry, dict) else None)
        group = self.id("group", required=False) or None
        if group is not None and kind is ZoneKind.EXCLUSION:
            self.fault("group", "an exclusion zone has no group: groups are for inclusion zones")
        name, applies_to = self.text("name"), self.id("applies_to", required=False, everyone=True)
        schedule, buffer_m = self.schedule(), self.length("buffer_m", 0.0)
        shape = parse_shape(geometry, size_m, crs, lambda message: self.fault(GEOMETRY, message))
        if shape is None:
            return None
        return Zone(zone_id, name, kind, applies_to, shape, group, schedule, buffer_m or 0.0)

    def fault(self, column: str, message: str) -> None:
        self._faults.append(Fault(ZONES_FILE, self._number, column, message))

    def text(self, name: str, *, required: bool = True) -> str:
        value = self._properties.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            if required and name in self._properties:
                self.fault(name, "must not be empty")
            return ""
        if not isinstance(value, str):
            self.fault(name, f"{shown(value)} is not text: write it in quotes")
            return ""
        problem = text_fault(value)
        if problem:
            self.fault(name, problem)
        return value.strip()

    def id(self, name: str, *, required: bool = True, everyone: bool = False) -> str:
        value = self.text(name, required=required)
        problem = None if everyone and value == "*" else id_fault(value, ";")
        if problem:
            self.fault(name, problem)
        return value

    def choice(self, name: str, kind: type[Choice], default: Choice) -> Choice:
        """The value of an optional choice, or of one whose absence was reported."""
        value = self.text(name, required=name in _REQUIRED)
        try:
            return kind(value) if value else default
        except ValueError:
            self.fault(name, f"{shown(value)} is not one of {', '.join(kind)}")
            return default

    def length(self, name: str, default: float | None) -> float | None:
        """A length in metres, not negative and not larger than the earth."""
        value = self._properties.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_length(value):
            self.fault(name, f"{shown(value)} is not a number of metres from 0 to half the earth's girth")
            return None
        return float(value)

    def size(self, geometry_type: Any) -> float | None:
        """radius_m or width_m, whichever the geometry needs; the other must not be there."""
        needed = _SIZE_OF.get(geometry_type) if isinstance(geometry_type, str) else None
        for name in _SIZE_OF.values():
            if name != needed and self._properties.get(name) is not None:
                self.fault(name, f"does not belong to a {geometry_type}")
        if needed is None:
            return None
        if self._properties.get(needed) is None:
            self.fault(needed, f"a {geometry_type} needs it: a number of metres greater than 0")
            return None
        size_m = self.length(needed, None)
        if size_m == 0:
            self.fault(needed, "must be greater than 0")
            return None
        return size_m

    def schedule(self) -> Schedule:
        try:
            return parse_schedule(self._properties.get("schedule"))
        except ValueError as error:
            self.fault("schedule", str(error))
            return ALWAYS_HOLDS


def _is_length(value: float) -> bool:
    return 0 <= value <= HALF_EARTH_M and math.isfinite(value)
