"""What came of handing a page to a channel, and what follows from it.

Sent is not delivered: a channel that took a page has not shown it to anyone.  A provider that did not
answer in time is unconfirmed, not failed: it may well have sent the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from corrections_monitor.store.outbox import PageState


class Handed(StrEnum):
    """How a channel took a page."""

    DELIVERED = "delivered"  # with a receipt: of the officer's device, or of the platform meant
    SENT = "sent"
    TEMPORARY = "temporary"  # not taken; may be taken later
    PERMANENT = "permanent"  # not taken, and never will be
    UNCONFIRMED = "unconfirmed"  # no answer: perhaps taken


@dataclass(frozen=True, slots=True)
class Result:
    """``retry_after_ms`` is when the provider asked to be tried again, if it did."""

    handed: Handed
    reason: str = ""
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """Waits double from the first to the longest; attempts count from 1."""

    first_ms: int = 2_000
    longest_ms: int = 120_000
    attempts_max: int = 12
    # A provider that keeps silent has perhaps told the officer each time: enough is enough.
    unconfirmed_max: int = 3


# What becomes of a page: while attempts are left, and after the last.
PAGE_MOVES: dict[Handed, tuple[PageState, PageState]] = {
    Handed.DELIVERED: (PageState.DELIVERED, PageState.DELIVERED),
    Handed.SENT: (PageState.SENT, PageState.SENT),
    Handed.TEMPORARY: (PageState.PENDING, PageState.FAILED),
    Handed.PERMANENT: (PageState.FAILED, PageState.FAILED),
    Handed.UNCONFIRMED: (PageState.PENDING, PageState.UNCONFIRMED),
}


def state_after(handed: Handed, attempt: int, retry: RetrySettings) -> PageState:
    """The page's next state after this attempt; PENDING means another try."""
    attempts_max = retry.unconfirmed_max if handed is Handed.UNCONFIRMED else retry.attempts_max
    going_on, in_the_end = PAGE_MOVES[handed]
    return going_on if attempt < min(attempts_max, retry.attempts_max) else in_the_end


def wait_ms(result: Result, attempt: int, retry: RetrySettings) -> int:
    """How long to wait before the next attempt; a provider's own wish counts up to the longest wait."""
    # The shift is bounded, so that a high count does not make an absurd number first.
    doubled_ms = min(retry.first_ms << min(attempt - 1, 30), retry.longest_ms)
    return max(doubled_ms, min(result.retry_after_ms or 0, retry.longest_ms))
