"""The only place that reads the time.

Wall time says when something happened; monotonic time says how long something took.  They are kept
apart because a wall clock can jump.  Tests and replay pass a clock of their own.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Wall time in epoch milliseconds, monotonic time in seconds."""

    def wall_ms(self) -> int: ...

    def monotonic_s(self) -> float: ...


class SystemClock:
    """The machine's clocks."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()
