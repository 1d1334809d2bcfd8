"""A small city for the tests of rules: one bureau, one county, two stations, and what happens there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from corrections_monitor.model.alerts import Alert, Answer, Answered, Disposition, Drill, Line, Purpose
from corrections_monitor.model.cases import (
    CaseSet,
    Category,
    Duty,
    Level,
    Office,
    Officer,
    Person,
    Role,
    Supervision,
)
from corrections_monitor.model.episodes import Change, Episode, Kind, Transition, episode_id
from corrections_monitor.model.settings import RulesSettings
from corrections_monitor.model.times import MINUTE_MS, Interval
from corrections_monitor.rules.book import AlertBook
from corrections_monitor.rules.outcome import Outcome, TimelineNote

T0 = 1_800_000_000_000
DAWN, DUSK = T0 - 86_400_000, T0 + 86_400_000


def minutes(number: float) -> int:
    """That many minutes after the tests' start, epoch ms."""
    return T0 + round(number * MINUTE_MS)


def officer(name: str, office: str, role: Role = Role.OFFICER) -> Officer:
    return Officer(name, office, name.title(), role, name)


OFFICERS = [
    officer("own", "s1"),
    officer("duty1", "s1"),
    officer("duty2", "s1"),
    officer("chief1", "s1", Role.CHIEF),
    officer("own2", "s2"),
    officer("chief2", "s2", Role.CHIEF),
    officer("county-duty", "k1"),
    officer("supervisor-b", "k1", Role.SUPERVISOR),
    officer("supervisor-a", "k1", Role.SUPERVISOR),
    officer("city-duty", "c1"),
    officer("city-supervisor", "c1", Role.SUPERVISOR),
]


def duty(*pairs: tuple[str, str]) -> dict[tuple[str, str, int], Duty]:
    """Turns of (office, officer) over the whole of the tests."""
    return {(o, f, DAWN): Duty(o, f, Interval(DAWN, DUSK)) for o, f in pairs}


FULL_DUTY = duty(("s1", "duty2"), ("s1", "duty1"), ("k1", "county-duty"), ("c1", "city-duty"))


def person(
    name: str, office: str = "s1", own: str = "own", level: Supervision = Supervision.NORMAL
) -> Person:
    return Person(name, f"姓名{name}", Category.PROBATION, office, own, level=level)


def town(turns: dict[tuple[str, str, int], Duty] | None = None, people: Iterable[Person] = ()) -> CaseSet:
    """The city with everyone on duty (or the turns given); ``p1`` is of station s1, ``p2`` of s2."""
    residents = [
        person("p1"),
        person("p2", "s2", "own2"),
        person("strict", level=Supervision.STRICT),
        *people,
    ]
    return CaseSet(
        offices={
            "c1": Office("c1", None, Level.CITY, "盘锦市司法局"),
            "k1": Office("k1", "c1", Level.COUNTY, "双台子区司法局"),
            "s1": Office("s1", "k1", Level.STATION, "红旗司法所"),
            "s2": Office("s2", "k1", Level.STATION, "建设司法所"),
        },
        officers={o.officer_id: o for o in OFFICERS},
        duty=FULL_DUTY if turns is None else turns,
        people={p.person_id: p for p in residents},
    )


TOWN = town()


def an_episode(
    kind: Kind,
    at: float = 0.0,
    *,
    who: str = "p1",
    subject: str = "home",
    started: float | None = None,
    late: bool = False,
    reason: str = "在禁止区域内",
) -> Episode:
    """An episode found at minute ``at`` that began then, or at minute ``started``."""
    started_ms = minutes(at if started is None else started)
    office = "k1" if not who else "s1"
    name = episode_id(who, kind, subject, started_ms)
    return Episode(
        name, kind, who, office, subject, None, started_ms, minutes(at), None, late, reason, {"fixes": [1]}
    )


def opened(episode: Episode) -> Transition:
    return Transition(Change.OPENED, episode.detected_ms, episode)


def updated(episode: Episode, at: float, reason: str = "新的理由") -> Transition:
    return Transition(Change.UPDATED, minutes(at), replace(episode, reason=reason))


def closed(episode: Episode, at: float, ended: float | None = None) -> Transition:
    ended_ms = minutes(at if ended is None else ended)
    return Transition(Change.CLOSED, minutes(at), replace(episode, ended_ms=ended_ms))


def acknowledged(alert_id: str, at: float, officer_id: str = "duty1") -> Answered:
    return Answered(Answer.ACKNOWLEDGED, alert_id, officer_id, minutes(at))


def resolved(alert_id: str, at: float, officer_id: str = "duty1") -> Answered:
    return Answered(Answer.RESOLVED, alert_id, officer_id, minutes(at), Disposition.TRUE_VIOLATION)


def noted(alert_id: str, at: float, officer_id: str = "duty1") -> Answered:
    return Answered(Answer.NOTED, alert_id, officer_id, minutes(at))


def handed_over(alert_id: str, at: float, to: str, officer_id: str = "duty1") -> Answered:
    return Answered(Answer.HANDED_OVER, alert_id, officer_id, minutes(at), to_officer=to)


@dataclass
class Desk:
    """An alert book with everything that ever came out of it."""

    cases: CaseSet = field(default_factory=lambda: TOWN)
    settings: RulesSettings = field(default_factory=RulesSettings)
    lines: list[Line] = field(default_factory=list)
    notes: list[TimelineNote] = field(default_factory=list)
    pages: list[tuple[float, int, int, str]] = field(default_factory=list)  # minute, round, step, officer
    asides: list[tuple[float, str, str]] = field(default_factory=list)  # minute, purpose, officer
    alerts: dict[str, Alert] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.book = AlertBook(self.settings)

    def until(self, at: float, *happened: Transition | Answered | Drill) -> Outcome:
        """Wind time forward to minute ``at``, with what happened on the way."""
        outcome = self.book.advance(
            [h for h in happened if isinstance(h, Transition)],
            [h for h in happened if isinstance(h, Answered)],
            self.cases,
            minutes(at),
            [h for h in happened if isinstance(h, Drill)],
        )
        self.lines += outcome.lines
        self.notes += outcome.notes
        for page in outcome.pages:
            at = (page.due_ms - T0) / MINUTE_MS
            if page.purpose is Purpose.STEP:
                self.pages.append((at, page.round, page.step, page.officer_id))
            else:
                self.asides.append((at, page.purpose.value, page.officer_id))
        self.alerts.update({a.alert_id: a for a in outcome.alerts})
        return outcome

    @property
    def alert(self) -> Alert:
        """The only alert there is."""
        (alert,) = self.alerts.values()
        return alert

    def paged_at(self) -> list[tuple[float, tuple[str, ...]]]:
        """(minute, who) of every line on which someone was paged."""
        return [((line.at_ms - T0) / MINUTE_MS, line.paged) for line in self.lines if line.paged]

    def log(self) -> list[tuple[str, float, str, tuple[str, ...]]]:
        """(change, minute, severity, who is paged) of every line."""
        return [(str(n.change), (n.at_ms - T0) / MINUTE_MS, str(n.severity), n.paged) for n in self.lines]
