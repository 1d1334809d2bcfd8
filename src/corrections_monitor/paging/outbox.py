"""The worker that empties the outbox: claim → ask again whether it is moot → send → record.

Theory of operation
-------------------
Pages are rows of the transaction that decided them.  A claim is a lease: a worker that dies between
claim, send and record gives the page back when the lease ends, and it is sent again under the same
idempotency key.  So delivery is at least once.

Every channel's lane has its own limit of attempts at once.  A lane at its limit is left out of the next
claim, and what a claim brought beyond the limit waits in the lane; nothing waits for another lane.  Each
attempt has a time-out.  So a dead or hanging channel delays nobody else's page.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from corrections_monitor.clock import Clock
from corrections_monitor.metrics import Metrics
from corrections_monitor.paging.channels import Channel, Notice, kind_of, lane_of
from corrections_monitor.paging.claiming import claim_and_begin
from corrections_monitor.paging.results import Handed, Result, RetrySettings, state_after, wait_ms
from corrections_monitor.store.outbox import ClaimedPage, PageState

_log = logging.getLogger(__name__)

LEASE_MIN_MS = 30_000  # a slow database must not make a worker lose what it is sending
_MOOT = "moot"
_ADDRESSES_MAX = 8  # of one officer in one lane: the names left out of a claim when the lane is full


class PageStore(Protocol):
    """What the worker needs of ``store.Outbox``."""

    async def claim(
        self, now_ms: int, limit: int, lease_ms: int, skip_channels: Sequence[str] = ()
    ) -> list[ClaimedPage]: ...

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


Compose = Callable[[ClaimedPage], Awaitable[Notice]]


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """``concurrency`` is attempts at once in one lane; ``timeout_s`` bounds each of them."""

    timeout_s: float = 10.0
    concurrency: int = 8
    retry: RetrySettings = field(default_factory=RetrySettings)

    @property
    def claim_max(self) -> int:
        """Pages in one claim; what one claim can add to a lane's queue is bounded by it."""
        return 2 * self.concurrency

    @property
    def lease_ms(self) -> int:
        """Longer than a lane can need for all it holds, each attempt running into its time-out."""
        rounds = (self.concurrency + self.claim_max) / self.concurrency
        return max(round((rounds + 2) * self.timeout_s * 1_000), LEASE_MIN_MS)


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
        self._held: Counter[str] = Counter()  # pages in hand, by lane
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._attempts: set[asyncio.Task[None]] = set()
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Look at the outbox now."""
        self._awake.set()

    async def run(self) -> None:
        """Work until cancelled.  A database that is away is waited for."""
        await claim_and_begin("the outbox", self._claim, self._begin, lambda: self._attempts, self._awake)

    async def _claim(self) -> list[ClaimedPage]:
        settings = self._settings
        full = [lane for lane, held in self._held.items() if held >= settings.concurrency]
        return await self._pages.claim(
            self._clock.wall_ms(),
            settings.claim_max,
            settings.lease_ms,
            [name for lane in full for name in _names_of(lane)],
        )

    def _begin(self, claimed: ClaimedPage) -> None:
        lane = lane_of(claimed.channel)
        self._held[lane] += 1
        attempt = asyncio.create_task(self._attempt(claimed, lane), name=f"page-{claimed.page_id}")
        self._attempts.add(attempt)
        attempt.add_done_callback(self._attempts.discard)

    async def _attempt(self, claimed: ClaimedPage, lane: str) -> None:
        try:
            async with self._slots.setdefault(lane, asyncio.Semaphore(self._settings.concurrency)):
                if await self._pages.recheck(claimed):
                    await self._record(claimed, await self._send(claimed))
                else:
                    self._count(claimed, _MOOT)
        except Exception as error:
            # The lease gives the page back; who reads the log needs no traceback of an absent database.
            _log.warning("page %d is left to its lease: %s", claimed.page_id, type(error).__name__)
        finally:
            was_full = self._held[lane] >= self._settings.concurrency
            self._held[lane] -= 1
            if not self._held[lane]:
                del self._held[lane], self._slots[lane]
            if was_full:
                self._awake.set()

    async def _send(self, claimed: ClaimedPage) -> Result:
        channel = self._channels.get(claimed.channel) or self._channels.get(kind_of(claimed.channel))
        if channel is None:
            return Result(Handed.PERMANENT, "no such channel is configured")
        try:
            notice = await self._compose(claimed)
        except LookupError as error:
            return Result(Handed.PERMANENT, str(error))
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                return await channel.send(notice)
        except TimeoutError:
            return Result(Handed.UNCONFIRMED, f"no answer within {self._settings.timeout_s:g} s")
        except Exception as error:
            # A fault of a channel's own is no reason to give the page up.
            _log.exception("channel %s failed", claimed.channel)
            return Result(Handed.TEMPORARY, type(error).__name__)

    async def _record(self, claimed: ClaimedPage, result: Result) -> None:
        retry = self._settings.retry
        now_ms = self._clock.wall_ms()
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

    def _count(self, claimed: ClaimedPage, outcome: str) -> None:
        self._metrics.pages.labels(kind_of(claimed.channel), outcome).inc()


def _names_of(lane: str) -> list[str]:
    """The lane's channels: the first bears the lane's name, further addresses a number."""
    return [lane, *(f"{lane}#{number}" for number in range(1, _ADDRESSES_MAX))]
