"""Daily digests (每日简报) as they go out, each once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from corrections_monitor.model.alerts import Page
from corrections_monitor.rules.digest import Digest
from corrections_monitor.store.queries import query


class DigestWrites:
    """The part of a ``Tx`` that sends digests out."""

    _connection: AsyncConnection[tuple[Any, ...]]

    async def write_digest(
        self, digest_id: str, digest: Digest, pages: Sequence[tuple[Page, str, str]]
    ) -> bool:
        """Keep the digest and put its (page, channel, address) into the outbox; False when the office has had
        that day's.  Told on 'pages'."""
        given = {
            "digest_id": digest_id,
            "office_id": digest.office_id,
            "day": date.fromisoformat(digest.day),
            "made_ms": digest.made_ms,
            "body": Jsonb(msgspec.to_builtins(digest)),
        }
        if (await self._connection.execute(query("digests.add"), given)).rowcount != 1:
            return False
        for page, channel, address in pages:
            row = {
                "digest_id": digest_id,
                "purpose": page.purpose.value,
                "officer_id": page.officer_id,
                "channel": channel,
                "address": address,
                "severity": int(page.severity),
                "due_ms": page.due_ms,
            }
            await self._connection.execute(query("digests.add_page"), row)
        await self._connection.execute(query("decisions.tell"), ["pages", ""])
        return True
