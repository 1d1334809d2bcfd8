"""What keeps the database in shape: partitions made ahead, history dropped when its time is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

from corrections_monitor.model.times import DAY_MS
from corrections_monitor.store.audit import append
from corrections_monitor.store.queries import query

Connection = AsyncConnection[tuple[Any, ...]]
DAYS_AHEAD = 3
SETTLE_AFTER_MS = 2 * DAY_MS  # by then nearly all late fixes of a day have come
ERASED_AT_ONCE = 200  # people; the rest waits for the next round
ALERTS_AT_ONCE = 1_000
_TABLES = ("fixes", "band_events")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each table keeps its rows, in ms.  ``violations_ms`` counts from when the last episode of an
    alert was over and, where it paged, somebody had resolved it: nothing open is ever deleted."""

    violations_ms: int
    commands_ms: int
    digests_ms: int
    quarantine_ms: int
    exchanges_ms: int
    audit_ms: int


@dataclass(frozen=True, slots=True)
class Kept:
    """How many things one round of maintenance made and dropped."""

    partitions_made: int
    partitions_settled: int
    partitions_dropped: int
    contacts_dropped: int
    digests_dropped: int
    sessions_dropped: int
    people_erased: int
    rows_dropped: dict[str, int]


@dataclass(frozen=True, slots=True)
class Room:
    """``days_ahead``: whole days after today that fixes have partitions for; ``keys_free``: the share of
    each table's generated keys not yet given out."""

    days_ahead: int
    keys_free: dict[str, float]


class Maintenance:
    """Run now and then by the daemon (role ``engine``)."""

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self._pool = pool

    async def run(
        self, now_ms: int, retention_ms: int, after_term_ms: int, limits: Limits | None = None
    ) -> Kept:
        """Make partitions for today and the days ahead; rewrite one day that is over in key order, of
        each table; drop telemetry, contacts, digests and sessions whose keeping is over, and what the
        devices of a person sent whose term (解矫) has been over for ``after_term_ms`` (个人信息保护法
        第十九条: no longer than needed); with ``limits`` also what else is over its time.  Nothing of
        somebody under a legal hold is deleted; what cannot be told apart by person (digests, rosters, the
        audit) is kept whole while anybody is held.  What was deleted stands in the audit, in numbers.

        Each step is a transaction of its own that waits at most 2 s for a lock, so that a long read is
        not held up; raises psycopg.errors.LockNotAvailable when it must be tried again.
        """
        today = now_ms // DAY_MS
        days = list(range(today - 1, today + DAYS_AHEAD + 1))
        made = [await self._one("maintenance.ensure_ahead", [table, days]) for table in _TABLES]
        old = [await self._drop_old(table, now_ms - retention_ms) for table in _TABLES]
        over_ms = now_ms - SETTLE_AFTER_MS
        settled = [await self._one("maintenance.settle", [table, over_ms]) for table in _TABLES]
        digests_ms = retention_ms if limits is None else limits.digests_ms
        contacts = await self._one("maintenance.drop_contacts", [now_ms - retention_ms])
        digests = await self._one("maintenance.drop_digests", [now_ms - digests_ms])
        rows = {} if limits is None else await self._drop_rows(now_ms, limits)
        dropped = {"contacts": contacts, "digests": digests, "days": sum(old), **rows}
        await self._log(now_ms, dropped)
        return Kept(
            partitions_made=sum(made),
            partitions_settled=sum(settled),
            partitions_dropped=sum(old),
            contacts_dropped=contacts,
            digests_dropped=digests,
            sessions_dropped=await self._one("maintenance.drop_sessions", [now_ms]),
            people_erased=await self._erase_ended(now_ms, now_ms - after_term_ms, now_ms - retention_ms),
            rows_dropped=rows,
        )

    async def _drop_rows(self, now_ms: int, limits: Limits) -> dict[str, int]:
        """Delete row by row what is over its time; how many of each."""
        return {
            "commands": await self._one("maintenance.drop_commands", [now_ms - limits.commands_ms]),
            "violations": await self._one(
                "maintenance.drop_violations", [now_ms - limits.violations_ms] * 2 + [ALERTS_AT_ONCE]
            ),
            "quarantine": await self._one("maintenance.drop_quarantine", [now_ms - limits.quarantine_ms]),
            "exchanges": await self._one("maintenance.drop_exchanges", [now_ms - limits.exchanges_ms]),
            "audit": await self._one("maintenance.cut_audit", [now_ms - limits.audit_ms, now_ms]),
        }

    async def _log(self, now_ms: int, dropped: dict[str, int]) -> None:
        counts = {table: rows for table, rows in dropped.items() if rows}
        if counts:
            async with self._pool.connection() as connection, connection.transaction():
                await append(connection, now_ms, "system", "keeping.delete", "", counts)

    async def room(self, now_ms: int) -> Room:
        """How much room is left."""
        async with self._pool.connection() as connection:
            ahead = await (await connection.execute(query("maintenance.days_ahead"), [now_ms])).fetchone()
            keys = await (await connection.execute(query("maintenance.keys_free"))).fetchall()
        return Room(0 if ahead is None else int(ahead[0]), {str(t): float(share) for t, share in keys})

    async def _drop_old(self, table: str, before_ms: int) -> int:
        """Drop days that are wholly older; while anybody is held, empty them of everybody else's rows."""
        if not await self._one("maintenance.any_hold", []):
            return await self._one("maintenance.drop_old", [table, before_ms])
        await self._one("maintenance.drop_unheld", [before_ms // DAY_MS * DAY_MS], table)
        return 0

    async def _erase_ended(self, now_ms: int, ended_by_ms: int, kept_from_ms: int) -> int:
        """Delete positions and events after terms have ended, one person a transaction, each logged."""
        wanted = {"ended_by_ms": ended_by_ms, "kept_from_ms": kept_from_ms, "limit": ERASED_AT_ONCE}
        async with self._pool.connection() as connection:
            ended = await (await connection.execute(query("maintenance.ended"), wanted)).fetchall()
        for (person_id,) in ended:
            one = {"person_id": person_id, "ended_by_ms": ended_by_ms}
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute(query("maintenance.lock_timeout"))
                gone = {
                    table: (await connection.execute(_of(table, "maintenance.erase"), one)).rowcount
                    for table in _TABLES
                }
                if any(gone.values()):
                    await append(connection, now_ms, "system", "telemetry.erase", person_id, gone)
        return len(ended)

    async def _one(self, name: str, parameters: list[Any], table: str = "") -> int:
        """Run a statement; the number it returns, or else the rows it deleted."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(query("maintenance.lock_timeout"))
            cursor = await connection.execute(_of(table, name) if table else query(name), parameters)
            if cursor.description is None:
                return cursor.rowcount
            row = await cursor.fetchone()
            return 0 if row is None else int(row[0])


def _of(table: str, name: str) -> sql.Composed:
    return sql.SQL(query(name)).format(table=sql.Identifier(table))
