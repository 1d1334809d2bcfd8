"""A small precinct for the tests of detection: who lives there, what devices say, and an engine that listens.

Places are metres east and north of a home; times are minutes after ``T0``, a Monday midnight in Panjin.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from corrections_monitor.detection.engine import Engine
from corrections_monitor.model.cases import (
    Area,
    CaseSet,
    Category,
    Circle,
    ContactRule,
    Device,
    DeviceKind,
    Leave,
    Level,
    Office,
    Order,
    Person,
    Suspension,
    Zone,
    ZoneKind,
)
from corrections_monitor.model.episodes import Change, Episode, Kind, Transition
from corrections_monitor.model.schedule import Calendar, parse_schedule
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.telemetry import (
    NO_BATTERY,
    NO_SEQ,
    BandEvent,
    Batch,
    Events,
    Fixes,
    Messages,
    Presence,
    Source,
    keep,
)
from corrections_monitor.model.times import DAY_MS, MINUTE_MS, Interval, parse_time
from corrections_monitor.replay import Kept

SHANGHAI = ZoneInfo("Asia/Shanghai")
T0 = parse_time("2026-03-02T00:00", SHANGHAI)  # a Monday
LON, LAT = 122.07, 41.12
_LAT_M = 111_132.954 - 559.822 * math.cos(2 * math.radians(LAT)) + 1.175 * math.cos(4 * math.radians(LAT))
_LON_M = 111_412.84 * math.cos(math.radians(LAT)) - 93.5 * math.cos(3 * math.radians(LAT))


def at(minutes: float) -> int:
    """That many minutes after T0, epoch ms."""
    return T0 + round(minutes * MINUTE_MS)


def clock(text: str, day: int = 0) -> float:
    """Minutes after T0 of a time of day ``HH:MM``, ``day`` days on."""
    hours, minutes = text.split(":")
    return day * 1440 + int(hours) * 60 + int(minutes)


def span(start: float = -1440 * 30, end: float = 1440 * 30) -> Interval:
    return Interval(at(start), at(end))


def place(east_m: float, north_m: float) -> tuple[float, float]:
    """Longitude and latitude of a place."""
    return LON + east_m / _LON_M, LAT + north_m / _LAT_M


def circle(east_m: float = 0.0, north_m: float = 0.0, radius_m: float = 200.0) -> Circle:
    return Circle(*place(east_m, north_m), radius_m)


def square(east_m: float = 0.0, north_m: float = 0.0, half_m: float = 200.0) -> Area:
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    return Area(((tuple(place(east_m + x * half_m, north_m + y * half_m) for x, y in corners),),))


def home(zone_id: str = "home", applies_to: str = "p1", **more: Any) -> Zone:
    """A place to stay in: 200 m round the home unless ``shape`` says otherwise; ``hours`` is a schedule."""
    return _zone(zone_id, ZoneKind.INCLUSION, applies_to, **more)


def forbidden(zone_id: str = "school", applies_to: str = "p1", **more: Any) -> Zone:
    """A place to keep out of: 200 m round (1000, 0) unless ``shape`` says otherwise."""
    return _zone(zone_id, ZoneKind.EXCLUSION, applies_to, **{"shape": circle(1000), **more})


def _zone(zone_id: str, kind: ZoneKind, applies_to: str, hours: Any = None, **more: Any) -> Zone:
    shape = more.pop("shape", circle())
    return Zone(zone_id, f"“{zone_id}”", kind, applies_to, shape, schedule=parse_schedule(hours), **more)


NIGHT = [{"days": "Mo-Su", "from": "22:00", "to": "06:00"}]


def person(person_id: str = "p1", office_id: str = "s1", **more: Any) -> Person:
    return Person(person_id, person_id, Category.PROBATION, office_id, "own", **more)


def protected(person_id: str = "v1") -> Person:
    return Person(person_id, person_id, Category.PROTECTED, "s1", "own")


def band(device_id: str = "b1", person_id: str = "p1", every_s: int = 60, **more: Any) -> Device:
    return Device(device_id, DeviceKind.BAND, person_id, every_s, more.get("span", span()))


def phone(device_id: str = "f1", person_id: str = "p1", every_s: int = 60, **more: Any) -> Device:
    return Device(device_id, DeviceKind.PHONE, person_id, every_s, more.get("span", span()))


def order(person_id: str = "p1", order_id: str = "", **more: Any) -> Order:
    name = order_id or f"o-{person_id}"
    return Order(name, person_id, "29.1", "chief", date(2026, 1, 1), more.get("span", span()))


def leave(start: float, end: float, *zone_ids: str, leave_id: str = "l1", person_id: str = "p1") -> Leave:
    return Leave(leave_id, person_id, span(start, end), "chief", zone_ids)


def suspension(start: float, end: float, person_id: str = "p1") -> Suspension:
    return Suspension(person_id, span(start, end), "hospital")


Row = Person | Device | Order | Zone | Leave | Suspension | ContactRule
OFFICES = (
    Office("c1", None, Level.CITY, "盘锦市司法局"),
    Office("k1", "c1", Level.COUNTY, "大洼区司法局"),
    Office("s1", "k1", Level.STATION, "田家司法所"),
    Office("s2", "k1", Level.STATION, "新立司法所"),
)


def cases(*rows: Row) -> CaseSet:
    """The rows as a case set; whoever has neither person, order nor device given gets ``p1``'s usual ones."""
    people = [r for r in rows if isinstance(r, Person)] or [person()]
    orders = [r for r in rows if isinstance(r, Order)] or [order()]
    devices = [r for r in rows if isinstance(r, Device)] or [band()]
    return CaseSet(
        offices={o.office_id: o for o in OFFICES},
        people={p.person_id: p for p in people},
        orders={o.order_id: o for o in orders},
        devices={(d.device_id, d.span.from_ms): d for d in devices},
        zones={r.zone_id: r for r in rows if isinstance(r, Zone)},
        leaves={r.leave_id: r for r in rows if isinstance(r, Leave)},
        suspensions={(r.person_id, r.span.from_ms): r for r in rows if isinstance(r, Suspension)},
        contacts={(r.person_id, r.protected_id): r for r in rows if isinstance(r, ContactRule)},
    )


