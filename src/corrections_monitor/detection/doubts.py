"""What is remembered of one person's contradicting fixes and devices that lie still; ``suspicion`` decides
what it means."""

from __future__ import annotations

from dataclasses import dataclass, field

from corrections_monitor.detection.stillness import Still
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import OPEN_START_MS

Place = tuple[float, float]


@dataclass(slots=True)
class Leaps:
    """Leaps of one device between two places, to and fro; ``worth`` adds up the returns."""

    first_ms: int
    last_ms: int
    start: Place
    end: Place
    worth: float = 0.0


@dataclass(slots=True)
class Inferred:
    """An open inferred episode: event time and arrival of the last odd fix; ``still``: a device that lies
    still keeps it open."""

    kind: Kind
    device_id: str
    last_ms: int
    at_ms: int
    still: bool = False


@dataclass(slots=True)
class Lost:
    """A device that gives no fix any more: its last good one."""

    since_ms: int
    place: Place
    battery_pct: int


@dataclass(slots=True)
class Sky:
    """A device's fixes from under the open sky without a break: event times and the newest position."""

    from_ms: int
    last_ms: int
    place: Place


@dataclass(slots=True)
class Doubts:
    """What one person's devices have done so far that is odd."""

    leaps: dict[str, Leaps] = field(default_factory=dict)  # by device
    apart_ms: int = OPEN_START_MS  # first of a run of comparisons that found the devices apart
    apart_fixes: int = 0
    still: dict[str, Still] = field(default_factory=dict)  # by device
    inferred: list[Inferred] = field(default_factory=list)
    lost: dict[str, Lost] = field(default_factory=dict)  # by device
    sky: dict[str, Sky] = field(default_factory=dict)  # by device, while another is lost
