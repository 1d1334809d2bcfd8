"""GCJ-02 (火星坐标) and BD-09 (百度坐标) to WGS-84 and back.

Chinese web maps show positions shifted by 100–700 m.  The shift of GCJ-02 is a published polynomial with
sines on the Krasovsky 1940 ellipsoid; BD-09 turns and scales GCJ-02 once more.  Neither has a closed
inverse, and the one-step inverse found in many libraries is up to 5 m off.  Both shifts change by less
than 3 % of a step (BD-09: 3e-6 rad · 52.4 per degree · ~130 degrees = 2 %), so the fixed point
``w ← w + (wanted − forward(w))`` gains at least one and a half digits a turn.

Outside the usual box around China nothing is shifted: so do all GCJ-02 libraries, and Baidu says of its
own coordinates that they are WGS-84 abroad (lbs.baidu.com/faq/api?title=androidsdk/guide/tool/coordinate).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import overload

import numpy as np
from numpy.typing import NDArray

Degrees = NDArray[np.float64]
_Shift = Callable[[Degrees, Degrees], tuple[Degrees, Degrees]]

CRS_NAMES = ("wgs84", "gcj02", "bd09")

_AXIS_M = 6_378_245.0  # Krasovsky 1940
_ECC2 = 0.00669342162296594323
_BD_WAVE = np.pi * 3000.0 / 180.0  # per degree
_BD_LON, _BD_LAT = 0.0065, 0.006
_BOX_LON = (72.004, 137.8347)
_BOX_LAT = (0.8293, 55.8271)
_TURNS = 12  # 0.03^12 < 1e-18 of a shift of 0.01 degrees: at the last bit with room to spare


@overload
def to_wgs84(lon: float, lat: float, crs: str) -> tuple[float, float]: ...
@overload
def to_wgs84(lon: Degrees, lat: Degrees, crs: str) -> tuple[Degrees, Degrees]: ...
def to_wgs84(
    lon: float | Degrees, lat: float | Degrees, crs: str
) -> tuple[float, float] | tuple[Degrees, Degrees]:
    """Positions in ``crs`` (``wgs84``, ``gcj02``, ``bd09``) as WGS-84; degrees in and out, any one shape.

    The result taken through ``from_wgs84`` gives the input back to below 1e-9 degrees (0.1 mm), also at
    the edge of the box where a shift begins.  NaN stays NaN.  Raises ValueError for an unknown ``crs``.
    """
    return _through(_unshifted, lon, lat, crs)


@overload
def from_wgs84(lon: float, lat: float, crs: str) -> tuple[float, float]: ...
@overload
def from_wgs84(lon: Degrees, lat: Degrees, crs: str) -> tuple[Degrees, Degrees]: ...
def from_wgs84(
    lon: float | Degrees, lat: float | Degrees, crs: str
) -> tuple[float, float] | tuple[Degrees, Degrees]:
    """WGS-84 positions in ``crs``; shapes, units and errors as ``to_wgs84``."""
    return _through(_shifted, lon, lat, crs)


def _through(
    move: Callable[[_Shift, Degrees, Degrees], tuple[Degrees, Degrees]],
    lon: float | Degrees,
    lat: float | Degrees,
    crs: str,
) -> tuple[float, float] | tuple[Degrees, Degrees]:
    if crs not in CRS_NAMES:
        raise ValueError(f"unknown coordinate system {crs!r}: expected one of {', '.join(CRS_NAMES)}")
    x, y = np.broadcast_arrays(np.asarray(lon, np.float64), np.asarray(lat, np.float64))
    if crs == "wgs84":
        moved = x.copy(), y.copy()
    else:
        moved = move(_gcj02 if crs == "gcj02" else _bd09, x, y)
    return moved if moved[0].ndim else (float(moved[0]), float(moved[1]))


def _shifted(shift: _Shift, lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    return _where_in_china(lon, lat, shift(lon, lat), (lon, lat))


def _unshifted(shift: _Shift, lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """The WGS-84 position in the box that is shifted to (lon, lat); where there is none, (lon, lat)."""
    x, y = lon, lat
    for _ in range(_TURNS):
        to_lon, to_lat = shift(x, y)
        x, y = x + (lon - to_lon), y + (lat - to_lat)
    return _where_in_china(x, y, (x, y), (lon, lat))


def _where_in_china(
    lon: Degrees, lat: Degrees, inside: tuple[Degrees, Degrees], outside: tuple[Degrees, Degrees]
) -> tuple[Degrees, Degrees]:
    box = (lon >= _BOX_LON[0]) & (lon <= _BOX_LON[1]) & (lat >= _BOX_LAT[0]) & (lat <= _BOX_LAT[1])
    return np.where(box, inside[0], outside[0]), np.where(box, inside[1], outside[1])


def _gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """WGS-84 to GCJ-02, as published; metres of shift turned into degrees on the ellipsoid."""
    x, y = lon - 105.0, lat - 35.0
    ripple = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    root = np.sqrt(np.abs(x))
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north_m += (ripple + 20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi / 3.0 * y)) * (2.0 / 3.0)
    north_m += (160.0 * np.sin(np.pi / 12.0 * y) + 320.0 * np.sin(np.pi / 30.0 * y)) * (2.0 / 3.0)
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east_m += (ripple + 20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi / 3.0 * x)) * (2.0 / 3.0)
    east_m += (150.0 * np.sin(np.pi / 12.0 * x) + 300.0 * np.sin(np.pi / 30.0 * x)) * (2.0 / 3.0)
    phi = np.radians(lat)
    bend = 1.0 - _ECC2 * np.sin(phi) ** 2
    meridian_m = _AXIS_M * (1.0 - _ECC2) / (bend * np.sqrt(bend))
    parallel_m = _AXIS_M / np.sqrt(bend) * np.cos(phi)
    return lon + np.degrees(east_m / parallel_m), lat + np.degrees(north_m / meridian_m)


def _bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """WGS-84 to BD-09, by way of GCJ-02."""
    x, y = _gcj02(lon, lat)
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * _BD_WAVE)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BD_WAVE)
    return radius * np.cos(angle) + _BD_LON, radius * np.sin(angle) + _BD_LAT
