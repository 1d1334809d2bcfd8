"""The loop that every sender of an outbox runs: claim what is due, begin it, wait until woken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

POLL_S = 1.0  # a lease may end, or something come due whose word was lost, without anyone telling
_BREATHER_S = 1.0  # between attempts to reach a database that is away
T = TypeVar("T")
log = logging.getLogger(__name__)


async def claim_and_begin(
    what: str,
    claim: Callable[[], Awaitable[Sequence[T]]],
    begin: Callable[[T], None],
    attempts: Callable[[], Collection[asyncio.Task[None]]],
    awake: asyncio.Event,
) -> None:
    """Work until cancelled, and then end the ``attempts`` under way.  A database that is away is waited
    for; ``what`` names in the log what cannot be read."""
    me = asyncio.current_task()
    assert me is not None, "a coroutine runs in a task"
    try:
        # Asked each time: Python 3.11's wait_for, under the database's driver, can lose a cancellation.
        while not me.cancelling():
            awake.clear()
            try:
                claimed = await claim()
            except Exception as error:
                log.warning("%s cannot be read: %s", what, type(error).__name__)
                await asyncio.sleep(_BREATHER_S)
                continue
            for one in claimed:
                begin(one)
            if not claimed:
                await _sleep(awake)
    finally:
        under_way = list(attempts())
        for attempt in under_way:
            attempt.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _sleep(awake: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(POLL_S):
            await awake.wait()
    except TimeoutError:
        return
