"""Is the wall clock right?  It is held against the monotonic one, which nobody sets."""

from __future__ import annotations

OFF_MS = 60_000
STEADY_S = 300.0
"""A clock that has run evenly for so long after a jump is believed again: by then it was set right, or the
machine had only slept."""
_EVEN_MS = 2_000


class ClockGuard:
    """Pure; ``observe`` it about every second."""

    def __init__(self) -> None:
        self._offset_ms: float | None = None  # wall minus monotonic, as believed
        self._latest_ms = 0.0
        self._even_since_s = 0.0

    def observe(self, wall_ms: int, monotonic_s: float) -> str | None:
        """Why the clock cannot be trusted; None when it can."""
        offset_ms = wall_ms - monotonic_s * 1_000
        if self._offset_ms is None:
            self._offset_ms = self._latest_ms = offset_ms
        if abs(offset_ms - self._latest_ms) > _EVEN_MS:
            self._even_since_s = monotonic_s
        self._latest_ms = offset_ms
        off_ms = offset_ms - self._offset_ms
        if abs(off_ms) <= OFF_MS:
            return None
        if monotonic_s - self._even_since_s >= STEADY_S:
            self._offset_ms = offset_ms
            return None
        return f"the clock jumped by {off_ms / 1_000:+.0f} s"
