"""What a receiver makes of a true position: drift that is correlated in time, honest and wild accuracy.

Positions err by an Ornstein-Uhlenbeck drift (receivers wander off and back over minutes) and white noise
on top; the accuracy claimed is the 68 % radius of both, give or take.  Magnitudes: SOURCES.md traces
(phones in pockets, 20–60 m indoors) and DOMAIN (WiFi 100–500 m, base stations ≥ 200 m).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

DRIFT_TAU_S = 180.0
R68_PER_SIGMA = 1.51  # the 68 % radius of a round two-dimensional normal distribution of sigma 1


@dataclass(frozen=True, slots=True)
class Noise:
    """How bad the sky, the walls and the network are.  Probabilities are per report."""

    outdoor_m: float  # sigma per axis of the drift
    indoor_m: float
    white_m: float
    lost_indoor: float  # no fix, only a sign of life
    absent: float  # nothing at all
    buffered: float  # kept and uploaded with a later report, in any order
    wifi: float
    lbs: float
    wild: float  # one fix far off that claims to be good
    repeated: float  # the same message once more
    latency_ms: tuple[int, int]
    restart: float  # the device restarts and counts from nought


NOISE = {
    "clean": Noise(1.5, 1.5, 0.8, 0, 0, 0, 0, 0, 0, 0, (200, 800), 0),
    "city": Noise(4.0, 14.0, 1.5, 0.06, 0.01, 0.01, 0.02, 0.005, 0, 0, (200, 2_500), 0.0002),
    "harsh": Noise(7.0, 24.0, 3.0, 0.15, 0.04, 0.05, 0.05, 0.02, 0.002, 0.01, (200, 9_000), 0.002),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """Columns of length n: error east and north in metres, the accuracy claimed, index into SOURCES."""

    east_m: F64
    north_m: F64
    acc_m: F64
    src: NDArray[np.int64]


SOURCES = ("gnss", "wifi", "lbs")


class Receiver:
    """The errors of one receiver, block after block on its grid of reports."""

    def __init__(self, noise: Noise, interval_s: float, rng: np.random.Generator) -> None:
        self._noise = noise
        self._phi = math.exp(-interval_s / DRIFT_TAU_S)
        self._rng = rng
        self._drift = rng.standard_normal(2)

    def measure(self, indoor: Bools) -> Measured:
        """Errors for the next n reports; ``indoor`` (n,) says where each is taken."""
        n, noise, rng = len(indoor), self._noise, self._rng
        drift = self._wander(n)
        draw = rng.random(n)
        src = np.where(draw < noise.lbs, 2, np.where(draw < noise.lbs + noise.wifi, 1, 0))
        sigma = np.where(indoor, noise.indoor_m, noise.outdoor_m) * rng.lognormal(0, 0.15, n)
        sigma = np.choose(src, [sigma, 60.0, 320.0])
        error = drift * sigma + rng.standard_normal((2, n)) * noise.white_m
        acc = R68_PER_SIGMA * np.hypot(sigma, noise.white_m) * rng.lognormal(0, 0.12, n)
        wild = rng.random(n) < noise.wild
        turn, far = rng.uniform(0, 2 * math.pi, n), rng.uniform(400, 3_000, n)
        error += np.where(wild, far, 0) * np.array([np.cos(turn), np.sin(turn)])
        acc = np.where(wild, rng.uniform(2, 12, n), acc)
        return Measured(error[0], error[1], np.maximum(acc, 2.0), src)

    def _wander(self, n: int) -> F64:
        """The next n values of both axes of the unit drift, (2, n); continues where the last block ended."""
        phi = self._phi
        reach = max(1, min(n, math.ceil(8 / (1 - phi))))
        kernel = math.sqrt(1 - phi * phi) * phi ** np.arange(reach)
        decay = phi ** np.arange(1, n + 1)
        push = self._rng.standard_normal((2, n))
        walk = np.stack([np.convolve(push[i], kernel)[:n] + decay * self._drift[i] for i in range(2)])
        if n:
            self._drift = walk[:, -1]
        return walk


def runs(rng: np.random.Generator, n: int, chance: float, longest: int) -> Bools:
    """n flags in runs of at most ``longest``, each report starting a run with the given chance."""
    flags = np.zeros(n, bool)
    if chance <= 0 or longest < 1:
        return flags
    for start in np.flatnonzero(rng.random(n) < chance / (1 + longest / 2)):
        flags[start : start + int(rng.integers(1, longest + 1))] = True
    return flags


def no_longer_than(flags: Bools, longest: int, already: int = 0) -> Bools:
    """The flags with every run broken up that would pass ``longest``; ``already`` set just before."""
    kept = flags.copy()
    length = already
    last = -1
    for i in np.flatnonzero(flags):
        length = length + 1 if i == last + 1 else 1
        if length > longest:
            kept[i] = False
            length = 0
        last = int(i)
    return kept
