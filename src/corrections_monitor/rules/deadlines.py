"""What happens by itself: severities that change by age, and what ladders do next, by due time.

A heap with lazy deletion: an entry counts only while the record it names still has that due time.  Ages
come before steps within a millisecond, so that a rise and a step of one moment are one.
"""

from __future__ import annotations

import heapq

from corrections_monitor.rules.records import AlertRecord, Memory, OpenEpisode

_BY_AGE, _ALERT = 0, 1


class Deadlines:
    """The deadlines of one memory; rebuilt from it after a restore."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._heap: list[tuple[int, int, str]] = []
        for record in memory.alerts.values():
            self.arm_alert(record)
        for tracked in memory.open.values():
            self.arm_age(tracked)

    def arm_age(self, tracked: OpenEpisode) -> None:
        """Take note of when the episode's severity changes by age."""
        if tracked.change_due_ms is not None:
            heapq.heappush(self._heap, (tracked.change_due_ms, _BY_AGE, tracked.episode.episode_id))

    def arm_alert(self, record: AlertRecord) -> None:
        """Take note of when the alert's next step, repeat, reminder or end is due."""
        if record.due_ms is not None:
            heapq.heappush(self._heap, (record.due_ms, _ALERT, record.alert.alert_id))

    @property
    def next_ms(self) -> int | None:
        """When the first is due; None when there is none."""
        while self._heap:
            if self._subject(*self._heap[0]) is not None:
                return self._heap[0][0]
            heapq.heappop(self._heap)
        return None

    def pop(self, before_ms: int) -> tuple[int, OpenEpisode | AlertRecord] | None:
        """Take out the first that is due before the time: (due_ms, whose it is)."""
        while self._heap and self._heap[0][0] < before_ms:
            entry = heapq.heappop(self._heap)
            subject = self._subject(*entry)
            if subject is not None:
                return entry[0], subject
        return None

    def _subject(self, due_ms: int, what: int, name: str) -> OpenEpisode | AlertRecord | None:
        if what == _BY_AGE:
            tracked = self._memory.open.get(name)
            return tracked if tracked is not None and tracked.change_due_ms == due_ms else None
        record = self._memory.alerts.get(name)
        return record if record is not None and record.due_ms == due_ms else None
