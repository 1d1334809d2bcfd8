"""Back to a moment by the commands of docs/operations.md: what was stored is there, missed pages go out.

After the restore the machine's clock is an hour later, as after an hour's work of restoring.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from chaos_fleet import Fleet, Receiver, in_haste, rows, settle, stored_fixes, until
from chaos_run import announce, only_whole
from precinct_of_bands import wearers
from program import Daemon, call_well
from shifted_clock import Shift

from corrections_monitor.store.embedded import EmbeddedServer
from corrections_monitor.store.migrate import migrate
from simulators.mqtt import Server

pytestmark = [pytest.mark.chaos, only_whole]
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
LADDER = "station-duty, station-chief after 1m, county-duty after 2m, city-duty after 3m"
MISSED = ["chief", "duty-city", "duty-city", "duty-county"]  # the last step repeats after half an hour


def documented() -> tuple[str, str]:
    """The commands that back up and those that restore."""
    section = OPERATIONS.read_text("utf-8").partition("## Backup and restore")[2].partition("\n## ")[0]
    backup, restore = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return backup, restore


@pytest.fixture
def site(server_folder: Path) -> Iterator[Callable[[str], EmbeddedServer]]:
    """Starts the PostgreSQL of a data directory in the folder, archiving; one at a time."""
    server_folder.chmod(0o777)  # the commands run as the server's user
    archive = server_folder / "archive"
    archive.mkdir(mode=0o777)
    archive.chmod(0o777)
    settings = {
        "archive_mode": "on",
        "archive_command": f"test ! -f {archive}/%f && cp %p {archive}/%f",
    }
    running: list[EmbeddedServer] = []

    def start(name: str) -> EmbeddedServer:
        for server in running:
            server.stop()
        running[:] = [EmbeddedServer.start(server_folder / name, settings)]
        return running[0]

    yield start
    for server in running:
        server.stop()


def run_as_server(commands: str, server: EmbeddedServer, **environ: str) -> None:
    owner, binaries = server.data_dir.stat(), Path(_program(server)).parent
    who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(
        ["bash", "-euc", commands],
        env={"PATH": f"{binaries}:{os.environ['PATH']}", **environ},
        capture_output=True, text=True, cwd="/", check=False, **who,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _program(server: EmbeddedServer) -> str:
    pid = (server.data_dir / "postmaster.pid").read_text().split()[0]
    return os.readlink(f"/proc/{pid}/exe")


@pytest.mark.timeout(300)
async def test_restored_to_a_moment_it_goes_on_and_sends_what_was_missed_marked_late(
    tmp_path: Path, server_folder: Path, site: Callable[[str], EmbeddedServer]
) -> None:
    announce("back to a moment")
    backup, restore = documented()
    places = {name: str(server_folder / name.lower()) for name in ("BACKUP", "ARCHIVE")}
    places["PGDATA"] = str(server_folder / "restored")
    server = site("postgresql")
    url = server.url()
    migrate(url)
    everyone, shift, receiver = wearers(3), Shift(tmp_path), Receiver()
    passwords = settle(everyone, tmp_path, url)
    await asyncio.to_thread(run_as_server, backup, server, DATABASE=url, **places)
    async with receiver.listening():
        settings = in_haste(receiver) | {"CORRECTIONS_RULES__LADDER__CRITICAL": LADDER}
        run = Daemon(tmp_path, url, endpoint=True, **settings, **shift.environ(300))
        fleet = Fleet(everyone, None, Server("127.0.0.1", run.device_port), passwords)
        try:
            await asyncio.to_thread(run.start)
            async with fleet.reporting():
                everyone[0].since_ms = time.time_ns() // 1_000_000
                await until(lambda: receiver.keys, "the first step is sent")
                await until(lambda: _sent(url) == ["duty"], "and recorded")
                before = set(fleet.ledger.fixes)
                moment = datetime.now(UTC).isoformat()
                await asyncio.sleep(1)
                after_ms = time.time_ns() // 1_000_000
                await asyncio.sleep(2)
            assert await asyncio.to_thread(run.stop) == 0
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("SELECT pg_switch_wal()")
            acknowledged = set(fleet.ledger.fixes)

            run_as_server(restore, server, MOMENT=moment, **places)
            server = await asyncio.to_thread(site, "restored")
            url = server.url()
            with psycopg.connect(url) as connection:
                for _ in range(100):
                    if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,):
                        break
                    await asyncio.sleep(0.1)
            call_well("migrate", database_url=url)
            call_well("audit", "verify", database_url=url)
            restored = stored_fixes(url)
            assert set(restored.values()) == {1}
            assert before <= restored.keys() <= acknowledged
            assert all(key.t_ms <= after_ms for key in restored)
            assert any(key.t_ms > after_ms for key in acknowledged)

            receiver.keys.clear()
            receiver.alerts.clear()
            shift.by(3_600_000)
            again = Daemon(tmp_path, url, endpoint=True, name="again", **settings, **shift.environ(300))
            run = again
            await asyncio.to_thread(run.start)
            await until(lambda: len(receiver.keys) == len(MISSED), "what was missed is sent")
            await asyncio.sleep(1)
            assert sorted(officer for _, officer in receiver.keys) == MISSED
            assert set(receiver.keys.values()) == {1}
            assert [alert["late"] for alert in receiver.alerts] == [True] * len(MISSED)
        finally:
            if run.alive:
                await asyncio.to_thread(run.stop)


def _sent(url: str) -> list[object]:
    """Whom the outbox says to have told over the webhook."""
    statement = (
        "SELECT officer_id FROM pages WHERE state IN ('sent', 'delivered') AND channel LIKE 'webhook%'"
    )
    return [who for (who,) in rows(url, statement)]
