"""Journal, snapshots, leadership, listening: what a killed daemon and a broken connection leave behind."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from corrections_monitor.store import Lead, Store
from corrections_monitor.store.journal import NotLeadingError


async def _append(store: Store, batch_no: int) -> None:
    async with store.transaction() as tx:
        await tx.append_journal(batch_no, f"b{batch_no}".encode())


async def _read(store: Store, batch_no: int) -> list[tuple[int, bytes]]:
    return [row async for row in store.journal_since(batch_no)]


async def test_a_start_reads_the_snapshot_and_the_journal_after_it(store: Store) -> None:
    assert await store.load_snapshot() is None
    for n in (1, 2, 3):
        await _append(store, n)
    async with store.transaction() as tx:
        await tx.append_journal(4, b"b4")
        await tx.save_snapshot(4, bytes(range(256)) * 100)
    await _append(store, 5)
    assert await store.load_snapshot() == (4, bytes(range(256)) * 100)
    assert await _read(store, 4) == [(5, b"b5")]
    assert await _read(store, 0) == [(5, b"b5")]  # what the snapshot covers is dropped


async def test_a_long_journal_is_read_in_order(store: Store) -> None:
    async with store.transaction() as tx:
        for n in range(1, 301):
            await tx.append_journal(n, b"x" * 1000)
    assert [n for n, _ in await _read(store, 100)] == list(range(101, 301))


@pytest.mark.parametrize("batch_no", [1, 2, 3, 5])
async def test_a_daemon_that_lost_the_lead_cannot_write(store: Store, batch_no: int) -> None:
    async with store.transaction() as tx:
        await tx.save_snapshot(2, b"s")
    await _append(store, 3)
    with pytest.raises(NotLeadingError):
        await _append(store, batch_no)
    await _append(store, 4)


async def test_a_failed_batch_leaves_nothing(store: Store) -> None:
    async def failing() -> None:
        async with store.transaction() as tx:
            await tx.append_journal(1, b"x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await failing()
    assert await _read(store, 0) == []


async def test_one_daemon_leads_and_the_second_follows(database_url: str) -> None:
    order: list[str] = []
    waits = asyncio.Event()

    async def second() -> int:
        async with Store.lead(database_url, waits.set) as lead:
            order.append("second")
            return lead.term

    async with Store.lead(database_url) as lead:
        waiting = asyncio.create_task(second())
        await asyncio.wait_for(waits.wait(), 10)
        order.append("first")
        assert not lead.lost.is_set()
    assert await asyncio.wait_for(waiting, 10) > lead.term
    assert order == ["first", "second"]


async def test_what_was_opened_under_a_term_that_is_over_cannot_write(database_url: str) -> None:
    """Neither over the connections it had, nor over one it opens now, nor by a transaction under way."""
    async with Store.lead(database_url) as lead:
        before = await Store.open(database_url, "engine", term=lead.term)
    try:
        async with before.transaction() as tx:
            await tx.append_journal(1, b"x")
        later = await _taken_over_during_a_batch(before, database_url)
        for _ in range(3):
            with pytest.raises((psycopg.OperationalError, TimeoutError)):
                await asyncio.wait_for(before.put_state("monitor", {}, 1), 1)
        with pytest.raises(psycopg.OperationalError):
            await Store.open(database_url, "engine", term=lead.term, timeout_s=1)
        after = await Store.open(database_url, "engine", term=later.term)
        assert await _read(after, 0) == [(1, b"x")]
        assert await after.get_state("monitor") is None
        await after.close()
    finally:
        await before.close()


async def _taken_over_during_a_batch(before: Store, url: str) -> Lead:
    try:
        async with before.transaction() as tx:
            await tx.append_journal(2, b"x")
            async with Store.lead(url) as later:
                pass
    except psycopg.OperationalError:
        return later
    raise AssertionError("the batch was committed after another had taken over")


async def test_a_leader_whose_session_was_ended_is_told(database_url: str) -> None:
    async with Store.lead(database_url) as lead:
        _end_sessions(database_url, "pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory'")
        await asyncio.wait_for(lead.lost.wait(), 20)


async def test_listening_goes_on_after_the_connection_broke(store: Store, database_url: str) -> None:
    told = store.listen("cases")
    assert await anext(told) == ("cases", "")
    _end_sessions(database_url, "pg_stat_activity b WHERE b.pid = a.pid AND b.query LIKE 'LISTEN%'")
    assert await asyncio.wait_for(anext(told), 20) == ("cases", "")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("NOTIFY cases, '7'")
    assert await asyncio.wait_for(anext(told), 20) == ("cases", "7")
    await told.aclose()  # type: ignore[attr-defined]


async def test_a_word_left_for_another_process_is_read_there(store: Store, api_store: Store) -> None:
    assert await api_store.get_state("run") is None
    await store.put_state("run", {"blind": False}, 5)
    await store.put_state("run", {"blind": True}, 6)
    assert await api_store.get_state("run") == ({"blind": True}, 6)


def _end_sessions(url: str, which: Any) -> None:
    with psycopg.connect(url) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a WHERE a.datname = current_database()"
            f" AND a.pid <> pg_backend_pid() AND EXISTS (SELECT FROM {which})"
        )
        assert ended.rowcount == 1
