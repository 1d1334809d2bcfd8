"""The alert book (警情簿): transitions and answers in; lines, alerts, pages and timeline notes out.

Theory of operation
-------------------
Everything happens at its own time.  Before a transition or an answer is looked at, every deadline before
its millisecond has fired; at the end of a call every deadline up to ``now_ms`` has.  Within one
millisecond answers come first, then transitions, then severities that change by age, then steps of
ladders.  So how the input is cut into calls changes nothing.

What an episode is worth at an age is ``following``; which alert it belongs to and what follows is
``gathering``; which ladder it climbs ``ladders``, how ``climbing``, who stands on its rungs ``roster``; what
an officer's answer does is ``answering``, how long it holds ``patience``.  This file keeps the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from corrections_monitor.model.alerts import Alert, AlertState, Answered, Drill
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import Kind, Transition
from corrections_monitor.model.settings import RulesSettings
from corrections_monitor.rules.deadlines import Deadlines
from corrections_monitor.rules.following import Following
from corrections_monitor.rules.gathering import Gathering
from corrections_monitor.rules.outcome import Outcome
from corrections_monitor.rules.records import Memory, OpenEpisode, decode, encode
from corrections_monitor.rules.roster import Roster


class AlertBook:
    """All live alerts.  Pure: the caller brings the time and keeps what comes out."""

    def __init__(self, settings: RulesSettings) -> None:
        self._begin_with(settings, Memory())

    @classmethod
    def restore(cls, settings: RulesSettings, body: bytes) -> AlertBook:
        """The book as ``snapshot`` saw it.  Raises ValueError for bytes of another format."""
        book = cls.__new__(cls)
        book._begin_with(settings, decode(body))
        return book

    def _begin_with(self, settings: RulesSettings, memory: Memory) -> None:
        self._memory = memory
        self._deadlines = Deadlines(memory)
        self._gathering = Gathering(settings, memory, self._deadlines)
        self._following = Following(settings, memory, self._deadlines, self._gathering)
        self._cases: CaseSet | None = None
        self._roster = Roster(CaseSet())

    def snapshot(self) -> bytes:
        """The whole state; a book restored from it goes on as this one would."""
        return encode(self._memory)

    @property
    def next_due_ms(self) -> int | None:
        """When something happens by itself next; None when nothing will."""
        return self._deadlines.next_ms

    def open_kinds(self) -> Counter[Kind]:
        """How many episodes of each kind have not ended; looks at every one of them."""
        return Counter(tracked.episode.kind for tracked in self._memory.open.values())

    def episodes_of(self, alert_id: str) -> tuple[str, tuple[str, ...]] | None:
        """Person and open episodes of a live alert; None when the book does not hold it (any more), or it
        is a drill."""
        record = self._memory.alerts.get(alert_id)
        if record is None or record.alert.drill:
            return None
        return record.alert.person_id, tuple(record.open_ids)

    def open_alerts(self) -> Iterator[Alert]:
        """Alerts of something that lasts and that nobody has resolved."""
        for record in self._memory.alerts.values():
            if record.open_ids and record.alert.state is not AlertState.RESOLVED:
                yield record.alert

    def advance(
        self,
        transitions: Sequence[Transition],
        answers: Sequence[Answered],
        cases: CaseSet,
        now_ms: int,
        drills: Sequence[Drill] = (),
    ) -> Outcome:
        """Take in what happened up to ``now_ms`` and say what follows.

        ``transitions`` are in the engine's order, none before an earlier call's ``now_ms`` nor after this
        one's (ValueError); an answer or drill recorded outside that span counts as given at its nearer end.
        Raises IllegalMove for a transition that cannot be, such as closing what was never opened.
        """
        if now_ms < self._memory.now_ms:
            raise ValueError(f"time ran back from {self._memory.now_ms} to {now_ms}")
        self._begin(cases)
        for at_ms, happened in self._in_order(transitions, [*drills, *answers], now_ms):
            self._fire_deadlines(before_ms=at_ms)
            self._memory.now_ms = at_ms
            if isinstance(happened, Answered):
                self._gathering.answer(at_ms, happened)
            elif isinstance(happened, Drill):
                self._gathering.begin_drill(at_ms, happened)
            else:
                self._following.move(at_ms, happened)
        self._fire_deadlines(before_ms=now_ms + 1)
        self._memory.now_ms = now_ms
        self._following.forget(now_ms)
        return self._gathering.outcome()

    def _begin(self, cases: CaseSet) -> None:
        if cases is self._cases:
            self._gathering.begin(self._roster)
            return
        self._cases, self._roster = cases, Roster(cases)
        self._gathering.begin(self._roster)
        self._gathering.follow_people(self._memory.now_ms)
        self._following.use(cases, self._roster)

    def _in_order(
        self, transitions: Sequence[Transition], said: Sequence[Answered | Drill], now_ms: int
    ) -> Iterator[tuple[int, Answered | Drill | Transition]]:
        since_ms = self._memory.now_ms
        rows: list[tuple[int, int, Answered | Drill | Transition]] = [
            (min(max(one.at_ms, since_ms), now_ms), 0, one) for one in said
        ]
        for transition in transitions:
            if not since_ms <= transition.at_ms <= now_ms:
                raise ValueError(f"a transition at {transition.at_ms}, outside {since_ms}…{now_ms}")
            rows.append((transition.at_ms, 1, transition))
        rows.sort(key=lambda row: row[:2])  # stable: the engine's order stands within a millisecond
        return ((at_ms, happened) for at_ms, _, happened in rows)

    def _fire_deadlines(self, before_ms: int) -> None:
        while (due := self._deadlines.pop(before_ms)) is not None:
            at_ms, subject = due
            if isinstance(subject, OpenEpisode):
                self._following.age(at_ms, subject)
            else:
                self._gathering.climb(at_ms, subject)
