"""Areas and corridors as edges: packed once, asked exactly.

An ``Outlines`` holds the edges of many shapes one after the other, [edges, 4] (ax, ay, bx, by), with a
start per shape.  Asked are rows: a point, a list of edges that is sure to hold the nearest one and every
one that the line to the reference crosses, and the reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corrections_monitor.geofence.metric import M_PER_DEG_LAT_MIN, Scale, scale
from corrections_monitor.geofence.segments import FAR_M, crosses, far_m, square_m2
from corrections_monitor.model.cases import Area, Corridor

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

_EDGES_AT_ONCE = 1 << 14  # so that a step's columns (128 KiB each) stay in the second-level cache

_BOX_SLACK = 0.02  # what flat reckoning may overrate a distance across half of China


class Lists(NamedTuple):
    """Per row the first and the number (≥ 1) of its ``entries``, which are numbers of edges; without
    ``entries`` the edges themselves are numbered."""

    first: I64
    number: I64
    entries: I32 | None = None


class Reference(NamedTuple):
    """Per row a point, degrees, and whether it is inside the row's shape."""

    lon: F64
    lat: F64
    inside: Bools


class Outlines:
    """The edges of ``shapes``; ``start`` [n + 1] bounds each one's.  ``half_width_m`` is 0 for areas.

    ``box`` [n, 4] is west, south, east, north in degrees.  Every shape has an edge.
    """

    def __init__(self, shapes: Sequence[Area | Corridor]) -> None:
        self.edges, self.start = _pack(shapes)
        self.half_width_m = np.array(
            [s.width_m * 0.5 if isinstance(s, Corridor) else 0.0 for s in shapes], np.float64
        )
        self.closed = np.array([isinstance(s, Area) for s in shapes], np.bool_)
        first, e = self.start[:-1], self.edges
        low = np.minimum.reduceat(np.minimum(e[:, :2], e[:, 2:]), first) if len(e) else np.empty((0, 2))
        high = np.maximum.reduceat(np.maximum(e[:, :2], e[:, 2:]), first) if len(e) else np.empty((0, 2))
        self.box: F64 = np.hstack([low, high])
        # One degree beyond the box a degree of longitude is shorter still: good for any reach up to 110 km.
        self._kx_low = scale(np.minimum(np.abs(self.box[:, 1::2]).max(axis=1, initial=0.0) + 1.0, 90.0)).kx

    def __len__(self) -> int:
        return len(self.closed)

    @property
    def nbytes(self) -> int:
        return sum(a.nbytes for a in (self.edges, self.start, self.half_width_m, self.closed, self.box))

    def at_least_m(self, shape: I32, lon: F64, lat: F64) -> F64:
        """A lower bound, metres, of how far outside the shapes points are; negative where it says nothing."""
        box = self.box.take(shape, axis=0)
        north = np.maximum(np.maximum(box[:, 1] - lat, lat - box[:, 3]), 0.0) * M_PER_DEG_LAT_MIN
        east = np.maximum(np.maximum(box[:, 0] - lon, lon - box[:, 2]), 0.0) * self._kx_low.take(shape)
        # Farther north or south the meridians may run closer than at one degree beyond the box.
        near = north < M_PER_DEG_LAT_MIN
        away = np.where(near, np.sqrt(north * north + east * east) * (1.0 - _BOX_SLACK), north)
        return away - self.half_width_m.take(shape)

    def lists(self, shape: NDArray[np.integer[Any]]) -> Lists:
        """Every edge of the shapes."""
        first = self.start.take(shape)
        return Lists(first, self.start[1:].take(shape) - first)

    def outside(self, shape: NDArray[np.integer[Any]]) -> Reference:
        """A point outside each of the shapes, off the lines that their edges are likely to lie on."""
        box = self.box.take(shape, axis=0)
        return Reference(
            box[:, 0] - 0.0137 * np.pi, box[:, 1] - 0.0071 * np.e, np.zeros(len(shape), np.bool_)
        )

    def distance(self, lists: Lists, lon: F64, lat: F64) -> F64:
        """Metres to the nearest of the edges listed for each point; all length n, degrees."""
        at = scale(lat)
        square = np.empty(len(lon))
        for lo, hi in _portions(lists.number):
            row, edge, begin = self._listed(lists, lo, hi)
            here = Scale(at.kx.take(row), at.ky.take(row), at.kx1.take(row))
            square[lo:hi] = np.minimum.reduceat(square_m2(edge, lon.take(row), lat.take(row), here), begin)
        return self._far_corrected(np.sqrt(square), lists, lon, lat)

    def distance_and_side(self, lists: Lists, reference: Reference, lon: F64, lat: F64) -> tuple[F64, Bools]:
        """``distance``, and whether points are inside, by what is listed between them and a reference."""
        at = scale(lat)
        square, inside = np.empty(len(lon)), reference.inside.copy()
        for lo, hi in _portions(lists.number):
            row, edge, begin = self._listed(lists, lo, hi)
            x, y = lon.take(row), lat.take(row)
            here = Scale(at.kx.take(row), at.ky.take(row), at.kx1.take(row))
            square[lo:hi] = np.minimum.reduceat(square_m2(edge, x, y, here), begin)
            crossed = crosses(edge, x, y, reference.lon.take(row), reference.lat.take(row))
            inside[lo:hi] ^= np.logical_xor.reduceat(crossed, begin)
        return self._far_corrected(np.sqrt(square), lists, lon, lat), inside

    def _far_corrected(self, distance: F64, lists: Lists, lon: F64, lat: F64) -> F64:
        """The distances, those beyond ``FAR_M`` found again by a formula that is good for them."""
        far = np.flatnonzero(distance > FAR_M)
        some = Lists(lists.first[far], lists.number[far], lists.entries)
        for lo, hi in _portions(some.number):
            row, edge, begin = self._listed(some, lo, hi)
            distance[far[lo:hi]] = np.minimum.reduceat(far_m(edge, lon[far[row]], lat[far[row]]), begin)
        return distance

    def signed(self, shape: I32, distance: F64, inside: Bools) -> F64:
        """Distances to outlines as distances to boundaries, negative inside; for a corridor ``inside``,
        what its line would enclose, means nothing."""
        area = inside & self.closed.take(shape)
        return np.where(area, -distance, distance) - self.half_width_m.take(shape)

    def _listed(self, lists: Lists, lo: int, hi: int) -> tuple[I64, F64, I64]:
        """The rows lo … hi - 1, each repeated for its edges; the edges, [n, 4]; where each row's begin."""
        number = lists.number[lo:hi]
        begin = np.cumsum(number) - number
        row = np.repeat(np.arange(lo, hi), number)
        entry = np.arange(len(row)) + np.repeat(lists.first[lo:hi] - begin, number)
        edge = entry if lists.entries is None else lists.entries.take(entry)
        return row, self.edges.take(edge, axis=0), begin


