"""Who may hold a credential: the officers and devices of the cases."""

from __future__ import annotations

from corrections_monitor.store.api_rows import one, rows
from corrections_monitor.store.pool import EVERYTHING, Store


async def officer_username(store: Store, officer_id: str) -> str | None:
    """The name an officer logs in with; None: no such officer."""
    async with store.seeing(EVERYTHING) as connection:
        row = await one(connection, "holders.officer_username", id=officer_id)
    return None if row is None else str(row["username"])


async def officers(store: Store) -> dict[str, str]:
    """The officer_id of every name an officer may connect under: the console's user name, or the id."""
    async with store.seeing(EVERYTHING) as connection:
        found = await rows(connection, "holders.officers")
    ids = {row["officer_id"]: row["officer_id"] for row in found}
    return ids | {row["username"]: row["officer_id"] for row in found if row["username"]}


async def is_device(store: Store, device_id: str) -> bool:
    """Whether the cases know the device, bound now or not."""
    async with store.seeing(EVERYTHING) as connection:
        row = await one(connection, "holders.is_device", id=device_id)
    return bool(row and row["is_device"])


async def is_office(store: Store, office_id: str) -> bool:
    """Whether the cases know the office."""
    async with store.seeing(EVERYTHING) as connection:
        row = await one(connection, "holders.is_office", id=office_id)
    return bool(row and row["is_office"])


async def bound_devices(store: Store, now_ms: int) -> list[str]:
    """Every device that is bound to somebody now or will be, by id."""
    async with store.seeing(EVERYTHING) as connection:
        found = await rows(connection, "holders.bound_devices", now_ms=now_ms)
    return [row["device_id"] for row in found]
