"""Which edges matter in which cell of a grid: found by halving cells, children asking parents' edges only.

Of a cell with a reference point r and a radius h (no point of the cell is farther from r), let m be the
distance of r to the outline.  The edge nearest to any q in the cell is at most m + h from q, hence at most
m + 2h from r: only edges within m + 2h of r are kept.  An edge that passes through the cell is within h of
r and so always kept; the side of r being known, the line q–r and the kept edges give the side of q.  And
no point of the cell is nearer to the outline than m − h: where that is positive, the whole cell lies on
r's side.

Distances are taken in the scale at r here, in the scale at q when asked.  Within D of the cell the two
differ by no more than a factor 1 ± η with η = tan φ · (h + D)/R; every bound is widened by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from corrections_monitor.geofence.metric import ARC_RADIUS_M, Scale, scale
from corrections_monitor.geofence.outlines import Outlines
from corrections_monitor.geofence.segments import crosses, square_m2

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
Bools = NDArray[np.bool_]

# r stands off the middle of its cell, so that it does not lie on the lines people draw.
_OFF_X, _OFF_Y = 0.5 + 0.0137 / np.pi, 0.5 - 0.0071 * np.pi
_REACH_X, _REACH_Y = max(_OFF_X, 1 - _OFF_X), max(_OFF_Y, 1 - _OFF_Y)
_BEYOND_BOUNDS = 0.3  # an η this large (1,000 km, or near a pole) proves nothing: keep every edge
_FEW = 8  # edges: a cell with so few is not worth halving
_DEEP_M = 10_000.0  # a cell so far from the outline is seldom asked for more than its side


@dataclass(frozen=True)
class Cells:
    """Cells of one level: grid, column and row; r and whether it is inside; the edges, flat, ``count`` of
    each cell; and a lower bound in metres for the distance of any of its points to the outline."""

    grid: I64
    column: I64
    row: I64
    ref_x: F64
    ref_y: F64
    inside: Bools
    count: I64
    edge: I32
    low_m: F64

    def those(self, chosen: Bools) -> Cells:
        """Some of the cells."""
        of_edge = np.repeat(chosen, self.count)
        return Cells(*(getattr(self, f.name)[of_edge if f.name == "edge" else chosen] for f in fields(self)))


def refined(outlines: Outlines, shape: I64, corner: F64, size: F64, bits: I64) -> Iterator[tuple[int, Cells]]:
    """The cells of grids over ``shape`` [n] that need no halving, each with the number of halvings left.

    ``corner``, ``size`` in degrees and ``bits`` (of columns and rows of the finest cells) are [n, 2]; the
    larger of a grid's bits is the same for all.  A cell with ``left`` halvings left stands for
    ``1 << min(left, bits)`` columns and rows of finest cells.
    """
    first, count, _ = outlines.lists(shape)
    zero = np.zeros(len(shape), np.int64)
    cells = Cells(
        np.arange(len(shape)),
        zero,
        zero,
        *outlines.outside(shape),
        count,
        ranges(first, count).astype(np.int32),
        np.zeros(len(shape)),
    )
    for left in range(int(bits.max()), -1, -1):
        step = size / (1 << np.maximum(bits - left, 0))
        cells = _split(outlines.edges, cells, 1 + (bits > left), corner, step)
        done = (cells.count <= _FEW) | (cells.low_m > _DEEP_M) | (left == 0)
        yield left, cells.those(done)
        cells = cells.those(~done)
        if not len(cells.grid):
            return


def _split(edges: F64, parents: Cells, by: I64, corner: F64, step: F64) -> Cells:
    """Cut every cell into ``by`` columns and rows; all arrays per grid, [n, 2]."""
    children = by.prod(axis=1)[parents.grid]
    parent = np.repeat(np.arange(len(children)), children)
    nth = ranges(np.zeros_like(children), children)
    grid = parents.grid[parent]
    column = parents.column[parent] * by[grid, 0] + nth % by[grid, 0]
    row = parents.row[parent] * by[grid, 1] + nth // by[grid, 0]
    x = corner[grid, 0] + (column + _OFF_X) * step[grid, 0]
    y = corner[grid, 1] + (row + _OFF_Y) * step[grid, 1]
    here = scale(y)

    count = parents.count[parent]
    begin = np.cumsum(count) - count
    of_cell = np.repeat(np.arange(len(count)), count)
    edge = parents.edge[ranges((np.cumsum(parents.count) - parents.count)[parent], count)]
    at = edges.take(edge, axis=0)
    square = square_m2(at, x[of_cell], y[of_cell], Scale(*(column_[of_cell] for column_ in here)))
    inside = parents.inside[parent] ^ _odd_crossings(at, square, of_cell, x, y, here, parents, parent)

    low_m, high_m = _bounds(np.sqrt(np.minimum.reduceat(square, begin)), here, y, step[grid])
    keep = square <= (high_m * high_m)[of_cell]
    kept = np.add.reduceat(keep, begin, dtype=np.int64)
    return Cells(grid, column, row, x, y, inside, kept, edge[keep], low_m)


def _odd_crossings(
    edges: F64, square: F64, of_cell: I64, x: F64, y: F64, here: Scale, parents: Cells, parent: I64
) -> Bools:
    """Whether a cell's r lies on the other side of the outline than its parent's.  Only edges that are no
    farther than the parent's r can lie between (a tenth more, for the scales differ)."""
    to_x, to_y = parents.ref_x[parent], parents.ref_y[parent]
    jump = 1.1 * np.hypot((to_x - x) * here.kx, (to_y - y) * here.ky)
    near = np.flatnonzero(square <= (jump * jump)[of_cell])
    cell = of_cell[near]
    crossed = crosses(edges[near], x[cell], y[cell], to_x[cell], to_y[cell])
    odd: Bools = np.bincount(cell[crossed], minlength=len(x)) % 2 == 1
    return odd


def _bounds(m: F64, here: Scale, ref_y: F64, step: F64) -> tuple[F64, F64]:
    """m − h and m + 2h of the module's text, widened by η; metres."""
    h = np.hypot(_REACH_X * step[:, 0] * here.kx, _REACH_Y * step[:, 1] * here.ky)
    away = (m + 3.0 * h) / ARC_RADIUS_M
    steep = np.tan(np.minimum(np.abs(np.radians(ref_y)) + away, 1.5))
    eta = away * (steep + 0.02)  # 0.02: the change of the meridian's own curvature
    proves = eta < _BEYOND_BOUNDS
    low = np.where(proves, np.maximum((m - h) * (1.0 - 2.0 * eta) * 0.9999, 0.0), 0.0)
    high = np.where(proves, (h + (m + h) * (1.0 + 3.0 * eta)) * 1.0001, np.inf)
    return low, high


def ranges(first: I64, count: I64) -> I64:
    """``first[0], first[0] + 1, …`` (``count[0]`` of them), then those of the next, and so on."""
    begin = np.cumsum(count) - count
    every: I64 = np.arange(int(count.sum())) + np.repeat(first - begin, count)
    return every
