"""Device clocks: how far behind ours one is (negative: ahead), from when its messages arrive.

A single message tells that a clock is fast; that it is slow, only many that are late by the same, for longer
than they are late.  The numbers are documented in ``detection/clocks.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from corrections_monitor.detection.clocks import (
    AGREE_MS,
    AHEAD_MS,
    BACKWARDS_PACE,
    LIVE_MS,
    MESSAGES,
    STEADY_MS,
)
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.times import HOUR_MS


@dataclass
class Clock:
    """What the messages of one device have shown so far."""

    behind_ms: int = 0
    delays: list[int] = field(default_factory=list)  # of those that agree with the first of them
    since_ms: int = 0  # arrival of the first of them
    newest_ms: int = 0  # the newest time they told
    newer: int = 0  # how many of them told a time newer than all before
    strays: int = 0  # in a row since then that were later than they are
    live_ms: int = -(2**62)  # arrival of the last message that was sent just before
    last: tuple[int, int] | None = None  # of the last message: arrival, newest time told
    back: list[int] = field(default_factory=list)  # arrivals in a row that each went back in time, the first
    # of them after ``back_live_ms``, and only those of a time at which the device had been heard live
    back_live_ms: int = 0
    ahead: list[int] = field(default_factory=list)  # arrivals in a row, none an hour after the one before, of
    # messages of which nothing can be used for being ahead
    ahead_ms: int = -(2**62)  # the last of them ever
    odd: tuple[int, int] | None = None  # what no clock can do, at this message: since when, by how much

    def behind(self, at_ms: int, t_ms: int, settings: DetectionSettings) -> int:
        """Take a message that told ``t_ms`` as its newest time; return what to add to its times."""
        delay_ms, within_ms = at_ms - t_ms, settings.clock_within_ms
        is_live = -AHEAD_MS <= delay_ms < LIVE_MS
        if self.behind_ms > max(delay_ms + AGREE_MS, 0):
            self.behind_ms = 0  # nothing arrives before it is sent
        if self.delays and abs(delay_ms - self.delays[0]) <= AGREE_MS:
            self.delays.append(delay_ms)
            self.strays = 0
            if t_ms > self.newest_ms:
                self.newest_ms, self.newer = t_ms, self.newer + 1
        elif self.delays and delay_ms > self.delays[0] and not is_live and self.strays < MESSAGES:
            self.strays += 1
        else:
            self.delays, self.since_ms, self.newest_ms, self.newer, self.strays = (
                [delay_ms],
                at_ms,
                t_ms,
                1,
                0,
            )
        least_ms = min(self.delays)
        if self.newer >= MESSAGES and at_ms - self.since_ms >= max(STEADY_MS, min(least_ms, within_ms)):
            self.behind_ms = 0 if -AHEAD_MS <= least_ms < LIVE_MS else least_ms
        believed_ms = self.behind_ms if abs(self.behind_ms) <= within_ms else 0
        self.odd = (self.since_ms, self.behind_ms) if self.behind_ms > within_ms else None
        if self._runs_backwards(at_ms, t_ms):
            self.odd = self.back[0], 0
        if self._is_far_ahead(at_ms, delay_ms, settings.future_tolerance_ms):
            self.odd = self.ahead[0], delay_ms
        if is_live:
            self.live_ms = at_ms
        if is_live and self.behind_ms == 0 and not self.was_ahead(at_ms):
            self.delays, self.last = [], None  # it is right
        # Never so much that the message would come from the future.
        return min(believed_ms, delay_ms if delay_ms < -AHEAD_MS else max(delay_ms, 0))

    def was_ahead(self, at_ms: int) -> bool:
        """Whether a message within the last hour was so far ahead that nothing of it could be used."""
        return at_ms - self.ahead_ms <= HOUR_MS

    def _is_far_ahead(self, at_ms: int, delay_ms: int, tolerance_ms: int) -> bool:
        """Whether message after message, for some minutes, is of no use for being ahead."""
        if -delay_ms <= tolerance_ms:
            self.ahead = []  # it tells usable times as well
            return False
        self.ahead = [*self.ahead, at_ms] if self.was_ahead(at_ms) else [at_ms]
        self.ahead_ms = at_ms
        return len(self.ahead) >= MESSAGES and at_ms - self.ahead[0] >= STEADY_MS

    def _runs_backwards(self, at_ms: int, t_ms: int) -> bool:
        """Whether message after message tells an older time than the one before, no faster than an upload
        newest first does, of a time at which the device was heard live."""
        before, self.last = self.last, (at_ms, t_ms)
        if before is None or not 0 < before[1] - t_ms <= BACKWARDS_PACE * (at_ms - before[0]):
            self.back, self.back_live_ms = [at_ms], self.live_ms
        elif t_ms < self.back_live_ms:
            self.back.append(at_ms)
        return len(self.back) > MESSAGES and at_ms - self.back[0] >= STEADY_MS


def said(off_ms: int) -> int:
    """The number by which a sentence tells how far a clock is off: hours from three on, else minutes from
    three on, else seconds."""
    seconds = abs(off_ms) // 1_000
    return next(round(seconds / unit) for unit in (3_600, 60, 1) if seconds >= 3 * unit or unit == 1)
