"""A flat map for simulated movement: degrees to metres and back, and the zones as shapely geometry.

Independent of ``corrections_monitor.geofence`` on purpose: what the truth is measured with must not be
what it is used to test.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from corrections_monitor.model.cases import Area, Circle, Shape, Zone

_WGS84_A_M = 6_378_137.0
_WGS84_E2 = 6.694379990141e-3


@dataclass(frozen=True, slots=True)
class Plane:
    """Metres east and north, true to scale at ``lat0`` (degrees) and to 0.5 % within a quarter degree."""

    lat0: float

    @property
    def metres_per_lon(self) -> float:
        phi = math.radians(self.lat0)
        return math.radians(_WGS84_A_M * math.cos(phi) / math.sqrt(1 - _WGS84_E2 * math.sin(phi) ** 2))

    @property
    def metres_per_lat(self) -> float:
        phi = math.radians(self.lat0)
        return math.radians(_WGS84_A_M * (1 - _WGS84_E2) / (1 - _WGS84_E2 * math.sin(phi) ** 2) ** 1.5)

    def xy(self, lon: float, lat: float) -> tuple[float, float]:
        """Degrees to metres."""
        return lon * self.metres_per_lon, lat * self.metres_per_lat

    def lonlat(self, x: float, y: float) -> tuple[float, float]:
        """Metres to degrees."""
        return x / self.metres_per_lon, y / self.metres_per_lat


def plane_at(lat: float) -> Plane:
    """The plane for a latitude; planes are shared by half degrees so that geometry can be cached."""
    return Plane(round(lat * 2) / 2)


def shape_centre(shape: Shape) -> tuple[float, float]:
    """A rough middle of a shape, (lon, lat) in degrees: good enough to choose a plane by."""
    if isinstance(shape, Circle):
        return shape.lon, shape.lat
    positions = (
        [p for polygon in shape.polygons for p in polygon[0]] if isinstance(shape, Area) else shape.line
    )
    low, high = np.min(positions, axis=0), np.max(positions, axis=0)
    return float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2


def zone_region(zone: Zone, plane: Plane) -> BaseGeometry:
    """The zone with its buffer, in metres of the plane.  Circles are 256-cornered (radius true to 0.01 %)."""
    shape = zone.shape
    region: BaseGeometry
    if isinstance(shape, Circle):
        return Point(plane.xy(shape.lon, shape.lat)).buffer(shape.radius_m + zone.buffer_m, quad_segs=64)
    if isinstance(shape, Area):
        region = MultiPolygon([Polygon(p[0], p[1:]) for p in shape.polygons])
    else:
        region = LineString(shape.line)
    scale = np.array([plane.metres_per_lon, plane.metres_per_lat])
    region = shapely.transform(region, lambda positions: positions * scale)
    width = zone.buffer_m if isinstance(shape, Area) else shape.width_m / 2 + zone.buffer_m
    return region.buffer(width, quad_segs=32) if width else region


class Atlas:
    """The zones of a case folder as regions of a plane, each computed once."""

    def __init__(self, zones: Mapping[str, Zone]) -> None:
        self._zones = zones
        self._unions: dict[tuple[frozenset[str], Plane, float], BaseGeometry] = {}

    def union(self, zone_ids: frozenset[str], plane: Plane, wider_m: float = 0.0) -> BaseGeometry:
        """Everything in at least one of the zones, in metres of the plane, widened by ``wider_m``."""
        key = (zone_ids, plane, wider_m)
        if key not in self._unions:
            region = shapely.union_all([zone_region(self._zones[z], plane) for z in sorted(zone_ids)])
            self._unions[key] = region.buffer(wider_m, quad_segs=8) if wider_m else region
            shapely.prepare(self._unions[key])
        return self._unions[key]

    def inner(self, zone_ids: frozenset[str], plane: Plane) -> BaseGeometry:
        """Where one is well within the union of the zones (see ``inner``)."""
        key = (zone_ids, plane, -1.0)
        if key not in self._unions:
            self._unions[key] = inner(self.union(zone_ids, plane))
        return self._unions[key]


def inner(region: BaseGeometry, margin_m: float = 300.0) -> BaseGeometry:
    """The region less a margin along its border: the whole margin where there is room, less where not."""
    for share in (1.0, 0.5, 0.25, 0.12, 0.06, 0.03):
        shrunk = region.buffer(-margin_m * share, quad_segs=4)
        if shrunk.area > 0.1 * region.area:
            return shrunk
    return region


def middle(region: BaseGeometry) -> Point:
    """A point well inside: the centroid where that is inside, else one that shapely vouches for."""
    centroid = region.centroid
    return centroid if region.contains(centroid) else region.representative_point()
