"""A person's track (轨迹), a piece at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from psycopg.rows import class_row

from corrections_monitor.model.times import Interval
from corrections_monitor.store.api_rows import RowConnection, jurisdiction
from corrections_monitor.store.audit import append
from corrections_monitor.store.pool import Store
from corrections_monitor.store.queries import query

PIECE_FIXES = 2_000


class TrackFix(NamedTuple):
    """One stored fix; WGS-84 degrees, metres, m/s, degrees from north; ``src`` as ``model.Source``."""

    t_ms: int
    arrival_ms: int
    device_id: str
    lon: float
    lat: float
    acc_m: float
    spd_mps: float | None
    hdg_deg: float | None
    src: int


async def note_read(
    store: Store, at_ms: int, actor: str, action: str, target: str, detail: Mapping[str, Any]
) -> int:
    """Log that somebody reads what is guarded, and why (个人信息保护法); before the first byte leaves.
    Returns the row's number in the audit."""
    async with jurisdiction(store, ()) as connection:
        return await append(connection, at_ms, actor, action, target, detail)


async def read_track(
    store: Store, offices: Collection[str], person_id: str, span: Interval
) -> AsyncIterator[Sequence[TrackFix]]:
    """The fixes of a person of these offices within the span, by event time, in pieces.

    Each piece is a transaction of its own, so that a slow reader holds no connection.
    """
    after = (span.from_ms, "", -1)
    while True:
        async with jurisdiction(store, offices) as connection:
            piece = await track_piece(connection, person_id, span, after, PIECE_FIXES)
        if piece:
            yield piece
        if len(piece) < PIECE_FIXES:
            return
        after = (piece[-1].t_ms, piece[-1].device_id, piece[-1].src)


async def track_piece(
    connection: RowConnection, person_id: str, span: Interval, after: tuple[int, str, int], limit: int
) -> list[TrackFix]:
    """The next ``limit`` fixes of the span after (t_ms, device_id, src)."""
    async with connection.cursor(row_factory=class_row(TrackFix)) as cursor:
        await cursor.execute(
            query("api_tracks.track"),
            {
                "person_id": person_id,
                "to_ms": span.to_ms,
                "after_ms": after[0],
                "after_device": after[1],
                "after_src": after[2],
                "limit": limit,
            },
        )
        return await cursor.fetchall()
