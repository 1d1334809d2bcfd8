"""Belief about one slot: is the person beyond the boundary or not?  Page's test (CUSUM).

Evidence against the present belief adds up; evidence for it takes away, never below zero; at
``CONFIRMED`` the belief turns over, and the change is dated to the first fix of the run that turned it
(``place`` dates it one fix earlier where that one already lay on the border).
Fixes that follow closely are not independent witnesses: each counts in proportion to the time since the
last one, and the weaker a fix, the longer it takes to be a new witness.  A position repeated to the last
digit is the old witness heard again (phones repeat a network position for hours; trackers hold a
satellite one while they stand): a coarse one adds nothing.  Witnesses that contradict each other, because
nobody gets from where the one saw the person to where the other did, do not add up: the later is heard anew.

E. S. Page, "Continuous inspection schemes", Biometrika 41 (1954).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from corrections_monitor.detection.evidence import CERTAIN, CONFIRMED, IMPOSSIBLE_MPS
from corrections_monitor.geofence.place import haversine_m
from corrections_monitor.model.times import OPEN_START_MS


@dataclass(slots=True)
class Sighting:
    """A fix as evidence: event time, position, 68 % radius, distance beyond the boundary (metres)."""

    t_ms: int
    lon: float
    lat: float
    acc_m: float
    beyond_m: float


@dataclass(slots=True)
class Glimpse:
    """A fix as it came before another: event time, position, believable 68 % radius in metres."""

    t_ms: int
    lon: float
    lat: float
    doubt_m: float


NEVER_SEEN = Glimpse(OPEN_START_MS, 0.0, 0.0, 0.0)


@dataclass(slots=True)
class Belief:
    """What is believed, what showed it, and the run of evidence against it.

    Lists are replaced, never grown in place: a shallow copy is a copy.
    """

    beyond: bool = False
    changed_ms: int = OPEN_START_MS  # event time at which the present belief began
    last_other: Glimpse = field(default_factory=lambda: NEVER_SEEN)  # last fix before the run that showed it
    shown_by: list[Sighting] = field(default_factory=list)
    score: float = 0.0
    run_ms: int = 0  # first fix of the present run
    before_run: Glimpse = field(default_factory=lambda: NEVER_SEEN)  # last fix before the run
    witness_ms: int = 0  # last fix that counted
    run: list[Sighting] = field(default_factory=list)

    def drop_run(self) -> None:
        """Nothing speaks against the belief any more."""
        self.score, self.run_ms, self.before_run, self.witness_ms, self.run = 0.0, 0, NEVER_SEEN, 0, []


HELD_M = 30.0  # a receiver that holds its position while standing claims at most so large an error
MAX_RUN = 6  # sightings kept as evidence


def weigh(belief: Belief, sighting: Sighting, odds: float, previous: Glimpse, gap_ms: int) -> bool:
    """Take one fix into account, in order of event time; return whether the belief turned over.

    ``odds``: log odds of being beyond; ``previous``: the person's fix before this one;
    ``gap_ms``: time after which a certain fix is a new witness.
    """
    against = -odds if belief.beyond else odds
    t_ms = sighting.t_ms
    if belief.score <= 0.0:
        if against <= 0.0:
            return False
        belief.run_ms, belief.before_run = t_ms, previous
        belief.run = []
        weight = 1.0
    elif _is_repeated(belief.run, sighting):
        return False
    elif against > 0.0 and _contradicts(belief.run[-1], sighting):
        belief.run_ms, belief.before_run = t_ms, previous
        belief.run, belief.score = [], 0.0
        weight = 1.0
    else:
        patience = gap_ms * (CERTAIN / max(abs(against), 0.5)) ** 2
        weight = min(1.0, max(0, t_ms - belief.witness_ms) / patience)
    belief.score = max(0.0, belief.score + weight * against)
    belief.witness_ms = t_ms
    if against > 0.0 and len(belief.run) < MAX_RUN:
        belief.run = [*belief.run, sighting]
    if belief.score <= 0.0:
        belief.drop_run()
        return False
    if belief.score < CONFIRMED:
        return False
    belief.beyond, belief.changed_ms = not belief.beyond, belief.run_ms
    belief.last_other, belief.shown_by = belief.before_run, belief.run
    belief.drop_run()
    return True


def _contradicts(one: Sighting, other: Sighting) -> bool:
    """Whether nobody gets from the one to the other, beyond all doubt."""
    metres = haversine_m(one.lon, one.lat, other.lon, other.lat)
    seconds = abs(other.t_ms - one.t_ms) / 1_000
    return bool(metres - 3 * (one.acc_m + other.acc_m) - 50.0 > IMPOSSIBLE_MPS * seconds)


def _is_repeated(run: list[Sighting], sighting: Sighting) -> bool:
    same = any(s.lon == sighting.lon and s.lat == sighting.lat for s in run)
    return same and sighting.acc_m > HELD_M
