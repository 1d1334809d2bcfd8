"""The quarantine (隔离区) as its readers see it."""

from __future__ import annotations

from collections.abc import Collection

from corrections_monitor.store.api_rows import Row, jurisdiction, rows
from corrections_monitor.store.pool import Store


async def list_rejects(
    store: Store,
    offices: Collection[str],
    *,
    reason: str | None,
    device_id: str | None,
    before_id: int | None,
    limit: int,
) -> list[Row]:
    """What could not be used, newest first: of the offices' devices; a root office's unknown ones too."""
    async with jurisdiction(store, offices) as connection:
        return await rows(
            connection,
            "api_system.list_rejects",
            reason=reason,
            device_id=device_id,
            before_id=before_id,
            limit=limit,
        )


async def count_rejects(store: Store, offices: Collection[str]) -> list[Row]:
    """By reason: how many, and when the newest arrived; the most frequent first."""
    async with jurisdiction(store, offices) as connection:
        return await rows(connection, "api_system.count_rejects")
