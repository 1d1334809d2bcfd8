"""The audit under an owner of the database who edits, deletes, swaps and rewrites: every row is located.

What was done is written down here; the chain is put back from a copy after each.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from chaos_fleet import settle, until
from chaos_run import SEED, WHOLE, announce
from precinct_of_bands import wearers
from program import Daemon, call

from corrections_monitor.store import Store
from corrections_monitor.store.audit import Anchor

pytestmark = pytest.mark.chaos
TAMPERINGS = 1_000 if WHOLE else 100
WRITERS, EACH = 32, 1_000 if WHOLE else 30
ROWS = 100
EDITS = (
    "at_ms = at_ms + 1",
    "actor = actor || 'x'",
    "action = 'login'",
    "target = target || ' '",
    'detail = detail || \'{"reason": "another"}\'',
    "detail = detail - 'reason'",
    "hash = previous",
)
Connection = psycopg.Connection[Any]


def _edit(db: Connection, rng: random.Random) -> list[int]:
    seq = rng.randrange(1, ROWS + 1)
    db.execute(f"UPDATE audit SET {rng.choice(EDITS)} WHERE seq = {seq}".encode())
    return [seq]


def _recompute(db: Connection, rng: random.Random) -> list[int]:
    """With a hash that fits: then the next row no longer follows, or the head does not name it."""
    seq = rng.randrange(1, ROWS + 1)
    db.execute(
        "UPDATE audit SET actor = 'x', hash = audit_hash(previous, seq, at_ms, 'x', action, target, detail) "
        "WHERE seq = %s", [seq],
    )  # fmt: skip
    return [min(seq + 1, ROWS)]


def _delete(db: Connection, rng: random.Random) -> list[int]:
    first = rng.randrange(1, ROWS + 1)
    gone = list(range(first, min(ROWS, first + rng.randrange(1, 5)) + 1))
    db.execute("DELETE FROM audit WHERE seq = ANY(%s)", [gone])
    return gone


def _swap(db: Connection, rng: random.Random) -> list[int]:
    """Two rows in their whole content."""
    a, b = rng.sample(range(1, ROWS + 1), 2)
    db.execute("UPDATE audit SET seq = -seq WHERE seq IN (%s, %s)", [a, b])
    db.execute("UPDATE audit SET seq = CASE seq WHEN -%s THEN %s ELSE %s END WHERE seq < 0", [a, b, a])
    return [a, b]


async def test_every_tampering_is_located(store: Store, database_url: str) -> None:
    announce(f"{TAMPERINGS} tamperings of the audit")
    rng = random.Random(SEED)
    for n in range(ROWS):
        await store.audit.append(n, f"o{n % 7}", "track.read", f"p{n}", {"reason": "核查", "n": n})
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute("CREATE TABLE pristine AS SELECT * FROM audit")
        for _ in range(TAMPERINGS):
            tamper = rng.choice([_edit, _recompute, _delete, _swap])
            touched = tamper(db, rng)
            faults = {fault.seq for fault in (await store.audit.verify()).faults}
            assert set(touched) <= faults, (tamper.__name__, touched, faults)
            # A row that was touched and its follower may be named; nobody else.
            assert faults <= {s + d for s in touched for d in (0, 1)}, (tamper.__name__, touched, faults)
            db.execute("DELETE FROM audit")
            db.execute("INSERT INTO audit SELECT * FROM pristine")
    assert (await store.audit.verify()).faults == ()


@pytest.mark.timeout(600)
async def test_thirty_two_writers_make_one_chain(database_url: str) -> None:
    announce(f"{WRITERS} writers of {EACH} rows of the audit each")
    stores = [await Store.open(database_url, ("engine", "api")[n % 2], max_size=16) for n in range(2)]  # type: ignore

    async def write(number: int) -> list[int]:
        log = stores[number % 2].audit
        return [await log.append(n, f"o{number}", "login", "", {}) for n in range(EACH)]

    try:
        given = [seq for seqs in await asyncio.gather(*map(write, range(WRITERS))) for seq in seqs]
        report = await stores[0].audit.verify()
    finally:
        await asyncio.gather(*(s.close() for s in stores))
    assert sorted(given) == list(range(1, WRITERS * EACH + 1))
    assert (report.rows, report.faults) == (WRITERS * EACH, ())


async def test_a_chain_rewritten_whole_does_not_agree_with_its_anchor(
    tmp_path: Path, database_url: str, store: Store, daemon: Callable[..., Daemon]
) -> None:
    settle(wearers(3), tmp_path, database_url)
    run = daemon(endpoint=True)
    anchors = tmp_path / "audit-anchors.ndjson"
    await asyncio.to_thread(run.start)
    await until(lambda: anchors.exists() and anchors.read_text(), "the head is noted")
    assert await asyncio.to_thread(run.stop) == 0
    await store.audit.append(time.time_ns() // 1_000_000, "o1", "track.read", "p1", {"reason": "核查"})
    verify = ("audit", "verify")
    environ = {"CORRECTIONS_STATE_DIR": str(tmp_path)}
    assert call(*verify, database_url=database_url, **environ).returncode == 0

    with psycopg.connect(database_url) as db:
        rows = db.execute("SELECT at_ms, actor, action, target, detail FROM audit ORDER BY seq").fetchall()
        db.execute("DELETE FROM audit")
        db.execute("UPDATE audit_head SET seq = 0, hash = ''")
        for at_ms, _, action, target, detail in rows:
            values = [at_ms, "somebody", action, target, psycopg.types.json.Jsonb(detail)]
            db.execute("SELECT audit_append(%s, %s, %s, %s, %s)", values)
    assert (await store.audit.verify()).faults == ()  # it agrees with itself
    found = call(*verify, database_url=database_url, **environ)
    assert found.returncode == 1
    assert "is not the row that was anchored" in found.stderr

    assert (await store.audit.verify([Anchor(10_000, "00")])).faults[0].what == "was anchored and is missing"
