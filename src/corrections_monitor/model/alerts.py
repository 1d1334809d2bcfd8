"""Alerts (警情), pages (通知) and answers: what rules decide and officers do.  CONTRACT §3 and §6."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from corrections_monitor.model.episodes import KIND_CAUSE, Cause, Change, Episode, Kind, Severity


class AlertState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Disposition(StrEnum):
    """处置结论."""

    TRUE_VIOLATION = "true_violation"
    FALSE_ALARM = "false_alarm"
    DEVICE_FAULT = "device_fault"
    AUTHORISED = "authorised"
    DRILL = "drill"


class Why(StrEnum):
    """Why a round of pages began."""

    OPENED = "opened"
    WORSENED = "worsened"  # the cause grew graver, perhaps after an acknowledgement
    EXPIRED = "expired"  # somebody acknowledged, and nothing followed


@dataclass(frozen=True, slots=True)
class Alert:
    """A person's open episodes of one cause.

    ``round`` grows when the alert is paged anew, ``why`` says for what, ``why_who`` whose acknowledgement
    came to nothing by that; ``step`` is the next step of the ladder to fire, ``step_due_ms`` when, None
    when the ladder has stopped.  ``kind`` is the leading episode's when the round began.  ``subject`` is
    empty unless the cause is kept apart by subject.  A drill (演练) has no person and no episode.
    """

    alert_id: str
    person_id: str
    office_id: str
    cause: Cause
    subject: str
    state: AlertState
    severity: Severity
    opened_ms: int
    updated_ms: int
    reason: str
    late: bool
    round: int
    step: int
    step_due_ms: int | None
    round_started_ms: int | None
    leading_episode: str  # the episode that gave the alert its severity; ladder steps are told on it
    kind: Kind
    why: Why = Why.OPENED
    why_who: str | None = None
    drill: bool = False


class Purpose(StrEnum):
    """What a page is for."""

    STEP = "step"  # a step of the ladder
    REPEAT = "repeat"  # its last step once more, because nobody has answered
    REMINDER = "reminder"  # to who acknowledged: nothing has followed, soon others are told
    HANDED_OVER = "handed-over"  # to who has the matter now
    BEATEN = "beaten"  # to who answered second: somebody else has it
    DIGEST = "digest"  # the office's daily digest; ``alert_id`` is the digest's


@dataclass(frozen=True, slots=True)
class Page:
    """One officer to be told of one alert, over the channels named, or every one the officer has.

    ``step`` counts the ladder's steps and their repeats, or the other pages of one purpose, in the round.
    ``channels`` are by turns: those of the first at once, those of a later ``turn`` if none before has
    taken the page.
    """

    alert_id: str
    round: int
    step: int
    officer_id: str
    severity: Severity
    due_ms: int
    purpose: Purpose = Purpose.STEP
    channels: tuple[tuple[str, ...], ...] = ()
    turn: int = 0


class Answer(StrEnum):
    """What officers say of an alert."""

    ACKNOWLEDGED = "acknowledged"
    NOTED = "noted"
    HANDED_OVER = "handed-over"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Answered:
    """An officer's answer; ``at_ms`` is when it was recorded, ``to_officer`` who has the matter now."""

    answer: Answer
    alert_id: str
    officer_id: str
    at_ms: int
    disposition: Disposition | None = None
    to_officer: str | None = None


@dataclass(frozen=True, slots=True)
class Drill:
    """An order to practise (演练): one alert that goes the whole way to one officer and ends by itself.

    ``drill_id`` names the drill with all its officers; ``office_id`` is the officer's.
    """

    drill_id: str
    officer_id: str
    office_id: str
    kind: Kind
    severity: Severity
    at_ms: int
    ends_ms: int
    reason: str

    @property
    def alert_id(self) -> str:
        """The drill's alert for this officer."""
        return alert_id(f"drill:{self.drill_id}", self.cause, self.officer_id)

    @property
    def cause(self) -> Cause:
        return KIND_CAUSE[self.kind]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the episode log (CONTRACT §4): what became of an episode, and who was paged then."""

    change: Change
    at_ms: int
    episode: Episode
    severity: Severity
    paged: tuple[str, ...]
    alert_id: str


def alert_id(first_episode_id: str, cause: Cause, subject: str) -> str:
    """A stable name, so that judging the same history twice makes the same alert."""
    text = "\x1f".join((first_episode_id, cause, subject))
    return "a" + hashlib.sha256(text.encode()).hexdigest()[:20]
