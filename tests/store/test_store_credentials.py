"""Secrets: shown once, kept as hashes, ended when revoked."""

from __future__ import annotations

import psycopg
import pytest

from corrections_monitor.store import Store
from corrections_monitor.store.credentials import Kind, secret_matches

KINDS: tuple[Kind, ...] = ("device", "officer", "service")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_secret_opens_until_it_is_rotated_or_revoked(store: Store, kind: Kind) -> None:
    first = await store.credentials.issue(kind, "x", 1, "cli")
    assert await store.credentials.check(kind, "x", first)
    assert not await store.credentials.check(kind, "x", first + "a")
    assert not await store.credentials.check(kind, "y", first)
    second = await store.credentials.issue(kind, "x", 2, "cli")
    assert not await store.credentials.check(kind, "x", first)
    assert await store.credentials.check(kind, "x", second)
    assert await store.credentials.revoke(kind, ["x"], 3, "cli") == 1
    assert not await store.credentials.check(kind, "x", second)
    assert await store.credentials.revoke(kind, ["x"], 4, "cli") == 0


async def test_no_secret_is_in_the_database(store: Store, database_url: str) -> None:
    secrets = [await store.credentials.issue(kind, "x", 1, "cli") for kind in KINDS]
    with psycopg.connect(database_url) as connection:
        kept = str(connection.execute("SELECT c, a.detail FROM credentials c, audit a").fetchall())
        hashes = dict(connection.execute("SELECT kind, hash FROM credentials").fetchall())
    assert not any(s in kept for s in secrets)
    assert hashes["officer"].startswith("$argon2id$")
    assert len(bytes.fromhex(hashes["device"])) == 32
    assert len(secrets[0]) >= 43  # 256 bits in base64


async def test_an_officers_own_password(store: Store) -> None:
    assert await store.credentials.issue("officer", "o1", 1, "cli", "correct horse") == "correct horse"
    assert await store.credentials.check("officer", "o1", "correct horse")


async def test_many_devices_at_once(store: Store) -> None:
    ids = [f"d{n}" for n in range(500)]
    made = await store.credentials.issue_many("device", ids, 1, "cli")
    hashes = await store.credentials.hashes("device")
    assert len(set(made)) == 500
    assert all(secret_matches(hashes[i], s) for i, s in zip(ids, made, strict=True))
    assert (await store.audit.verify()).rows == 1


async def test_a_service_is_known_by_its_token(store: Store) -> None:
    token = await store.credentials.issue("service", "traccar", 1, "cli")
    assert await store.credentials.find_token("service", token) == "traccar"
    assert await store.credentials.find_token("service", "guess") is None
    await store.credentials.revoke("service", ["traccar"], 2, "cli")
    assert await store.credentials.find_token("service", token) is None
