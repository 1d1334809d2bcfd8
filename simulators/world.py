"""A case folder come to life: everyone's path, devices and faults for a span, from a seed.

Who is given which violation is drawn from the seed; a person is given at most one, so that what is true
of them is plain.  Everyone's own randomness hangs on the seed and their person_id alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import numpy as np
from shapely.geometry import Point

from corrections_monitor.model.cases import CaseSet, DayKind, Level, Supervision
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.times import MINUTE_MS, Interval
from simulators.demands import Bound, Subject, bound_runs, subjects
from simulators.devices import SILENCE_MIN_MS, Faults, Feed
from simulators.geo import Atlas, shape_centre
from simulators.injections import DEVICE_INJECTIONS, Injection, Silence
from simulators.motion import Hints, Whereabouts, daily_path, settle
from simulators.noise import NOISE
from simulators.paths import Path, Position
from simulators.truth import Judge, Truth
from simulators.violations import PLACE_DETOURS, SHORTEST_MS, SHORTEST_OTHERWISE_MS, Scene

QUICK_SHORTEST_MS = 3 * MINUTE_MS
CLEARANCE_M = 1_500.0  # how far protected people live from those who must keep away from them


QUICK_KINDS = (Kind.ZONE_EXIT, Kind.ZONE_ENTER, Kind.CURFEW, Kind.SILENCE_DEVICE, Kind.STRAP_CUT)


@dataclass
class Life:
    """One person with a place to live, a path and the messages of their devices."""

    subject: Subject
    where: Whereabouts
    runs: Sequence[Bound]
    path: Path
    injected: Kind | None = None
    injection: Injection | None = None
    truths: list[Truth] = field(default_factory=list)
    feeds: list[Feed] = field(default_factory=list)

    def settled_truths(self) -> list[Truth]:
        """What was true of the person, silences from their last contact to the first one after; as they
        are planned while no message has been made yet."""
        silence = self.injection.silence if self.injection else None
        return self.truths if silence is None else [*self.truths, self._settled(silence)]

    def _settled(self, silence: Silence) -> Truth:
        feeds = [f for f in self.feeds if f.device.device_id in silence.device_ids]
        contacts = [f.fixes if silence.fixes else f.contacts for f in feeds]
        last = max((c.last_ms[0] for c in contacts if c.last_ms[0]), default=silence.planned.from_ms)
        first = min((c.first_ms[0] for c in contacts if c.first_ms[0]), default=silence.planned.to_ms)
        return Truth(self.subject.person_id, silence.kind, None, last, first)


@dataclass
class World:
    """Everyone's life over a span, and what of the wishes could not be had."""

    span: Interval
    lives: list[Life]
    homeless: list[str]  # person_ids whose zones no place satisfies
    unplaced: dict[Kind, int]

    def truths(self) -> list[Truth]:
        """All truths of persons; silences are settled once the messages have been made."""
        return [truth for life in self.lives for truth in life.settled_truths()]


@dataclass(frozen=True)
class Plan:
    """What a world is made from besides the case folder."""

    span: Interval
    zone: ZoneInfo
    seed: int = 1
    noise: str = "city"
    wanted: Mapping[Kind, int] = field(default_factory=dict)
    inject: Interval | None = None  # where the wanted ones lie; the whole span unless given
    quick: int = 0  # of each of QUICK_KINDS, within the first minute
    lively: bool = False
    silence_min_ms: int = SILENCE_MIN_MS
    max_devices: int | None = None


def build(cases: CaseSet, plan: Plan) -> World:
    """Settle everyone, draw their days, inject what is wanted, and ready their devices."""
    calendar = Calendar(plan.zone, frozenset(d for d, h in cases.holidays.items() if h.kind is DayKind.OFF))
    atlas = Atlas(cases.zones)
    everyone = _first_with(subjects(cases), plan.max_devices)
    lives, homeless = _settle_all(cases, everyone, plan, calendar, atlas)
    protected = _protect(lives)
    judge = Judge(atlas, calendar, {p: w.plane.lonlat(*w.home) for p, w in protected.items()})
    unplaced = _inject_all(lives, plan, calendar, judge, protected)
    for life in lives:
        if life.injected not in PLACE_DETOURS:
            life.path = _obedient(life, plan, calendar, None)
        life.feeds = list(_feeds(cases, life, plan))
    return World(plan.span, lives, homeless, unplaced)


