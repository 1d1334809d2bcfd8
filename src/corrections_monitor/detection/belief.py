"""Belief about one slot: is the person beyond the boundary or not?  Page's test (CUSUM).

Evidence against the present belief adds up; evidence for it takes away, never below zero; at
``CONFIRMED`` the belief turns over, and the change is dated to the first fix of the run that turned it
(``place`` dates it one fix earlier where that one already lay on the border).
Fixes that follow closely are not independent witnesses: each counts in proportion to the time since the
last one, and the weaker a fix, the longer it takes to be a new witness.  A position repeated to the last
digit is the old witness heard again (phones repeat a network position for hours; trackers hold a
satellite one while they stand): a coarse one adds nothing.

E. S. Page, "Continuous inspection schemes", Biometrika 41 (1954).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from corrections_monitor.detection.evidence import CERTAIN, CONFIRMED
from corrections_monitor.model.times import OPEN_END_MS, OPEN_START_MS


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
class Turn:
    """When a belief turned over, to what, the person's fix before the run that showed it, and the run."""

    changed_ms: int
    beyond: bool
    before: Glimpse
    run: list[Sighting]


@dataclass(slots=True)
class Belief:
    """``beyond``: what is believed; the rest is the run of evidence against that."""

    beyond: bool = False
    changed_ms: int = OPEN_START_MS  # event time at which the present belief began
    score: float = 0.0
    run_ms: int = 0  # first fix of the present run
    before_run: Glimpse = field(default_factory=lambda: NEVER_SEEN)  # last fix before the run
    witness_ms: int = 0  # last fix that counted
    settled_ms: int = OPEN_START_MS  # no fix at or after this has spoken against the belief
    run: list[Sighting] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)  # recent ones, the last of them what is believed now
    restless: list[tuple[int, int]] = field(default_factory=list)  # when a later fix could still change it

    def date_back(self) -> None:
        """Date the change just made to the fix before the run."""
        self.changed_ms = self.before_run.t_ms
        self.turns[-1].changed_ms = self.changed_ms

    @property
    def turn(self) -> Turn:
        """The turn that made the present belief; other fixes may have spoken against it since."""
        return self.turns[-1] if self.turns else Turn(OPEN_START_MS, self.beyond, NEVER_SEEN, [])


HELD_M = 30.0  # a receiver that holds its position while standing claims at most so large an error
MAX_RUN = 6  # sightings kept as evidence
MAX_TURNS = 64  # and as many restless times


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
    else:
        patience = gap_ms * (CERTAIN / max(abs(against), 0.5)) ** 2
        weight = min(1.0, max(0, t_ms - belief.witness_ms) / patience)
    belief.score = max(0.0, belief.score + weight * against)
    belief.witness_ms = t_ms
    if against > 0.0 and len(belief.run) < MAX_RUN:
        belief.run.append(sighting)
    if belief.score <= 0.0:
        settle(belief, _run_from(belief), t_ms)
        return False
    if belief.score < CONFIRMED:
        return False
    belief.beyond = not belief.beyond
    belief.changed_ms = belief.run_ms
    settle(belief, _run_from(belief), t_ms)
    belief.score = 0.0
    turn = Turn(belief.changed_ms, belief.beyond, belief.before_run, belief.run)
    belief.turns = [*belief.turns[-MAX_TURNS:], turn]
    return True


def settle(belief: Belief, from_ms: int, t_ms: int) -> None:
    """A fix at ``t_ms`` decided what is now believed, or counted as begun, from ``from_ms`` on."""
    belief.settled_ms = max(belief.settled_ms, t_ms)
    belief.restless = [*belief.restless[-MAX_TURNS:], (from_ms, t_ms)]


def calm_ms(beliefs: Iterable[Belief], t_ms: int) -> int:
    """The last instant before ``t_ms`` at which nothing was under way: ``belief_at`` it is all there was."""
    beliefs = list(beliefs)
    spans = [s for b in beliefs for s in b.restless]
    spans += [(_run_from(b), OPEN_END_MS) for b in beliefs if b.score > 0]
    calm = t_ms - 1
    for from_ms, to_ms in sorted(spans, reverse=True, key=lambda s: s[1]):
        if from_ms <= calm < to_ms:
            calm = from_ms - 1
    return max(calm, OPEN_START_MS)


def _run_from(belief: Belief) -> int:
    """What the run decides may be dated to the fix before it."""
    before_ms = belief.before_run.t_ms
    return belief.run_ms if before_ms == OPEN_START_MS else min(before_ms, belief.run_ms)


def _is_repeated(run: list[Sighting], sighting: Sighting) -> bool:
    same = any(s.lon == sighting.lon and s.lat == sighting.lat for s in run)
    return same and sighting.acc_m > HELD_M


def belief_at(belief: Belief, t_ms: int) -> Belief:
    """What was believed at an earlier instant, without the run of that time."""
    turns = [t for t in belief.turns if t.changed_ms <= t_ms]
    beyond, changed = (turns[-1].beyond, turns[-1].changed_ms) if turns else (False, OPEN_START_MS)
    restless = [s for s in belief.restless if s[1] <= t_ms]
    return Belief(beyond=beyond, changed_ms=changed, settled_ms=t_ms, turns=turns, restless=restless)
