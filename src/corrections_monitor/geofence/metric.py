"""Metres from degrees on the WGS-84 ellipsoid: near (mid-latitude formula) and at any distance (chord).

Near: with M and N the radii of curvature along and across the meridian, a step of (dx, dy) degrees from
latitude φ is, by the mid-latitude formula,

    d² = (kx(φ + dy/2) · dx)² + (ky · dy)²,    kx = N cos φ · π/180,  ky = M · π/180.

d(N cos φ)/dφ is exactly −M sin φ, so kx at the middle is a short series about the query's own latitude and
needs no sine per edge.  What is left out is about d²/24R² · tan²φ, and the change of M (1 % from equator
to pole).

At any distance: the straight chord c through the ellipsoid between two surface points, bent back into an
arc 2R·asin(c/2R).  R enters only through c³/24R², so that one R for all directions is enough.

Measured against geodesics (Karney) between 18° and 54° north: near 0.008 % at 100 km, 0.06 % at 500 km,
1.1 % at 2,000 km; chord 0.01 m at 100 km, 1.3 m at 500 km, 0.014 % at 4,000 km.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

AXIS_M = 6_378_137.0
ECC2 = (2.0 - 1.0 / 298.257223563) / 298.257223563
ARC_RADIUS_M = 6_371_000.0  # anything between M and N does; see above
M_PER_DEG_LAT_MIN = 110_574.0  # ky at the equator, its least
_RAD = np.pi / 180.0
MIDDLE = 0.5 * _RAD * _RAD  # −(d²kx/dφ²)/2 over kx, per square degree, with M/N taken as 1


class Scale(NamedTuple):
    """Metres per degree about some latitudes; three arrays of one shape."""

    kx: F64  # per degree of longitude
    ky: F64  # per degree of latitude
    kx1: F64  # change of kx per degree of latitude


def scale(lat: F64) -> Scale:
    """The scales at latitudes in degrees."""
    phi = lat * _RAD
    sin = np.sin(phi)
    bend = 1.0 - ECC2 * sin * sin
    across = (AXIS_M * _RAD) / np.sqrt(bend)
    ky = across * (1.0 - ECC2) / bend
    return Scale(across * np.cos(phi), ky, ky * sin * -_RAD)


def from_axis_m(lat: F64) -> tuple[F64, F64]:
    """Distance from the earth's axis and height above the equator's plane of surface points, metres."""
    sin = np.sin(lat * _RAD)
    across = AXIS_M / np.sqrt(1.0 - ECC2 * sin * sin)
    return across * np.cos(lat * _RAD), across * sin * (1.0 - ECC2)


def arc_m(lon_a: F64, axis_a: F64, height_a: F64, lon_b: F64, axis_b: F64, height_b: F64) -> F64:
    """Distance in metres of points given by longitude (degrees) and ``from_axis_m``; shapes broadcast."""
    turn = np.sin((lon_b - lon_a) * (0.5 * _RAD))
    along, up = axis_b - axis_a, height_b - height_a
    chord = np.sqrt(along * along + up * up + 4.0 * axis_a * axis_b * turn * turn)
    return 2.0 * ARC_RADIUS_M * np.arcsin(np.minimum(chord * (0.5 / ARC_RADIUS_M), 1.0))
