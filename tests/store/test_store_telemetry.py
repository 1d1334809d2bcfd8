"""Fixes and events: stored once, whatever is delivered again and whatever claims to be known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import psycopg
import pytest

from corrections_monitor.model.times import DAY_MS
from corrections_monitor.store import Store

T0_MS = 1_764_000_000_000


async def _write(store: Store, device: str, fixes: Any, arrival_ms: int = T0_MS) -> Any:
    numbers = await store.device_numbers([device] * len(fixes))
    async with store.transaction() as tx:
        return await tx.insert_fixes(numbers, fixes, np.full(len(fixes), arrival_ms, np.int64))


def _count(url: str, table: str) -> int:
    with psycopg.connect(url) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # type: ignore[index]


async def test_a_second_delivery_changes_nothing(store: Store, database_url: str, fixes: Any) -> None:
    batch = fixes([T0_MS + 1000 * i for i in range(50)])
    first = await _write(store, "d1", batch)
    second = await _write(store, "d1", batch, arrival_ms=T0_MS + 5)
    assert first.new.all()
    assert not first.conflict.any()
    assert not (second.new | second.conflict).any()
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT count(*), max(arrival_ms) FROM fixes").fetchone()
    assert rows == (50, T0_MS)


async def test_new_and_known_rows_are_told_apart_within_one_batch(store: Store, fixes: Any) -> None:
    await _write(store, "d1", fixes([T0_MS, T0_MS + 2]))
    written = await _write(store, "d1", fixes([T0_MS + 3, T0_MS + 2, T0_MS + 1, T0_MS]))
    assert written.new.tolist() == [True, False, True, False]


async def test_a_known_fix_of_one_source_does_not_hide_a_new_one_of_another(store: Store, fixes: Any) -> None:
    await _write(store, "d1", fixes([T0_MS]))
    both = replace(fixes([T0_MS, T0_MS]), src=np.array([0, 2], np.uint8))
    written = await _write(store, "d1", both)
    assert written.new.tolist() == [False, True]


async def test_the_same_time_from_another_device_or_source_is_another_fix(
    store: Store, database_url: str, fixes: Any
) -> None:
    for device, src in (("d1", 0), ("d1", 2), ("d2", 0)):
        assert (await _write(store, device, fixes([T0_MS], src=src))).new.all()
    assert _count(database_url, "fixes") == 3


@pytest.mark.parametrize(
    "change",
    [
        {"lon": np.array([122.06])},
        {"lat": np.array([41.2])},
        {"acc_m": np.array([9], np.float32)},
        {"spd_mps": np.array([np.nan], np.float32)},
        {"hdg_deg": np.array([1], np.float32)},
    ],
)
async def test_other_content_under_a_known_key_is_a_conflict_and_the_first_stays(
    store: Store, database_url: str, fixes: Any, change: dict[str, Any]
) -> None:
    await _write(store, "d1", fixes([T0_MS]))
    written = await _write(store, "d1", replace(fixes([T0_MS]), **change))
    assert (written.new.tolist(), written.conflict.tolist()) == ([False], [True])
    with psycopg.connect(database_url) as connection:
        stored = connection.execute("SELECT lon, spd_mps, hdg_deg, acc_m FROM person_fixes").fetchall()
        raw = connection.execute("SELECT lon_e7, lat_e7, spd_cms FROM fixes").fetchall()
    assert stored == []  # nobody is bound to the device
    assert raw == [(1_220_500_000, 411_000_000, 125)]


async def test_a_difference_below_what_is_kept_is_no_conflict(store: Store, fixes: Any) -> None:
    await _write(store, "d1", fixes([T0_MS], lon=122.05, spd=float("nan")))
    written = await _write(store, "d1", fixes([T0_MS], lon=122.05 + 1e-9, spd=float("nan")))
    assert not (written.new | written.conflict).any()


async def test_fixes_of_any_age_find_their_partition(store: Store, database_url: str, fixes: Any) -> None:
    times = [T0_MS - 170 * DAY_MS, T0_MS, T0_MS + 1, T0_MS + 40 * DAY_MS]
    assert (await _write(store, "d1", fixes(times))).new.all()
    assert _count(database_url, "fixes") == 4


async def test_a_partition_made_in_a_failed_transaction_is_made_again(store: Store, fixes: Any) -> None:
    numbers = await store.device_numbers(["d1"])
    arrival = np.array([T0_MS])

    async def failing() -> None:
        async with store.transaction() as tx:
            await tx.insert_fixes(numbers, fixes([T0_MS]), arrival)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        await failing()
    async with store.transaction() as tx:
        assert (await tx.insert_fixes(numbers, fixes([T0_MS]), arrival)).new.all()


async def test_several_calls_in_one_transaction_do_not_see_each_others_rows_twice(
    store: Store, database_url: str, fixes: Any
) -> None:
    numbers = await store.device_numbers(["d1"])
    async with store.transaction() as tx:
        await tx.insert_fixes(numbers, fixes([T0_MS]), np.array([T0_MS]))
        again = await tx.insert_fixes(numbers.repeat(2), fixes([T0_MS, T0_MS + 1]), np.array([T0_MS] * 2))
    assert again.new.tolist() == [False, True]
    assert _count(database_url, "fixes") == 2


async def test_a_conflict_in_a_second_call_is_told_of_its_own_row(store: Store, fixes: Any) -> None:
    """Rows staged by the call before must not be taken for rows of this one: they share row numbers."""
    numbers = await store.device_numbers(["d1"])
    async with store.transaction() as tx:
        await tx.insert_fixes(numbers, fixes([T0_MS], lon=122.05), np.array([T0_MS]))
        await tx.insert_fixes(numbers, fixes([T0_MS], lon=122.06), np.array([T0_MS]))
        third = await tx.insert_fixes(numbers, fixes([T0_MS], lon=122.05), np.array([T0_MS]))
    assert not (third.new | third.conflict).any()


async def test_events_are_stored_once_and_compared(store: Store, events: Any) -> None:
    numbers = await store.device_numbers(["d1", "d1"])
    arrival = np.array([T0_MS, T0_MS])
    async with store.transaction() as tx:
        first = await tx.insert_events(numbers, events([T0_MS, T0_MS + 1]), arrival)
        same = await tx.insert_events(numbers, events([T0_MS, T0_MS + 1]), arrival)
        other = await tx.insert_events(numbers, events([T0_MS, T0_MS + 2], battery=5), arrival)
        empty = await tx.insert_events(numbers[:0], events([]), arrival[:0])
    assert first.new.all()
    assert not (same.new | same.conflict).any()
    assert (other.new.tolist(), other.conflict.tolist()) == ([False, True], [True, False])
    assert len(empty.new) == 0


async def test_device_numbers_are_stable_and_shared(store: Store, database_url: str) -> None:
    first = (await store.device_numbers(["b", "a", "b"])).tolist()
    other = await Store.open(database_url, "engine")
    try:
        assert (await other.device_numbers(["a", "b", "c"])).tolist()[:2] == [first[1], first[0]]
    finally:
        await other.close()
    assert first[0] == first[2] != first[1]


async def test_a_track_shows_what_the_device_sent(
    store: Store, database_url: str, city: Any, fixes: Any
) -> None:
    await store.save_cases(city, "test", T0_MS)
    await _write(store, "d1", fixes([T0_MS + 1]))
    with psycopg.connect(database_url) as connection:
        connection.execute("SET corrections.offices = '*'")
        row = connection.execute(
            "SELECT person_id, device_id, t_ms, lon, lat, acc_m, spd_mps, hdg_deg FROM person_fixes"
        ).fetchone()
    assert row is not None
    assert row[:5] == ("p1", "d1", T0_MS + 1, 122.05, 41.1)
    assert row[5:] == pytest.approx((8.5, 1.25, 359.99), abs=0.005)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_claimed_to_be_newer_rows_are_stored_as_a_plain_ledger_would(
    store: Store, database_url: str, fixes: Any, seed: int
) -> None:
    random = np.random.default_rng(seed)
    numbers = await store.device_numbers(["d1", "d2", "d3"])
    ledger: dict[tuple[int, int, int], tuple[int, int | None, int | None]] = {}
    for _ in range(30):
        keys = {
            (int(numbers[random.integers(3)]), int(random.integers(2)), T0_MS + int(random.integers(80)))
            for _ in range(random.integers(1, 12))
        }
        device, src, t_ms = (np.array(column) for column in zip(*keys, strict=True))
        batch = replace(
            fixes(t_ms),
            src=src.astype(np.uint8),
            lon=122 + random.integers(2, size=len(keys)) / 1e3,
            spd_mps=random.choice([np.nan, 0, 1.5], len(keys)).astype(np.float32),
            hdg_deg=random.choice([np.nan, 0, 359.5], len(keys)).astype(np.float32),
        )
        claim = [None, random.random(len(keys)) < 0.5, np.ones(len(keys), bool)][random.integers(3)]
        async with store.transaction() as tx:
            written = await tx.insert_fixes(device.astype(np.int32), batch, t_ms, claim)
        for k, key in enumerate(zip(device.tolist(), src.tolist(), t_ms.tolist(), strict=True)):
            speed, heading = batch.spd_mps[k], batch.hdg_deg[k]
            content = (
                round(batch.lon[k] * 1e7),
                None if np.isnan(speed) else round(speed * 100),
                None if np.isnan(heading) else round(heading * 100 + 18_000) % 36_000 - 18_000,
            )
            expected = (key not in ledger, key in ledger and ledger[key] != content)
            assert (written.new[k], written.conflict[k]) == expected
            ledger.setdefault(key, content)
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT device_no, src, t_ms, lon_e7, spd_cms, hdg_cdeg FROM fixes"
        ).fetchall()
    assert {row[:3]: row[3:] for row in rows} == ledger
    assert len(rows) == len(ledger)


async def test_a_clock_set_right_is_a_column_beside_the_time_as_sent(
    store: Store, database_url: str, fixes: Any, events: Any
) -> None:
    """Judged 600 s later than told; the second delivery is known whatever is believed of the clock then."""
    numbers = await store.device_numbers(["d1"])
    arrival, behind = np.array([T0_MS + 600_000]), np.array([600_000])
    async with store.transaction() as tx:
        await tx.insert_fixes(numbers, fixes([T0_MS + 600_000]), arrival, None, behind)
        await tx.insert_events(numbers, events([T0_MS + 600_000]), arrival, None, behind)
        assert not (await tx.insert_fixes(numbers, fixes([T0_MS]), arrival)).new.any()
        assert not (await tx.insert_events(numbers, events([T0_MS]), arrival)).new.any()
        await tx.insert_fixes(numbers, fixes([T0_MS + 60_000]), arrival)
        judged = [r.t_ms for r in await tx.fixes_since(numbers.tolist(), T0_MS + 30_000, 1_800_000)]
        since = [r.t_ms for r in await tx.fixes_since(numbers.tolist(), T0_MS + 300_000, 1_800_000)]
    assert judged == [T0_MS + 60_000, T0_MS + 600_000]
    assert since == [T0_MS + 60_000, T0_MS + 600_000]  # the last one before, and what is judged after
    with psycopg.connect(database_url) as connection:
        stored = connection.execute("SELECT t_ms, behind_ms FROM fixes ORDER BY t_ms").fetchall()
        told = connection.execute("SELECT t_ms, behind_ms FROM band_events").fetchall()
    assert stored == [(T0_MS, 600_000), (T0_MS + 60_000, None)]
    assert told == [(T0_MS, 600_000)]
