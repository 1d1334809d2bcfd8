"""A person's story of place: what the fixes tell, in order of event time, as if each had come in its turn.

A story is a list of chapters: what is believed and which episodes are told, each since the last change.  A
fix, an edit of the cases or the end of what the law demands begins a new chapter at its own time; whatever
changes nothing begins none.  A fix from before the present chapter therefore needs no more than to go back
to the chapter it falls in and to tell from there again (``retell``); the ledger is brought in step with what
is told (``fit``), by fixes in their turn and late ones alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from corrections_monitor.detection.belief import Belief
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import OPEN_END_MS, OPEN_START_MS


@dataclass(slots=True)
class Slot:
    """What is believed about one slot of a person, and until when its open episode's law holds."""

    belief: Belief = field(default_factory=Belief)
    until_ms: int = OPEN_END_MS


@dataclass(frozen=True, slots=True)
class Told:
    """An episode as the story tells it.  ``shown_ms``: event time of the fix that showed it; two are equal
    that say the same times of the same thing."""

    kind: Kind
    subject: str
    started_ms: int
    ended_ms: int | None = None
    shown_ms: int = field(default=OPEN_START_MS, compare=False)
    zone_id: str | None = field(default=None, compare=False)
    reason: str = field(default="", compare=False)
    evidence: Mapping[str, Any] = field(default_factory=dict, compare=False)
    why_over: str = field(default="", compare=False)


@dataclass(slots=True)
class Chapter:
    """What is believed and told since ``since_ms``, and until when nothing changed it.  ``told`` is in order
    of opening."""

    since_ms: int = OPEN_START_MS
    until_ms: int = OPEN_END_MS
    slots: dict[str, Slot] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)

    def going_on(self, kinds: tuple[Kind, ...], subject: str) -> Told | None:
        """The told episode of one of these kinds that has not ended."""
        mine = (t for t in self.told if t.ended_ms is None and t.subject == subject and t.kind in kinds)
        return next(mine, None)

    def end(self, told: Told, ended_ms: int, why: str) -> None:
        """It never ends before it started."""
        over = replace(told, ended_ms=max(ended_ms, told.started_ms), why_over=why)
        self.told = [over if t is told else t for t in self.told]


@dataclass(slots=True)
class Story:
    """The chapters, the last one of them the present; and what the ledger was last brought in step with."""

    chapters: list[Chapter] = field(default_factory=lambda: [Chapter()])
    fitted: list[Told] = field(default_factory=list)

    @property
    def now(self) -> Chapter:
        return self.chapters[-1]

    @property
    def since_ms(self) -> int:
        """When the present chapter began."""
        return self.now.since_ms

    @property
    def is_blank(self) -> bool:
        """Whether forgetting it would change nothing."""
        (first, *others) = self.chapters
        return not (others or first.told or self.fitted or any(s != _UNSEEN for s in first.slots.values()))

    def turn_to(self, t_ms: int) -> Chapter:
        """The chapter in which to write down what changes at ``t_ms``, not before the present one's time."""
        before = self.now
        assert t_ms >= before.since_ms
        if t_ms > before.since_ms:
            slots = {name: Slot(replace(s.belief), s.until_ms) for name, s in before.slots.items()}
            before.until_ms = t_ms
            self.chapters.append(Chapter(t_ms, slots=slots, told=list(before.told)))
        return self.now

    def base_ms(self, t_ms: int) -> int:
        """From when on all fixes must be known to tell again what follows from one at ``t_ms``."""
        base = next((c for c in reversed(self.chapters) if c.since_ms < t_ms), self.chapters[0])
        return min(t_ms, base.until_ms)

    def remembers(self, t_ms: int) -> bool:
        """Whether what was believed just before ``t_ms`` is still known."""
        return self.chapters[0].since_ms < t_ms

    def go_back(self, t_ms: int) -> None:
        """Forget what was written of ``t_ms`` and after."""
        while self.since_ms >= t_ms:
            self.chapters.pop()
        self.now.until_ms = OPEN_END_MS

    def forget(self, before_ms: int) -> None:
        """Let go of what is too long ago to be told anew."""
        while len(self.chapters) > 1 and self.chapters[1].since_ms <= before_ms:
            self.chapters.pop(0)
        for chapter in self.chapters:
            chapter.told = [t for t in chapter.told if t.ended_ms is None or t.ended_ms > before_ms]
        self.fitted = list(self.now.told)

    def thin(self) -> None:
        """Keep the number of chapters in bounds: the older, the farther apart.  Telling anew only begins the
        earlier for it."""
        if len(self.chapters) > MAX_CHAPTERS:
            dense = MAX_CHAPTERS // 2
            self.chapters = self.chapters[:-dense:2] + self.chapters[-dense:]


MAX_CHAPTERS = 48  # per person
_UNSEEN = Slot()