def rng_of(seed: int, name: str) -> np.random.Generator:
    """Randomness of one's own, the same whoever else there is."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _first_with(everyone: list[Subject], max_devices: int | None) -> list[Subject]:
    if max_devices is None:
        return [s for s in everyone if s.devices]
    chosen: list[Subject] = []
    for subject in everyone:
        room = max_devices - sum(len(s.devices) for s in chosen)
        if subject.devices and room > 0:
            chosen.append(replace(subject, devices=subject.devices[:room]))
    return chosen


def _settle_all(
    cases: CaseSet, everyone: list[Subject], plan: Plan, calendar: Calendar, atlas: Atlas
) -> tuple[list[Life], list[str]]:
    lives: list[Life] = []
    homeless: list[str] = []
    nowhere = Path(np.zeros(2, np.int64), np.zeros(2), np.zeros(2), np.zeros(1, bool))
    for subject in everyone:
        runs = bound_runs(subject, calendar, plan.span)
        rng = rng_of(plan.seed, "home/" + subject.person_id)
        where = settle(subject, runs, atlas, _hints(cases, subject), rng)
        if where is None:
            homeless.append(subject.person_id)
        else:
            lives.append(Life(subject, where, runs, nowhere))
    return lives, homeless


def _hints(cases: CaseSet, subject: Subject) -> Hints:
    """The office's position, and the zones by which ``city`` names homes and places of work."""
    near = next(
        (
            (o.lon, o.lat)
            for o in cases.offices_up(subject.person.office_id)
            if o.lon is not None and o.lat is not None
        ),
        None,
    )
    named = (cases.zones.get(f"{what}-{subject.person_id}") for what in ("home", "work"))
    home, work = (shape_centre(z.shape) if z else None for z in named)
    return Hints(near, home, work)


def _protect(lives: list[Life]) -> dict[str, Whereabouts]:
    """Keep protected people (who stay at home) and those who must avoid them well apart."""
    by_id = {life.subject.person_id: life for life in lives}
    protected: dict[str, Whereabouts] = {}
    for life in lives:
        for protected_id, distance_m in life.subject.avoids:
            other = by_id.get(protected_id)
            if other is None:
                continue
            there = other.where.plane.lonlat(*other.where.home)
            home = Point(life.where.plane.xy(*there))
            closest_m = distance_m + CLEARANCE_M
            if home.distance(Point(life.where.home)) < closest_m:
                home = Point(life.where.home[0] + closest_m, life.where.home[1])
                moved = other.where.plane.xy(*life.where.plane.lonlat(home.x, home.y))
                other.where = replace(other.where, home=moved, places=())
            roam = life.where.roam.difference(home.buffer(distance_m + 300.0))
            kept = replace(life.where, roam=roam, places=())
            life.where = replace(
                kept, places=tuple(p for p in life.where.places if kept.reaches(kept.home, p))
            )
    for life in lives:
        if life.subject.person.is_protected:
            life.where = replace(life.where, places=())
            protected[life.subject.person_id] = life.where
    return protected


