"""The book of one person's episodes: opened once, closed once, never reopened."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from corrections_monitor.detection.ledger import APART_MS, FROM_LAST_CONTACT, KEEP_CLOSED_MS
from corrections_monitor.model.episodes import Change, Kind

Key = tuple[Kind, str]
Seen = tuple[int, float, float, float, float]
"""A fix as evidence: event time, lon, lat, believable 68 % radius, metres beyond the boundary."""


@dataclass(frozen=True)
class Says:
    """What a reason must say, number by number in order, and what shows it.  Text and int must be met to the
    last digit, float (metres, kilometres) to one of what it is said in."""

    since_ms: int | None = None  # said first, where it is said
    numbers: tuple[int | float, ...] = ()
    shown_by: tuple[Seen, ...] = ()
    behind_ms: int = 0  # by how much the clock was set right


SILENT = Says()


@dataclass
class Entry:
    """One episode.  ``name_ms`` is the start it was first told with: the name it keeps."""

    kind: Kind
    subject: str
    zone_id: str | None
    started_ms: int
    name_ms: int
    late: bool
    reason: str
    ended_ms: int | None = None
    says: Says = SILENT

    @property
    def key(self) -> Key:
        return self.kind, self.subject


Line = tuple[int, str, str, str, str, str, int, int, bool]
"""at, person, kind, subject, change, zone, started, ended (-1: not yet), late."""


@dataclass
class Book:
    """All episodes of a person, and the lines told of them."""

    person_id: str
    told: list[tuple[Line, Says]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    behind_ms: int = 0  # by how much the clock of the device that speaks was set right

    def is_open(self, kind: Kind, subject: str) -> Entry | None:
        return next((e for e in self.entries if e.key == (kind, subject) and e.ended_ms is None), None)

    def open_ones(self, *kinds: Kind) -> list[Entry]:
        return [e for e in self.entries if e.ended_ms is None and (not kinds or e.kind in kinds)]

    def open(
        self, at_ms: int, kind: Kind, subject: str, started_ms: int, *,
        zone_id: str | None = None, late: bool = False, reason: str = "", says: Says | None = None,
    ) -> Entry:  # fmt: skip
        """Open an episode; the open one if there is one."""
        present = self.is_open(kind, subject)
        if present is not None:
            return present
        return self.begin(
            at_ms, kind, subject, started_ms, zone_id=zone_id, late=late, reason=reason, says=says
        )

    def begin(
        self, at_ms: int, kind: Kind, subject: str, started_ms: int, *,
        zone_id: str | None = None, late: bool = False, reason: str = "", says: Says | None = None,
    ) -> Entry:  # fmt: skip
        """Open an episode, whether or not another one goes on; it says since when, unless told otherwise."""
        says = replace(Says(started_ms) if says is None else says, behind_ms=self.behind_ms)
        if kind in FROM_LAST_CONTACT:
            started_ms += max(0, at_ms - started_ms) // KEEP_CLOSED_MS * APART_MS
        while any(e.key == (kind, subject) and e.name_ms == started_ms for e in self.entries):
            started_ms += 1  # a second episode of the same start needs a name of its own
        entry = Entry(kind, subject, zone_id, started_ms, started_ms, late, reason, says=says)
        self.entries.append(entry)
        self._tell(at_ms, Change.OPENED, entry)
        return entry

    def close(self, at_ms: int, entry: Entry, ended_ms: int, reason: str = "") -> None:
        """It never ends before it started."""
        entry.ended_ms, entry.reason, entry.says = max(ended_ms, entry.started_ms), reason, SILENT
        self._tell(at_ms, Change.CLOSED, entry)

    def move(
        self, at_ms: int, entry: Entry, *,
        started_ms: int | None = None, ended_ms: int | None = None, reason: str | None = None,
        says: Says | None = None,
    ) -> None:  # fmt: skip
        """Correct what is known of an episode, open or closed; no word when nothing changes."""
        before = entry.started_ms, entry.ended_ms, entry.reason
        if started_ms is not None:
            entry.started_ms = started_ms
        if ended_ms is not None:
            entry.ended_ms = ended_ms
        if reason is not None:
            entry.reason = reason
        if (entry.started_ms, entry.ended_ms, entry.reason) != before:
            if says is not None and entry.ended_ms is None:
                entry.says = replace(says, behind_ms=self.behind_ms)
            self._tell(at_ms, Change.UPDATED, entry)

    def _tell(self, at_ms: int, change: Change, e: Entry) -> None:
        ended_ms = -1 if e.ended_ms is None else e.ended_ms
        zone = e.zone_id or ""
        line = (
            at_ms, self.person_id, str(e.kind), e.subject, str(change), zone, e.started_ms, ended_ms, e.late
        )  # fmt: skip
        self.told.append((line, e.says))
