"""A grid over each outline: a cell knows on which side it lies, or the edges to ask.

How cells and their edges are found, and why no answer can be lost by it, is told in ``refine``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from corrections_monitor.geofence.metric import scale
from corrections_monitor.geofence.outlines import Lists, Outlines, Reference
from corrections_monitor.geofence.refine import Cells, ranges, refined

_T = TypeVar("_T", bound=np.generic)
F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]

_CELLS_PER_EDGE = 8.0  # measured: 4 is a sixth slower to ask; 16 is no faster and half as large again
_MARGIN = 0.15  # of the box's longer side: how far around the box the grid reaches
_MAX_BITS = 12
_EDGES_PER_GROUP = 2_048  # built at a time, so that columns stay in the second-level cache


class Grids:
    """A grid over each of ``outlines``.

    Finest cells name a *leaf*, the cell of ``refine`` that they are part of.  ``low_m`` [leaves]: all of
    a leaf is at least so far from the boundary, negative inside; 0 where that is not known.
    """

    def __init__(self, outlines: Outlines) -> None:
        edges = np.diff(outlines.start)
        self._corner, size, bits = _layout(outlines.box, edges)
        self._shape = 1 << bits  # columns and rows
        self._step: F64 = size / self._shape
        cells = self._shape.prod(axis=1)
        self._base = np.cumsum(cells) - cells
        self._leaf = np.empty(int(cells.sum()), np.int32)
        leaves: list[Cells] = []
        number = 0
        for group in _groups(bits.max(axis=1, initial=0), edges):
            for left, found in refined(outlines, group, self._corner[group], size[group], bits[group]):
                some = replace(found, grid=group[found.grid])
                self._name(some, np.minimum(left, bits[some.grid]), number)
                number += len(some.grid)
                leaves.append(some)
        grid = _joined([c.grid for c in leaves], np.int64)
        self._ref_lon = _joined([c.ref_x for c in leaves], np.float64)
        self._ref_lat = _joined([c.ref_y for c in leaves], np.float64)
        self._inside = _joined([c.inside for c in leaves], np.bool_) & outlines.closed[grid]
        bare = _joined([c.low_m for c in leaves], np.float64)
        outside = np.maximum(bare - outlines.half_width_m[grid], 0.0)
        self.low_m: F32 = np.where(self._inside, -bare, outside).astype(np.float32)
        self._edge = _joined([c.edge for c in leaves], np.int32)
        self._first = np.concatenate([[0], np.cumsum(_joined([c.count for c in leaves], np.int64))])

    def _name(self, leaves: Cells, halvings: I64, number: int) -> None:
        """Write leaves, numbered from ``number``, into all of their finest cells."""
        across = 1 << halvings
        finest = across.prod(axis=1)
        nth = ranges(np.zeros_like(finest), finest)
        leaf = np.repeat(np.arange(len(finest)), finest)
        column = (leaves.column * across[:, 0])[leaf] + nth % across[leaf, 0]
        row = (leaves.row * across[:, 1])[leaf] + nth // across[leaf, 0]
        grid = leaves.grid[leaf]
        self._leaf[self._base[grid] + row * self._shape[grid, 0] + column] = number + leaf

    @property
    def nbytes(self) -> int:
        return sum(a.nbytes for a in vars(self).values())

    def locate(self, outline: I32, lon: F64, lat: F64) -> I32:
        """The leaf of each point in its outline's grid, -1 off the grid; degrees, all length n."""
        corner, step = self._corner.take(outline, axis=0), self._step.take(outline, axis=0)
        shape = self._shape.take(outline, axis=0)
        column = np.floor((lon - corner[:, 0]) / step[:, 0])
        row = np.floor((lat - corner[:, 1]) / step[:, 1])
        held = np.flatnonzero((column >= 0) & (row >= 0) & (column < shape[:, 0]) & (row < shape[:, 1]))
        cell = self._base.take(outline[held]) + (row * shape[:, 0] + column)[held].astype(np.int64)
        leaf = np.full(len(outline), -1, np.int32)
        leaf[held] = self._leaf.take(cell)
        return leaf

    def lists(self, leaf: I32) -> Lists:
        """The edges to ask for points in leaves."""
        first = self._first.take(leaf)
        return Lists(first, self._first[1:].take(leaf) - first, self._edge)

    def reference(self, leaf: I32) -> Reference:
        """The reference points of leaves."""
        return Reference(self._ref_lon.take(leaf), self._ref_lat.take(leaf), self._inside.take(leaf))


def _layout(box: F64, edges: I64) -> tuple[F64, F64, I64]:
    """South-west corner and size in degrees, and bits of columns and rows so that cells are about square."""
    size = box[:, 2:] - box[:, :2]
    margin = _MARGIN * size.max(axis=1, keepdims=True, initial=1e-6)
    corner, size = box[:, :2] - margin, size + 2.0 * margin
    middle = scale(corner[:, 1] + 0.5 * size[:, 1])
    tall = np.log2(size[:, 1] * middle.ky / (size[:, 0] * middle.kx))
    cells = np.log2(_CELLS_PER_EDGE * edges)
    bits = np.rint(np.column_stack([cells - tall, cells + tall]) * 0.5)
    return corner, size, np.clip(bits, 0, _MAX_BITS).astype(np.int64)


def _groups(levels: I64, edges: I64) -> Iterator[I64]:
    """Grids of equally many levels, about ``_EDGES_PER_GROUP`` edges at a time."""
    for level in np.unique(levels):
        grids = np.flatnonzero(levels == level)
        portion = np.cumsum(edges[grids]) // _EDGES_PER_GROUP
        yield from np.split(grids, np.flatnonzero(np.diff(portion)) + 1)


def _joined(columns: list[NDArray[Any]], kind: type[_T]) -> NDArray[_T]:
    """One array of all; also of none."""
    return np.concatenate([np.empty(0, kind), *columns], dtype=kind, casting="same_kind")
