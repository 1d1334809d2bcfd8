"""zones.geojson: features to zones.  A fault's line is the feature's number, its column the property."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from corrections_monitor.cases.faults import WHOLE_FILE, Fault, shown
from corrections_monitor.cases.layout import ZONES_FILE
from corrections_monitor.cases.text import read_text
from corrections_monitor.cases.zone_properties import Properties
from corrections_monitor.model.cases import Zone

_INTEGER_DIGITS_MAX = 18
_WGS84_NAMES = ("CRS84", "EPSG:4326", "EPSG::4326")


class _Collection(msgspec.Struct):
    """The top of the file; features stay text until their turn, for a city has a million of them."""

    features: list[msgspec.Raw]
    type: str
    crs: Any = None


@dataclass(frozen=True, slots=True)
class FeatureZone:
    """One feature: its number, what it says of itself (empty if nothing), the zone unless it is at fault."""

    number: int
    zone_id: str
    applies_to: str
    zone: Zone | None


def read_features(path: Path, faults: list[Fault]) -> Iterator[FeatureZone] | None:
    """The features of a zones file, or None when it is no feature collection; faults are noted."""
    text = read_text(path)
    if isinstance(text, Fault):
        faults.append(text)
        return None
    try:
        features = _raw_features(text, faults)
    except (msgspec.MsgspecError, RecursionError):
        features = _plain_features(text, faults)
    if features is None:
        return None
    return (parse_feature(number, value, faults) for number, value in enumerate(features, start=1))


def _raw_features(text: str, faults: list[Fault]) -> Iterator[Any] | None:
    collection = msgspec.json.decode(text, type=_Collection)
    raws = collection.features
    if not _is_collection(collection.type, collection.crs, faults):
        return None
    return (_decoded(raw) for raw in raws)


def _decoded(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.MsgspecError:
        return json.loads(bytes(raw), parse_int=_integer)  # numbers too large: refused further on, by name


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= _INTEGER_DIGITS_MAX else math.inf


def _plain_features(text: str, faults: list[Fault]) -> Iterator[Any] | None:
    """The same by the standard library, which says on which line JSON breaks and reads NaN."""
    try:
        document = json.loads(text, parse_int=_integer)
    except json.JSONDecodeError as error:
        message = f"is not JSON: {error.msg} at character {error.colno} of line {error.lineno}"
        faults.append(Fault(ZONES_FILE, error.lineno, WHOLE_FILE, message))
        return None
    except (RecursionError, ValueError):
        faults.append(
            Fault(ZONES_FILE, 1, WHOLE_FILE, "is not GeoJSON: nested too deeply or numbers too long")
        )
        return None
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        faults.append(Fault(ZONES_FILE, 1, WHOLE_FILE, "is not a GeoJSON FeatureCollection"))
        return None
    return iter(features) if _is_collection(document.get("type"), document.get("crs"), faults) else None


def _is_collection(kind: Any, crs: Any, faults: list[Fault]) -> bool:
    if kind != "FeatureCollection":
        faults.append(Fault(ZONES_FILE, 1, WHOLE_FILE, "is not a GeoJSON FeatureCollection"))
        return False
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if crs is not None and not (isinstance(name, str) and name.endswith(_WGS84_NAMES)):
        message = f"the file says its coordinates are {shown(name or crs)}: export it as WGS 84 (EPSG:4326)"
        faults.append(Fault(ZONES_FILE, 1, "crs", message))
    return True


def parse_feature(number: int, value: Any, faults: list[Fault]) -> FeatureZone:
    """One GeoJSON feature, decoded; what is wrong with it is noted."""
    before = len(faults)
    properties = value.get("properties") if isinstance(value, dict) else None
    if not isinstance(properties, dict) or value.get("type") != "Feature":
        faults.append(Fault(ZONES_FILE, number, WHOLE_FILE, "is not a GeoJSON Feature with properties"))
        return FeatureZone(number, "", "", None)
    zone = Properties(number, properties, faults).zone(value.get("geometry"))
    zone_id, applies_to = (str(properties.get(name) or "").strip() for name in ("zone_id", "applies_to"))
    return FeatureZone(number, zone_id, applies_to, zone if len(faults) == before else None)
