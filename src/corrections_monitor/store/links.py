"""One-time links: the key that signs them, and each is used once."""

from __future__ import annotations

import secrets
from collections.abc import Collection

from psycopg.types.json import Jsonb

from corrections_monitor.store.answers import AnswerResult, Given, Via, answer, standing
from corrections_monitor.store.api_rows import jurisdiction
from corrections_monitor.store.audit import append
from corrections_monitor.store.pool import EVERYTHING, Store
from corrections_monitor.store.queries import query
from corrections_monitor.store.receipts import mark_read


async def link_key(store: Store, now_ms: int) -> bytes:
    """The key, made at first sight; daemon and API read the same."""
    async with store.seeing(EVERYTHING) as connection:
        await connection.execute(query("answers.make_link_key"), [Jsonb(secrets.token_hex(32)), now_ms])
        row = await (await connection.execute(query("answers.link_key"))).fetchone()
        assert row is not None
        return bytes.fromhex(row[0])


async def log_opened(store: Store, alert_id: str, officer_id: str, at_ms: int) -> None:
    """A link was opened, by a person or by a scanner."""
    async with store.seeing(EVERYTHING) as connection:
        await mark_read(connection, alert_id, officer_id, at_ms, Via.LINK)
        await append(connection, at_ms, officer_id, "alert.link-opened", alert_id, {})


async def answer_once(
    store: Store, offices: Collection[str], alert_id: str, given: Given, link_sha256: bytes
) -> AnswerResult:
    """Answer by a link, unless it was used before: then tells what stands, as to who comes second."""
    async with jurisdiction(store, offices) as connection:
        row = {
            "link": link_sha256, "alert_id": alert_id, "officer_id": given.officer_id, "at_ms": given.at_ms,
        }  # fmt: skip
        cursor = await connection.execute(query("answers.use_link"), row)
        if cursor.rowcount != 1:
            return await standing(connection, alert_id)
        return await answer(connection, alert_id, given)
