"""The geometry of a zone: GeoJSON in, a model Shape out, or every reason why not.

A clerk draws zones in other programs; the faults that happen there (lines that cross, exchanged
coordinates, open rings) are named with the place where they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import shapely

from corrections_monitor.cases.faults import shown
from corrections_monitor.geofence.crs import to_wgs84
from corrections_monitor.model.cases import Area, Circle, Corridor, Ring, Shape

Position = tuple[float, float]
Complain = Callable[[str], None]

# Where China lies: a position that is there only after lon and lat change places was written swapped.
_CHINA_LON = (73.0, 136.0)
_CHINA_LAT = (3.0, 54.0)

_EXPECTED_TYPES = "expected Polygon, MultiPolygon, Point with radius_m, or LineString with width_m"
_RING_POSITIONS_MIN = 4

_REASONS = {
    "Self-intersection": "the outline crosses itself",
    "Ring Self-intersection": "the outline touches or crosses itself",
    "Hole lies outside shell": "a hole lies outside its outline",
    "Holes are nested": "a hole lies inside another hole",
    "Interior is disconnected": "holes cut the area into pieces",
    "Nested shells": "a polygon lies inside another polygon of the same zone",
    "Duplicate Rings": "the same ring is there twice",
    "Too few points in geometry component": "a ring has too few different positions",
}
_REASON = re.compile(r"(?P<what>[^\[]+)\[(?P<lon>\S+) (?P<lat>\S+)\]")


def parse_shape(geometry: Any, size_m: float | None, crs: str, complain: Complain) -> Shape | None:
    """The zone's shape in WGS-84; None after complaints.

    ``size_m`` is radius_m of a Point or width_m of a LineString, checked already; None when at fault.
    ``crs``: ``wgs84``, ``gcj02`` or ``bd09``; validity is judged in the coordinates as written, so that
    the place named in a complaint is where the author finds it.
    """
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if geometry is None:
        complain("has no geometry (null)")
        return None
    if kind not in ("Polygon", "MultiPolygon", "Point", "LineString"):
        complain(f"{shown(kind)} is not a shape for a zone: {_EXPECTED_TYPES}")
        return None
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list) or not coordinates:
        complain(f"the {kind} is empty: it has no positions")
        return None
    if kind == "Point":
        return _circle(coordinates, size_m, crs, complain)
    if kind == "LineString":
        return _corridor(coordinates, size_m, crs, complain)
    return _area([coordinates] if kind == "Polygon" else coordinates, crs, complain)


def _circle(coordinates: Any, radius_m: float | None, crs: str, complain: Complain) -> Circle | None:
    centre = _positions([coordinates], "the point", complain)
    if centre is None or radius_m is None:
        return None
    (lon, lat), *_ = _converted(centre, crs)
    return Circle(lon, lat, radius_m)


def _corridor(coordinates: Any, width_m: float | None, crs: str, complain: Complain) -> Corridor | None:
    line = _positions(coordinates, "the line", complain)
    if line is not None and len(set(line)) < 2:
        complain("the line has no length: it needs two different positions")
        return None
    if line is None or width_m is None:
        return None
    return Corridor(_converted(line, crs), width_m)


def _area(polygons: list[Any], crs: str, complain: Complain) -> Area | None:
    parsed = [_rings(polygon, _place(i, len(polygons)), complain) for i, polygon in enumerate(polygons)]
    whole = [rings for rings in parsed if rings is not None]
    if len(whole) < len(polygons):
        return None
    problem = _invalidity(whole)
    if problem:
        complain(problem)
        return None
    return Area(tuple(tuple(_converted(ring, crs) for ring in rings) for rings in whole))


def _place(index: int, count: int) -> str:
    return f"polygon {index + 1}, " if count > 1 else ""


def _rings(polygon: Any, place: str, complain: Complain) -> tuple[Ring, ...] | None:
    if not isinstance(polygon, list) or not polygon:
        complain(f"{place}the polygon is empty: it has no ring")
        return None
    rings = [_ring(ring, f"{place}ring {i + 1}", complain) for i, ring in enumerate(polygon)]
    whole = tuple(ring for ring in rings if ring is not None)
    return whole if len(whole) == len(rings) else None


def _ring(ring: Any, name: str, complain: Complain) -> Ring | None:
    positions = _positions(ring, name, complain)
    if positions is None:
        return None
    if positions[0] != positions[-1]:
        complain(f"{name} is not closed: its last position must repeat the first, {_at(positions[0])}")
        return None
    if len(positions) < _RING_POSITIONS_MIN:
        complain(f"{name} has {len(positions)} positions: a closed ring has at least {_RING_POSITIONS_MIN}")
        return None
    return positions


def _positions(values: Any, name: str, complain: Complain) -> tuple[Position, ...] | None:
    """The (lon, lat) of a list of GeoJSON positions, altitudes dropped; complains of the first bad one."""
    if not isinstance(values, list) or not values:
        complain(f"{name} is empty: it has no positions")
        return None
    problem = next(_position_problems(values), None)
    if problem:
        complain(f"{name}: {problem}")
        return None
    return tuple((float(value[0]), float(value[1])) for value in values)


def _position_problems(values: Sequence[Any]) -> Iterator[str]:
    for number, value in enumerate(values, start=1):
        if not isinstance(value, list) or len(value) < 2 or not all(map(_is_number, value)):
            yield f"position {number} is {shown(value)}: expected [longitude, latitude]"
        elif not all(abs(v) < math.inf for v in value[:2]):  # NaN is less than nothing
            yield f"position {number} is {shown(value)}: longitude and latitude must be finite numbers"
        else:
            problem = _range_problem(value[0], value[1])
            if problem:
                yield f"position {number} is {shown(value)}: {problem}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _range_problem(lon: float, lat: float) -> str | None:
    if _looks_swapped(lon, lat):
        return "longitude and latitude look swapped (expected longitude first)"
    if abs(lon) > 180 or abs(lat) > 90:
        return "outside longitude ±180 or latitude ±90: positions are degrees, longitude first"
    return None


def _looks_swapped(lon: float, lat: float) -> bool:
    swapped_in_china = _CHINA_LON[0] <= lat <= _CHINA_LON[1] and _CHINA_LAT[0] <= lon <= _CHINA_LAT[1]
    return swapped_in_china or (90 < abs(lat) <= 180 and abs(lon) <= 90)


def _invalidity(polygons: Sequence[tuple[Ring, ...]]) -> str | None:
    """Why the outlines enclose no well-defined area, in a clerk's words and with the place, or None."""
    shapes = [shapely.Polygon(rings[0], rings[1:]) for rings in polygons]
    shape = shapes[0] if len(shapes) == 1 else shapely.MultiPolygon(shapes)
    reason = shapely.is_valid_reason(shape)
    if reason == "Valid Geometry":
        return None
    match = _REASON.match(reason)
    if match is None:
        return f"is not a valid area: {reason}"
    what = _REASONS.get(match["what"].strip(), f"is not a valid area: {match['what']}")
    return f"{what} near {_at((float(match['lon']), float(match['lat'])))}"


def _at(position: Position) -> str:
    return f"{position[0]:.6f}, {position[1]:.6f}"


def _converted(positions: tuple[Position, ...], crs: str) -> tuple[Position, ...]:
    if crs == "wgs84":
        return positions
    array = np.asarray(positions, dtype=np.float64)
    lon, lat = to_wgs84(array[:, 0], array[:, 1], crs)
    return tuple(zip(lon.tolist(), lat.tolist(), strict=True))
