"""The episodes of one person: opened once, closed once, never reopened.

Families say what they want through ``open``/``amend``/``close``; the ledger turns that into transitions
and remembers the open ones, and for some days the closed ones, because late data may still move them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from corrections_monitor.model.episodes import Change, Episode, Kind, Transition, episode_id
from corrections_monitor.model.times import DAY_MS

KEEP_CLOSED_MS = 4 * DAY_MS  # longer than what a story of place may still be told anew
FROM_LAST_CONTACT = frozenset({Kind.SILENCE_DEVICE, Kind.SILENCE_BAND, Kind.SILENCE_POSITION, Kind.OUTAGE})
"""These may begin again with the same start, after a stay in hospital, when the first is long forgotten."""
APART_MS = 16  # how far apart their starts are told then, for every KEEP_CLOSED_MS: names must differ

Key = tuple[Kind, str]
"""Kind and subject: what there is at most one open episode of, per person."""


@dataclass(slots=True)
class Ledger:
    """Open and recently closed episodes of a person; ``note`` ends the reason of whatever is opened."""

    person_id: str
    office_id: str
    open_ones: dict[Key, Episode] = field(default_factory=dict)
    closed: list[Episode] = field(default_factory=list)
    note: str = ""

    def open(
        self,
        out: list[Transition],
        at_ms: int,
        kind: Kind,
        subject: str,
        started_ms: int,
        reason: str,
        *,
        zone_id: str | None = None,
        late: bool = False,
        evidence: Mapping[str, Any] | None = None,
        beside: Episode | None = None,
    ) -> Episode:
        """Open an episode unless one of this kind and subject is open; return the open one.

        ``beside``: one that is set aside meanwhile and goes on, whose name is taken too.
        """
        present = self.open_ones.get((kind, subject))
        if present is not None:
            return present
        if kind in FROM_LAST_CONTACT:
            started_ms += max(0, at_ms - started_ms) // KEEP_CLOSED_MS * APART_MS
        name = episode_id(self.person_id, kind, subject, started_ms)
        while any(e is not None and e.episode_id == name for e in (beside, *self.closed)):
            # The same start again can only be the old one judged twice: never reopened.
            started_ms += 1
            name = episode_id(self.person_id, kind, subject, started_ms)
        episode = Episode(
            name, kind, self.person_id, self.office_id, subject, zone_id,
            started_ms, at_ms, None, late, reason + self.note, dict(evidence or {}),
        )  # fmt: skip
        self.open_ones[kind, subject] = episode
        out.append(Transition(Change.OPENED, at_ms, episode))
        return episode

    def amend(self, out: list[Transition], at_ms: int, episode: Episode, **changes: Any) -> Episode:
        """Move times or reason of an episode, open or closed; says nothing when nothing changes."""
        changed = replace(episode, **changes)
        if (changed.started_ms, changed.ended_ms, changed.reason) == (
            episode.started_ms,
            episode.ended_ms,
            episode.reason,
        ):
            return episode
        key = (episode.kind, episode.subject)
        if self.open_ones.get(key) is episode:
            self.open_ones[key] = changed
        else:
            self.closed = [changed if e is episode else e for e in self.closed]
        out.append(Transition(Change.UPDATED, at_ms, changed))
        return changed

    def close(self, out: list[Transition], at_ms: int, key: Key, ended_ms: int, reason: str) -> None:
        """Close an open episode; a no-op when none is open.  It never ends before it started."""
        present = self.open_ones.pop(key, None)
        if present is None:
            return
        done = replace(present, ended_ms=max(ended_ms, present.started_ms), reason=reason)
        self.closed = [e for e in self.closed if (e.ended_ms or 0) > at_ms - KEEP_CLOSED_MS]
        self.closed.append(done)
        out.append(Transition(Change.CLOSED, at_ms, done))

    def is_open(self, kind: Kind, subject: str) -> bool:
        return (kind, subject) in self.open_ones

    def of_kind(self, *kinds: Kind) -> list[Episode]:
        """The open episodes of some kinds."""
        return [e for e in self.open_ones.values() if e.kind in kinds]

    def move_office(self, office_id: str) -> None:
        """Hand the open episodes over with the person."""
        self.office_id = office_id
        self.open_ones = {k: replace(e, office_id=office_id) for k, e in self.open_ones.items()}
