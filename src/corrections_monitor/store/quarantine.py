"""The quarantine (隔离区): what could not be used, kept for a look, within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from psycopg import AsyncConnection

from corrections_monitor.store.queries import query

Connection = AsyncConnection[tuple[Any, ...]]

MAX_ROWS = 100_000
MAX_BYTES = 64 * 1024 * 1024
_TRIM_TO = 0.9  # trimmed a little below the bound, so that a flood is not trimmed row by row
_PAYLOAD_MAX_BYTES = 16 * 1024  # of a longer payload the beginning says enough


class Rejected(Protocol):
    """A message or a part of one that could not be used.  ``payload`` is None where the law lets nothing
    but device, topic and arrival be kept."""

    @property
    def arrival_ms(self) -> int: ...
    @property
    def device_id(self) -> str | None: ...
    @property
    def topic(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def detail(self) -> str: ...
    @property
    def payload(self) -> bytes | None: ...


class QuarantineWrites:
    """The part of a ``Tx`` that keeps rejects."""

    _connection: Connection

    async def insert_rejects(
        self, rejects: Sequence[Rejected], *, max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES
    ) -> None:
        """Keep the newest rejects within both bounds; older ones make room and are counted as dropped."""
        rows = [_row(r) for r in rejects[-max_rows:]]
        if not rows:
            return
        async with self._connection.cursor() as cursor:
            await cursor.executemany(query("quarantine.insert"), rows)
        grown = [len(rows), sum(_size(row) for row in rows), len(rejects) - len(rows)]
        cursor = await self._connection.execute(query("quarantine.grow"), grown)
        held = await cursor.fetchone()
        assert held is not None
        if held[0] > max_rows or held[1] > max_bytes:
            await self._connection.execute(
                query("quarantine.trim"), [int(max_rows * _TRIM_TO), int(max_bytes * _TRIM_TO)]
            )


async def ahead(
    connection: Connection, since_ms: int, after: int, limit: int
) -> list[tuple[int, int, str, bytes]]:
    """What was ahead of our clock when it came, in order: (reject_id, arrival_ms, topic, payload)."""
    cursor = await connection.execute(query("quarantine.ahead"), [since_ms, after, limit], binary=True)
    return [(n, at_ms, topic, bytes(payload)) for n, at_ms, topic, payload in await cursor.fetchall()]


async def drop(connection: Connection, reject_ids: Sequence[int]) -> None:
    """Take rows out."""
    await connection.execute(query("quarantine.drop"), [list(reject_ids)])


def _row(reject: Rejected) -> tuple[int, str | None, str, str, str, bytes | None]:
    payload = None if reject.payload is None else reject.payload[:_PAYLOAD_MAX_BYTES]
    # PostgreSQL text holds no NUL; a topic or detail from outside may.
    topic, detail = reject.topic.replace("\0", "�"), reject.detail.replace("\0", "�")
    return (reject.arrival_ms, reject.device_id, topic, reject.reason, detail, payload)


def _size(row: tuple[int, str | None, str, str, str, bytes | None]) -> int:
    return len(row[2].encode()) + len(row[4].encode()) + len(row[5] or b"")
