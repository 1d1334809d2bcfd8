"""A device that lies still: separated (人机分离) inferred from its own word that nothing moves it.

A worn device feels its wearer turn over and reach for a cup: through waking hours it hardly lies still for
long.  How long it does is learned of every person from the days before, because who works at night sleeps
by day.  A position tells nothing here: who sits at home and who left the device there look the same.
Phones lie on tables and are left out.  What lies in a drawer, before it was put on or while its wearer is in
hospital, is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from corrections_monitor.model.schedule import Calendar, parse_schedule, spans
from corrections_monitor.model.telemetry import BandEvent
from corrections_monitor.model.times import HOUR_MS, OPEN_END_MS, from_ms

WAKING = parse_schedule([{"days": "Mo-Su,PH", "from": "07:00", "to": "22:00"}])
STILL_MS = 4 * HOUR_MS  # waking hours without a movement, at least …
OWN_FACTOR = 1.5  # … and so many times the longest of the person's own days
DAYS_KNOWN = 3  # before so many days with movements are known nothing is inferred
DAYS_KEPT = 14


@dataclass(slots=True)
class Still:
    """One device's stillness: ``since_ms`` (event time; None: it moves), and by civil day of the last ones
    with a movement (proleptic ordinal) the longest it lay still in waking hours, ms."""

    since_ms: int | None = None
    heard_ms: int = 0
    days: dict[int, int] = field(default_factory=dict)

    def hear(self, event: BandEvent, t_ms: int, worn_ms: int, calendar: Calendar) -> None:
        """Take ``motionless`` or ``moving``; one that is older than the last is passed over.
        ``worn_ms``: since when it is worn; what was before is not counted."""
        if t_ms < self.heard_ms:
            return
        self.heard_ms = t_ms
        if event is BandEvent.MOTIONLESS:
            self.since_ms = t_ms if self.since_ms is None else self.since_ms
            return
        lay_ms = 0 if self.since_ms is None else _waking_ms(max(self.since_ms, worn_ms), t_ms, calendar)
        self.since_ms = None
        day = from_ms(t_ms, calendar.zone).date().toordinal()
        self.days[day] = max(self.days.get(day, 0), lay_ms)
        for old in sorted(self.days)[:-DAYS_KEPT]:
            del self.days[old]

    def odd_from_ms(self, worn_ms: int, calendar: Calendar) -> int:
        """When it will have lain still for too long, counted from ``worn_ms`` at the earliest, if it goes on;
        OPEN_END_MS while it moves or too little is known of this person."""
        if self.since_ms is None or len(self.days) < DAYS_KNOWN or worn_ms == OPEN_END_MS:
            return OPEN_END_MS
        left_ms = max(STILL_MS, round(OWN_FACTOR * max(self.days.values())))
        since_ms = max(self.since_ms, worn_ms)
        for start, end in spans(WAKING, calendar, since_ms):
            awake_ms = max(0, end - max(start, since_ms))
            if awake_ms >= left_ms:
                return max(start, since_ms) + left_ms
            left_ms -= awake_ms
        return OPEN_END_MS


def _waking_ms(start_ms: int, end_ms: int, calendar: Calendar) -> int:
    if start_ms >= end_ms:
        return 0
    hours = spans(WAKING, calendar, start_ms)
    return sum(max(0, min(end, end_ms) - max(start, start_ms)) for start, end in hours)
