"""Logins, sessions and service tokens, as the API checks them."""

from __future__ import annotations

from dataclasses import dataclass

from corrections_monitor.store.api_rows import one
from corrections_monitor.store.audit import append
from corrections_monitor.store.pool import EVERYTHING, Store
from corrections_monitor.store.queries import query


@dataclass(frozen=True, slots=True)
class LoginRow:
    """``password_hash`` is an Argon2id hash; None: no password was issued or it was revoked."""

    officer_id: str
    name: str
    role: str
    office_id: str
    password_hash: str | None
    factor_secret: str | None  # of the second factor in use


@dataclass(frozen=True, slots=True)
class PrincipalRow:
    """Who a token stands for now; ``offices`` are their own office and all below it."""

    principal_id: str
    name: str
    role: str
    office_id: str
    offices: list[str]
    session_id: int | None
    second_factor: bool
    scopes: list[str] | None  # of a service; None: what its role may do


async def find_login(store: Store, username: str) -> LoginRow | None:
    """The officer of a username."""
    async with store.seeing(EVERYTHING) as connection:
        row = await one(connection, "api_access.find_login", username=username)
    return LoginRow(**row) if row else None


async def find_session(store: Store, token_sha256: bytes, now_ms: int) -> PrincipalRow | None:
    """The officer of a session that has not ended."""
    async with store.seeing(EVERYTHING) as connection:
        row = await one(connection, "api_access.find_session", token_sha256=token_sha256, now_ms=now_ms)
    return PrincipalRow(**row) if row else None


async def find_service(store: Store, token_hash: str) -> PrincipalRow | None:
    """The service of a token, by the token's hash as ``credentials`` keeps it."""
    async with store.seeing(EVERYTHING) as connection:
        row = await one(connection, "api_access.find_service", hash=token_hash)
    return PrincipalRow(**row) if row else None


async def open_session(
    store: Store,
    token_sha256: bytes,
    officer_id: str,
    address: str,
    now_ms: int,
    expires_ms: int,
    *,
    second_factor: bool,
    by: str = "password",
) -> None:
    """Begin a session, note it in the audit log, and forget the sessions that have expired."""
    session = {
        "address": address,
        "second_factor": second_factor,
        "token_sha256": token_sha256,
        "officer_id": officer_id,
        "now_ms": now_ms,
        "expires_ms": expires_ms,
    }
    async with store.seeing(EVERYTHING) as connection:
        await connection.execute(query("api_access.drop_expired_sessions"), {"now_ms": now_ms})
        await connection.execute(query("api_access.open_session"), session)
        detail = {"address": address, "by": by, "second_factor": second_factor}
        await append(connection, now_ms, officer_id, "session.open", officer_id, detail)


async def close_session(store: Store, token_sha256: bytes, officer_id: str, now_ms: int) -> None:
    """End a session at once."""
    async with store.seeing(EVERYTHING) as connection:
        await connection.execute(query("api_access.close_session"), {"token_sha256": token_sha256})
        await append(connection, now_ms, officer_id, "session.close", officer_id, {})


async def note_failed_login(store: Store, username: str, address: str, now_ms: int) -> None:
    """A wrong password stands in the audit log (等保: failed logins are recorded)."""
    await store.audit.append(now_ms, username, "session.refused", username, {"address": address})


async def is_led(store: Store) -> bool:
    """Whether a daemon is monitoring: some process holds the lead (``Store.lead``)."""
    async with store.seeing(EVERYTHING) as connection:
        row = await one(connection, "api_access.is_led")
    return bool(row and row["is_led"])
