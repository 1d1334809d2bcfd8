"""Places in words: how far and in which direction, for messages that people read."""

from __future__ import annotations

import math
from typing import overload

import numpy as np
from numpy.typing import NDArray

from corrections_monitor.model.settings import Language

Degrees = NDArray[np.float64]
Metres = NDArray[np.float64]

EARTH_M = 6_371_008.8  # mean radius (2a + b) / 3 of WGS-84; within 0.56 % of the geodesic in any direction

_ZH = ("北", "东北", "东", "东南", "南", "西南", "西", "西北")
_EN = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


@overload
def haversine_m(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float: ...
@overload
def haversine_m(lon_a: Degrees, lat_a: Degrees, lon_b: Degrees, lat_b: Degrees) -> Metres: ...
@overload
def haversine_m(lon_a: Degrees, lat_a: Degrees, lon_b: float, lat_b: float) -> Metres: ...
@overload
def haversine_m(lon_a: float, lat_a: float, lon_b: Degrees, lat_b: Degrees) -> Metres: ...
def haversine_m(
    lon_a: float | Degrees, lat_a: float | Degrees, lon_b: float | Degrees, lat_b: float | Degrees
) -> float | Metres:
    """Great-circle distance in metres; degrees in, any shapes that broadcast.

    For words, speeds and simulations.  What decides about a person is ``ZoneIndex.signed_distance``,
    which knows the ellipsoid.
    """
    phi_a, phi_b = np.radians(lat_a), np.radians(lat_b)
    north = np.sin((phi_b - phi_a) * 0.5) ** 2
    east = np.sin(np.radians(np.subtract(lon_b, lon_a)) * 0.5) ** 2
    far = 2.0 * EARTH_M * np.arcsin(np.sqrt(np.clip(north + np.cos(phi_a) * np.cos(phi_b) * east, 0.0, 1.0)))
    return far if isinstance(far, np.ndarray) else float(far)


def bearing_deg(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Compass bearing from a to b, degrees clockwise from north, 0 ≤ bearing < 360."""
    phi_a, phi_b, east = math.radians(lat_a), math.radians(lat_b), math.radians(lon_b - lon_a)
    across = math.sin(east) * math.cos(phi_b)
    along = math.cos(phi_a) * math.sin(phi_b) - math.sin(phi_a) * math.cos(phi_b) * math.cos(east)
    return math.degrees(math.atan2(across, along)) % 360.0


def compass(bearing: float, language: Language = Language.ZH) -> str:
    """The nearest of the eight winds: ``东北`` or ``north-east``."""
    return (_ZH if language is Language.ZH else _EN)[round(bearing / 45.0) % 8]


def distance_text(distance_m: float, language: Language = Language.ZH) -> str:
    """``350 米``, ``1.2 公里``: no false precision; whole metres only below 100 m."""
    metre, kilometre = ("米", "公里") if language is Language.ZH else ("m", "km")
    if distance_m < 100:
        return f"{distance_m:.0f} {metre}"
    if distance_m < 995:
        return f"{round(distance_m, -1):.0f} {metre}"
    if distance_m < 99_950:
        return f"{distance_m / 1000:.1f} {kilometre}"
    return f"{distance_m / 1000:.0f} {kilometre}"


def direction_text(
    lon_a: float, lat_a: float, lon_b: float, lat_b: float, language: Language = Language.ZH
) -> str:
    """Where b lies as seen from a: ``东北方向 1.2 公里``, ``1.2 km north-east``.

    Nearer than 10 m no direction can be told: ``此处``, ``here``.
    """
    distance = haversine_m(lon_a, lat_a, lon_b, lat_b)
    if distance < 10:
        return "此处" if language is Language.ZH else "here"
    wind = compass(bearing_deg(lon_a, lat_a, lon_b, lat_b), language)
    if language is Language.ZH:
        return f"{wind}方向 {distance_text(distance, language)}"
    return f"{distance_text(distance, language)} {wind}"
