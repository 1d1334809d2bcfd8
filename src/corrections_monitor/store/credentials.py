"""Passwords and tokens: made here, shown once, stored as hashes.

Devices and services get 256 random bits, kept as SHA-256: there is nothing to guess, and a reconnect storm
of devices must not cost a second of CPU each.  Officers' passwords are kept as Argon2id (RFC 9106, the
library's low-memory profile) because people reuse and remember them.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from corrections_monitor.store.audit import append
from corrections_monitor.store.queries import query

Connection = AsyncConnection[tuple[Any, ...]]
Kind = Literal["device", "officer", "service"]

_hasher = PasswordHasher()
_PASSWORD_BYTES = 15  # 120 random bits, 20 characters an officer can type


class Credentials:
    """Issue, rotate, revoke and check."""

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self._pool = pool

    async def issue(self, kind: Kind, id: str, now_ms: int, actor: str, password: str | None = None) -> str:
        """A new secret for one; what held before is revoked.  Returns the secret, which is not kept.

        ``password``: an officer's own choice in place of a random one.
        """
        return (await self.issue_many(kind, [id], now_ms, actor, [password]))[0]

    async def issue_many(
        self,
        kind: Kind,
        ids: Sequence[str],
        now_ms: int,
        actor: str,
        passwords: Sequence[str | None] | None = None,
    ) -> list[str]:
        """New secrets for many, in one transaction, audited; in the order of ``ids``."""
        made = [p or _new_secret(kind) for p in passwords or [None] * len(ids)]
        hashes = await asyncio.to_thread(lambda: [_hash(kind, s) for s in made])
        async with self._pool.connection() as connection, connection.transaction():
            await self._revoke(connection, kind, ids, now_ms)
            async with connection.cursor() as cursor:
                rows = [(kind, i, h, now_ms) for i, h in zip(ids, hashes, strict=True)]
                await cursor.executemany(query("credentials.add"), rows)
            await self._audit(connection, now_ms, actor, "credentials.issue", kind, ids)
        return made

    async def issue_service(
        self, id: str, now_ms: int, actor: str, scopes: Sequence[str] | None, office_id: str | None
    ) -> str:
        """A new token for a service.  ``scopes`` None: those of its last token, and its office."""
        token = _new_secret("service")
        values = {"id": id, "hash": _sha256(token), "now_ms": now_ms, "office_id": office_id}
        async with self._pool.connection() as connection, connection.transaction():
            await self._revoke(connection, "service", [id], now_ms)
            given = {**values, "scopes": None if scopes is None else list(scopes)}
            await connection.execute(query("credentials.add_service"), given)
            detail = {"ids": [id], "scopes": given["scopes"], "office_id": office_id}
            await append(connection, now_ms, actor, "credentials.issue", f"service {id}", detail)
        return token

    async def revoke(self, kind: Kind, ids: Sequence[str], now_ms: int, actor: str) -> int:
        """End what holds for these; returns how many held."""
        async with self._pool.connection() as connection, connection.transaction():
            count = await self._revoke(connection, kind, ids, now_ms)
            await self._audit(connection, now_ms, actor, "credentials.revoke", kind, ids)
        return count

    async def check(self, kind: Kind, id: str, secret: str) -> bool:
        """Whether the secret is the one in force.  Argon2 runs in a thread; an unknown officer costs as
        much time as a wrong password."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(query("credentials.find"), [kind, id])).fetchone()
        stored = None if row is None else str(row[0])
        if kind == "officer":
            return await asyncio.to_thread(_verify_password, stored, secret)
        return stored is not None and secret_matches(stored, secret)

    async def find_token(self, kind: Kind, token: str) -> str | None:
        """Whose random token this is: a service that says only its token."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query("credentials.find_by_hash"), [kind, _sha256(token)])
            row = await cursor.fetchone()
        return None if row is None else str(row[0])

    async def hashes(self, kind: Kind) -> dict[str, str]:
        """id → hash in force, so that an endpoint can check devices without asking the database."""
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(query("credentials.all"), [kind])).fetchall()
        return {str(i): str(h) for i, h in rows}

    async def _revoke(self, connection: Connection, kind: Kind, ids: Sequence[str], now_ms: int) -> int:
        parameters = {"kind": kind, "ids": list(ids), "now_ms": now_ms}
        await connection.execute(query("decisions.tell"), ["credentials", kind])
        return (await connection.execute(query("credentials.revoke"), parameters)).rowcount

    async def _audit(
        self, connection: Connection, now_ms: int, actor: str, action: str, kind: Kind, ids: Sequence[str]
    ) -> None:
        target = f"{kind} {ids[0]}" if len(ids) == 1 else f"{len(ids)} {kind}s"
        await append(connection, now_ms, actor, action, target, {"ids": list(ids)})


def secret_matches(stored_hash: str, secret: str) -> bool:
    """Whether a device's or service's secret has this hash, in constant time."""
    return hmac.compare_digest(stored_hash, _sha256(secret))


def _new_secret(kind: Kind) -> str:
    return secrets.token_urlsafe(_PASSWORD_BYTES if kind == "officer" else 32)


def _hash(kind: Kind, secret: str) -> str:
    return _hasher.hash(secret) if kind == "officer" else _sha256(secret)


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _verify_password(stored: str | None, password: str) -> bool:
    try:
        return _hasher.verify(stored or _hash_of_nobody(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hash_of_nobody() -> str:
    """Hash of a password nobody knows, for the time an unknown name must take."""
    return _hasher.hash(secrets.token_urlsafe(32))
