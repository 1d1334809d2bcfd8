"""Oracles that share no line with the room: geodesics from PROJ, insides from GEOS."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely

from corrections_monitor.geofence.index import ZoneIndex
from corrections_monitor.model.cases import Area, Circle, Corridor, Shape

GEOD = pyproj.Geod(ellps="WGS84")
BOUNDARIES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "boundaries"
needs_boundaries = pytest.mark.skipif(not BOUNDARIES.is_dir(), reason=f"no county polygons at {BOUNDARIES}")


@cache
def counties() -> tuple[Area, ...]:
    """The 2,891 counties of China as they are published."""
    with gzip.open(BOUNDARIES / "cn_districts_tianditu.geojson.gz") as f:
        features = json.load(f)["features"]
    return tuple(area(shapely.geometry.shape(feature["geometry"])) for feature in features)


@cache
def county_index() -> ZoneIndex:
    """All counties, built once."""
    return ZoneIndex(counties())


def area(geometry: shapely.Geometry) -> Area:
    """A shapely polygon or multipolygon as the project's own."""
    polygons = shapely.get_parts(geometry)
    rings = [[p.exterior, *p.interiors] for p in polygons]
    return Area(tuple(tuple(tuple((x, y) for x, y in ring.coords) for ring in p) for p in rings))


def geometry(shape: Area) -> shapely.MultiPolygon:
    """The project's own as shapely's."""
    return shapely.MultiPolygon([shapely.Polygon(p[0], p[1:]) for p in shape.polygons])


def edges(shape: Area | Corridor) -> np.ndarray:
    """All edges, [n, 4]."""
    paths = [shape.line] if isinstance(shape, Corridor) else [r for p in shape.polygons for r in p]
    return np.concatenate([np.hstack([np.array(p)[:-1], np.array(p)[1:]]) for p in paths])


def edge_distance(shape: Area | Corridor, lon: float, lat: float) -> float:
    """Geodesic metres to the nearest point of any edge, by a ternary search along each of them."""
    e = edges(shape)
    low, high = np.zeros(len(e)), np.ones(len(e))

    def at(t: np.ndarray) -> np.ndarray:
        x, y = e[:, 0] + t * (e[:, 2] - e[:, 0]), e[:, 1] + t * (e[:, 3] - e[:, 1])
        return np.asarray(GEOD.inv(np.full(len(e), lon), np.full(len(e), lat), x, y)[2])

    for _ in range(45):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        nearer = at(a) < at(b)
        low, high = np.where(nearer, low, a), np.where(nearer, b, high)
    return float(min(at(low).min(), at(np.zeros(len(e))).min(), at(np.ones(len(e))).min()))


def signed_distance(shape: Shape, lon: float, lat: float) -> float:
    """Metres to the boundary, negative inside."""
    if isinstance(shape, Circle):
        return float(GEOD.inv(shape.lon, shape.lat, lon, lat)[2]) - shape.radius_m
    if isinstance(shape, Corridor):
        return edge_distance(shape, lon, lat) - shape.width_m / 2
    sign = -1 if shapely.contains_xy(geometry(shape), lon, lat) else 1
    return sign * edge_distance(shape, lon, lat)


def within_promise(ours: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """0.5 % or 1 m, whichever is more."""
    return np.abs(ours - truth) <= np.maximum(0.005 * np.abs(truth), 1.0)
