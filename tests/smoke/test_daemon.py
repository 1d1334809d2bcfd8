"""The daemon as its operator has it: changes under way, reload, stop, standby, a database that goes away."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from one_station import Band, forbidden_here, now_ms, station, write
from program import Api, Daemon, call_well, device_passwords, url_of, wait_for

from corrections_monitor.store.embedded import EmbeddedServer
from corrections_monitor.store.migrate import migrate

CHANGED_WITHIN_S = 5.0
SLOW = 2.0  # a machine that is busy with other tests


@asynccontextmanager
async def speaking(bands: list[Band], every_s: float | None = 0.2) -> AsyncIterator[None]:
    """The bands are connected, and report where they are."""

    async def report(one: Band) -> None:
        while every_s is not None:
            one.fix()
            await asyncio.sleep(every_s)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(b.sender.run()) for b in bands]
        tasks += [group.create_task(report(b)) for b in bands]
        yield
        for task in tasks:
            task.cancel()


async def until(condition: Callable[[], object], what: str, timeout_s: float = 30.0) -> float:
    """Wait for a state of the real world; returns how long it took."""
    began_s = time.monotonic()
    await asyncio.to_thread(wait_for, condition, what, timeout_s)
    return time.monotonic() - began_s


def value(url: str, statement: str) -> Any:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return None if row is None else row[0]


def opened(url: str, kind: str) -> int:
    return int(value(url, f"SELECT count(*) FROM episodes WHERE kind = '{kind}'"))


async def test_cases_changed_by_import_and_over_http_are_in_force_within_seconds(
    tmp_path: Path, database_url: str, daemon: Callable[..., Daemon]
) -> None:
    cases = station("a", "b")
    call_well("import", write(cases, tmp_path / "cases"), database_url=database_url)
    passwords = device_passwords(tmp_path, database_url)
    chief = call_well("credentials", "issue", "officer", "chief", database_url=database_url)
    run, api = daemon(endpoint=True, CORRECTIONS_DETECTION__EVIDENCE_GAP="1s"), Api(tmp_path, database_url)
    run.start(wait=False)
    api.start()
    run.wait_ready()
    bands = [Band(run.device_port, p, passwords[f"band-{p}"]) for p in ("a", "b")]
    try:
        async with speaking(bands), httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.port}") as client:
            await until(lambda: bands[0].acked > 5, "the band is heard")
            assert opened(database_url, "zone.enter") == 0

            call_well("import", write(forbidden_here(cases), tmp_path / "more"), database_url=database_url)
            took_s = await until(lambda: opened(database_url, "zone.enter") == 2, "the new zone holds")
            assert took_s <= CHANGED_WITHIN_S

            answer = await client.post("/api/v1/session", json=httpx.Response(200, text=chief).json())
            client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            assert run.metric("people_monitored") == 2
            ended = await client.post("/api/v1/orders/o-b/end", json={})
            assert ended.status_code == 200, ended.text
            took_s = await until(lambda: run.metric("people_monitored") == 1, "the order has ended")
            assert took_s <= CHANGED_WITHIN_S
            # From then on no position of this person is stored.
            before = value(database_url, "SELECT count(*) FROM fixes")
            had = bands[1].acked
            await until(lambda: bands[1].acked > had + 5, "the other band is still acknowledged")
            late = value(
                database_url,
                "SELECT count(*) FROM fixes JOIN device_numbers USING (device_no) "
                f"WHERE device_id = 'band-b' AND arrival_ms > {now_ms() - 500}",
            )
            assert late == 0
            assert value(database_url, "SELECT count(*) FROM fixes") > before
    finally:
        api.stop()
    assert run.stop() == 0


async def test_a_reload_takes_new_severities_and_a_faulty_file_changes_nothing(
    tmp_path: Path, database_url: str, daemon: Callable[..., Daemon]
) -> None:
    call_well("import", write(station("a", "b"), tmp_path / "cases"), database_url=database_url)
    passwords = device_passwords(tmp_path, database_url)
    file = tmp_path / "monitor.toml"
    file.write_text('[rules.severity]\n"strap.loose" = "minor"\n')
    run = daemon(endpoint=True, config=file)
    run.start()
    a, b = (Band(run.device_port, p, passwords[f"band-{p}"]) for p in ("a", "b"))

    def severity(person_id: str) -> Any:
        return value(database_url, f"SELECT severity FROM episodes WHERE person_id = '{person_id}'")

    async with speaking([a, b]):
        a.says("strap_loose")
        await until(lambda: severity("a") is not None, "the first strap is loose")
        file.write_text('[rules.severity]\n"strap.loose" = "nonsense"\n')
        run.tell(signal.SIGHUP)
        await until(lambda: "configuration not changed: " in run.words(), "the fault is told")
        assert "strap.loose" in run.words()
        assert severity("a") == 1
        file.write_text('[rules.severity]\n"strap.loose" = "critical"\n')
        run.tell(signal.SIGHUP)
        await until(lambda: "are in force" in run.words(), "the file is read again")
        b.says("strap_loose")
        await until(lambda: severity("b") is not None, "the second strap is loose")
    assert severity("b") == 3
    assert severity("a") == 3  # what is open is held to the new rules too
    assert run.stop() == 0


async def test_a_second_daemon_waits_and_takes_over(
    tmp_path: Path, database_url: str, daemon: Callable[..., Daemon]
) -> None:
    call_well("import", write(station("a"), tmp_path / "cases"), database_url=database_url)
    passwords = device_passwords(tmp_path, database_url)
    first, second = daemon(endpoint=True), daemon(endpoint=True)
    first.start()
    second.start(wait=False)
    await until(lambda: second.readyz() == (503, "standby: another daemon is in charge"), "it waits")
    one = Band(first.device_port, "a", passwords["band-a"])
    async with speaking([one], None):
        one.fix()
        await until(lambda: one.acked == 1, "the first has it")
    first.kill()
    took_s = await until(lambda: second.readyz()[0] == 200, "the second takes over")
    assert took_s < 15 * SLOW
    other = Band(second.device_port, "a", passwords["band-a"])
    async with speaking([other], None):
        other.fix(one.sent[0])  # again: it is known
        other.fix()
        await until(lambda: other.acked == 2, "the second has it")
    assert value(database_url, "SELECT count(*) FROM fixes") == 2
    assert second.stop() == 0


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[[], EmbeddedServer]]:
    """A PostgreSQL that only this test has; each call starts it (again)."""
    running: list[EmbeddedServer] = []

    def start() -> EmbeddedServer:
        running[:] = [EmbeddedServer.start(tmp_path / "postgresql", {"fsync": "off"})]
        return running[0]

    yield start
    for server in running:
        server.stop()


async def test_without_its_database_it_is_blind_acknowledges_nothing_and_recovers(
    tmp_path: Path, own_server: Callable[[], EmbeddedServer]
) -> None:
    server = own_server()
    url = server.url()
    migrate(url)
    call_well("import", write(station("a"), tmp_path / "cases"), database_url=url)
    passwords = device_passwords(tmp_path, url)
    bounds = {f"CORRECTIONS_INGEST__{name}_MAX_MESSAGES": "500" for name in ("INBOX", "BATCH")}
    run = Daemon(tmp_path, url, endpoint=True, **bounds)
    run.start()
    one = Band(run.device_port, "a", passwords["band-a"])
    try:
        async with speaking([one], None):
            one.fix()
            await until(lambda: one.acked == 1, "it is heard")
            pid, memory_mb = run.pid, run.memory_mb()
            await asyncio.to_thread(server.stop)
            for _ in range(3_000):
                one.fix(padding=1_000)
                if one.sender.unacknowledged % 100 == 0:
                    await asyncio.sleep(0.01)
            await until(lambda: run.readyz()[0] == 503, "it says that it is blind")
            status, reason = run.readyz()
            assert (status, run.get("/healthz")[0]) == (503, 200)
            assert "database" in reason or "committed" in reason
            had = one.acked
            await asyncio.sleep(2)
            assert one.acked == had  # what cannot be stored is not acknowledged …
            assert run.memory_mb() < memory_mb + 50  # … and not hoarded
            await asyncio.to_thread(own_server)
            await until(lambda: run.readyz()[0] == 200, "it is in sight again", 60)
            await until(lambda: not one.sender.unacknowledged, "everything is acknowledged", 60)
            assert run.pid == pid
            assert value(url, "SELECT count(*) FROM fixes") == len(set(one.sent))
            assert run.stop() == 0
    finally:
        if run.alive:
            run.kill()
    assert url_of(url)
