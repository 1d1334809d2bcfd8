"""The cases as the API edits them: which version stands, and one row changed or withdrawn."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from corrections_monitor.model.cases import CaseSet
from corrections_monitor.store import cases
from corrections_monitor.store.audit import append
from corrections_monitor.store.pool import EVERYTHING, Store
from corrections_monitor.store.queries import query

CasesMovedError = cases.CasesMovedError


async def cases_version(store: Store) -> int:
    """The version the cases stand at; 0 before the first import."""
    async with store.seeing(EVERYTHING) as connection:
        cursor = await connection.execute(query("cases.version"), {"as_of_ms": None})
        row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def load_seen(store: Store, offices: Collection[str]) -> tuple[CaseSet, int]:
    """The cases as row-level security shows them to these offices, and their version."""
    async with store.seeing(offices) as connection:
        return await cases.load(connection)


async def save_row(
    store: Store,
    offices: Collection[str],
    table: str,
    key: Any,
    row: Any | None,
    *,
    actor: str,
    at_ms: int,
    base_version: int,
    action: str,
    detail: Mapping[str, Any],
) -> None:
    """Put one row in place of what stands under its key (None: withdraw it), and log who, what and why.

    Only a row of these offices can be written or withdrawn: row-level security holds it.  Raises
    CasesMovedError when the cases are no longer at ``base_version``.
    """
    new = CaseSet() if row is None else CaseSet(**{table: {key: row}})
    withdrawn = {table: [key]} if row is None else {}
    async with store.seeing(offices) as connection:
        await cases.save(connection, new, actor, at_ms, withdrawn, base_version)
        target = ":".join(map(str, key)) if isinstance(key, tuple) else str(key)
        await append(connection, at_ms, actor, action, target, detail)
