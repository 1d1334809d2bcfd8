"""The sender of commands to devices: claim → publish → record, until the device answers or time runs out.

The same care as with pages: a claim is a lease, every attempt bears the same id, and one device that hangs
delays no other.  What a broker took is not yet with the device, so a command is said again, ever more
seldom, until its answer (``cmd_ok``, ``cmd_failed``) is stored.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import msgspec

from corrections_monitor.clock import Clock
from corrections_monitor.paging.claiming import claim_and_begin
from corrections_monitor.paging.mqtt import Publish
from corrections_monitor.paging.results import Handed, Result, RetrySettings, wait_ms
from corrections_monitor.store import Store
from corrections_monitor.store.commands import ClaimedCommand

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0  # of one attempt
LEASE_MS = 60_000
AT_ONCE = 200


class CommandSender:
    """``run`` it as a task; ``wake`` it when commands were written.

    ``county_of`` gives the county under which a device was last heard, None where it was not: a device
    listens where it speaks.
    """

    def __init__(
        self,
        store: Store,
        roads: Sequence[Publish],
        county_of: Callable[[str], str | None],
        retry: RetrySettings,
        clock: Clock,
    ) -> None:
        self._commands = store.commands
        self._roads = tuple(roads)
        self._county_of = county_of
        self._retry = retry
        self._clock = clock
        self._held: dict[str, asyncio.Task[None]] = {}
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Look at the outbox now."""
        self._awake.set()

    async def run(self) -> None:
        """Work until cancelled.  A database that is away is waited for."""
        await claim_and_begin("commands", self._claim, self._begin, self._held.values, self._awake)

    async def _claim(self) -> Sequence[ClaimedCommand]:
        room = AT_ONCE - len(self._held)
        return await self._commands.claim(self._clock.wall_ms(), room, LEASE_MS, self._held) if room else []

    def _begin(self, claimed: ClaimedCommand) -> None:
        attempt = asyncio.create_task(self._attempt(claimed), name=claimed.command_id)
        self._held[claimed.command_id] = attempt
        attempt.add_done_callback(lambda _: self._held.pop(claimed.command_id, None))

    async def _attempt(self, claimed: ClaimedCommand) -> None:
        try:
            handed = await self._publish(claimed)
            now_ms = self._clock.wall_ms()
            again_ms = now_ms + wait_ms(Result(Handed.TEMPORARY), claimed.attempt, self._retry)
            error = None if handed else "no broker or device took it"
            await self._commands.record(claimed, handed, now_ms, again_ms, error)
        except Exception as error:
            log.warning("command %s is left to its lease: %s", claimed.command_id, type(error).__name__)

    async def _publish(self, claimed: ClaimedCommand) -> bool:
        county = self._county_of(claimed.device_id) or claimed.county_id
        said: dict[str, int | str | None] = {"id": claimed.command_id, "cmd": claimed.cmd.value}
        if claimed.arg is not None:
            said["arg"] = claimed.arg
        topic, payload = f"cm/v1/{county}/{claimed.device_id}/cmd", msgspec.json.encode(said)
        roads = [asyncio.ensure_future(publish(topic, payload)) for publish in self._roads]
        if not roads:
            return False
        done, late = await asyncio.wait(roads, timeout=TIMEOUT_S)
        for road in late:
            road.cancel()
        return any(road.exception() is None and road.result() for road in done)
