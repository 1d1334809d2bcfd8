"""What follows from how a channel took a page."""

from __future__ import annotations

import pytest

from corrections_monitor.paging.results import PAGE_MOVES, Handed, Result, RetrySettings, state_after, wait_ms
from corrections_monitor.store.outbox import PageState

RETRY = RetrySettings(first_ms=2_000, longest_ms=120_000, attempts_max=12, unconfirmed_max=3)


@pytest.mark.parametrize(
    ("handed", "attempt", "state"),
    [
        (Handed.DELIVERED, 1, PageState.DELIVERED),
        (Handed.SENT, 1, PageState.SENT),
        (Handed.SENT, 12, PageState.SENT),
        (Handed.TEMPORARY, 1, PageState.PENDING),
        (Handed.TEMPORARY, 11, PageState.PENDING),
        (Handed.TEMPORARY, 12, PageState.FAILED),
        (Handed.PERMANENT, 1, PageState.FAILED),
        (Handed.UNCONFIRMED, 2, PageState.PENDING),
        (Handed.UNCONFIRMED, 3, PageState.UNCONFIRMED),
    ],
)
def test_a_page_after_an_attempt(handed: Handed, attempt: int, state: PageState) -> None:
    assert state_after(handed, attempt, RETRY) is state


def test_every_result_has_its_row() -> None:
    assert set(PAGE_MOVES) == set(Handed)


def test_a_single_attempt_allowed_is_a_single_attempt() -> None:
    once = RetrySettings(attempts_max=1)
    assert state_after(Handed.UNCONFIRMED, 1, once) is PageState.UNCONFIRMED
    assert state_after(Handed.TEMPORARY, 1, once) is PageState.FAILED


def test_waits_double_up_to_the_longest() -> None:
    waits = [wait_ms(Result(Handed.TEMPORARY), n, RETRY) for n in (1, 2, 3, 7, 12, 10_000)]
    assert waits == [2_000, 4_000, 8_000, 120_000, 120_000, 120_000]


def test_a_providers_wish_to_wait_counts_within_reason() -> None:
    assert wait_ms(Result(Handed.TEMPORARY, retry_after_ms=30_000), 1, RETRY) == 30_000
    assert wait_ms(Result(Handed.TEMPORARY, retry_after_ms=10**9), 1, RETRY) == 120_000
