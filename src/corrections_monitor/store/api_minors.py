"""Guarded files of minors (未成年人档案): whose they are, who opens one, and the opening itself."""

from __future__ import annotations

from collections.abc import Collection

from corrections_monitor.store.api_rows import Row, RowConnection, jurisdiction, one, rows
from corrections_monitor.store.audit import append
from corrections_monitor.store.pool import EVERYTHING, Store, opened_file
from corrections_monitor.store.queries import query


async def list_minors(store: Store, offices: Collection[str]) -> list[Row]:
    """Whose files are guarded in these offices, by person_id; names are initials."""
    async with jurisdiction(store, offices) as connection:
        return await rows(connection, "api_minors.list", offices=list(offices))


async def guarded_ids(store: Store) -> frozenset[str]:
    """Everybody whose file is guarded, for the service's own work."""
    async with jurisdiction(store, EVERYTHING) as connection:
        return frozenset([row["person_id"] for row in await rows(connection, "api_minors.ids")])


async def unknown_officers(store: Store, offices: Collection[str], officers: list[str]) -> list[str]:
    """Those of the ids that are no officer's."""
    async with jurisdiction(store, offices) as connection:
        return [row["id"] for row in await rows(connection, "api_minors.strangers", officers=officers)]


async def guard(
    store: Store,
    offices: Collection[str],
    person_id: str,
    officers: list[str],
    reason: str,
    actor: str,
    now_ms: int,
) -> bool:
    """Guard a person's file, or say anew who may open it; False: no such person."""
    async with jurisdiction(store, offices) as connection:
        found = await one(
            connection,
            "api_minors.set",
            person_id=person_id,
            officers=officers,
            reason=reason,
            actor=actor,
            now_ms=now_ms,
            offices=list(offices),
        )
        if found is None:
            return False
        await _let_caches_go(connection, actor, now_ms)
        await append(
            connection, now_ms, actor, "minor.guard", person_id, {"reason": reason, "officers": officers}
        )
    return True


async def unguard(
    store: Store, offices: Collection[str], person_id: str, reason: str, actor: str, now_ms: int
) -> bool:
    """The file is one like others again; False when it was not guarded."""
    async with jurisdiction(store, offices) as connection:
        if await one(connection, "api_minors.lift", person_id=person_id, offices=list(offices)) is None:
            return False
        await _let_caches_go(connection, actor, now_ms)
        await append(connection, now_ms, actor, "minor.unguard", person_id, {"reason": reason})
    return True


async def open_file(
    store: Store, offices: Collection[str], person_id: str, reason: str, actor: str, now_ms: int
) -> bool:
    """Open a guarded file for the rest of this request; False when the asker is not one who may.

    Either is logged before anything is read.
    """
    async with jurisdiction(store, offices) as connection:
        row = await one(connection, "api_minors.may_open", person_id=person_id)
        may = bool(row and row["may_open"])
        action = "minor.read" if may else "minor.refused"
        await append(connection, now_ms, actor, action, person_id, {"reason": reason})
    if may:
        opened_file.set(person_id)
    return may


async def _let_caches_go(connection: RowConnection, actor: str, now_ms: int) -> None:
    """Every process reads the cases again: what it holds was read under another guard."""
    await connection.execute(query("cases.lock"))
    row = await (await connection.execute(query("cases.version"), {"as_of_ms": None})).fetchone()
    version, recorded_ms = row or (0, 0)
    at_ms = max(now_ms, recorded_ms + 1)
    await connection.execute(query("cases.add_version"), [version + 1, at_ms, actor])
    await connection.execute(query("decisions.tell"), ["cases", str(version + 1)])
