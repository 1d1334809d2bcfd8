"""The daily digest goes out: once an office and day, at its time or as soon as a daemon is there again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import date

from corrections_monitor.clock import Clock
from corrections_monitor.config import Config
from corrections_monitor.model.alerts import Page, Purpose
from corrections_monitor.model.cases import CaseSet, Officer
from corrections_monitor.model.episodes import Severity
from corrections_monitor.paging.channels import NOWHERE, Ways, channels_for
from corrections_monitor.rules.digest import Digest, due_day, due_ms
from corrections_monitor.rules.digesting import digests, readers
from corrections_monitor.store import Store
from corrections_monitor.store.api_digests import standing

log = logging.getLogger(__name__)

LOOK_EVERY_S = 20.0
_LAST_DAY = "digest"  # the word in which the newest day is kept whose digests were made


class DigestDesk:
    """``run`` it as a task of the daemon in charge.  ``config`` gives the configuration as last read,
    ``cases`` those in force, None before they are there."""

    def __init__(
        self,
        store: Store,
        config: Callable[[], Config],
        cases: Callable[[], CaseSet | None],
        ways: Ways,
        clock: Clock,
    ) -> None:
        self._store, self._config, self._cases, self._clock = store, config, cases, clock
        self._ways = Ways(mqtt=ways.mqtt)  # platforms are given alerts; a digest is for people

    async def run(self) -> None:
        """Look every few seconds, until cancelled.  A database that is away is waited for."""
        while True:
            try:
                await self.look()
            except Exception as fault:
                log.warning("the daily digest waits: %s", type(fault).__name__)
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> int:
        """Send what is due; gives how many digests were made.

        Of days that passed without a daemon only the newest is sent: a digest tells how things stand now.
        The first daemon of a house begins with the next day's.
        """
        config, cases, now_ms = self._config(), self._cases(), self._clock.wall_ms()
        at_ms = config.duty.digest_ms
        if at_ms is None or cases is None:
            return 0
        day = due_day(now_ms, at_ms, config.site.timezone)
        last = await self._store.get_state(_LAST_DAY)
        if last is None:
            await self._store.put_state(_LAST_DAY, day.isoformat(), now_ms)
        if last is None or date.fromisoformat(last[0]) >= day:
            return 0
        stands, due = await standing(self._store, now_ms), due_ms(day, at_ms, config.site.timezone)
        # A nation's takes a while, and the daemon has other things to do meanwhile.
        found = await asyncio.to_thread(digests, cases, stands, day, due, now_ms)
        to_tell = readers(cases)
        async with self._store.transaction() as tx:
            made = [await tx.write_digest(*self._going_out(each, to_tell[each.office_id])) for each in found]
        await self._store.put_state(_LAST_DAY, day.isoformat(), now_ms)
        return sum(made)

    def _going_out(
        self, digest: Digest, officers: list[Officer]
    ) -> tuple[str, Digest, list[tuple[Page, str, str]]]:
        digest_id = f"digest-{digest.office_id}-{digest.day}"
        return (
            digest_id,
            digest,
            [
                (
                    Page(digest_id, 1, 0, officer.officer_id, Severity.INFO, digest.made_ms, Purpose.DIGEST),
                    channel,
                    address,
                )
                for officer in officers
                for channel, address in channels_for(officer, self._ways)
                if channel != NOWHERE  # who has no channel reads it in the console
            ],
        )
