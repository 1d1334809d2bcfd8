"""Random worlds: cases, and 24 hours of what devices sent, as it arrived.

Everything hangs on one seed.  People move between places that matter (home, work, a forbidden school, the
very border, far away, near a protected person); their devices report at their own intervals, go offline for
hours and upload oldest or newest first or shuffled, repeat themselves, overtake themselves, lose messages,
have clocks that are off and accuracies that cannot be; orders end and are extended, people go on leave and
to hospital, devices change hands, cases are edited under way, officers resolve, and we ourselves go deaf.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from precinct import (
    T0,
    Point,
    Said,
    Told,
    place,
)
from world_cases import NAMED, CaseMaker, Edit

from corrections_monitor.model.cases import (
    CaseSet,
    Device,
    DeviceKind,
)
from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.telemetry import NO_BATTERY, BandEvent, Source
from corrections_monitor.model.times import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS


@dataclass(frozen=True)
class Resolve:
    """An officer resolves what only a person closes."""

    at_ms: int
    person_id: str


@dataclass(frozen=True)
class Deaf:
    """We could not hear before this moment."""

    at_ms: int


Op = Said | Edit | Resolve | Deaf


@dataclass(frozen=True)
class World:
    """A story: what is known at the start, and what happens until the end, in order of time."""

    cases: CaseSet
    calendar: Calendar
    settings: DetectionSettings
    began_ms: int
    end_ms: int
    ops: tuple[Op, ...]


HABIT_DAYS = 4
PAIRS = (
    (BandEvent.STRAP_LOOSE, BandEvent.STRAP_OK),
    (BandEvent.SHIELDED, BandEvent.UNSHIELDED),
    (BandEvent.JAMMED, BandEvent.UNJAMMED),
    (BandEvent.SEPARATED, BandEvent.REJOINED),
    (BandEvent.POWER_OFF, BandEvent.POWER_ON),
    (BandEvent.BATTERY_LOW, BandEvent.CHARGING),
    (BandEvent.BATTERY_CRITICAL, BandEvent.CHARGING),
    (BandEvent.STRAP_CUT, BandEvent.STRAP_OK),
    (BandEvent.CASE_OPEN, BandEvent.MOVING),
    (BandEvent.SOS, BandEvent.MOTIONLESS),
)


def world(seed: int) -> World:
    """The world of a seed; the same seed, the same world."""
    return _Maker(random.Random(seed)).make()


class _Maker(CaseMaker):
    def make(self) -> World:
        rng = self.rng
        self.zone = ZoneInfo(rng.choice(["Asia/Shanghai"] * 4 + ["America/New_York"]))
        # Two nights of the year in New York have 23 and 25 hours.
        first = rng.choice([T0, T0 + 6 * DAY_MS, T0 + 244 * DAY_MS]) + rng.randrange(7) * DAY_MS
        self.began_ms = first + rng.randrange(24 * 60) * MINUTE_MS
        self.end_ms = self.began_ms + DAY_MS
        self.round_ms = rng.choice([1, 1, SECOND_MS, 30 * SECOND_MS])  # coarse clocks make instants meet
        self.settings = DetectionSettings(
            travel_grace_ms=rng.choice([30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS]),
            outage_people_min=rng.choice([2, 3, 5]),
            unheard_ms=rng.choice([3 * HOUR_MS, DAY_MS]),
            gap_close_ms=rng.choice([5 * HOUR_MS, DAY_MS]),
            evidence_gap_ms=rng.choice([10 * SECOND_MS, 60 * SECOND_MS]),
        )
        self.calendar = self._calendar()
        self.people = [f"p{i}" for i in range(1, rng.choice([2, 2, 3, 3, 4, 5]))]
        own = random.Random(f"habits {self.began_ms}")  # for what was thought of later
        self.has_habits = own.random() < 0.15
        self.all_ahead = (0, 0)  # when our own clock is behind
        if own.random() < 0.05:
            start = self.began_ms + own.randrange(DAY_MS)
            self.all_ahead = (start, start + own.randrange(2 * HOUR_MS))
        cases = self._cases()
        edits = self._edits(cases)
        versions = [cases, *(e.cases for e in edits)]
        ops: list[Op] = [*edits]
        blackouts = [self._stretch(5, 90) for _ in range(rng.choice([0, 0, 1, 2]))]
        for device_id in sorted({d.device_id for v in versions for d in v.devices.values()}):
            rows = [d for v in versions[-1:] for d in v.devices.values() if d.device_id == device_id]
            ops += self._sent_by(device_id, rows, blackouts)
        for who in self.people:
            ops += [Resolve(self._time(), who) for _ in range(rng.choice([0, 0, 1, 2]))]
        ops += [Deaf(self._time()) for _ in range(rng.choice([0, 0, 0, 1]))]
        ops = [op for op in ops if self.began_ms < op.at_ms <= self.end_ms]
        began_ms = self.began_ms
        if self.has_habits:
            began_ms -= HABIT_DAYS * DAY_MS
            bands = {
                d.device_id for v in versions for d in v.devices.values() if d.kind is not DeviceKind.PHONE
            }
            ops += [said for device_id in sorted(bands) for said in self._habits(device_id, began_ms, own)]
        ops.sort(key=lambda op: (op.at_ms, not isinstance(op, Said)))
        return World(cases, self.calendar, self.settings, began_ms, self.end_ms, tuple(ops))

    def _habits(self, device_id: str, began_ms: int, own: random.Random) -> Iterable[Said]:
        """When a worn device lies still on the days before, and on the day: by night, at noon, and longer."""
        t_ms = began_ms + own.randrange(12 * HOUR_MS)
        while t_ms < self.end_ms:
            today = t_ms >= self.began_ms
            rests_h = own.choice([0.3, 1, 2, 6, 9, 14] if today else [0.2, 0.5, 1, 2, 3])
            until_ms = min(self._rounded(t_ms + rests_h * own.uniform(0.8, 1.2) * HOUR_MS), self.end_ms)
            for at_ms in range(t_ms, until_ms, own.choice([20, 90, 240]) * MINUTE_MS):
                event = BandEvent.MOTIONLESS if at_ms == t_ms else BandEvent.HEARTBEAT
                yield Said(at_ms, device_id, events=(Told(at_ms, event),))
            if own.random() < 0.9:
                yield Said(until_ms, device_id, events=(Told(until_ms, BandEvent.MOVING),))
            t_ms = self._rounded(until_ms + own.choice([0.2, 3, 9]) * own.uniform(0.8, 1.2) * HOUR_MS) + 1

    # -- what devices send ---------------------------------------------------------------------------------
    def _way_of(self, p: str) -> list[tuple[int, str]]:
        """Where a person goes: (since, place)."""
        ways = self.__dict__.setdefault("ways", {})
        if p not in ways:
            t_ms, way = self.began_ms - HOUR_MS, []
            while t_ms < self.end_ms:
                names = ["home", "home", "home", *NAMED] if p != "v1" else ["home", "street", "school", "far"]
                way.append((t_ms, self.rng.choice(names)))
                t_ms += round(self.rng.choice([8, 25, 60, 150, 300]) * self.rng.uniform(0.5, 1.5) * MINUTE_MS)
            ways[p] = way
        found: list[tuple[int, str]] = ways[p]
        return found

    def _where(self, p: str, t_ms: int) -> tuple[float, float]:
        return NAMED[[name for since, name in self._way_of(p) if since <= t_ms][-1]]

    def _sent_by(self, device_id: str, rows: list[Device], blackouts: list[tuple[int, int]]) -> list[Said]:
        rng = self.rng
        every_ms = min(r.report_every_s for r in rows) * SECOND_MS
        active = [(self.began_ms, self.end_ms)]
        if every_ms <= 2 * MINUTE_MS:  # a chatty device is on for some hours only
            active = [self._stretch(60, 200) for _ in range(2)]
        trait = _Trait(
            numbered=rng.random() < 0.6,
            off_ms=rng.choice([0, 0, 0, 1, -1]) * rng.randrange(4 * MINUTE_MS),
            sources=rng.choice([[0], [0], [0, 0, 0, 2], [0, 0, 1], [2, 3], [0, 3]]),
            accuracies=rng.choice(
                [[8.0], [5.0, 12.5], [8.0, 30.0, 90.0], [0.0, 8.0, 1e7], [25.0, 700.0, 2_500.0]]
            ),
            wild=rng.choice([0.0, 0.0, 0.02]),
            spoof=self._stretch(20, 80) if rng.random() < 0.1 else (0, 0),
            frozen=self._stretch(30, 120) if rng.random() < 0.15 else (0, 0),
            apart=self._stretch(20, 120) if rng.random() < 0.15 else (0, 0),
            heartbeats=rng.choice([0.0, 0.1, 0.5]),
            backwards=(0, 0),
        )
        own = random.Random(f"{device_id} {self.began_ms}")  # for what was thought of later
        if own.random() < 0.05:
            trait = replace(trait, off_ms=-own.randrange(20, 120) * MINUTE_MS)
        if own.random() < 0.03:
            start = own.choice(active)[0] + own.randrange(HOUR_MS)
            trait = replace(trait, backwards=(start, start + own.randrange(HOUR_MS)))
        made: list[Said] = []
        for start, end in active:
            t_ms = start + rng.randrange(every_ms)
            while t_ms < end:
                made.append(self._message(device_id, rows, t_ms, trait))
                t_ms += round(every_ms * (rng.uniform(0.9, 1.1) if self.round_ms == 1 else 1))
        made += self._told(device_id, active, trait)
        made.sort(key=lambda m: m.at_ms)
        ahead = self.all_ahead
        if own.random() < 0.06:
            start = own.choice(active)[0] + own.randrange(6 * HOUR_MS)
            ahead = (start, start + own.randrange(4 * HOUR_MS))
        hours = own.randrange(1, 10)
        made = [_far_ahead(m, hours * HOUR_MS) if ahead[0] <= m.at_ms < ahead[1] else m for m in made]
        return self._arrived(self._numbered(made, trait), blackouts)

    def _message(self, device_id: str, rows: list[Device], t_ms: int, trait: _Trait) -> Said:
        rng = self.rng
        t_ms = self._rounded(t_ms)
        percent = rng.choice([NO_BATTERY, NO_BATTERY, round(100 - 96 * ((t_ms - self.began_ms) / DAY_MS))])
        if rng.random() < trait.heartbeats:
            event = Told(trait.clock(t_ms), BandEvent.HEARTBEAT, percent)
            return Said(t_ms, device_id, events=(event,))
        if rng.random() < 0.01:
            return Said(t_ms, device_id, sent_ms=trait.clock(t_ms), percent=percent)
        many = rng.choice([1, 1, 1, 1, 1, 3])
        points = [self._point(rows, t_ms - k * 20 * SECOND_MS, trait) for k in range(many)]
        rng.shuffle(points)
        return Said(t_ms, device_id, tuple(points), percent=percent)

    def _point(self, rows: list[Device], t_ms: int, trait: _Trait) -> Point:
        rng = self.rng
        who = next((r.person_id for r in rows if r.span.holds(t_ms)), rows[0].person_id)
        east, north = self._where(who, t_ms)
        source = Source(rng.choice(trait.sources))
        acc = rng.choice(trait.accuracies) * (8 if source >= Source.WIFI else 1)
        spread = {Source.GNSS: 6.0, Source.BEACON: 3.0, Source.WIFI: 60.0, Source.LBS: 350.0}[source]
        if rng.random() < trait.wild:
            east += 6_000
        if trait.spoof[0] <= t_ms < trait.spoof[1] and rng.random() < 0.5:
            east -= 60_000
        if trait.apart[0] <= t_ms < trait.apart[1]:
            north += 4_000
        if trait.frozen[0] <= t_ms < trait.frozen[1]:
            lon, lat = place(NAMED["home"][0] + 150, 40)
            return Point(trait.clock(t_ms), lon, lat, 4.0 + 0.5 * rng.randrange(8), source)
        lon, lat = place(east + rng.gauss(0, spread), north + rng.gauss(0, spread))
        return Point(trait.clock(t_ms), round(lon, 7), round(lat, 7), acc, source)

    def _told(self, device_id: str, active: list[tuple[int, int]], trait: _Trait) -> Iterable[Said]:
        rng = self.rng
        for _ in range(rng.choice([0, 1, 2, 4])):
            start, end = rng.choice(active)
            t_ms = self._rounded(rng.uniform(start, end))
            first, second = rng.choice(PAIRS)
            for event in [first] * rng.choice([1, 1, 2]) + [second] * rng.choice([0, 1, 1]):
                percent = rng.choice([NO_BATTERY, NO_BATTERY, rng.randrange(101)])
                yield Said(t_ms, device_id, events=(Told(trait.clock(t_ms), event, percent),))
                t_ms = self._rounded(t_ms + rng.expovariate(1 / 20) * MINUTE_MS) + 1

    def _numbered(self, made: list[Said], trait: _Trait) -> list[Said]:
        if not trait.numbered:
            return made
        seq, out = self.rng.randrange(1000), []
        for message in made:
            seq = 0 if self.rng.random() < 0.003 else seq + 1
            out.append(replace(message, seq=seq))
        return out

    def _arrived(self, made: list[Said], blackouts: list[tuple[int, int]]) -> list[Said]:
        """The messages as they arrive: late, twice, out of order, or never."""
        rng = self.rng
        gaps = [*blackouts] + [self._stretch(3, 360) for _ in range(rng.choice([0, 0, 1, 2]))]
        lost = [self._stretch(1, 200) for _ in range(rng.choice([0, 0, 1]))]
        delay_ms = rng.choice([0, 0, 3_000])
        out: list[Said] = []
        kept: dict[int, list[Said]] = {i: [] for i in range(len(gaps))}
        for m in made:
            if rng.random() < 0.01 or any(a <= m.at_ms < b for a, b in lost):
                continue
            gap = next((i for i, (a, b) in enumerate(gaps) if a <= m.at_ms < b), None)
            if gap is not None:
                kept[gap].append(m)
                continue
            at_ms = m.at_ms + (rng.randrange(delay_ms) if delay_ms else 0)
            if rng.random() < 0.03:
                at_ms += rng.randrange(20 * MINUTE_MS)
            out.append(replace(m, at_ms=self._rounded(at_ms)))
            if rng.random() < 0.04:
                out.append(replace(m, at_ms=self._rounded(at_ms + rng.choice([0, 2_000, 3_600_000]))))
        for i, waiting in kept.items():
            out += self._uploaded(waiting, gaps[i][1])
        return out

    def _uploaded(self, waiting: list[Said], end_ms: int) -> list[Said]:
        """What was kept while offline comes at once: in order, newest first, shuffled, joined or never."""
        rng = self.rng
        way = rng.choice(["order", "newest", "shuffled", "joined", "never"])
        if way == "never":
            return []
        if way == "newest":
            waiting = waiting[::-1]
        elif way == "shuffled":
            waiting = rng.sample(waiting, len(waiting))
        elif way == "joined" and waiting:
            points = [p for m in waiting for p in m.points]
            if rng.random() < 0.5:
                points.reverse()
            rest = [replace(m, points=()) for m in waiting if m.events]
            joined = [replace(waiting[-1], points=tuple(points), events=())] if points else []
            waiting = joined + rest
        step_ms = rng.choice([0, 40, 1_500, 20_000])
        return [replace(m, at_ms=self._rounded(end_ms + k * step_ms)) for k, m in enumerate(waiting)]


def _far_ahead(message: Said, by_ms: int) -> Said:
    """The message by a clock so far ahead that nothing of it can be used: what is left is a contact."""
    return replace(message, points=(), events=(), sent_ms=message.t_ms + by_ms)


@dataclass(frozen=True)
class _Trait:
    """The ways of one device."""

    numbered: bool
    off_ms: int
    sources: list[int]
    accuracies: list[float]
    wild: float
    spoof: tuple[int, int]
    frozen: tuple[int, int]
    apart: tuple[int, int]
    heartbeats: float
    backwards: tuple[int, int]  # when its clock runs backwards

    def clock(self, t_ms: int) -> int:
        """What its clock says."""
        start, end = self.backwards
        return self.off_ms + (2 * start - t_ms if start <= t_ms < end else t_ms)
