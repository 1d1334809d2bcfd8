"""One daemon writes; a second waits.  A session-level advisory lock on a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import psycopg
from psycopg import AsyncConnection

from corrections_monitor.store.queries import query

CHECK_EVERY_S = 2.0


class Lead:
    """Held while the block runs; ``lost`` is set when the connection, and so the lock, is gone."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()


Leadership = AbstractAsyncContextManager[Lead]


@asynccontextmanager
async def lead(conninfo: str) -> AsyncIterator[Lead]:
    """Wait for the lock and hold it.  Raises psycopg.OperationalError when the database is not there."""
    connection = await AsyncConnection.connect(
        conninfo, autocommit=True, keepalives_idle=5, keepalives_interval=2, keepalives_count=3
    )
    try:
        await connection.execute(query("leader.take"))
        held = Lead()
        watch = asyncio.create_task(_watch(connection, held))
        try:
            yield held
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
    finally:
        await connection.close()  # ends the session, and with it the lock


async def _watch(connection: AsyncConnection[tuple[object, ...]], held: Lead) -> None:
    with suppress(psycopg.Error):
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            await connection.execute(query("leader.alive"))
    held.lost.set()
