"""Backing off from guessed passwords: each failure of a (username, address) pair doubles the wait.

Held in memory and bounded; a restart forgets it, which gives a guesser a handful of tries per restart.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

FREE_TRIES = 4
"""Failures that cost nothing: people mistype."""

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 900.0
FORGET_AFTER_S = 3_600.0
KEYS_MAX = 10_000


@dataclass(slots=True)
class _Record:
    failures: int
    last_failure_s: float
    wait_until_s: float


class Lockout:
    """Counts failures per key; times are monotonic seconds handed in by the caller."""

    def __init__(self) -> None:
        self._records: OrderedDict[tuple[str, str], _Record] = OrderedDict()

    def wait_s(self, username: str, address: str, now_s: float) -> float:
        """Seconds until this pair may try again; 0 when it may now."""
        record = self._records.get((username, address))
        if record is None:
            return 0.0
        if now_s - record.last_failure_s > FORGET_AFTER_S:
            del self._records[username, address]
            return 0.0
        return max(0.0, record.wait_until_s - now_s)

    def failed(self, username: str, address: str, now_s: float) -> None:
        """Note a failure; from the fifth on the next try has to wait 2, 4, 8 … s, at most 15 min."""
        record = self._records.pop((username, address), None)
        failures = record.failures + 1 if record else 1
        excess = failures - FREE_TRIES
        wait = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(excess - 1, 30)) if excess > 0 else 0.0
        self._records[username, address] = _Record(failures, now_s, now_s + wait)
        if len(self._records) > KEYS_MAX:
            self._records.popitem(last=False)

    def not_failed(self, username: str, address: str) -> None:
        """Take the last failure back: what was given was right, only more is needed."""
        record = self._records.get((username, address))
        if record is not None:
            record.failures -= 1
            record.wait_until_s = 0.0

    def succeeded(self, username: str, address: str) -> None:
        """A right password clears the slate."""
        self._records.pop((username, address), None)