def _pack(shapes: Sequence[Area | Corridor]) -> tuple[F64, I64]:
    """Edges [e, 4] of all rings and lines, and the start of each shape's, [n + 1]."""
    paths: list[tuple[tuple[float, float], ...]] = []
    owner: list[int] = []
    for number, shape in enumerate(shapes):
        lines = (shape.line,) if isinstance(shape, Corridor) else tuple(chain.from_iterable(shape.polygons))
        paths.extend(lines)
        owner.extend([number] * len(lines))
    length = np.fromiter(map(len, paths), np.int64, len(paths))
    flat = np.fromiter(chain.from_iterable(chain.from_iterable(paths)), np.float64, 2 * int(length.sum()))
    point = flat.reshape(-1, 2)
    last = np.zeros(len(point), np.bool_)
    last[np.cumsum(length) - 1] = True
    of_shape = np.repeat(np.array(owner, np.int64), length)
    begin = np.flatnonzero(~last)
    edges = np.hstack([point[begin], point[begin + 1]])
    start = np.zeros(len(shapes) + 1, np.int64)
    np.cumsum(np.bincount(of_shape[begin], minlength=len(shapes)), out=start[1:])
    return edges, start


def _portions(count: I64) -> Iterator[tuple[int, int]]:
    """Cut rows into runs of about ``_EDGES_AT_ONCE`` edges, at least one row each."""
    total = np.cumsum(count)
    lo = 0
    while lo < len(count):
        done = int(total[lo - 1]) if lo else 0
        hi = max(lo + 1, int(np.searchsorted(total, done + _EDGES_AT_ONCE, side="right")))
        yield lo, hi
        lo = hi
