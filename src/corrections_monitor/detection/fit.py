"""The ledger brought in step with the story of place as it is told now.

Nothing is ever reopened: what was said to be over and is told to go on is followed by an episode of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from corrections_monitor.detection.ledger import Key, Ledger
from corrections_monitor.detection.place import PLACE_KINDS
from corrections_monitor.detection.reasons import Reasons
from corrections_monitor.detection.story import Story, Told
from corrections_monitor.model.episodes import Episode, Transition
from corrections_monitor.model.times import DAY_MS, OPEN_END_MS

KEEP_TOLD_MS = 3 * DAY_MS  # late fixes older than what was told so long ago change nothing any more


def fit(
    out: list[Transition], ledger: Ledger, story: Story, at_ms: int, late_ms: int, reasons: Reasons
) -> None:
    """Open, move and close episodes of place where the story does not tell them as it did.

    ``late_ms``: what is opened so long after the fix that shows it is late.
    """
    if story.now.told == story.fitted:
        return
    episodes = [*ledger.closed, *ledger.open_ones.values()]
    known = sorted((e for e in episodes if e.kind in PLACE_KINDS), key=lambda e: (e.started_ms, _end(e)))
    told = sorted(story.now.told, key=lambda t: t.started_ms)
    for key in sorted({(e.kind, e.subject) for e in known} | {(t.kind, t.subject) for t in told}):
        mine = [t for t in told if (t.kind, t.subject) == key]
        theirs = [e for e in known if (e.kind, e.subject) == key]
        _Fitting(out, ledger, key, at_ms, late_ms, reasons).fit(theirs, mine)
    story.forget(at_ms - KEEP_TOLD_MS)


class _Fitting:
    """The episodes of one kind and subject."""

    def __init__(
        self,
        out: list[Transition],
        ledger: Ledger,
        key: Key,
        at_ms: int,
        late_ms: int,
        reasons: Reasons,
    ) -> None:
        self._out, self._ledger, self._key, self._at_ms = out, ledger, key, at_ms
        self._late_ms, self._reasons = late_ms, reasons

    def fit(self, known: list[Episode], told: Sequence[Told]) -> None:
        """A told episode takes over the first known one it shares an instant with, and those after it that
        are not the next told one's.  What was open and is not told is withdrawn.  Both in order of time."""
        for one, following in zip_longest(told, told[1:]):
            taken: list[Episode] = []
            for episode in known:
                if _share(episode, one) and not (taken and following and _share(episode, following)):
                    taken.append(episode)
            known = [e for e in known if e not in taken]
            if taken:
                self._move(taken, one)
            else:
                self._open(one)
        for left in known:
            if left.ended_ms is None:
                self._close(left.started_ms, self._reasons.say("withdrawn"))

    def _move(self, taken: Sequence[Episode], told: Told) -> None:
        """Give known episodes the times that are told: its start to the first, its end to the last."""
        ledger, out, at_ms = self._ledger, self._out, self._at_ms
        first, last = taken[0], max(taken, key=_end)
        if first is last and last.ended_ms is not None and told.ended_ms is not None:
            ledger.amend(out, at_ms, first, started_ms=told.started_ms, ended_ms=told.ended_ms)
            return
        self._start(first, told)
        if last.ended_ms is None:
            if told.ended_ms is not None:
                self._close(told.ended_ms, told.why_over)
        elif told.ended_ms is not None:
            ledger.amend(out, at_ms, last, ended_ms=told.ended_ms)
        else:
            self._open(replace(told, started_ms=last.ended_ms))

    def _start(self, episode: Episode, told: Told) -> None:
        """Give a known episode the start that is told; an open one the sentence and what shows it, too."""
        changes: dict[str, Any] = {"started_ms": told.started_ms}
        if episode.ended_ms is None and episode.started_ms != told.started_ms:
            changes |= {"reason": told.reason + self._ledger.note, "evidence": dict(told.evidence)}
        self._ledger.amend(self._out, self._at_ms, episode, **changes)

    def _open(self, told: Told) -> None:
        # What is over before it is told leaves another one open that goes on.
        going_on = self._ledger.open_ones.pop(self._key, None) if told.ended_ms is not None else None
        self._ledger.open(
            self._out, self._at_ms, told.kind, told.subject, told.started_ms, told.reason,
            zone_id=told.zone_id,
            late=self._at_ms - told.shown_ms > self._late_ms,
            evidence=told.evidence,
            beside=going_on,
        )  # fmt: skip
        if told.ended_ms is not None:
            self._close(told.ended_ms, told.why_over)
        if going_on is not None:
            self._ledger.open_ones[self._key] = going_on

    def _close(self, ended_ms: int, why: str) -> None:
        self._ledger.close(self._out, self._at_ms, self._key, ended_ms, why)


def _share(one: Episode, other: Told) -> bool:
    return one.started_ms <= _end(other) and other.started_ms <= _end(one)


def _end(one: Episode | Told) -> int:
    return OPEN_END_MS if one.ended_ms is None else one.ended_ms
