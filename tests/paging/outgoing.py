"""A daemon's way out on a real database: what was decided goes in, a worker takes it from there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import psycopg
from mqtt_world import until
from receivers import RunningClock
from town import T0, TOWN

from corrections_monitor.metrics import Metrics
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import Transition
from corrections_monitor.model.settings import Language, RulesSettings, Turns
from corrections_monitor.paging.channels import Channel, Ways, addressed
from corrections_monitor.paging.notices import Manner, Notices
from corrections_monitor.paging.outbox import OutboxWorker, PageStore
from corrections_monitor.paging.results import RetrySettings
from corrections_monitor.paging.settings import ChannelSettings, OutboxSettings
from corrections_monitor.rules.book import AlertBook
from corrections_monitor.rules.text import Naming
from corrections_monitor.store import Store

NO_WAYS = Ways()
MANNER = Manner(Language.ZH, Naming.INITIALS, ZoneInfo("Asia/Shanghai"), "https://jz.example.cn/")
FAILOVER_MS = 1_000
QUICK = OutboxSettings(
    ChannelSettings(timeout_s=0.4, concurrency=4),
    retry=RetrySettings(first_ms=50, longest_ms=100, attempts_max=4),
)


def quick(timeout_s: float = 0.4, concurrency: int = 4) -> OutboxSettings:
    """As QUICK, with another time-out or limit."""
    return replace(QUICK, channel=ChannelSettings(timeout_s, concurrency))


@dataclass
class Outgoing:
    """Decide, send, and look at what became of the pages."""

    store: Store
    url: str
    clock: RunningClock
    metrics: Metrics
    cases: CaseSet = TOWN

    async def decide(
        self,
        *moves: Transition,
        urls: tuple[str, ...] = (),
        ways: Ways = NO_WAYS,
        channels: Turns = (),
    ) -> list[str]:
        """Judge and commit; every officer has these Apprise URLs, every step these channels.  Returns the
        alerts' ids."""
        book = AlertBook(RulesSettings())
        outcome = book.advance(moves, [], self.cases, max((m.at_ms for m in moves), default=T0))
        await self.store.save_cases(self.cases, "test", T0)
        pages = [
            row
            for page in outcome.pages
            for row in addressed(
                replace(page, channels=channels),
                replace(self.cases.officers[page.officer_id], channels=urls),
                ways,
                FAILOVER_MS,
            )
        ]
        async with self.store.transaction() as tx:
            await tx.write_lines(outcome.lines)
            await tx.write_alerts(outcome.alerts)
            await tx.write_pages(pages)
        return [alert.alert_id for alert in outcome.alerts]

    @asynccontextmanager
    async def worker(
        self,
        channels: Mapping[str, Channel],
        settings: OutboxSettings = QUICK,
        pages: PageStore | None = None,
        manner: Manner = MANNER,
    ) -> AsyncIterator[OutboxWorker]:
        """A worker that runs as long as the block; leaving it kills it wherever it is."""
        notices = Notices(self.store, manner, self.clock)
        worker = OutboxWorker(
            pages or self.store.outbox, notices.of, channels, settings, self.clock, self.metrics
        )
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def due_ms(self) -> int:
        """When the first page was due."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute("SELECT min(due_ms) FROM pages").fetchone()
        assert row is not None
        return int(row[0])

    def held(self) -> int:
        """How many pages are due and put off, never tried."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pages "
                "WHERE state = 'pending' AND attempts = 0 AND next_attempt_ms > %s",
                [self.clock.wall_ms()],
            ).fetchone()
        assert row is not None
        return int(row[0])

    def states(self) -> list[tuple[str, str, int]]:
        """(channel's kind, state, attempts) of every page, in order."""
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(
                "SELECT split_part(channel, ':', 1), state, attempts FROM pages ORDER BY page_id"
            ).fetchall()
        return [(str(c), str(s), int(a)) for c, s, a in rows]

    async def settle(self, *states: str, within_s: float = 20.0) -> list[tuple[str, str, int]]:
        """Wait until every page is in one of these states."""
        await until(lambda: all(state in states for _, state, _ in self.states()), within_s)
        return self.states()
