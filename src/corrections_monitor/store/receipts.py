"""Receipts of pages: that one arrived, that its officer opened it, on the alert's timeline.

A receipt is told and counts for nothing: the ladder stops when a person answers.  That a link was opened may
be a mail scanner's doing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from corrections_monitor.store.queries import query

Connection = AsyncConnection[tuple[Any, ...]]


async def mark_read(connection: Connection, alert_id: str, officer_id: str, at_ms: int, via: str) -> None:
    """The officer has opened the alert (``via`` link or console): what was sent him of it is read."""
    given = {"alert_id": alert_id, "officer_id": officer_id}
    rows = await (await connection.execute(query("outbox.read"), given)).fetchall()
    if rows:
        channels = sorted({channel for (channel,) in rows})
        await note_receipt(connection, alert_id, officer_id, at_ms, "read", channels, via=via)
        await connection.execute(query("decisions.tell"), ["alerts", alert_id])


async def note_receipt(
    connection: Connection,
    alert_id: str,
    officer_id: str,
    at_ms: int,
    what: str,
    channels: Sequence[str],
    **detail: str,
) -> None:
    """A line of the timeline: ``delivered`` or ``read``, and over which channels it had been sent."""
    row = {
        "alert_id": alert_id,
        "at_ms": at_ms,
        "what": what,
        "who": officer_id,
        "detail": Jsonb({"channels": list(channels), **detail}),
    }
    await connection.execute(query("decisions.add_timeline"), row)
