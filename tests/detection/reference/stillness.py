"""A worn device that lies still: for how many waking hours, and is that odd for this person?

Asked of everything the device has said of it.  The numbers are documented in ``detection/stillness.py``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from corrections_monitor.detection.stillness import DAYS_KEPT, DAYS_KNOWN, OWN_FACTOR, STILL_MS
from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.times import OPEN_END_MS
from reference.hours import instant
from reference.spans import Span

AWAKE = 7 * 60, 22 * 60  # minutes of civil time, every day
DAYS = 21  # so many after it was laid down are looked at; its wearer's longest day has fifteen waking hours


@dataclass
class Still:
    """What one device has said while one person wore it."""

    since_ms: int | None = None  # the first word that it lies still since it moved; None: it moves
    last_ms: int = 0  # of the newest word
    lay: list[tuple[int, int]] = field(default_factory=list)  # when it moved, how long it had lain till then

    def hear(self, lies: bool, t_ms: int, from_ms: int, calendar: Calendar) -> None:
        """The device lies still, or moves; ``from_ms``: what was before is not counted."""
        if t_ms < self.last_ms:
            return
        self.last_ms = t_ms
        if lies:
            self.since_ms = t_ms if self.since_ms is None else self.since_ms
            return
        start_ms = t_ms if self.since_ms is None else max(self.since_ms, from_ms)
        lay_ms = sum(max(0, min(b, t_ms) - a) for a, b in awake(min(start_ms, t_ms), calendar))
        self.lay.append((t_ms, lay_ms))
        self.since_ms = None

    def odd_from_ms(self, from_ms: int, calendar: Calendar) -> int:
        """From when on it lies still too long, if it does not move till then."""
        longest = defaultdict[object, int](int)
        for t_ms, lay_ms in self.lay:
            day = datetime.fromtimestamp(t_ms / 1_000, calendar.zone).date()
            longest[day] = max(longest[day], lay_ms)
        days = sorted(longest, key=str)[-DAYS_KEPT:]
        if self.since_ms is None or len(days) < DAYS_KNOWN:
            return OPEN_END_MS
        left_ms = max(STILL_MS, round(OWN_FACTOR * max(longest[day] for day in days)))
        for start_ms, end_ms in awake(max(self.since_ms, from_ms), calendar):
            if end_ms - start_ms >= left_ms:
                return start_ms + left_ms
            left_ms -= end_ms - start_ms
        return OPEN_END_MS


def awake(from_ms: int, calendar: Calendar) -> Iterator[Span]:
    """The waking hours from an instant on."""
    first = datetime.fromtimestamp(from_ms / 1_000, calendar.zone).date()
    for number in range(DAYS):
        start_ms, end_ms = (instant(first + timedelta(days=number), m, calendar) for m in AWAKE)
        if end_ms > from_ms:
            yield max(start_ms, from_ms), end_ms