def _inject_all(
    lives: list[Life], plan: Plan, calendar: Calendar, judge: Judge, protected: dict[str, Whereabouts]
) -> dict[Kind, int]:
    """Give violations to persons drawn by lot; returns what found nobody it suited."""
    rng = rng_of(plan.seed, "lots")
    order = [lives[i] for i in rng.permutation(len(lives))]
    jobs = [(k, True) for k in QUICK_KINDS for _ in range(plan.quick)]
    most = max(plan.wanted.values(), default=0)
    jobs += [(k, False) for i in range(most) for k, n in plan.wanted.items() if i < n]
    unplaced: dict[Kind, int] = {}
    for kind, quick in sorted(jobs, key=lambda j: (not j[1], _rarity(j[0]))):
        ready = [v for v in order if v.injected is None and v.subject.under_order(plan.span)]
        if quick and kind is Kind.SILENCE_DEVICE:
            ready.sort(key=lambda v: v.subject.person.level is not Supervision.STRICT)
        if not any(_inject(life, kind, quick, plan, calendar, judge, protected) for life in ready[:400]):
            unplaced[kind] = unplaced.get(kind, 0) + 1
    return unplaced


def _rarity(kind: Kind) -> int:
    """Kinds that suit few people choose first."""
    rare = (Kind.LEAVE_ASTRAY, Kind.LEAVE_OVERDUE, Kind.CONTACT_NEAR, Kind.SILENCE_BAND, Kind.POWER_OFF)
    return rare.index(kind) if kind in rare else len(rare)


def _inject(
    life: Life,
    kind: Kind,
    quick: bool,
    plan: Plan,
    calendar: Calendar,
    judge: Judge,
    protected: dict[str, Whereabouts],
) -> bool:
    rng = rng_of(plan.seed, f"{kind}/{life.subject.person_id}")
    homes: dict[str, Position] = {
        p: life.where.plane.xy(*w.plane.lonlat(*w.home)) for p, w in protected.items()
    }
    where_in = plan.span if quick else plan.inject or plan.span
    scene = Scene(life.subject, life.where, life.runs, where_in, judge.atlas, homes, rng, quick)
    if life.subject.person.is_protected:
        return False
    if kind in DEVICE_INJECTIONS:
        injection = DEVICE_INJECTIONS[kind](scene)
        if injection is None:
            return False
        life.injected, life.injection, life.truths = kind, injection, injection.truths
        return True
    detour = PLACE_DETOURS[kind](scene)
    if detour is None:
        return False
    reserved = Interval(int(detour.t_ms[0]) - 5 * MINUTE_MS, int(detour.t_ms[-1]) + 5 * MINUTE_MS)
    path = _obedient(life, plan, calendar, reserved).spliced(detour)
    looked_at = Interval(
        max(reserved.from_ms, plan.span.from_ms), min(reserved.to_ms + 10 * MINUTE_MS, plan.span.to_ms)
    )
    truths = judge.place(life.subject, path, looked_at, life.where.plane)
    if not plain(kind, truths, quick):
        return False
    life.injected, life.path, life.truths = kind, path, truths
    return True


def plain(kind: Kind, truths: Sequence[Truth], quick: bool) -> bool:
    """Whether the detour did what was meant and nothing too short to be sure of."""
    if not any(t.kind == kind for t in truths):
        return False
    return all(
        t.to_ms is None
        or t.to_ms - t.from_ms
        >= (QUICK_SHORTEST_MS if quick else SHORTEST_MS.get(Kind(t.kind), SHORTEST_OTHERWISE_MS))
        for t in truths
    )


def _obedient(life: Life, plan: Plan, calendar: Calendar, reserved: Interval | None) -> Path:
    rng = rng_of(plan.seed, "days/" + life.subject.person_id)
    return daily_path(life.where, life.runs, calendar, plan.span, rng, reserved=reserved, lively=plan.lively)


def _feeds(cases: CaseSet, life: Life, plan: Plan) -> list[Feed]:
    county = next(
        (o.office_id for o in cases.offices_up(life.subject.person.office_id) if o.level is Level.COUNTY),
        life.subject.person.office_id,
    )
    faults = life.injection.faults if life.injection else {}
    return [
        Feed(
            device,
            county,
            life.path,
            NOISE[plan.noise],
            rng_of(plan.seed, "device/" + device.device_id),
            faults.get(device.device_id, Faults()),
            plan.silence_min_ms,
        )
        for device in life.subject.devices
    ]
