"""Schedules: at which instants a zone holds, by civil time."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from corrections_monitor.model.schedule import Calendar, Schedule
from corrections_monitor.model.times import OPEN_END_MS, OPEN_START_MS
from reference.spans import Span

HOLIDAY = 7  # the bit after Sunday's


@lru_cache(maxsize=4096)
def windows(schedule: Schedule, calendar: Calendar, about_ms: int) -> tuple[Span, ...]:
    """Every window of a schedule from four days before an instant to ten days after it."""
    if schedule.always:
        return ((OPEN_START_MS, OPEN_END_MS),)
    first = datetime.fromtimestamp(about_ms / 1_000, calendar.zone).date()
    found = []
    for number in range(-4, 11):
        day = first + timedelta(days=number)
        names = {day.weekday()} | ({HOLIDAY} if day in calendar.off else set())
        for window in schedule.windows:
            if any(window.days >> name & 1 for name in names):
                found.append(tuple(instant(day, m, calendar) for m in (window.from_min, window.to_min)))
    return tuple(sorted((a, b) for a, b in found if a < b))


def instant(day: object, minutes: int, calendar: Calendar) -> int:
    """That many minutes of civil time after a day began: 1500 is one o'clock on the next morning."""
    clock = datetime.fromisoformat(f"{day}T00:00:00") + timedelta(minutes=minutes)
    return round(clock.replace(tzinfo=calendar.zone).timestamp() * 1_000)
