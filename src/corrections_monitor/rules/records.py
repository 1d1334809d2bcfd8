"""What the alert book remembers, and its form in a snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from corrections_monitor.model.alerts import Alert
from corrections_monitor.model.episodes import PER_SUBJECT_CAUSES, Cause, Episode, Severity
from corrections_monitor.model.times import OPEN_START_MS
from corrections_monitor.rules.moves import Ladder

SNAPSHOT_FORMAT = 1

GroupKey = tuple[str, Cause, str]
"""What one alert gathers: person, cause, and the subject where the cause is kept apart by subject."""


@dataclass(slots=True)
class OpenEpisode:
    """An episode that has not ended; ``change_due_ms`` is when age alone changes its severity."""

    episode: Episode
    severity: Severity
    change_due_ms: int | None
    alert_id: str


@dataclass(slots=True)
class EndedEpisode:
    """What is kept of an episode for a while, because late data may still move its times."""

    severity: Severity
    closed_ms: int
    alert_id: str


@dataclass(slots=True)
class AlertRecord:
    """An alert with what decides its next moves.

    ``first_started_ms`` and ``last_ended_ms`` are event time, ``last_closed_ms`` and ``halted_ms`` the
    time at which it was known.  ``ended_lead`` is the leading episode once nothing is open any more.
    ``holder`` has acknowledged, or has it by hand-over.  ``later_ms`` is when the last step repeats
    (ladder spent), or the holder is reminded or given up (answered).  A drill pages ``only`` one officer
    and ends at ``ends_ms``.
    """

    alert: Alert
    ladder: Ladder
    first_started_ms: int
    last_ended_ms: int = OPEN_START_MS
    last_closed_ms: int = OPEN_START_MS
    halted_ms: int | None = None
    open_ids: list[str] = field(default_factory=list)
    remembered: int = 0  # ended episodes of this alert not yet forgotten
    ended_lead: Episode | None = None
    ended_lead_severity: Severity = Severity.INFO
    holder: str | None = None
    later_ms: int | None = None
    reminded: bool = False
    asides: int = 0  # pages of this round that are no steps
    only: str | None = None
    ends_ms: int | None = None

    @property
    def due_ms(self) -> int | None:
        """When something happens to the alert by itself next."""
        times = (self.alert.step_due_ms, self.later_ms, self.ends_ms)
        return min((at_ms for at_ms in times if at_ms is not None), default=None)

    @property
    def key(self) -> GroupKey:
        return (self.alert.person_id, self.alert.cause, self.alert.subject)


@dataclass(slots=True)
class Memory:
    """The whole state of the book; everything else it holds is derived from this."""

    format: int = SNAPSHOT_FORMAT
    now_ms: int = OPEN_START_MS
    open: dict[str, OpenEpisode] = field(default_factory=dict)
    ended: dict[str, EndedEpisode] = field(default_factory=dict)  # in order of closing
    alerts: dict[str, AlertRecord] = field(default_factory=dict)  # in order of opening


def group_of(episode: Episode) -> GroupKey:
    """The group in which the episode's alert is looked for."""
    subject = episode.subject if episode.cause in PER_SUBJECT_CAUSES else ""
    return (episode.person_id, episode.cause, subject)


def encode(memory: Memory) -> bytes:
    """The state as MessagePack; the same state gives the same bytes."""
    return msgspec.msgpack.encode(memory)


def decode(body: bytes) -> Memory:
    """The state back from its bytes; raises ValueError when they are of another format."""
    memory = msgspec.msgpack.decode(body, type=Memory)
    if memory.format != SNAPSHOT_FORMAT:
        raise ValueError(f"alert book snapshot of format {memory.format}, expected {SNAPSHOT_FORMAT}")
    return memory
