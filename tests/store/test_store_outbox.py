"""The outbox: each page is one row, held by one worker, and never sent when it is moot."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from by_hand import claim

from corrections_monitor.model.alerts import Alert, Answer, Line, Page
from corrections_monitor.model.episodes import Cause
from corrections_monitor.store import EVERYTHING, Store
from corrections_monitor.store.answers import Given, answer
from corrections_monitor.store.outbox import PageState

T0_MS = 1_764_000_000_000
DUE_MS = T0_MS + 60_000
LEASE_MS = 30_000


async def _decide(store: Store, alert: Alert, line: Line, *pages: tuple[Page, str, str]) -> None:
    async with store.transaction() as tx:
        await tx.write_lines([line])
        await tx.write_alerts([alert])
        await tx.write_pages(pages)


async def _acknowledge(store: Store) -> None:
    async with store.seeing(EVERYTHING) as connection:
        await answer(connection, "a1", Given(Answer.ACKNOWLEDGED, "o1", DUE_MS))


def _states(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT state, attempts FROM pages ORDER BY page_id").fetchall()


async def test_deciding_the_same_again_pages_nobody_twice(
    store: Store, database_url: str, alert: Alert, opened: Line, page: Page
) -> None:
    for _ in range(2):
        await _decide(store, alert, opened, (page, "mqtt", ""), (page, "apprise:1", "json://h"))
    assert _states(database_url) == [("pending", 0), ("pending", 0)]


async def test_two_workers_never_hold_the_same_page(
    store: Store, alert: Alert, opened: Line, page: Page
) -> None:
    pages = [(replace(page, officer_id=f"o{n}"), "mqtt", "") for n in range(40)]
    await _decide(store, alert, opened, *pages)
    claims = await asyncio.gather(*(claim(store.outbox, DUE_MS, 40, LEASE_MS) for _ in range(8)))
    held = [c.page_id for claim in claims for c in claim]
    assert len(held) == len(set(held)) == 40


async def test_a_page_is_not_claimed_before_it_is_due(
    store: Store, alert: Alert, opened: Line, page: Page
) -> None:
    await _decide(store, alert, opened, (page, "mqtt", ""))
    assert await store.outbox.next_due_ms() == DUE_MS
    assert await claim(store.outbox, DUE_MS - 1, 10, LEASE_MS) == []
    (claimed,) = await claim(store.outbox, DUE_MS, 10, LEASE_MS)
    assert claimed.page == page
    assert claimed.idempotency_key == "a1-1-0-o1-mqtt"


async def test_a_dead_workers_page_comes_back_when_its_lease_ends_under_the_same_key(
    store: Store, alert: Alert, opened: Line, page: Page
) -> None:
    await _decide(store, alert, opened, (page, "mqtt", ""))
    (dead,) = await claim(store.outbox, DUE_MS, 10, LEASE_MS)
    assert await claim(store.outbox, DUE_MS + LEASE_MS - 1, 10, LEASE_MS) == []
    (again,) = await claim(store.outbox, DUE_MS + LEASE_MS, 10, LEASE_MS)
    assert (again.idempotency_key, again.attempt) == (dead.idempotency_key, 2)
    assert not await store.outbox.recheck(dead)
    assert not await store.outbox.record(dead, PageState.SENT, DUE_MS)
    assert await store.outbox.record(again, PageState.SENT, DUE_MS)
    assert await store.outbox.delivered(again.page_id, DUE_MS)


async def test_a_failed_attempt_is_tried_again_when_it_says(
    store: Store, database_url: str, alert: Alert, opened: Line, page: Page
) -> None:
    await _decide(store, alert, opened, (page, "mqtt", ""))
    (claimed,) = await claim(store.outbox, DUE_MS, 10, LEASE_MS)
    await store.outbox.record(
        claimed, PageState.PENDING, DUE_MS, next_attempt_ms=DUE_MS + 5000, error="refused"
    )
    assert await claim(store.outbox, DUE_MS + 4999, 10, LEASE_MS) == []
    (claimed,) = await claim(store.outbox, DUE_MS + 5000, 10, LEASE_MS)
    await store.outbox.record(claimed, PageState.FAILED, DUE_MS, error="refused")
    assert _states(database_url) == [("failed", 2)]
    assert await store.outbox.next_due_ms() is None


async def test_nobody_is_paged_after_an_answer(
    store: Store, api_store: Store, database_url: str, alert: Alert, opened: Line, page: Page
) -> None:
    await _decide(store, alert, opened, (page, "mqtt", ""), (page, "apprise:1", ""))
    (claimed,) = await claim(store.outbox, DUE_MS, 1, LEASE_MS)
    assert await store.outbox.recheck(claimed)
    await _acknowledge(api_store)
    assert not await store.outbox.recheck(claimed)
    assert await claim(store.outbox, DUE_MS, 10, LEASE_MS) == []
    assert [state for state, _ in _states(database_url)] == ["moot", "moot"]


async def test_a_page_of_an_earlier_round_is_moot(
    store: Store, alert: Alert, opened: Line, page: Page
) -> None:
    await _decide(store, alert, opened, (page, "mqtt", ""))
    await _decide(store, replace(alert, round=2), opened, (replace(page, round=2), "mqtt", ""))
    assert [c.page.round for c in await claim(store.outbox, DUE_MS, 10, LEASE_MS)] == [2]


@pytest.mark.parametrize(
    ("change", "claimed"),
    [({}, 0), ({"cause": Cause.TAMPER}, 1), ({"cause": Cause.SOS}, 1), ({"late": True}, 1)],
)
async def test_what_is_over_pages_nobody_but_a_tamper_an_sos_and_a_late_one_does(
    store: Store, alert: Alert, closed: Line, page: Page, change: dict[str, Any], claimed: int
) -> None:
    await _decide(store, replace(alert, **change), closed, (page, "mqtt", ""))
    assert len(await claim(store.outbox, DUE_MS, 10, LEASE_MS)) == claimed


async def test_a_channel_at_its_limit_does_not_hold_up_another(
    store: Store, alert: Alert, opened: Line, page: Page
) -> None:
    await _decide(store, alert, opened, (page, "apprise:1", ""), (page, "mqtt", ""))
    (due,) = await store.outbox.due(DUE_MS, full_lanes=["apprise:1"])
    assert due.channel == "mqtt"
