"""What was done to the duty roster, as colleagues may read it: who comes on call needs the note."""

from __future__ import annotations

from collections.abc import Collection

from corrections_monitor.store.api_rows import Row, jurisdiction, rows
from corrections_monitor.store.pool import Store


async def roster_log(store: Store, offices: Collection[str], limit: int) -> list[Row]:
    """Hand-overs, stand-ins and rotations at these offices, newest first: seq, at_ms, actor, action, target
    (the office), detail."""
    async with jurisdiction(store, offices) as connection:
        return await rows(connection, "duty.log", offices=list(offices), limit=limit)
