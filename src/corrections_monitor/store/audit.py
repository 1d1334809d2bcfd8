"""The audit chain (审计): every row's hash covers the hash before it and its own content.

Rows are written by the database function ``audit_append`` alone, which holds the row lock of
``audit_head`` until commit: however many write at once, the chain has no fork and no gap.  Verification
recomputes every hash here, on its own, and names each row that was edited, taken out or moved.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from corrections_monitor.store.queries import query

Connection = AsyncConnection[tuple[Any, ...]]
_ACTION, _TARGET, _DETAIL = 2, 3, 4  # of a row's content: at_ms, actor, action, target, detail


@dataclass(frozen=True, slots=True)
class AuditFault:
    """What is wrong at row ``seq`` of the audit."""

    seq: int
    what: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """The newest row at some time, as noted outside the database; ``hash`` in hex."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """``rows`` were read; ``head`` is the newest hash in hex (note it down elsewhere: who can rewrite the
    whole chain cannot rewrite your note)."""

    rows: int
    head: str
    faults: tuple[AuditFault, ...]


async def append(
    connection: Connection, at_ms: int, actor: str, action: str, target: str, detail: Mapping[str, Any]
) -> int:
    """Write one row in the transaction under way; returns its seq.

    Others that want to write wait until this transaction ends, so write it late.
    """
    cursor = await connection.execute(
        query("audit.append"), [at_ms, actor, action, target, Jsonb(dict(detail))]
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


class AuditLog:
    """Writing single rows and verifying the whole."""

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self._pool = pool

    async def append(
        self, at_ms: int, actor: str, action: str, target: str, detail: Mapping[str, Any]
    ) -> int:
        """Write one row in a transaction of its own; returns its seq."""
        async with self._pool.connection() as connection:
            return await append(connection, at_ms, actor, action, target, detail)

    async def head(self) -> Anchor:
        """The newest row."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(query("audit.head"))).fetchone()
        return Anchor(0, "") if row is None else Anchor(row[0], row[1].hex())

    async def verify(self, anchors: Sequence[Anchor] = ()) -> AuditReport:
        """Read the chain from its first row to its head, recompute it, and hold it against the anchors.

        Where its oldest rows are gone because their time was over, a row of the chain says which was the
        last of them (``audit.cut``); without such a row they are missing.
        """
        faults: list[AuditFault] = []
        noted = {anchor.seq: anchor.hash for anchor in anchors if anchor.seq}
        previous, expected, rows = b"", 1, 0
        first, before_first, cuts = 1, "", set[tuple[int, str]]()
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(query("audit.one_moment"))
            async with connection.cursor("audit_chain") as cursor:
                await cursor.execute(query("audit.chain"))
                async for seq, *content, stated_previous, stated_hash in cursor:
                    if not rows and seq > 1:
                        first, before_first = seq, stated_previous.hex()
                        previous, expected = stated_previous, seq
                    if content[_ACTION] == "audit.cut":
                        cuts.add((int(content[_TARGET]), json.loads(content[_DETAIL])["hash"]))
                    faults += [AuditFault(s, "missing") for s in range(expected, seq)]
                    if seq == expected and stated_previous != previous:
                        faults.append(AuditFault(seq, "does not follow the row before it"))
                    if _row_hash(stated_previous, seq, *content) != stated_hash:
                        faults.append(AuditFault(seq, "content does not match its hash"))
                    if noted.pop(seq, stated_hash.hex()) != stated_hash.hex():
                        faults.append(AuditFault(seq, "is not the row that was anchored"))
                    previous, expected, rows = stated_hash, seq + 1, rows + 1
            head = await (await connection.execute(query("audit.head"))).fetchone()
        if first == 1 or (first - 1, before_first) in cuts:
            noted = {seq: hash_ for seq, hash_ in noted.items() if seq >= first}
        else:
            faults = [AuditFault(s, "missing") for s in range(1, first)] + faults
        head_seq, head_hash = head if head is not None else (0, b"")
        faults += [AuditFault(s, "missing") for s in range(expected, head_seq + 1)]
        if head is None or (head_seq == expected - 1 and head_hash != previous) or head_seq < expected - 1:
            faults.append(AuditFault(head_seq, "the head does not name the newest row"))
        told = {fault.seq for fault in faults}
        faults += [AuditFault(s, "was anchored and is missing") for s in sorted(noted) if s not in told]
        return AuditReport(rows, previous.hex(), tuple(faults))


def _row_hash(previous: bytes, *content: object) -> bytes:
    """The hash that ``audit_hash`` of the schema computes, written independently of it."""
    digest = hashlib.sha256(previous)
    for part in content:
        text = str(part).encode()
        digest.update(f"{len(text)}:".encode() + text)
    return digest.digest()