@dataclass(frozen=True, slots=True)
class Point:
    """A fix as sent."""

    t_ms: int
    lon: float
    lat: float
    acc_m: float = 8.0
    src: Source = Source.GNSS


@dataclass(frozen=True, slots=True)
class Told:
    """A band event as sent."""

    t_ms: int
    ev: BandEvent
    percent: int = NO_BATTERY


@dataclass(frozen=True, slots=True)
class Said:
    """One message: when it arrived, whose it is, and what it carries."""

    at_ms: int
    device_id: str
    points: tuple[Point, ...] = ()
    events: tuple[Told, ...] = ()
    seq: int = NO_SEQ
    percent: int = NO_BATTERY
    sent_ms: int | None = None

    @property
    def t_ms(self) -> int:
        times = [r.t_ms for r in (*self.points, *self.events)]
        return max(times) if times else self.at_ms if self.sent_ms is None else self.sent_ms

    def later(self, by_ms: int) -> Said:
        """The same with other times."""
        if not by_ms:
            return self
        points = tuple(replace(p, t_ms=p.t_ms + by_ms) for p in self.points)
        events = tuple(replace(e, t_ms=e.t_ms + by_ms) for e in self.events)
        return replace(self, points=points, events=events, sent_ms=self.t_ms + by_ms)


def batch_of(said: Sequence[Said], number: dict[str, int]) -> Batch:
    """The messages as the columns the engine takes; devices it does not know are left out."""
    said = [s for s in said if s.device_id in number]
    points = [(i, p) for i, s in enumerate(said) for p in s.points]
    told = [(i, e) for i, s in enumerate(said) for e in s.events]
    return Batch(
        Messages(
            np.array([s.at_ms for s in said], np.int64),
            np.array([number[s.device_id] for s in said], np.int32),
            np.array([s.seq for s in said], np.int64),
            np.array([s.percent for s in said], np.int16),
            np.array([s.t_ms for s in said], np.int64),
            np.full(len(said), Presence.CONTACT, np.uint8),
        ),
        Fixes(
            np.array([i for i, _ in points], np.int64),
            np.array([p.t_ms for _, p in points], np.int64),
            np.array([p.lon for _, p in points]),
            np.array([p.lat for _, p in points]),
            np.array([p.acc_m for _, p in points], np.float32),
            np.full(len(points), np.nan, np.float32),
            np.full(len(points), np.nan, np.float32),
            np.array([p.src for _, p in points], np.uint8),
        ),
        Events(
            np.array([i for i, _ in told], np.int64),
            np.array([e.t_ms for _, e in told], np.int64),
            np.array([e.ev for _, e in told], np.uint8),
            np.array([e.percent for _, e in told], np.int16),
        ),
    )


def amended(engine: Engine, kept: Kept, cases: CaseSet, calendar: Calendar, now_ms: int) -> list[Transition]:
    """Put edited cases into force, and go on knowing what came before by the new numbers of devices."""
    names = engine.city.device_ids
    told = engine.amend(cases, calendar, now_ms, kept.of(engine.wanted_by_edit(now_ms)))
    number = {no: engine.city.device_no[name] for no, name in enumerate(names)}
    kept.keys = {(number[no] if no >= 0 else -1 - number[-1 - no], *rest) for no, *rest in kept.keys}
    return told


