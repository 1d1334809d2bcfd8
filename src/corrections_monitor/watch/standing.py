"""How the daemon stands: for readyz, for the watchman, and for whoever watches from outside."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from corrections_monitor.clock import Clock, SteadyClock
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.episodes import Severity
from corrections_monitor.notify import Supervisor
from corrections_monitor.paging.mqtt import Publish
from corrections_monitor.store import Store
from corrections_monitor.store.situation import Situation, situation
from corrections_monitor.watch.orders import (
    StandingOrders,
    blind_by_heartbeat,
    write_heartbeat,
    write_orders,
)

log = logging.getLogger(__name__)

BEAT_EVERY_S = 1.0
SURVEY_EVERY_S = 5.0
ORDERS_EVERY_S = 30.0
NO_DATABASE = "the database does not answer"
LYING_MS = 5_000  # told within 30 s: so long, two surveys, and watch.tell_after


class Seer(Protocol):
    """What is asked of the monitor."""

    def blind_reason(self) -> str | None: ...

    def standing_orders(self, now_ms: int) -> Callable[[], StandingOrders] | None: ...


@dataclass(slots=True)
class Standing:
    """How far the daemon has come, and what is wrong with it; ``monitor`` is None until it is in charge."""

    reason: str | None = "starting"
    monitor: Seer | None = None
    ways_in: Callable[[], str | None] = lambda: None
    roads: list[Publish] = field(default_factory=list)  # to officers' topics, while in charge
    clock: str | None = None
    pages: str | None = None

    def ready(self) -> tuple[bool, str]:
        """Whether it is fit to monitor, and why not."""
        why = self.reason
        if why is None and self.monitor is not None:
            why = self.monitor.blind_reason() or self.ways_in() or self.clock or self.pages
        return why is None, why or ""

    def leave(self, reason: str) -> None:
        """Not in charge (any more)."""
        self.monitor, self.reason, self.pages = None, reason, None
        self.roads.clear()

    def look(self, folder: Path, clock: Clock) -> str | None:
        """Why nobody monitors: of the daemon in charge its own reason, of one that waits what it sees of
        the other."""
        if self.monitor is None:
            return blind_by_heartbeat(folder, clock)
        return self.ready()[1] or None

    async def beat(self, folder: Path, clock: SteadyClock, metrics: Metrics, supervisor: Supervisor) -> None:
        """Once a second, for ever: is the clock right, and word of how we stand, if we are in charge; or why
        nobody is, if it is for want of a database."""
        while True:
            self.clock = clock.fault()
            if self.monitor is None and clock.proven_ms:
                clock.follow()
            is_ready, why = self.ready()
            if is_ready:
                metrics.heartbeat.set(clock.wall_ms() / 1_000)
            if self.monitor is None:
                supervisor.alive()  # To be started anew would not bring the database back.
            if self.monitor is not None or (why == NO_DATABASE and blind_by_heartbeat(folder, clock)):
                try:
                    write_heartbeat(folder, clock, why or None)
                except OSError as fault:
                    log.error("no heartbeat: %s", fault)
            await asyncio.sleep(BEAT_EVERY_S)

    async def survey(
        self, store: Store, clock: Clock, metrics: Metrics, lying: Callable[[int], Awaitable[int]]
    ) -> None:
        """Every few seconds: what waits for officers, and whether pages are stuck; ``lying``: how many could
        have been sent for so many milliseconds."""
        before = False
        while True:
            now_ms = clock.wall_ms()
            try:
                async with asyncio.timeout(SURVEY_EVERY_S):
                    _tell_waiting(await situation(store, now_ms), now_ms, metrics)
                    count = await lying(LYING_MS)
                trouble = (
                    f"pages are stuck: {count} not tried for over {LYING_MS // 1_000} s" if count else None
                )
            except Exception as fault:  # A database that is away the monitor knows of, and says so first.
                log.warning("what waits cannot be told: %s", type(fault).__name__)
                trouble = f"pages cannot be looked at: {type(fault).__name__}"
            # Seen twice: between a lane's being free again and its next page lies a moment.
            self.pages, before = (trouble if before else None), trouble is not None
            await asyncio.sleep(SURVEY_EVERY_S)

    async def keep_orders(self, folder: Path, clock: Clock) -> None:
        """Every half minute while in sight: whom to tell and whom to check, should sight be lost."""
        while True:
            if self.ready()[0] and self.monitor is not None:
                make = self.monitor.standing_orders(clock.wall_ms())
                if make is not None:
                    try:
                        await asyncio.to_thread(write_orders, folder, make)
                    except OSError as fault:
                        log.error("standing orders cannot be kept: %s", fault)
            await asyncio.sleep(ORDERS_EVERY_S if self.ready()[0] else BEAT_EVERY_S)

    async def signal_life(self, url: str, every_s: float) -> None:
        """The dead man's switch: a POST while in sight; its absence is for others to notice."""
        async with httpx.AsyncClient(timeout=min(10.0, every_s)) as client:
            while True:
                if self.ready()[0]:
                    try:
                        (await client.post(url, json={"status": "ready"})).raise_for_status()
                    except httpx.HTTPError as fault:
                        log.warning("the sign of life was not taken: %s", type(fault).__name__)
                await asyncio.sleep(every_s)


def _tell_waiting(found: Situation, now_ms: int, metrics: Metrics) -> None:
    metrics.pages_waiting.set(found.pages_due)
    metrics.pages_oldest.set(max(0, now_ms - (found.oldest_page_ms or now_ms)) / 1_000)
    for severity in Severity:
        count, oldest_ms = found.unanswered.get(int(severity), (0, None))
        metrics.alerts_unacknowledged.labels(str(severity)).set(count)
        metrics.alerts_oldest.labels(str(severity)).set((now_ms - (oldest_ms or now_ms)) / 1_000)
