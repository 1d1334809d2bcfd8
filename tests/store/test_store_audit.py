"""The audit chain: whoever changes it afterwards is found out, row by row."""

from __future__ import annotations

import asyncio
from typing import LiteralString

import psycopg
import pytest

from corrections_monitor.store import Store

ROWS = 9


async def _fill(store: Store) -> None:
    for n in range(ROWS):
        await store.audit.append(
            1_764_000_000_000 + n, "o1", "track.read", f"p{n}", {"reason": "核查", "n": n}
        )


async def test_an_untouched_chain_is_whole(store: Store, api_store: Store) -> None:
    await _fill(store)
    await api_store.audit.append(1, "o2", "login", "", {})
    report = await store.audit.verify()
    assert (report.rows, report.faults) == (ROWS + 1, ())


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE audit SET actor = 'o2' WHERE seq = 4", [4]),
        ("UPDATE audit SET detail = detail || '{\"n\": 99}' WHERE seq = 4", [4]),
        ("UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 9", [9]),
        ("DELETE FROM audit WHERE seq IN (4, 5)", [4, 5]),
        ("DELETE FROM audit WHERE seq = 1", [1]),
        ("DELETE FROM audit WHERE seq = 9", [9]),
        ("DELETE FROM audit", list(range(1, 10))),
        # Content moved between two fields of a row: the same letters in all.
        ("UPDATE audit SET actor = 'o1t', action = 'rack.read' WHERE seq = 3", [3]),
        # Two rows swapped, whole or only in content.
        ("UPDATE audit SET seq = CASE seq WHEN 4 THEN -5 ELSE -4 END WHERE seq IN (4, 5);"
         "UPDATE audit SET seq = -seq WHERE seq < 0", [4, 5]),
        ("UPDATE audit a SET target = b.target FROM audit b WHERE a.seq IN (4, 5) AND b.seq = 9 - a.seq",
         [4, 5]),
        # An edit that recomputes the row's own hash breaks the link to the next row.
        ("UPDATE audit SET actor = 'o2',"
         " hash = audit_hash(previous, seq, at_ms, 'o2', action, target, detail) WHERE seq = 4", [5]),
    ],
)  # fmt: skip
async def test_edits_deletions_and_swaps_are_located(
    store: Store, database_url: str, tampering: LiteralString, found: list[int]
) -> None:
    await _fill(store)
    with psycopg.connect(database_url) as connection:
        connection.execute(tampering)
    faults = (await store.audit.verify()).faults
    assert set(found) <= {f.seq for f in faults}
    assert all(f.seq in (*found, max(found) + 1) for f in faults)


async def test_thirty_two_writers_at_once_make_one_chain(database_url: str) -> None:
    stores = await asyncio.gather(
        *(Store.open(database_url, role, max_size=16) for role in ("engine", "api"))  # type: ignore[arg-type]
    )
    try:
        await asyncio.gather(
            *(stores[n % 2].audit.append(n, f"o{n}", "login", "", {}) for n in range(32) for _ in range(4))
        )
        report = await stores[0].audit.verify()
    finally:
        await asyncio.gather(*(s.close() for s in stores))
    assert (report.rows, report.faults) == (128, ())


@pytest.mark.parametrize("role", ["corrections_engine", "corrections_api"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit", "UPDATE audit_head SET seq = 0"],
)
async def test_neither_role_can_write_the_audit_but_by_its_function(
    database_url: str, role: LiteralString, statement: LiteralString
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(f"SET ROLE {role}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)
