"""How much one fix says about being beyond a boundary.

A fix is a distance to the boundary and a doubt.  The doubt is the accuracy the device claims (68 %
radius), held between what a source can really do and what is still worth anything: a phone 200 m off
has been seen claiming 1.9 m.  The error is taken as a two-dimensional normal one (68 % radius = 1.51
standard deviations a side) mixed with a share of blunders that no accuracy announces; the answer is the
log of the odds that the person is beyond.  Because of the blunders one fix can never say more than
``CERTAIN``, and because opening takes ``CONFIRMED`` > ``CERTAIN``, one wild fix never opens anything.
"""

from __future__ import annotations

import numpy as np

from corrections_monitor.model.telemetry import F32, F64, U8

BLUNDER = 0.02
CERTAIN = float(np.log((1 - BLUNDER / 2) / (BLUNDER / 2)))  # 4.6: the most one fix can say
CONFIRMED = 6.0  # the score at which belief turns over: two clear fixes, or several doubtful ones

# Best and worst believable 68 % radius by source (gnss, beacon, wifi, lbs), metres.
FLOOR_M = np.array([10.0, 10.0, 40.0, 200.0])
USELESS_M = 2_000.0
GOOD_M = 20.0  # fixes this good speak even from just beyond a border
NEAR_Z, FAR_Z = 0.4, 2.5  # how many times the doubt beyond: fixes good to 20 m, and from 100 m on
IMPOSSIBLE_MPS = 70.0  # 252 km/h, beyond all doubt; trains are faster, but do not go back and forth
REACH_M = FAR_Z * USELESS_M  # farther beyond a boundary no fix says more: distances end here
# Up to a doubt (first) the odds of whatever lies farther off than a distance (second) are all the same, to
# the last bit: 5.3 doubts, where ``_phi`` stops.  Asking for no more is what makes comparing cheap.
REACHES_M = ((18.0, 100.0), (180.0, 1_000.0), (float("inf"), REACH_M))
_SIDES = 1.51  # 68 % radius of a round normal error, in standard deviations of one axis


def doubt_m(acc_m: F32 | F64, src: U8) -> F64:
    """The believable 68 % radius of each fix, metres.  Shapes (n,), (n,) → (n,)."""
    out: F64 = np.maximum(np.asarray(acc_m, dtype=np.float64), FLOOR_M[src])
    return out


def doubt_of(acc_m: float, src: int) -> float:
    """The believable 68 % radius of one fix, metres."""
    return max(acc_m, float(FLOOR_M[src]))


def log_odds(beyond_m: F64, doubt: F64) -> F64:
    """Log odds that the person is beyond the boundary.

    ``beyond_m``: signed distance, positive beyond (outside a place to stay in, inside one to keep out
    of); ``doubt``: from ``doubt_m``.  Both (n,).  Within the doubt a fix says nothing *against* the
    person: the answer is then at most 0; only good fixes speak from NEAR_Z of it on, so that one
    who stays just beyond a border is found, slowly.  Coarse fixes must be further beyond, because the
    errors of WiFi and cell positions stay the same for hours and repeating them adds nothing.
    """
    z = np.minimum(beyond_m, REACH_M) / doubt
    share = BLUNDER / 2 + (1 - BLUNDER) * _phi(z * _SIDES)
    odds = np.log(share / (1 - share))
    must_exceed = NEAR_Z + (FAR_Z - NEAR_Z) * np.clip((doubt - GOOD_M) / 80.0, 0.0, 1.0)
    odds = np.where((odds > 0) & (z < must_exceed), 0.0, odds)
    return np.where(doubt > USELESS_M, 0.0, odds)


def _phi(x: F64) -> F64:
    """The normal distribution function, by a logistic approximation exact to 0.0002 (Bowling 2009)."""
    y = np.clip(x, -8.0, 8.0)
    return np.asarray(1.0 / (1.0 + np.exp(-y * (0.07056 * y * y + 1.5976))), dtype=np.float64)
