"""A path without noise: straight lines from place to place at plausible speeds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.geo import Plane

Position = tuple[float, float]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Path:
    """Where a person truly is: straight lines between knots; ``indoor[i]`` is said of knot i to i+1."""

    t_ms: I64  # (n,), strictly ascending
    lon: F64  # (n,) degrees
    lat: F64  # (n,) degrees
    indoor: Bools  # (n-1,)

    def at(self, t_ms: I64) -> tuple[F64, F64, Bools]:
        """Longitude, latitude and whether indoors at each instant; before and after, at the ends."""
        segment = np.clip(np.searchsorted(self.t_ms, t_ms, side="right") - 1, 0, len(self.indoor) - 1)
        return (
            np.interp(t_ms, self.t_ms, self.lon),
            np.interp(t_ms, self.t_ms, self.lat),
            self.indoor[segment],
        )

    def spliced(self, detour: Path) -> Path:
        """The path with everything between the detour's first and last instant replaced by it."""
        before, after = self.t_ms < detour.t_ms[0], self.t_ms > detour.t_ms[-1]
        kept = int(before.sum())
        return Path(
            np.concatenate([self.t_ms[before], detour.t_ms, self.t_ms[after]]),
            np.concatenate([self.lon[before], detour.lon, self.lon[after]]),
            np.concatenate([self.lat[before], detour.lat, self.lat[after]]),
            np.concatenate(
                [self.indoor[:kept], detour.indoor, self.indoor[len(self.indoor) - int(after.sum()) :]]
            ),
        )


class PathBuilder:
    """Strings knots together in metres of a plane."""

    def __init__(self, plane: Plane, t_ms: int, at: Position) -> None:
        self._plane = plane
        self._knots: list[tuple[int, float, float]] = [(t_ms, *at)]
        self._indoor: list[bool] = []

    @property
    def t_ms(self) -> int:
        """The instant reached so far."""
        return self._knots[-1][0]

    @property
    def at(self) -> Position:
        """The place reached so far."""
        return self._knots[-1][1], self._knots[-1][2]

    def stay(self, until_ms: int, indoor: bool = True) -> None:
        """Remain here until the instant (nothing if it has passed)."""
        self._add(until_ms, self.at, indoor)

    def travel(self, to: Position, speed_mps: float | None = None) -> None:
        """Go straight to a place, at a speed that suits the distance unless one is given."""
        distance_m = math.dist(self.at, to)
        self._add(self.t_ms + travel_ms(distance_m, speed_mps), to, False)

    def path(self) -> Path:
        """The knots so far, in degrees."""
        t, x, y = zip(*self._knots, strict=True)
        return Path(
            np.array(t, np.int64),
            np.array(x) / self._plane.metres_per_lon,
            np.array(y) / self._plane.metres_per_lat,
            np.array(self._indoor, bool),
        )

    def _add(self, t_ms: int, at: Position, indoor: bool) -> None:
        if t_ms > self.t_ms:
            self._knots.append((t_ms, *at))
            self._indoor.append(indoor)


def travel_ms(distance_m: float, speed_mps: float | None = None) -> int:
    """How long a trip takes: on foot to 800 m, by bicycle to 3 km, by car beyond."""
    if speed_mps is None:
        speed_mps = 1.3 if distance_m < 800 else 4.0 if distance_m < 3_000 else 12.0
    return max(1_000, round(distance_m / speed_mps * 1_000))
