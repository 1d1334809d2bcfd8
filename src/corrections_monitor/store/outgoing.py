"""Violations that changed, in the order of the transactions that changed them, and how far each sink is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from corrections_monitor.store.api_rows import Row, rows
from corrections_monitor.store.audit import append
from corrections_monitor.store.journal import get_state, put_state
from corrections_monitor.store.pool import EVERYTHING, Store
from corrections_monitor.store.queries import query


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sink is: all that transactions below ``from_xid`` changed is given.

    While a window is under way: its end, the instant it was begun, and the last id given of it.
    """

    from_xid: int = 0
    upto_xid: int | None = None
    begun_ms: int = 0
    after_id: str = ""
    rows: int = 0


async def progress(store: Store, sink: str) -> tuple[Progress, int | None]:
    """Where the sink stands, and when it last got there (epoch ms; None: it is new)."""
    async with store.seeing(EVERYTHING) as connection:
        word = await get_state(connection, _key(sink))
    return (Progress(), None) if word is None else (Progress(**word[0]), word[1])


async def note(
    store: Store, sink: str, where: Progress, at_ms: int, audited: Mapping[str, Any] | None = None
) -> None:
    """Leave word where the sink stands; ``audited``: what was given, for the audit log."""
    async with store.seeing(EVERYTHING) as connection:
        await put_state(connection, _key(sink), asdict(where), at_ms)
        if audited is not None:
            await append(connection, at_ms, "system", "violations.give", sink, audited)


async def horizon(store: Store) -> tuple[int, int]:
    """All below the first is committed; the second is above everything that has begun."""
    async with store.seeing(EVERYTHING) as connection:
        row = await (await connection.execute(query("outgoing.horizon"))).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


async def changed(store: Store, where: Progress, limit: int) -> list[Row]:
    """The next violations of the window under way."""
    assert where.upto_xid is not None
    async with store.seeing(EVERYTHING) as connection:
        return await rows(
            connection,
            "outgoing.changed",
            from_xid=str(where.from_xid),
            upto_xid=str(where.upto_xid),
            after_id=where.after_id,
            limit=limit,
        )


def _key(sink: str) -> str:
    return f"outgoing:{sink}"
