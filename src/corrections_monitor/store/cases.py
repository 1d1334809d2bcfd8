"""Cases in the database: system-versioned, saved as a difference, loaded as a whole.

A change closes the current row and writes a new one; nothing is overwritten, so what was known at an
instant can be read again and an edit never reaches back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed, Identifier, Placeholder

from corrections_monitor.model.cases import CaseSet
from corrections_monitor.store import audit
from corrections_monitor.store.case_tables import CASE_TABLES, CaseTable, RawJson
from corrections_monitor.store.queries import query

Connection = AsyncConnection[tuple[Any, ...]]
_ROWS_AT_ONCE = 5_000
_AUDITED_KEYS = 200  # per table, named in the audit row; the versioned rows hold the rest


class CasesMovedError(Exception):
    """Somebody else has saved cases since the version this change was made from."""


Known = tuple[CaseSet, int]
"""Cases and the version that they stand at."""


async def version(connection: Connection, as_of_ms: int | None = None) -> int:
    """The version that the cases in force stand at, or stood at as recorded at ``as_of_ms``."""
    return (await _version(connection, as_of_ms))[0]


async def load(connection: Connection, as_of_ms: int | None = None, known: Known | None = None) -> Known:
    """The cases in force, or as they were recorded at ``as_of_ms``.

    ``known``: earlier ones; then only what differs is read.
    """
    stands_at, recorded_ms = await _version(connection, as_of_ms)
    since_ms = None if known is None else await _recorded_at(connection, known[1])
    # What was recorded at one instant belongs together, also when somebody saves meanwhile.
    when = {"as_of_ms": recorded_ms, "since_ms": since_ms}
    found: dict[str, dict[Any, Any]] = {}
    for table in CASE_TABLES:
        rows = found[table.attribute] = {} if known is None else dict(getattr(known[0], table.attribute))
        if since_ms is not None:
            ended = await connection.execute(_statement("cases.ended", table), when)
            for key in await ended.fetchall():
                rows.pop(key if len(key) > 1 else key[0], None)
        # A cursor of the server: never all rows twice in memory.
        async with connection.cursor(table.name, binary=True) as cursor:
            cursor.adapters.register_loader("jsonb", RawJson)
            await cursor.execute(_statement("cases.in_force", table), when)
            while some := await cursor.fetchmany(_ROWS_AT_ONCE):
                rows.update(table.decode(some))
    return CaseSet(**found), stands_at


async def load_version(connection: Connection, version: int, known: Known | None = None) -> CaseSet:
    """The cases as they stood at a version, 0 for none; ``known`` as for ``load``.

    Raises KeyError when there is no such version.
    """
    if not version:
        return CaseSet()
    return (await load(connection, await _recorded_at(connection, version), known))[0]


async def _version(connection: Connection, as_of_ms: int | None) -> tuple[int, int]:
    """The version and when it was recorded; zeros before the first."""
    cursor = await connection.execute(query("cases.version"), {"as_of_ms": as_of_ms})
    number, recorded_ms = await cursor.fetchone() or (0, 0)
    return int(number), int(recorded_ms)


async def _recorded_at(connection: Connection, version: int) -> int:
    if not version:
        return 0
    cursor = await connection.execute(query("cases.recorded_at"), [version])
    row = await cursor.fetchone()
    if row is None:
        raise KeyError(f"no version {version} of cases")
    return int(row[0])


async def save(
    connection: Connection,
    new: CaseSet,
    actor: str,
    recorded_ms: int,
    withdrawn: Mapping[str, Collection[Any]],
    base_version: int | None,
) -> dict[str, int]:
    """Record what differs.  Raises CasesMovedError; KeyError for an unknown table in ``withdrawn``."""
    await connection.execute(query("cases.lock"))
    stands_at, last_recorded_ms = await _version(connection, None)
    if base_version is not None and base_version != stands_at:
        raise CasesMovedError(f"cases stand at version {stands_at}, the change was made from {base_version}")
    # A clock that was set back must not make history overlap, and every version has its own instant.
    at_ms = max(recorded_ms, last_recorded_ms + 1)
    current, _ = await load(connection)
    unknown = set(withdrawn) - {table.attribute for table in CASE_TABLES}
    if unknown:
        raise KeyError(f"no such table of cases: {', '.join(sorted(unknown))}")
    changed: dict[str, list[str]] = {}
    for table in CASE_TABLES:
        keys = await _save_table(connection, table, new, current, at_ms, withdrawn.get(table.attribute, ()))
        if keys:
            changed[table.attribute] = keys
    if changed:
        await connection.execute(query("cases.add_version"), [stands_at + 1, at_ms, actor])
        await connection.execute(query("decisions.tell"), ["cases", str(stands_at + 1)])
        detail = {name: {"rows": len(keys), "keys": keys[:_AUDITED_KEYS]} for name, keys in changed.items()}
        await audit.append(connection, at_ms, actor, "cases.save", str(stands_at + 1), detail)
    return {name: len(keys) for name, keys in changed.items()}


async def _save_table(
    connection: Connection,
    table: CaseTable,
    new: CaseSet,
    current: CaseSet,
    at_ms: int,
    withdrawn: Collection[Any],
) -> list[str]:
    """Close what changed or ends, insert what is new; the changed keys as text."""
    wanted: Mapping[Any, Any] = getattr(new, table.attribute)
    standing: Mapping[Any, Any] = getattr(current, table.attribute)
    fresh = {k: row for k, row in wanted.items() if standing.get(k) != row and k not in withdrawn}
    ending = [k for k in standing if k in fresh or k in withdrawn]
    async with connection.cursor() as cursor:
        if ending:
            await cursor.executemany(
                _statement("cases.close", table), [(at_ms, *_key_parts(key)) for key in ending]
            )
        if fresh:
            rows = [(*table.encode(row), at_ms) for row in fresh.values()]
            await cursor.executemany(_statement("cases.insert", table), rows)
    return [":".join(map(str, _key_parts(key))) for key in {**dict.fromkeys(ending), **fresh}]


def _key_parts(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _statement(name: str, table: CaseTable) -> Composed:
    of_key = name == "cases.close"
    values = table.key if of_key else table.columns
    return SQL(query(name)).format(
        table=Identifier(table.name),
        columns=SQL(", ").join(Identifier(c) for c in table.columns),
        key=SQL(", ").join(Identifier(c) for c in table.key),
        values=SQL(", ").join(Placeholder() for _ in values),
    )
