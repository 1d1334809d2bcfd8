"""Bounds and keeping: the quarantine does not grow, history ends when its time is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg

from corrections_monitor.model.times import DAY_MS
from corrections_monitor.store import Store
from corrections_monitor.store.maintenance import DAYS_AHEAD

NOW_MS = 1_764_000_000_000


@dataclass(frozen=True)
class Reject:
    arrival_ms: int
    device_id: str | None = "d1"
    topic: str = "cm/v1/k/d1/fix"
    reason: str = "undecodable"
    detail: str = ""
    payload: bytes | None = b"{"


async def _reject(store: Store, rejects: list[Reject], **bounds: int) -> None:
    async with store.transaction() as tx:
        await tx.insert_rejects(rejects, **bounds)


def _held(url: str) -> tuple[list[int], tuple[int, int, int]]:
    with psycopg.connect(url) as connection:
        arrivals = [a for (a,) in connection.execute("SELECT arrival_ms FROM quarantine ORDER BY 1")]
        sizes: Any = connection.execute("SELECT rows, bytes, dropped FROM quarantine_size").fetchone()
    return arrivals, sizes


async def test_a_reject_is_kept_with_reason_and_payload(store: Store, database_url: str) -> None:
    await _reject(store, [Reject(1, None, "x\0y", "identity", "a\0b", bytes(range(256)))])
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT device_id, topic, reason, detail, payload FROM quarantine"
        ).fetchone()
    assert row == (None, "x\ufffdy", "identity", "a\ufffdb", bytes(range(256)))


async def test_the_oldest_rejects_make_room_and_are_counted(store: Store, database_url: str) -> None:
    for start in range(0, 100, 7):
        await _reject(store, [Reject(n) for n in range(start, start + 7)], max_rows=50)
        assert len(_held(database_url)[0]) <= 50
    arrivals, (rows, _, dropped) = _held(database_url)
    assert arrivals == list(range(105 - len(arrivals), 105))
    assert (rows, rows + dropped) == (len(arrivals), 105)


async def test_a_flood_in_one_batch_is_bounded_and_counted_too(store: Store, database_url: str) -> None:
    await _reject(store, [Reject(n) for n in range(120)], max_rows=50)
    arrivals, (rows, _, dropped) = _held(database_url)
    assert arrivals[-1] == 119
    assert len(arrivals) == rows <= 50
    assert rows + dropped == 120


async def test_large_payloads_count_by_their_bytes(store: Store, database_url: str) -> None:
    for n in range(20):
        await _reject(store, [Reject(n, payload=bytes(10_000))], max_bytes=60_000)
    arrivals, (_, size, _) = _held(database_url)
    assert len(arrivals) <= 6
    assert size <= 60_000
    await _reject(store, [Reject(99, payload=bytes(10**7))], max_bytes=60_000)
    assert _held(database_url)[0][-1] == 99  # of a giant its beginning is kept


async def test_upkeep_makes_partitions_ahead_and_drops_what_is_too_old(
    store: Store, database_url: str, fixes: Any
) -> None:
    ages = [0, 100, 179, 181, 400]
    numbers = await store.device_numbers(["d1"] * len(ages))
    times = [NOW_MS - age * DAY_MS for age in ages]
    async with store.transaction() as tx:
        await tx.insert_fixes(numbers, fixes(times), np.array(times))
        await tx.insert_contacts(times, ["d1"] * len(ages), ["x"] * len(ages))
    kept = await store.maintenance.run(NOW_MS, 180 * DAY_MS, 30 * DAY_MS)
    assert (kept.partitions_dropped, kept.contacts_dropped) == (2, 2)
    assert kept.partitions_made > 0
    with psycopg.connect(database_url) as connection:
        left = connection.execute("SELECT t_ms FROM fixes ORDER BY t_ms DESC").fetchall()
    assert [t for (t,) in left] == times[:3]
    again = await store.maintenance.run(NOW_MS, 180 * DAY_MS, 30 * DAY_MS)
    assert (again.partitions_made, again.partitions_dropped) == (0, 0)


async def test_a_day_that_is_over_is_settled_once_and_keeps_its_fixes(
    store: Store, database_url: str, fixes: Any
) -> None:
    day_ms = NOW_MS - 5 * DAY_MS
    numbers = await store.device_numbers(["d1", "d2"] * 500)
    times = [day_ms + i for i in range(1000)]
    async with store.transaction() as tx:
        await tx.insert_fixes(numbers, fixes(times), np.array(times))
    settled = [
        (await store.maintenance.run(NOW_MS, 180 * DAY_MS, 30 * DAY_MS)).partitions_settled for _ in range(3)
    ]
    assert settled == [1, 0, 0]
    with psycopg.connect(database_url) as connection:
        stored = connection.execute("SELECT device_no, t_ms FROM fixes").fetchall()
    assert stored == sorted(stored)
    assert len(stored) == 1000
    async with store.transaction() as tx:  # what comes later still finds its place
        assert not (await tx.insert_fixes(numbers, fixes(times), np.array(times))).new.any()


async def test_a_dropped_day_can_be_written_again(store: Store, fixes: Any) -> None:
    """A daemon remembers which days have partitions; one that upkeep dropped must not be among them."""
    old_ms = NOW_MS - 200 * DAY_MS
    numbers = await store.device_numbers(["d1"])
    for _ in range(2):
        async with store.transaction() as tx:
            assert (await tx.insert_fixes(numbers, fixes([old_ms]), np.array([old_ms]))).new.all()
        await store.maintenance.run(NOW_MS, 180 * DAY_MS, 30 * DAY_MS)


async def test_how_much_room_is_left_is_told(store: Store) -> None:
    assert (await store.maintenance.room(NOW_MS)).days_ahead in (0, 30)  # 30: they make themselves
    await store.maintenance.run(NOW_MS, 180 * DAY_MS, 30 * DAY_MS)
    room = await store.maintenance.room(NOW_MS)
    assert room.days_ahead in (DAYS_AHEAD, 30)
    assert set(room.keys_free) >= {"pages", "device_numbers"}
    assert set(room.keys_free.values()) == {1.0}
