"""Officers' sessions and second factors: listed, ended, enrolled, used, reset."""

from __future__ import annotations

from collections.abc import Collection

from corrections_monitor.store.api_rows import Row, jurisdiction, one, rows
from corrections_monitor.store.audit import append
from corrections_monitor.store.pool import EVERYTHING, Store
from corrections_monitor.store.queries import query


async def list_sessions(
    store: Store, offices: Collection[str], officer_id: str | None, now_ms: int
) -> list[Row]:
    """The sessions of an officer of these offices, or of all their officers, that last; newest first."""
    async with jurisdiction(store, offices) as connection:
        return await rows(
            connection,
            "api_access.list_sessions",
            officer_id=officer_id,
            offices=list(offices),
            now_ms=now_ms,
        )


async def end_session(
    store: Store, offices: Collection[str], session_id: int, actor: str, *, others: bool, now_ms: int
) -> bool:
    """End a session of the actor's own, or with ``others`` of any officer of these offices."""
    async with jurisdiction(store, offices) as connection:
        ended = await one(
            connection,
            "api_access.end_session",
            session_id=session_id,
            own=actor,
            others=others,
            offices=list(offices),
        )
        if ended is None:
            return False
        detail = {"session_id": session_id}
        await append(connection, now_ms, actor, "session.revoke", ended["officer_id"], detail)
    return True


async def end_sessions(
    store: Store, offices: Collection[str], officer_id: str | None, kept: int | None, actor: str, now_ms: int
) -> int:
    """End every session of an officer of these offices, or of all their officers, but ``kept``; how many."""
    async with jurisdiction(store, offices) as connection:
        ended = await rows(
            connection,
            "api_access.end_sessions",
            offices=list(offices),
            officer_id=officer_id,
            kept=-1 if kept is None else kept,
        )
        for officer in sorted({row["officer_id"] for row in ended}):
            gone = [row["session_id"] for row in ended if row["officer_id"] == officer]
            await append(connection, now_ms, actor, "session.revoke", officer, {"session_ids": sorted(gone)})
    return len(ended)


async def offer_factor(store: Store, officer_id: str, secret: str, now_ms: int) -> bool:
    """Keep a secret until its first code confirms it; False when one is in use already."""
    async with store.seeing(EVERYTHING) as connection:
        kept = await one(
            connection, "api_access.offer_factor", officer_id=officer_id, secret=secret, now_ms=now_ms
        )
    return kept is not None


async def factor_secret(store: Store, officer_id: str) -> str | None:
    """The officer's secret, confirmed or not."""
    async with store.seeing(EVERYTHING) as connection:
        row = await one(connection, "api_access.factor", officer_id=officer_id)
    return None if row is None else str(row["secret"])


async def use_factor(store: Store, officer_id: str, step: int, now_ms: int) -> bool:
    """Take a time step; False when it or a later one was taken already (RFC 6238 §5.2: a code works once)."""
    async with store.seeing(EVERYTHING) as connection:
        used = await one(connection, "api_access.use_factor", officer_id=officer_id, step=step, now_ms=now_ms)
    return used is not None


async def note_enrolment(store: Store, officer_id: str, session_id: int | None, now_ms: int) -> None:
    """The session under way now has its second factor; logged."""
    async with store.seeing(EVERYTHING) as connection:
        await connection.execute(query("api_access.session_has_factor"), {"session_id": session_id})
        await append(connection, now_ms, officer_id, "factor.enrol", officer_id, {})


async def reset_factor(
    store: Store, offices: Collection[str], officer_id: str, actor: str, now_ms: int
) -> bool:
    """Take an officer's second factor away and end every session; False when there was none."""
    async with jurisdiction(store, offices) as connection:
        dropped = await one(
            connection, "api_access.drop_factor", officer_id=officer_id, offices=list(offices)
        )
        if dropped is None:
            return False
        await connection.execute(query("api_access.end_sessions_of"), {"officer_id": officer_id})
        await append(connection, now_ms, actor, "factor.reset", officer_id, {})
    return True
