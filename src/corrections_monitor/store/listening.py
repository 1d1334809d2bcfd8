"""LISTEN on a connection of its own, made anew whenever it breaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

import psycopg
from psycopg import AsyncConnection, sql

from corrections_monitor.store.queries import query

_log = logging.getLogger(__name__)
_RETRY_FIRST_S = 0.1
_RETRY_LAST_S = 10.0


async def listen(conninfo: str, channels: Sequence[str]) -> AsyncIterator[tuple[str, str]]:
    """Yield (channel, payload) for ever; (channel, "") for each channel after every connect."""
    wait_s = _RETRY_FIRST_S
    while True:
        try:
            connection = await AsyncConnection.connect(
                conninfo, autocommit=True, keepalives_idle=5, keepalives_interval=2, keepalives_count=3
            )
            async with connection:
                for channel in channels:
                    await connection.execute(
                        sql.SQL(query("listening.listen")).format(channel=sql.Identifier(channel))
                    )
                wait_s = _RETRY_FIRST_S
                for channel in channels:
                    yield channel, ""
                async for told in connection.notifies():
                    yield told.channel, told.payload
        except psycopg.Error as broken:
            _log.warning("listening to the database broke, trying again in %.1f s: %s", wait_s, broken)
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, _RETRY_LAST_S)
