"""The cases as the API edits them: as a jurisdiction sees them, and rows changed or withdrawn."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from corrections_monitor.model.cases import CaseSet
from corrections_monitor.store import cases
from corrections_monitor.store.audit import append
from corrections_monitor.store.pool import Store

CasesMovedError = cases.CasesMovedError


async def load_seen(store: Store, offices: Collection[str]) -> tuple[CaseSet, int]:
    """The cases as row-level security shows them to these offices, and their version."""
    async with store.seeing(offices) as connection:
        return await cases.load(connection)


async def save_rows(
    store: Store,
    offices: Collection[str],
    table: str,
    changed: Mapping[Any, Any | None],
    *,
    actor: str,
    at_ms: int,
    base_version: int,
    action: str,
    target: str,
    detail: Mapping[str, Any],
) -> None:
    """Put rows in place of what stands under their keys (None: withdraw it), and log who, what and why.

    Only rows of these offices can be written or withdrawn: row-level security holds it.  Raises
    CasesMovedError when the cases are no longer at ``base_version``.
    """
    new = CaseSet(**{table: {key: row for key, row in changed.items() if row is not None}})
    withdrawn = {table: [key for key, row in changed.items() if row is None]}
    async with store.seeing(offices) as connection:
        await cases.save(connection, new, actor, at_ms, withdrawn, base_version)
        await append(connection, at_ms, actor, action, target, detail)
