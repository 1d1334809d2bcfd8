"""Telling the counties' duty officers over every channel they have, with no database behind it.

Everyone is told at once, each over all ways; what was not taken is tried again for as long as it is true.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from corrections_monitor.clock import Clock
from corrections_monitor.paging.channels import Channel, Notice, Ways, channels_for, kind_of
from corrections_monitor.paging.notices import Manner
from corrections_monitor.paging.results import Handed, Result
from corrections_monitor.watch.blindness import Word
from corrections_monitor.watch.orders import StandingOrders
from corrections_monitor.watch.words import alert_of, text_of

log = logging.getLogger(__name__)

_AGAIN_FIRST_S, _AGAIN_LAST_S = 2.0, 60.0
_TRIES_MAX = 60


class Teller:
    """``tell`` begins; a later word takes the place of one that is still being tried."""

    def __init__(
        self, channels: Mapping[str, Channel], ways: Ways, manner: Manner, timeout_s: float, clock: Clock
    ) -> None:
        self._channels = channels
        self._ways = ways
        self._manner = manner
        self._timeout_s = timeout_s
        self._clock = clock
        self._telling: set[asyncio.Task[None]] = set()

    def tell(self, word: Word, orders: StandingOrders, reason: str, since_ms: int) -> int:
        """Begin to tell; returns to how many officers."""
        self.stop()
        notices = self._notices(word, orders, reason, since_ms)
        for notice in notices:
            task = asyncio.create_task(self._until_taken(notice))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)
        return len({notice.officer_id for notice in notices})

    def stop(self) -> None:
        """Try no further."""
        for task in self._telling:
            task.cancel()

    def _notices(self, word: Word, orders: StandingOrders, reason: str, since_ms: int) -> list[Notice]:
        now_ms = self._clock.wall_ms()
        found = []
        for charge in orders.charges:
            text = text_of(word, charge, reason, since_ms, now_ms, self._manner)
            alert = alert_of(word, charge, reason, since_ms, now_ms, self._manner)
            for officer in charge.on_call(now_ms):
                for channel, address in channels_for(officer, self._ways):
                    key = f"{word}-{since_ms}-{charge.office_id}-{officer.officer_id}-{channel}"
                    found.append(Notice(officer.officer_id, channel, address, key, alert, text))
        return found

    async def _until_taken(self, notice: Notice) -> None:
        wait_s = _AGAIN_FIRST_S
        for _ in range(_TRIES_MAX):
            result = await self._send(notice)
            if result.handed is not Handed.TEMPORARY:
                break
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _AGAIN_LAST_S)
        if result.handed in (Handed.SENT, Handed.DELIVERED):
            log.warning("told %s over %s", notice.officer_id, kind_of(notice.channel))
        else:
            log.error("%s over %s: %s", notice.officer_id, kind_of(notice.channel), result.reason)

    async def _send(self, notice: Notice) -> Result:
        channel = self._channels.get(notice.channel) or self._channels.get(kind_of(notice.channel))
        if channel is None:
            return Result(Handed.PERMANENT, "no way to reach this officer without the daemon")
        try:
            async with asyncio.timeout(self._timeout_s):
                return await channel.send(notice)
        except TimeoutError:
            return Result(Handed.UNCONFIRMED, f"no answer within {self._timeout_s:g} s")
        except Exception as error:
            log.exception("channel %s failed", kind_of(notice.channel))
            return Result(Handed.TEMPORARY, type(error).__name__)
