"""Journal and snapshots: what the engine saw and what it knew, so that a start reads no history.

See "Journal and snapshot" in docs/architecture.md.  Bodies are the caller's, compressed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from corrections_monitor.store.queries import query

Connection = AsyncConnection[tuple[Any, ...]]
_READ_AHEAD_ROWS = 64  # journal rows held in memory at once while reading


class NotLeadingError(Exception):
    """The journal has gone on without this process: another daemon writes."""


class JournalWrites:
    """The part of a ``Tx`` that makes the batch recoverable."""

    _connection: Connection

    async def append_journal(self, batch_no: int, body: bytes) -> None:
        """Write the batch as the engine saw it.  Raises NotLeadingError unless it is the next number
        (after the newest journal row or snapshot; the first is 1)."""
        cursor = await self._connection.execute(query("journal.append"), {"batch_no": batch_no, "body": body})
        if cursor.rowcount != 1:
            raise NotLeadingError(f"batch {batch_no} does not follow the journal: another daemon has written")

    async def save_snapshot(self, batch_no: int, body: bytes) -> None:
        """Write the state after ``batch_no``; the journal up to it and older snapshots are dropped."""
        await self._connection.execute(query("journal.save_snapshot"), [batch_no, body])
        await self._connection.execute(query("journal.drop_journal"), [batch_no])
        await self._connection.execute(query("journal.drop_snapshots"), [batch_no])


async def load_snapshot(connection: Connection) -> tuple[int, bytes] | None:
    """The newest snapshot, if any."""
    cursor = await connection.execute(query("journal.load_snapshot"), binary=True)
    row = await cursor.fetchone()
    return None if row is None else (row[0], bytes(row[1]))


async def rows_since(connection: Connection, batch_no: int) -> AsyncIterator[tuple[int, bytes]]:
    """Journal rows after ``batch_no``, in order, a few at a time.  Needs an open transaction."""
    async with connection.cursor("journal", binary=True) as cursor:
        cursor.itersize = _READ_AHEAD_ROWS
        await cursor.execute(query("journal.rows_since"), [batch_no])
        async for number, body in cursor:
            yield number, bytes(body)


async def put_state(connection: Connection, key: str, value: Any, at_ms: int) -> None:
    """Leave a word for other processes."""
    await connection.execute(query("journal.put_state"), [key, Jsonb(value), at_ms])


async def get_state(connection: Connection, key: str) -> tuple[Any, int] | None:
    """The word under the key and when it was left."""
    cursor = await connection.execute(query("journal.get_state"), [key])
    row = await cursor.fetchone()
    return None if row is None else (row[0], row[1])
