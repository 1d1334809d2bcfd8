"""The outbox (待发通知): pages are claimed, sent by ``paging``, and what came of it is recorded.

A claim is a lease: a worker that dies gives its pages back when it runs out, and they are sent again
under the same idempotency key.  Nobody is paged after it is moot: asked at the claim, and once more by
``recheck`` just before sending.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from corrections_monitor.model.alerts import Page, Purpose
from corrections_monitor.model.episodes import Severity
from corrections_monitor.store.queries import query
from corrections_monitor.store.receipts import note_receipt

Connection = AsyncConnection[tuple[Any, ...]]

OF_LANE_MAX = 100  # of one lane in one look at the outbox


class PageState(StrEnum):
    """Which moves there are stands with the table of pages in the schema, and is held there."""

    PENDING = "pending"  # due at next_attempt_ms, at first or again
    CLAIMED = "claimed"
    SENT = "sent"  # a channel took it; sent is not delivered
    DELIVERED = "delivered"  # with a receipt of the officer's device, or of the other house's platform
    READ = "read"  # the officer has opened it
    FAILED = "failed"  # given up
    UNCONFIRMED = "unconfirmed"  # the provider did not answer in time: perhaps sent
    MOOT = "moot"  # answered or over before it was sent


@dataclass(frozen=True, slots=True)
class DuePage:
    """A page that may be claimed.  ``urgent``: the first page of a critical alert."""

    page_id: int
    lane: str
    channel: str
    officer_id: str
    urgent: bool

    @property
    def whom(self) -> tuple[str, str]:
        """What floods are counted by."""
        return self.channel, self.officer_id


@dataclass(frozen=True, slots=True)
class ClaimedPage:
    """A page to be sent now.  ``attempt`` counts from 1 and proves the claim when recording; ``lane`` is
    what is dead, slow or throttled together."""

    page_id: int
    attempt: int
    page: Page
    channel: str
    address: str
    lane: str

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

    async def due(self, now_ms: int, full_lanes: Collection[str] = ()) -> list[DuePage]:
        """What is due, urgent first, then the gravest: of every lane up to ``OF_LANE_MAX``.

        ``full_lanes`` take nothing just now.
        """
        given = {"now_ms": now_ms, "full_lanes": list(full_lanes), "of_lane": OF_LANE_MAX}
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(query("outbox.due"), given)).fetchall()
        return [DuePage(*row) for row in rows]

    async def hold(self, until_ms: Mapping[int, int], now_ms: int) -> None:
        """Pages that are due are to be so later, each at its time: a throttle or a flood holds them."""
        given = {"page_ids": list(until_ms), "until_ms": list(until_ms.values()), "now_ms": now_ms}
        async with self._pool.connection() as connection:
            await connection.execute(query("outbox.hold"), given)

    async def claim(self, page_ids: Sequence[int], now_ms: int, lease_ms: int) -> list[ClaimedPage]:
        """Those of the pages that are still due; those that are moot are marked so and left out.

        Two workers never hold the same page.
        """
        given = {"page_ids": list(page_ids), "now_ms": now_ms, "lease_ms": lease_ms}
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(query("outbox.claim"), given)).fetchall()
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

        Of a page that is given up, the channels that stand in for its own become due.  False when the
        claim had run out and another worker holds the page.
        """
        given = {
            "page_id": claimed.page_id,
            "attempt": claimed.attempt,
            "state": state.value,
            "at_ms": at_ms,
            "next_attempt_ms": next_attempt_ms,
            "error": error,
        }
        async with self._pool.connection() as connection:
            row = await (await connection.execute(query("outbox.record"), given)).fetchone()
            if row is None:
                return False
            if state is PageState.DELIVERED and row[0] is not None:  # a digest has no timeline
                await note_receipt(connection, row[0], row[1], at_ms, state, [row[2]])
            if state in (PageState.FAILED, PageState.UNCONFIRMED):
                given = {"page_id": claimed.page_id, "at_ms": at_ms}
                await connection.execute(query("outbox.next_turn"), given)
        return True

    async def delivered(self, page_id: int, at_ms: int) -> bool:
        """A receipt that came later: what was sent has arrived."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(query("outbox.delivered"), [page_id])).fetchone()
            if row is not None and row[0] is not None:
                await note_receipt(connection, row[0], row[1], at_ms, PageState.DELIVERED, [row[2]])
        return row is not None

    async def next_due_ms(self) -> int | None:
        """When the next page is due (or the next lease ends); None when nothing waits."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(query("outbox.next_due"))).fetchone()
        return None if row is None else row[0]


def _claimed(row: tuple[Any, ...]) -> ClaimedPage:
    page_id, attempt, alert_id, round_, step, officer_id, severity, due_ms, purpose, *way = row
    page = Page(alert_id, round_, step, officer_id, Severity(severity), due_ms, Purpose(purpose))
    return ClaimedPage(page_id, attempt, page, *way)
