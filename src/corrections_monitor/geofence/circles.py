"""Circular zones: 32 bytes each, one gather and one chord per question."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corrections_monitor.geofence.metric import arc_m, from_axis_m
from corrections_monitor.model.cases import Circle

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]


class Circles:
    """Many circles as one array [n, 4]: longitude, metres from the axis and above the equator, radius.

    The centre is kept as ``from_axis_m`` gives it, so that only the query's latitude costs a sine.
    """

    def __init__(self, circles: Sequence[Circle]) -> None:
        columns = np.array([(c.lon, c.lat, c.radius_m) for c in circles], np.float64).reshape(-1, 3)
        self._rows = np.empty((len(columns), 4))
        self._rows[:, 0] = columns[:, 0]
        self._rows[:, 1], self._rows[:, 2] = from_axis_m(columns[:, 1])
        self._rows[:, 3] = columns[:, 2]

    @property
    def nbytes(self) -> int:
        return self._rows.nbytes

    def signed_distance(self, circle: I32, lon: F64, lat: F64) -> F64:
        """Metres to the rim, negative inside; all length n, degrees."""
        rows = self._rows.take(circle, axis=0)
        axis, height = from_axis_m(lat)
        return arc_m(lon, axis, height, rows[:, 0], rows[:, 1], rows[:, 2]) - rows[:, 3]
