"""Where somebody was last, in words that an officer can drive to (方位描述): district, then distance and
bearing from home or from the zone in question.

For reading only.  What decides about a person is ``geofence.ZoneIndex``, which knows the ellipsoid.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from shapely import Point, Polygon, union_all

from corrections_monitor.geofence.index import ZoneIndex
from corrections_monitor.geofence.place import direction_text, distance_text, haversine_m
from corrections_monitor.model.cases import Area, Circle, Corridor, Shape, Zone, ZoneKind
from corrections_monitor.model.settings import Language
from corrections_monitor.model.times import DAY_MS, from_ms
from corrections_monitor.rules.phrases import WORDS


@dataclass(frozen=True, slots=True)
class Position:
    """The newest fix: WGS-84 degrees, 68 % radius in metres, event time."""

    lon: float
    lat: float
    acc_m: float
    at_ms: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a place is told by: the person's own zones, the zone of the matter first where there is one,
    and the districts of the offices."""

    zones: tuple[Zone, ...] = ()
    districts: tuple[Zone, ...] = ()


def surroundings(
    zones: Iterable[Zone], person_id: str, offices: Collection[str], zone_id: str | None
) -> Surroundings:
    """Sort out zones: an inclusion area that applies to an office is a district."""
    own: list[Zone] = []
    districts: list[Zone] = []
    for zone in zones:
        if zone.applies_to in offices and zone.kind is ZoneKind.INCLUSION and isinstance(zone.shape, Area):
            districts.append(zone)
        elif zone.zone_id == zone_id or (zone.applies_to == person_id and zone.kind is ZoneKind.INCLUSION):
            own.append(zone)
    own.sort(key=lambda zone: (zone.zone_id != zone_id, zone.zone_id))
    return Surroundings(tuple(own), tuple(districts))


def where_text(
    position: Position, around: Surroundings, language: Language, zone: ZoneInfo, now_ms: int
) -> str:
    """``双台子区辖区，“住所”东北方向 1.2 公里（03:12 定位，4 分钟前，误差约 10 米）``."""
    words = WORDS[language]
    parts = [_district(position, around.districts, language), _from_anchor(position, around.zones, language)]
    named = words["comma"].join(part for part in parts if part)
    told = named or f"{position.lat:.5f}, {position.lon:.5f}"
    at = from_ms(position.at_ms, zone).strftime(
        "%H:%M" if now_ms - position.at_ms < DAY_MS else "%m-%d %H:%M"
    )
    sure = words["fix"].format(
        at, age_text(now_ms - position.at_ms, language), distance_text(position.acc_m, language)
    )
    return told + sure


def age_text(age_ms: int, language: Language) -> str:
    """``4 分钟前``, ``3 小时前``, ``2 天前``; what is not a minute old is just now."""
    words, age_min = WORDS[language], max(age_ms, 0) // 60_000
    if age_min < 1:
        return words["just now"]
    if age_min < 120:
        return words["minutes ago"].format(age_min)
    return words["hours ago" if age_min < 2_880 else "days ago"].format(
        age_min // (60 if age_min < 2_880 else 1_440)
    )


def _district(position: Position, districts: Sequence[Zone], language: Language) -> str:
    for district in districts:
        if _inside(district.shape, position):
            return district.name
    return WORDS[language]["beyond"].format(districts[0].name) if districts else ""


def _from_anchor(position: Position, zones: Sequence[Zone], language: Language) -> str:
    words = WORDS[language]
    for zone in zones:
        if _inside(zone.shape, position):
            return words["inside"].format(zone.name)
    if not zones:
        return ""
    lon, lat = _middle(zones[0].shape, position)
    return words["from"].format(zones[0].name, direction_text(lon, lat, position.lon, position.lat, language))


def _inside(shape: Shape, position: Position) -> bool:
    match shape:
        case Circle(lon, lat, radius_m):
            return haversine_m(lon, lat, position.lon, position.lat) <= radius_m
        case Area():
            return bool(_polygons(shape).covers(Point(position.lon, position.lat)))
        case Corridor():
            here = np.array([position.lon]), np.array([position.lat])
            return bool(ZoneIndex([shape]).signed_distance(np.zeros(1, np.int32), *here)[0] <= 0.0)


def _middle(shape: Shape, position: Position) -> tuple[float, float]:
    match shape:
        case Circle(lon, lat, _):
            return lon, lat
        case Area():
            middle = _polygons(shape).centroid
            return middle.x, middle.y
        case Corridor(line, _):
            return min(line, key=lambda p: haversine_m(p[0], p[1], position.lon, position.lat))


def _polygons(area: Area) -> Polygon:
    return union_all([Polygon(shell, holes) for shell, *holes in area.polygons])
