"""The only place that reads the time.

Wall time says when something happened; monotonic time says how long something took.  They are kept
apart because a wall clock can jump.  Tests and replay pass a clock of their own.
"""

from __future__ import annotations

import time
from typing import Protocol

OFF_MS = 60_000
STEADY_S = 300.0
"""A clock that has run evenly for so long after a jump is proven: by then it was set right, or the machine
had only slept."""
_EVEN_MS = 2_000
_CATCHING_UP = 0.5


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


class SteadyClock:
    """A clock that goes on when the machine's is set by more than a minute, and never goes back.

    The machine's wall time is held against its monotonic time, which nobody sets.  After a jump time goes on
    as if there had been none, so that deadlines keep, and ``fault`` says so.  A jump that was taken back is
    forgotten; one that has lasted is ``proven_ms``, and ``follow`` takes it over once the caller is ready for
    the leap.  Where time would have to go back it runs at half speed until the machine's has caught up: what
    was written down under the later time is there already.
    """

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._offset_ms = self._seen_ms = (
            machine.wall_ms() - machine.monotonic_s() * 1_000
        )  # wall - monotonic
        self._even_since_s = self._told_s = machine.monotonic_s()
        self._told_ms: float = machine.wall_ms()

    def monotonic_s(self) -> float:
        return self._machine.monotonic_s()

    def wall_ms(self) -> int:
        now_s = self._look()
        believed_ms = now_s * 1_000 + self._offset_ms
        self._told_ms = max(believed_ms, self._told_ms + (now_s - self._told_s) * 1_000 * _CATCHING_UP)
        self._told_s = now_s
        return int(self._told_ms)

    def not_before(self, known_ms: int) -> None:
        """So late it has been already, as what is stored shows."""
        self._told_ms = max(self._told_ms, known_ms)

    def fault(self) -> str | None:
        """Why this time cannot be trusted; None when it can."""
        ahead_ms = self.wall_ms() - self._told_s * 1_000 - self._offset_ms
        if abs(self._jump_ms) > OFF_MS:
            return f"the clock jumped by {self._jump_ms / 1_000:+.0f} s"
        if ahead_ms > OFF_MS:
            return f"the clock is {ahead_ms / 1_000:.0f} s behind the time already used"
        return None

    @property
    def proven_ms(self) -> int:
        """By how much the machine's clock was set and has run evenly since; 0 when it was not."""
        now_s = self._look()
        lasts = abs(self._jump_ms) > OFF_MS and now_s - self._even_since_s >= STEADY_S
        return round(self._jump_ms) if lasts else 0

    def follow(self) -> None:
        """Go by the machine's clock again as it stands now."""
        self._offset_ms = self._seen_ms

    @property
    def _jump_ms(self) -> float:
        return self._seen_ms - self._offset_ms

    def _look(self) -> float:
        """See how the clocks stand to each other; the monotonic time."""
        now_s = self._machine.monotonic_s()
        offset_ms = self._machine.wall_ms() - now_s * 1_000
        if abs(offset_ms - self._seen_ms) > _EVEN_MS:
            self._even_since_s = now_s
        self._seen_ms = offset_ms
        if abs(self._jump_ms) <= OFF_MS:
            self._offset_ms = offset_ms  # a step this small is followed at once
        return now_s
