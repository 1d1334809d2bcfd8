"""The worker that empties the outbox: look → claim → ask again whether it is moot → send → record.

Theory of operation
-------------------
Pages are rows of the transaction that decided them.  A claim is a lease: a worker that dies between
claim, send and record gives the page back when the lease ends, and it is sent again under the same
idempotency key.  So delivery is at least once.

Every channel's lane has its own limit of attempts at once, and a page is claimed only when its lane has a
place for it; nothing waits for another lane.  Each attempt has a time-out.  So a dead or hanging channel
delays nobody else's page.  What may be sent now, and what goes together in one message, is ``choosing``'s.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol

from corrections_monitor.clock import Clock
from corrections_monitor.metrics import Metrics
from corrections_monitor.paging.channels import Channel, Notice, kind_of
from corrections_monitor.paging.choosing import Pace, choose
from corrections_monitor.paging.claiming import claim_and_begin
from corrections_monitor.paging.results import Handed, Result, state_after, wait_ms
from corrections_monitor.paging.settings import OutboxSettings
from corrections_monitor.store.outbox import ClaimedPage, DuePage, PageState

_log = logging.getLogger(__name__)

_MOOT = "moot"


class PageStore(Protocol):
    """What the worker needs of ``store.Outbox``."""

    async def due(self, now_ms: int, full_lanes: Collection[str] = ()) -> list[DuePage]: ...

    async def hold(self, until_ms: Mapping[int, int], now_ms: int) -> None: ...

    async def claim(self, page_ids: Sequence[int], now_ms: int, lease_ms: int) -> list[ClaimedPage]: ...

    async def recheck(self, claimed: ClaimedPage) -> bool: ...

    async def record(
        self,
        claimed: ClaimedPage,
        state: PageState,
        at_ms: int,
        *,
        next_attempt_ms: int | None = None,
        error: str | None = None,
    ) -> bool: ...


Message = Sequence[ClaimedPage]
"""What is sent as one: a page, or several to one officer over one channel."""

Compose = Callable[[Message], Awaitable[Notice]]


class OutboxWorker:
    """``run`` it as a task; ``wake`` it when pages were written."""

    def __init__(
        self,
        pages: PageStore,
        compose: Compose,
        channels: Mapping[str, Channel],
        settings: OutboxSettings,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        """``channels`` by name (``webhook:police``) or by kind (``mqtt``, ``apprise``)."""
        self._pages = pages
        self._compose = compose
        self._channels = channels
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._held: Counter[str] = Counter()  # messages in hand, by lane
        self._full: set[str] = set()  # lanes that have no place
        self._throttle: Pace[str] = Pace()  # by lane
        self._flood: Pace[tuple[str, str]] = Pace()  # by (channel, officer)
        self._attempts: set[asyncio.Task[None]] = set()
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Look at the outbox now."""
        self._awake.set()

    async def lying(self, for_ms: int) -> int:
        """How many pages were due so long ago and could have gone since, and nobody so much as tried: what
        waits for a full lane is not counted, and what is held back is not due."""
        return len(await self._pages.due(self._clock.wall_ms() - for_ms, self._full))

    async def run(self) -> None:
        """Work until cancelled.  A database that is away is waited for."""
        await claim_and_begin("the outbox", self._claim, self._begin, lambda: self._attempts, self._awake)

    async def _claim(self) -> list[Message]:
        now_ms, now_s = self._clock.wall_ms(), self._clock.monotonic_s()
        due = await self._pages.due(now_ms, self._full)
        choice = choose(due, self._held, self._settings, self._throttle, self._flood, now_s)
        self._throttle.forget(now_s)
        self._flood.forget(now_s)
        if choice.held_s:
            until_ms = {page_id: now_ms + round(wait_s * 1_000) for page_id, wait_s in choice.held_s.items()}
            await self._pages.hold(until_ms, now_ms)
            self._awake.set()  # there may be others behind them
        if not choice.messages:
            return []
        page_ids = [page_id for message in choice.messages for page_id in message]
        claimed = await self._pages.claim(page_ids, now_ms, self._settings.lease_ms)
        self._awake.set()  # those that were moot have left room for others
        by_id = {page.page_id: page for page in claimed}
        messages = [
            [by_id[page_id] for page_id in message if page_id in by_id] for message in choice.messages
        ]
        return [message for message in messages if message]

    def _begin(self, message: Message) -> None:
        first, settings = message[0], self._settings.of(message[0].channel)
        whom, now_s = (first.channel, first.page.officer_id), self._clock.monotonic_s()
        self._throttle.spend(first.lane, settings.per_minute, now_s)
        self._flood.spend(whom, self._settings.flood_of(first.channel), now_s)
        self._held[first.lane] += 1
        if self._held[first.lane] >= settings.concurrency:
            self._full.add(first.lane)
        attempt = asyncio.create_task(self._attempt(message), name=f"page-{first.page_id}")
        self._attempts.add(attempt)
        attempt.add_done_callback(lambda done: self._end(done, first.lane))

    def _end(self, attempt: asyncio.Task[None], lane: str) -> None:
        self._attempts.discard(attempt)
        self._held[lane] -= 1
        if not self._held[lane]:
            del self._held[lane]
        if lane in self._full:
            self._full.discard(lane)
            self._awake.set()

    async def _attempt(self, message: Message) -> None:
        try:
            wanted = [claimed for claimed in message if await self._pages.recheck(claimed)]
            for claimed in message:
                if claimed not in wanted:
                    self._count(claimed, _MOOT)
            if not wanted:
                return
            result, now_ms = await self._send(wanted), self._clock.wall_ms()
            for claimed in wanted:
                await self._record(claimed, result, now_ms)
        except Exception as error:
            # The lease gives the page back; who reads the log needs no traceback of an absent database.
            _log.warning("page %d is left to its lease: %s", message[0].page_id, type(error).__name__)

    async def _send(self, message: Message) -> Result:
        name = message[0].channel
        channel = self._channels.get(name) or self._channels.get(kind_of(name))
        if channel is None:
            return Result(Handed.PERMANENT, "no such channel is configured")
        try:
            notice = await self._compose(message)
        except LookupError as error:
            return Result(Handed.PERMANENT, str(error))
        timeout_s = self._settings.of(name).timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                return await channel.send(notice)
        except TimeoutError:
            return Result(Handed.UNCONFIRMED, f"no answer within {timeout_s:g} s")
        except Exception as error:
            # A fault of a channel's own is no reason to give the page up.
            _log.exception("channel %s failed", name)
            return Result(Handed.TEMPORARY, type(error).__name__)

    async def _record(self, claimed: ClaimedPage, result: Result, now_ms: int) -> None:
        retry = self._settings.retry
        state = state_after(result.handed, claimed.attempt, retry)
        again_ms: int | None = None
        if state is PageState.PENDING:
            pause_ms = wait_ms(result, claimed.attempt, retry)
            again_ms = now_ms + pause_ms
            asyncio.get_running_loop().call_later(pause_ms / 1_000, self.wake)
        self._count(claimed, result.handed)
        if result.handed in (Handed.SENT, Handed.DELIVERED):
            self._metrics.page_delay.observe(max(now_ms - claimed.page.due_ms, 0) / 1_000)
        else:
            _log.warning(
                "page %d over %s, attempt %d: %s (%s), now %s",
                claimed.page_id, claimed.channel, claimed.attempt, result.handed, result.reason, state,
            )  # fmt: skip
        await self._pages.record(
            claimed, state, now_ms, next_attempt_ms=again_ms, error=result.reason or None
        )
        if state in (PageState.FAILED, PageState.UNCONFIRMED):
            self._awake.set()  # another channel may stand in

    def _count(self, claimed: ClaimedPage, outcome: str) -> None:
        self._metrics.pages.labels(kind_of(claimed.channel), outcome).inc()
