"""What was heard and who was paged in a span of time, for judging it again."""

from __future__ import annotations

from typing import NamedTuple

from corrections_monitor.store.api_rows import rows
from corrections_monitor.store.pool import EVERYTHING, Store


class Heard(NamedTuple):
    """A stored fix (``lon`` not None), event (``ev`` not None) or bare contact, by arrival."""

    arrival_ms: int
    device_id: str
    t_ms: int | None
    lon: float | None
    lat: float | None
    acc_m: float | None
    src: int | None
    ev: int | None
    battery_pct: int | None


async def heard_between(store: Store, start_ms: int, end_ms: int) -> list[Heard]:
    """Everything that arrived from ``start_ms`` to before ``end_ms``, in order of arrival."""
    async with store.seeing(EVERYTHING) as connection:
        found = await rows(connection, "history.heard", start_ms=start_ms, end_ms=end_ms)
    return [
        Heard(
            r["arrival_ms"], r["device_id"], r["t_ms"],
            None if r["lon_e7"] is None else r["lon_e7"] / 1e7,
            None if r["lat_e7"] is None else r["lat_e7"] / 1e7,
            r["acc_m"], r["src"], r["ev"], r["battery_pct"],
        )
        for r in found
    ]  # fmt: skip


async def paged_between(store: Store, start_ms: int, end_ms: int) -> list[tuple[str, str, list[str]]]:
    """(kind, office, officers) of every moment in which somebody was paged."""
    async with store.seeing(EVERYTHING) as connection:
        found = await rows(connection, "history.paged", start_ms=start_ms, end_ms=end_ms)
    return [(r["kind"], r["office_id"], r["paged"]) for r in found]
