"""The outbox (待发通知): pages are claimed, sent by ``paging``, and what came of it is recorded.

A claim is a lease: a worker that dies gives its pages back when it runs out, and they are sent again
under the same idempotency key.  Nobody is paged after it is moot: asked at the claim, and once more by
``recheck`` just before sending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from corrections_monitor.model.alerts import Page, Purpose
from corrections_monitor.model.episodes import Severity
from corrections_monitor.store.queries import query

Connection = AsyncConnection[tuple[Any, ...]]


class PageState(StrEnum):
    """Which moves there are stands with the table of pages in the schema, and is held there."""

    PENDING = "pending"  # due at next_attempt_ms, at first or again
    CLAIMED = "claimed"
    SENT = "sent"  # a channel took it; sent is not delivered
    DELIVERED = "delivered"
    FAILED = "failed"  # given up
    UNCONFIRMED = "unconfirmed"  # the provider did not answer in time: perhaps sent
    MOOT = "moot"  # answered or over before it was sent


@dataclass(frozen=True, slots=True)
class ClaimedPage:
    """A page to be sent now.  ``attempt`` counts from 1 and proves the claim when recording."""

    page_id: int
    attempt: int
    page: Page
    channel: str
    address: str

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt: the outbox's unique key."""
        p = self.page
        step = p.step if p.purpose is Purpose.STEP else f"{p.purpose}{p.step}"
        return f"{p.alert_id}-{p.round}-{step}-{p.officer_id}-{self.channel}"


class Outbox:
    """Claim, recheck, record; each is a transaction of its own."""

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self._pool = pool

    async def claim(
        self, now_ms: int, limit: int, lease_ms: int, skip_channels: Sequence[str] = ()
    ) -> list[ClaimedPage]:
        """Up to ``limit`` due pages, gravest first; those that are moot are marked so and left out.

        Two workers never hold the same page.  ``skip_channels`` are at their limit just now.
        """
        parameters = {
            "now_ms": now_ms,
            "limit": limit,
            "lease_ms": lease_ms,
            "skip_channels": list(skip_channels),
        }
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(query("outbox.claim"), parameters)).fetchall()
        return [_claimed(row) for row in rows]

    async def recheck(self, claimed: ClaimedPage) -> bool:
        """Whether the page is still to be sent: the claim holds and the alert is not answered or over."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                query("outbox.recheck"), {"page_id": claimed.page_id, "attempt": claimed.attempt}
            )
            row = await cursor.fetchone()
        return row is not None and bool(row[0])

    async def record(
        self,
        claimed: ClaimedPage,
        state: PageState,
        at_ms: int,
        *,
        next_attempt_ms: int | None = None,
        error: str | None = None,
    ) -> bool:
        """Write what came of the attempt; PENDING with ``next_attempt_ms`` asks for another.

        False when the claim had run out and another worker holds the page.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                query("outbox.record"),
                {
                    "page_id": claimed.page_id,
                    "attempt": claimed.attempt,
                    "state": state.value,
                    "at_ms": at_ms,
                    "next_attempt_ms": next_attempt_ms,
                    "error": error,
                },
            )
        return cursor.rowcount == 1

    async def delivered(self, page_id: int) -> bool:
        """A provider's later report that a sent page arrived."""
        async with self._pool.connection() as connection:
            return (await connection.execute(query("outbox.delivered"), [page_id])).rowcount == 1

    async def next_due_ms(self) -> int | None:
        """When the next page is due (or the next lease ends); None when nothing waits."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(query("outbox.next_due"))).fetchone()
        return None if row is None else row[0]


def _claimed(row: tuple[Any, ...]) -> ClaimedPage:
    page_id, attempt, alert_id, round_, step, officer_id, severity, due_ms, channel, address, purpose = row
    page = Page(alert_id, round_, step, officer_id, Severity(severity), due_ms, Purpose(purpose))
    return ClaimedPage(page_id, attempt, page, channel, address)
