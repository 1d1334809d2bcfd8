"""What the alert book gives back: lines of the episode log, alerts, pages, and notes for the timeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from corrections_monitor.model.alerts import Alert, Line, Page


class Noted(StrEnum):
    """What a timeline note is about."""

    OPENED = "opened"
    JOINED = "joined"  # an episode joined the alert
    RAISED = "raised"  # the alert grew graver
    EPISODE_ENDED = "episode-ended"
    PAGED = "paged"
    SKIPPED = "skipped"  # a step of the ladder found nobody
    STOPPED = "stopped"  # the ladder stopped; ``why`` says what for
    RESUMED = "resumed"
    REPEATED = "repeated"  # the last step once more
    REMINDED = "reminded"  # who acknowledged: nothing has followed
    EXPIRED = "expired"  # the acknowledgement: nothing followed, the ladder starts anew
    DRILL_ENDED = "drill-ended"
    HANDED_OVER = "handed-over"  # the person, and so the alert, belongs to another office now
    UNHEEDED = "unheeded"  # an answer that came too late to mean anything


@dataclass(frozen=True, slots=True)
class TimelineNote:
    """One line of an alert's timeline; ``who`` are officers, ``detail`` is plain JSON."""

    alert_id: str
    at_ms: int
    what: Noted
    who: tuple[str, ...] = ()
    detail: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that followed, in order; ``alerts`` holds the last state of each alert that was touched."""

    lines: tuple[Line, ...]
    alerts: tuple[Alert, ...]
    pages: tuple[Page, ...]
    notes: tuple[TimelineNote, ...]
