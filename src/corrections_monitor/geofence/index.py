"""``ZoneIndex``: every zone stored once, asked for many points at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corrections_monitor.geofence.circles import Circles
from corrections_monitor.geofence.grids import Grids
from corrections_monitor.geofence.outlines import Lists, Outlines, Reference
from corrections_monitor.model.cases import Area, Circle, Corridor, Shape

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]

_NO_EDGES = -1  # a circle's
_GRID_EDGES = 32  # with fewer, asking every edge costs about as little as finding a leaf and its few


class ZoneIndex:
    """An immutable index of shapes, numbered as they are given.

    A zone costs its own size once, however many persons it applies to: a circle 36 bytes, a polygon 32 a
    corner, and about 400 a corner where it has many and so a grid.  Grids are most of what building costs;
    ``previous``, an index of nearly the same shapes, lends its own when all shapes of many edges are
    still the same (homes change daily, districts hardly ever).

    Raises ValueError, with its number, for an area or line without an edge.
    """

    def __init__(self, shapes: Sequence[Shape], previous: ZoneIndex | None = None) -> None:
        edges = np.fromiter(map(_edges, shapes), np.int64, len(shapes))
        if (edges == 0).any():
            raise ValueError(f"shape {int(np.argmin(edges))} has no edge")
        circles = [s for s in shapes if isinstance(s, Circle)]
        plain = [s for s in shapes if not isinstance(s, Circle) and _edges(s) < _GRID_EDGES]
        gridded = [s for s in shapes if not isinstance(s, Circle) and _edges(s) >= _GRID_EDGES]
        self._circles = Circles(circles)
        self._plain = Outlines(plain)
        lender = previous if previous is not None and previous._gridded_shapes == gridded else None
        self._gridded_shapes: list[Area | Corridor] = lender._gridded_shapes if lender else gridded
        self._gridded: Outlines = lender._gridded if lender else Outlines(gridded)
        self._grids: Grids = lender._grids if lender else Grids(self._gridded)
        # Where a shape lives: circles are counted first, then plain outlines, then those with a grid.
        self._first_plain = len(circles)
        self._first_gridded = len(circles) + len(plain)
        kind = np.where(edges == _NO_EDGES, 0, np.where(edges < _GRID_EDGES, 1, 2))
        self._slot = np.empty(len(shapes), np.int32)
        self._slot[np.argsort(kind, kind="stable")] = np.arange(len(shapes))

    def __len__(self) -> int:
        return len(self._slot)

    @property
    def nbytes(self) -> int:
        """Memory held, bytes; without the shapes themselves, which the cases hold."""
        parts = (self._slot, self._circles, self._plain, self._gridded, self._grids)
        return sum(part.nbytes for part in parts)

    def signed_distance(self, shape: I32, lon: F64, lat: F64, reach_m: float = math.inf) -> F64:
        """Metres from each point to the boundary of its shape: negative inside, positive outside.

        ``shape`` [n] numbers of shapes, ``lon``, ``lat`` [n] WGS-84 degrees, finite.  Where the distance
        is larger than ``reach_m`` the answer may be ±``reach_m`` instead; the sign is always right.
        Right to 0.5 % or 1 m, whichever is more, at the latitudes of China.  A small reach is much
        cheaper: ask for no more than decides anything.
        """
        slot = self._slot.take(shape)
        out = np.empty(len(slot))
        rows = np.flatnonzero(slot < self._first_plain)
        out[rows] = self._circles.signed_distance(slot[rows], lon[rows], lat[rows])
        rows = np.flatnonzero((slot >= self._first_plain) & (slot < self._first_gridded))
        out[rows] = _to_plain(self._plain, slot[rows] - self._first_plain, lon[rows], lat[rows], reach_m)
        rows = np.flatnonzero(slot >= self._first_gridded)
        out[rows] = self._to_gridded(slot[rows] - self._first_gridded, lon[rows], lat[rows], reach_m)
        return out

    def _to_gridded(self, outline: I32, lon: F64, lat: F64, reach_m: float) -> F64:
        out = np.empty(len(outline))
        leaf = self._grids.locate(outline, lon, lat)
        rows = np.flatnonzero(leaf < 0)
        out[rows] = _to_plain(self._gridded, outline[rows], lon[rows], lat[rows], reach_m)
        rows = np.flatnonzero(leaf >= 0)
        out[rows] = self._by_leaf(outline[rows], leaf[rows], lon[rows], lat[rows], reach_m)
        return out

    def _by_leaf(self, outline: I32, leaf: I32, lon: F64, lat: F64, reach_m: float) -> F64:
        """The side of a leaf settles what is out of reach, and is the side of all points in it that no
        edge passes through; only for the others is the side asked of the edges."""
        low_m = self._grids.low_m.take(leaf).astype(np.float64)
        out: F64 = np.copysign(reach_m, low_m)
        rows = np.flatnonzero(low_m == 0.0)
        of = leaf[rows]
        lists, reference = self._grids.lists(of), self._grids.reference(of)
        out[rows] = _asked(self._gridded, outline[rows], lists, reference, lon[rows], lat[rows])
        rows = np.flatnonzero((low_m != 0.0) & (np.abs(low_m) < reach_m))
        distance = self._gridded.distance(self._grids.lists(leaf[rows]), lon[rows], lat[rows])
        out[rows] = self._gridded.signed(outline[rows], distance, low_m[rows] < 0.0)
        return out


def _edges(shape: Shape) -> int:
    """How many edges a shape has."""
    if isinstance(shape, Circle):
        return _NO_EDGES
    if isinstance(shape, Corridor):
        return len(shape.line) - 1
    return sum(len(ring) - 1 for polygon in shape.polygons for ring in polygon)


def _to_plain(outlines: Outlines, outline: I32, lon: F64, lat: F64, reach_m: float) -> F64:
    """Signed distances by every edge of the outlines whose boxes are within reach."""
    out = np.full(len(outline), reach_m)
    low_m = outlines.at_least_m(outline, lon, lat)
    near = np.flatnonzero((low_m < reach_m) | (low_m <= 0.0))
    of = outline[near]
    out[near] = _asked(outlines, of, outlines.lists(of), outlines.outside(of), lon[near], lat[near])
    return out


def _asked(outlines: Outlines, outline: I32, lists: Lists, reference: Reference, lon: F64, lat: F64) -> F64:
    distance, inside = outlines.distance_and_side(lists, reference, lon, lat)
    return outlines.signed(outline, distance, inside)
