"""Legal holds (证据保全): of whom nothing may be deleted, set and lifted by officers, each change logged."""

from __future__ import annotations

from collections.abc import Collection

from corrections_monitor.store.api_rows import Row, jurisdiction, one, rows
from corrections_monitor.store.audit import append
from corrections_monitor.store.pool import Store


async def list_holds(store: Store, offices: Collection[str]) -> list[Row]:
    """The holds on people of these offices, by person_id."""
    async with jurisdiction(store, offices) as connection:
        return await rows(connection, "api_holds.list", offices=list(offices))


async def set_hold(
    store: Store, offices: Collection[str], person_id: str, reason: str, actor: str, now_ms: int
) -> bool:
    """Hold what is stored of a person, or give the hold another reason; False: no such person."""
    async with jurisdiction(store, offices) as connection:
        held = await one(
            connection,
            "api_holds.set",
            person_id=person_id,
            reason=reason,
            actor=actor,
            now_ms=now_ms,
            offices=list(offices),
        )
        if held is None:
            return False
        await append(connection, now_ms, actor, "hold.set", person_id, {"reason": reason})
    return True


async def lift_hold(
    store: Store, offices: Collection[str], person_id: str, reason: str, actor: str, now_ms: int
) -> bool:
    """Lift a person's hold; False when there is none."""
    async with jurisdiction(store, offices) as connection:
        lifted = await one(connection, "api_holds.lift", person_id=person_id, offices=list(offices))
        if lifted is None:
            return False
        await append(connection, now_ms, actor, "hold.lift", person_id, {"reason": reason})
    return True