@dataclass
class Watch:
    """An engine with the memory a database would be to it, and everything it ever said."""

    cases: CaseSet
    settings: DetectionSettings = field(default_factory=DetectionSettings)
    began_ms: int = T0
    calendar: Calendar = field(default_factory=lambda: Calendar(SHANGHAI))
    judge_everyone: bool = False
    told: list[Transition] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = Engine(
            self.cases, self.calendar, self.settings, self.began_ms, judge_everyone=self.judge_everyone
        )
        self.kept = Kept()

    def hear(self, said: Sequence[Said], now_ms: int) -> list[Transition]:
        """Messages in order of arrival, then time up to ``now_ms``."""
        batch = self.engine.set_right(batch_of(said, self.engine.city.device_no))
        batch = keep(batch, *self.engine.admit(batch), rest_is_known=False)
        batch = keep(batch, *self.kept.new(batch), rest_is_known=True)
        new = self.engine.step(batch, now_ms, histories=self.kept.history(self.engine, batch))
        self.kept.remember(self.engine, batch)
        self.told += new
        return new

    def until(self, minutes: float) -> list[Transition]:
        """Let time pass."""
        return self.hear([], at(minutes))

    def amend(self, cases: CaseSet, minutes: float) -> list[Transition]:
        """Put edited cases into force."""
        self.until(minutes)
        new = amended(self.engine, self.kept, cases, self.calendar, at(minutes))
        self.told += new
        return new

    def fix(
        self, minutes: float, east_m: float, north_m: float = 0.0, *, device: str = "b1",
        t: float | None = None, acc: float = 8.0, src: Source = Source.GNSS, seq: int = NO_SEQ,
        percent: int = NO_BATTERY,
    ) -> list[Transition]:  # fmt: skip
        """One fix that arrives at ``minutes``, taken then or at minute ``t``."""
        point = Point(at(minutes if t is None else t), *place(east_m, north_m), acc, src)
        return self.hear([Said(at(minutes), device, (point,), seq=seq, percent=percent)], at(minutes))

    def event(
        self, minutes: float, ev: BandEvent = BandEvent.HEARTBEAT, *, device: str = "b1",
        t: float | None = None, percent: int = NO_BATTERY, seq: int = NO_SEQ,
    ) -> list[Transition]:  # fmt: skip
        """One band event that arrives at ``minutes``, happened then or at minute ``t``."""
        told = Told(at(minutes if t is None else t), ev, percent)
        return self.hear([Said(at(minutes), device, events=(told,), seq=seq)], at(minutes))

    def stay(
        self, start: float, end: float, east_m: float, north_m: float = 0.0, *, every: float = 1.0,
        device: str = "b1", acc: float = 8.0,
    ) -> None:  # fmt: skip
        """A fix from the same place every so many minutes, ``start`` and ``end`` included."""
        for k in range(round((end - start) / every) + 1):
            self.fix(start + k * every, east_m, north_m, device=device, acc=acc)

    # -- what came of it --------------------------------------------------------------------------
    def episodes(self, *kinds: Kind) -> list[Episode]:
        """Every episode as last told, in order of opening; all kinds unless some are named."""
        last: dict[str, Episode] = {}
        for transition in self.told:
            last[transition.episode.episode_id] = transition.episode
        return [e for e in last.values() if not kinds or e.kind in kinds]

    def log(self, *kinds: Kind) -> list[tuple[str, float, str]]:
        """(change, minute, kind) of every transition."""
        return [
            (str(t.change), minute(t.at_ms), str(t.episode.kind))
            for t in self.told
            if not kinds or t.episode.kind in kinds
        ]

    def one(self, kind: Kind) -> Episode:
        """The only episode of a kind."""
        (episode,) = self.episodes(kind)
        return episode

    def open_kinds(self) -> list[str]:
        return sorted(str(e.kind) for e in self.engine.open_episodes())


def minute(t_ms: int | None) -> float:
    """Minutes after T0; NaN for never."""
    return math.nan if t_ms is None else (t_ms - T0) / MINUTE_MS


def times(episode: Episode) -> tuple[float, float]:
    """(started, ended) in minutes after T0; NaN while open."""
    return minute(episode.started_ms), minute(episode.ended_ms)


def coherent(told: Iterable[Transition]) -> None:
    """What must be true of any sequence of transitions: opened once, closed once, never reopened."""
    opened: dict[str, Episode] = {}
    closed: set[str] = set()
    last_ms = 0
    for transition in told:
        episode = transition.episode
        name = episode.episode_id
        assert transition.at_ms >= last_ms, transition
        last_ms = transition.at_ms
        if transition.change is Change.OPENED:
            assert name not in opened, f"opened twice: {episode}"
            opened[name] = episode
        assert name in opened, f"never opened: {transition}"
        assert transition.change is not Change.CLOSED or name not in closed, f"closed twice: {episode}"
        assert (episode.ended_ms is not None) == (name in closed or transition.change is Change.CLOSED)
        if transition.change is Change.CLOSED:
            closed.add(name)
        assert episode.ended_ms is None or episode.ended_ms >= episode.started_ms
        assert episode.subject
        assert episode.reason


__all__ = ["DAY_MS", "ContactRule"]
