"""The evidence model in plain words: how much a fix says, and when enough has been said.

The model and its numbers are documented in ``detection/evidence.py`` and ``detection/belief.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from corrections_monitor.detection.belief import HELD_M, MAX_RUN
from corrections_monitor.detection.evidence import (
    BLUNDER,
    CERTAIN,
    CONFIRMED,
    FAR_Z,
    FLOOR_M,
    IMPOSSIBLE_MPS,
    NEAR_Z,
    REACH_M,
    USELESS_M,
)
from corrections_monitor.model.times import OPEN_START_MS
from reference.ground import on_a_sphere_m

_FLOOR_M = [float(m) for m in FLOOR_M]


def doubt_m(acc_m: float, source: int) -> float:
    """The believable 68 % radius: no better than the source can be."""
    return max(acc_m, _FLOOR_M[source])


def log_odds(beyond_m: float, doubt: float) -> float:
    """How much one fix speaks for being beyond (positive) or not (negative)."""
    if doubt > USELESS_M:
        return 0.0
    z = min(beyond_m, REACH_M) / doubt
    y = min(max(z * 1.51, -8.0), 8.0)  # the 68 % radius is 1.51 standard deviations of one axis
    share_under = 1 / (1 + math.exp(-y * (0.07056 * y * y + 1.5976)))  # the normal distribution, Bowling 2009
    share = BLUNDER / 2 + (1 - BLUNDER) * share_under
    odds = math.log(share / (1 - share))
    coarse = min(max((doubt - 20) / 80, 0.0), 1.0)
    if odds > 0 and z < NEAR_Z + (FAR_Z - NEAR_Z) * coarse:
        return 0.0
    return odds


@dataclass(frozen=True, order=True)
class Fix:
    """A position as it was sent; in order of event time."""

    t_ms: int
    lon: float
    lat: float
    doubt_m: float
    acc_m: float = field(compare=False)  # as claimed
    source: int = field(compare=False)


NEVER_SEEN = Fix(OPEN_START_MS, 0.0, 0.0, 0.0, 0.0, 0)


def _nobody_gets_from(one: Fix, other: Fix) -> bool:
    """To the other in so short a time."""
    far_m = on_a_sphere_m(one.lon, one.lat, other.lon, other.lat) - 3 * (one.doubt_m + other.doubt_m) - 50
    return far_m > IMPOSSIBLE_MPS * (other.t_ms - one.t_ms) / 1_000


@dataclass
class Belief:
    """Whether the person is beyond a boundary, and what speaks against that so far."""

    beyond: bool = False
    since_ms: int = OPEN_START_MS
    score: float = 0.0
    first_ms: int = 0  # the first fix of those that speak against it now
    before: Fix = NEVER_SEEN  # the fix before that
    last_other: Fix = NEVER_SEEN  # the last fix before those that turned the belief
    counted_ms: int = 0  # the last fix that was weighed
    run: list[Fix] = field(default_factory=list)  # the first few of them
    shown_by: list[Fix] = field(default_factory=list)  # those that turned the belief

    def hear(self, fix: Fix, odds: float, before: Fix, gap_ms: int) -> bool:
        """Take a fix in order of event time; whether the belief turned.

        ``before``: the fix before this one; ``gap_ms``: after which a certain fix is a new witness.
        """
        against = -odds if self.beyond else odds
        if self.score <= 0:
            if against <= 0:
                return False
            self.first_ms, self.before, self.run = fix.t_ms, before, []
            self.score = against
        else:
            if fix.doubt_m > HELD_M and (fix.lon, fix.lat) in [(f.lon, f.lat) for f in self.run]:
                return False  # a coarse position repeated to the last digit is the old witness heard again
            if against > 0 and _nobody_gets_from(self.run[-1], fix):
                self.score = 0.0
                return self.hear(fix, odds, before, gap_ms)
            new_after_ms = gap_ms * (CERTAIN / max(abs(against), 0.5)) ** 2
            weight = min(1.0, max(0, fix.t_ms - self.counted_ms) / new_after_ms)
            self.score = max(0.0, self.score + weight * against)
        self.counted_ms = fix.t_ms
        if against > 0 and len(self.run) < MAX_RUN:
            self.run.append(fix)
        if self.score < CONFIRMED:
            return False
        self.beyond, self.since_ms, self.score = not self.beyond, self.first_ms, 0.0
        self.last_other, self.shown_by = self.before, self.run
        return True
