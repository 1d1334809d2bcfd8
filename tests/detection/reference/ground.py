"""Distances on the ground: plain formulas, one point and one shape at a time.

Two points are compared by the straight line through the earth between them (WGS-84), bent back into an arc.
An edge is straight in longitude and latitude; its point nearest to q is found on the flat map about q.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise

from corrections_monitor.model.cases import Area, Circle, Corridor, Ring, Zone

A_M, FLATTENING = 6_378_137.0, 1 / 298.257223563
E2 = FLATTENING * (2 - FLATTENING)
SPHERE_M = 6_371_008.8


@lru_cache(maxsize=65_536)
def _in_space(lon: float, lat: float) -> tuple[float, float, float]:
    lam, phi = math.radians(lon), math.radians(lat)
    n = A_M / math.sqrt(1 - E2 * math.sin(phi) ** 2)
    axis = n * math.cos(phi)
    return axis * math.cos(lam), axis * math.sin(lam), n * (1 - E2) * math.sin(phi)


def metres(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Between two points, on the ellipsoid."""
    chord = math.dist(_in_space(lon_a, lat_a), _in_space(lon_b, lat_b))
    return 2 * 6_371_000.0 * math.asin(min(chord / (2 * 6_371_000.0), 1.0))


def on_a_sphere_m(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Between two points, by the haversine: for two moving devices and for speeds."""
    phi_a, phi_b = math.radians(lat_a), math.radians(lat_b)
    half = math.sin((phi_b - phi_a) / 2) ** 2
    half += math.cos(phi_a) * math.cos(phi_b) * math.sin(math.radians(lon_b - lon_a) / 2) ** 2
    return 2 * SPHERE_M * math.asin(math.sqrt(min(half, 1.0)))


def outside_m(zone: Zone, lon: float, lat: float) -> float:
    """How far a point is outside a zone with its buffer; negative inside."""
    return _to_shape_m(zone, lon, lat) - zone.buffer_m


def _to_shape_m(zone: Zone, lon: float, lat: float) -> float:
    shape = zone.shape
    if isinstance(shape, Circle):
        return metres(lon, lat, shape.lon, shape.lat) - shape.radius_m
    if isinstance(shape, Corridor):
        return _to_line_m(shape.line, lon, lat) - shape.width_m / 2
    assert isinstance(shape, Area)
    rings = [ring for polygon in shape.polygons for ring in polygon]
    edge_m = min(_to_line_m(ring, lon, lat) for ring in rings)
    inside = sum(_rays_crossed(ring, lon, lat) for ring in rings) % 2 == 1
    return -edge_m if inside else edge_m


def _to_line_m(line: Ring, lon: float, lat: float) -> float:
    return min(_to_edge_m(a, b, lon, lat) for a, b in pairwise(line))


def _to_edge_m(a: tuple[float, float], b: tuple[float, float], lon: float, lat: float) -> float:
    bend = 1 - E2 * math.sin(math.radians(lat)) ** 2
    per_lon = A_M / math.sqrt(bend) * math.cos(math.radians(lat))
    per_lat = A_M * (1 - E2) / bend**1.5
    ax, ay = (a[0] - lon) * per_lon, (a[1] - lat) * per_lat
    ux, uy = (b[0] - a[0]) * per_lon, (b[1] - a[1]) * per_lat
    length = ux * ux + uy * uy
    along = min(max(-(ax * ux + ay * uy) / length, 0.0), 1.0) if length else 0.0
    return metres(lon, lat, a[0] + along * (b[0] - a[0]), a[1] + along * (b[1] - a[1]))


def _rays_crossed(ring: Ring, lon: float, lat: float) -> int:
    """How many edges a ray from the point to the east crosses."""
    count = 0
    for (ax, ay), (bx, by) in pairwise(ring):
        if (ay > lat) != (by > lat) and lon < ax + (lat - ay) / (by - ay) * (bx - ax):
            count += 1
    return count
