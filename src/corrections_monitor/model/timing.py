"""When something that is done again and again is due: at a time of day, or so long after the last time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from corrections_monitor.model.times import DAY_MS, from_ms, to_ms


@dataclass(frozen=True, slots=True)
class Timing:
    """``at_ms``: civil time of day after midnight; else every ``every_ms``."""

    at_ms: int | None = None
    every_ms: int = DAY_MS

    def due_ms(self, last_ms: int | None, zone: ZoneInfo) -> int:
        """The instant from which it is due again when it was last done at ``last_ms``; never yet: at once."""
        if last_ms is None:
            return 0
        if self.at_ms is None:
            return last_ms + self.every_ms
        day = from_ms(last_ms, zone).date()
        return next(
            at for at in (self._on(day + timedelta(days=ahead), zone) for ahead in (0, 1, 2)) if at > last_ms
        )

    def _on(self, day: date, zone: ZoneInfo) -> int:
        assert self.at_ms is not None
        hours, minutes = divmod(self.at_ms // 60_000, 60)
        return to_ms(datetime.combine(day, time(hours, minutes), tzinfo=zone))
