"""Case folders from another system: what came, what it would change, and who decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from corrections_monitor.model.cases import CaseSet
from corrections_monitor.store import cases
from corrections_monitor.store.api_rows import Row, RowConnection, one, rows
from corrections_monitor.store.audit import append
from corrections_monitor.store.pool import EVERYTHING, Store
from corrections_monitor.store.queries import query

CasesMovedError = cases.CasesMovedError


@dataclass(frozen=True, slots=True)
class Came:
    """What came: ``difference``, ``holes`` and ``faults`` as they are shown; ``base_version``: the
    cases that it was compared with."""

    source: str
    digest: bytes
    base_version: int
    difference: Mapping[str, Any]
    holes: list[dict[str, Any]]
    faults: list[str]


@dataclass(frozen=True, slots=True)
class Change:
    """What applying it writes; ``counts`` for the audit."""

    after: CaseSet
    withdrawn: Mapping[str, Collection[Any]]
    counts: Mapping[str, Any]


async def newest(store: Store) -> Row | None:
    """The last that came: exchange_id, digest, state, base_version."""
    async with store.seeing(EVERYTHING) as connection:
        return await one(connection, "exchanges.newest")


async def keep(store: Store, came: Came, state: str, at_ms: int, content: bytes | None = None) -> int:
    """Note what came without applying it (``pending`` with its content, ``same`` or ``faulty``)."""
    async with store.seeing(EVERYTHING) as connection:
        exchange_id = await _put(connection, came, state, at_ms, content, None)
        detail = {
            "state": state,
            "digest": came.digest.hex(),
            "holes": len(came.holes),
            "faults": len(came.faults),
        }
        await append(connection, at_ms, "system", "roster.come", str(exchange_id), detail)
        return exchange_id


async def apply(store: Store, came: Came, change: Change, at_ms: int) -> int:
    """Note what came and put it into force, in one transaction.  Raises CasesMovedError."""
    async with store.seeing(EVERYTHING) as connection:
        version = await _save(connection, change, "roster", at_ms, came.base_version)
        exchange_id = await _put(connection, came, "applied", at_ms, None, version)
        detail = {"digest": came.digest.hex(), "source": came.source, "rows": change.counts}
        await append(connection, at_ms, "system", "roster.apply", str(exchange_id), detail)
        return exchange_id


async def confirmed(store: Store) -> Row | None:
    """What a person has confirmed and nobody has applied yet, with its content."""
    async with store.seeing(EVERYTHING) as connection:
        return await one(connection, "exchanges.confirmed")


async def apply_confirmed(
    store: Store,
    row: Row,
    change: Change,
    difference: Mapping[str, Any],
    at_ms: int,
    base_version: int,
) -> bool:
    """Put into force what was confirmed; False when somebody was faster.  Raises CasesMovedError."""
    async with store.seeing(EVERYTHING) as connection:
        version = await _save(connection, change, str(row["decided_by"]), at_ms, base_version)
        values = {"exchange_id": row["exchange_id"], "version": version, "difference": Jsonb(difference)}
        done = await connection.execute(query("exchanges.applied"), values)
        if done.rowcount != 1:
            raise CasesMovedError("the exchange was decided meanwhile")
        detail = {"source": row["source"], "rows": change.counts, "confirmed_by": row["decided_by"],
                  "reason": row["reason"], "holes": len(row["holes"])}  # fmt: skip
        await append(connection, at_ms, "system", "roster.apply", str(row["exchange_id"]), detail)
    return True


async def ask_again(
    store: Store, exchange_id: int, holes: list[dict[str, Any]], difference: Mapping[str, Any], version: int
) -> None:
    """What was confirmed would by now do more than was shown: it waits for a person again."""
    async with store.seeing(EVERYTHING) as connection:
        await connection.execute(
            query("exchanges.again"),
            {"exchange_id": exchange_id, "holes": Jsonb(holes), "difference": Jsonb(difference),
             "base_version": version},
        )  # fmt: skip


async def spoil(store: Store, exchange_id: int, faults: list[str]) -> None:
    """What was confirmed no longer fits the cases."""
    async with store.seeing(EVERYTHING) as connection:
        await connection.execute(
            query("exchanges.spoiled"), {"exchange_id": exchange_id, "faults": Jsonb(faults)}
        )


async def waiting(store: Store) -> int:
    """How many wait for a person: none or one."""
    async with store.seeing(EVERYTHING) as connection:
        row = await (await connection.execute(query("exchanges.waiting"))).fetchone()
    return 0 if row is None else int(row[0])


async def list_exchanges(
    store: Store, offices: Collection[str], before_id: int | None, limit: int
) -> list[Row]:
    """The newest first, for who sees a city bureau."""
    async with store.seeing(offices) as connection:
        return await rows(connection, "exchanges.list", before_id=before_id, limit=limit)


async def one_exchange(store: Store, offices: Collection[str], exchange_id: int) -> Row | None:
    """One of them, or None."""
    async with store.seeing(offices) as connection:
        return await one(connection, "exchanges.one", exchange_id=exchange_id)


async def decide(
    store: Store,
    offices: Collection[str],
    exchange_id: int,
    *,
    confirm: bool,
    actor: str,
    reason: str,
    now_ms: int,
) -> bool:
    """Confirm or refuse what waits; False when it does not wait (any longer).  The daemon applies it."""
    state = "confirmed" if confirm else "refused"
    async with store.seeing(offices) as connection:
        values = {
            "exchange_id": exchange_id,
            "state": state,
            "actor": actor,
            "now_ms": now_ms,
            "reason": reason,
        }
        if await one(connection, "exchanges.decide", **values) is None:
            return False
        action = "roster.confirm" if confirm else "roster.refuse"
        await append(connection, now_ms, actor, action, str(exchange_id), {"reason": reason})
    return True


async def _put(
    connection: RowConnection, came: Came, state: str, at_ms: int, content: bytes | None, version: int | None
) -> int:
    await connection.execute(query("exchanges.supersede"))
    row = await one(
        connection,
        "exchanges.put",
        came_ms=at_ms,
        source=came.source,
        digest=came.digest,
        base_version=came.base_version,
        state=state,
        difference=Jsonb(came.difference),
        holes=Jsonb(came.holes),
        faults=Jsonb(came.faults),
        content=content,
        version=version,
    )
    assert row is not None
    return int(row["exchange_id"])


async def _save(connection: RowConnection, change: Change, actor: str, at_ms: int, base_version: int) -> int:
    await cases.save(connection, change.after, actor, at_ms, change.withdrawn, base_version)
    return await cases.version(connection)
