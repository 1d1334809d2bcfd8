"""The disk that holds the database is full, under load: nothing is acknowledged or lost, and people are told.

A file system of its own (tmpfs) holds the database's tablespace; a ballast fills it and is taken away again.
To mount it takes root: without, these tests are skipped.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from chaos_fleet import Fleet, Receiver, all_is_told, in_haste, judge, settle, until
from chaos_run import SEED, WHOLE, announce, only_whole
from precinct_of_bands import wearers
from program import Daemon, cpu_s

from corrections_monitor.store.embedded import EmbeddedServer
from corrections_monitor.store.migrate import migrate
from simulators.mqtt import Server

pytestmark = [pytest.mark.chaos, only_whole]
FULL_S = 60.0 if WHOLE else 10.0
SAYS_SO_S, TELLS_S, DRAINED_S, MORE_MB = 30.0, 30.0, 60.0, 50.0
DISK_MB = 64
TRIES_FIRST, TRIES_PER_S = 6, 0.25  # no more failed commits than these: it waits between them
CPU_SHARE_MAX = 0.5


class Small(NamedTuple):
    """A database on a disk that can be filled."""

    url: str
    ballast: Path

    def fill(self) -> None:
        """To the last byte."""
        with self.ballast.open("wb", buffering=0) as out, contextlib.suppress(OSError):
            while out.write(bytes(4_096)):
                pass

    def relieve(self) -> None:
        self.ballast.unlink()


@pytest.fixture
def small(server_folder: Path) -> Iterator[Small]:
    disk = server_folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "none", str(disk)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("a file system of its own cannot be mounted here: it takes root")
    try:
        with EmbeddedServer.start(server_folder / "postgresql", {"fsync": "off"}) as server:
            space = disk / "space"
            space.mkdir(mode=0o700)
            owner = server.data_dir.stat()
            os.chown(space, owner.st_uid, owner.st_gid)
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute(f"CREATE TABLESPACE small LOCATION '{space}'")
                connection.execute("CREATE DATABASE city TABLESPACE small")
            yield Small(server.url("city"), disk / "ballast")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.timeout(600)
async def test_while_the_disk_is_full_nothing_is_acknowledged_and_nothing_lost(
    tmp_path: Path, small: Small
) -> None:
    announce(f"the disk is full for {FULL_S:g} s")
    rng = random.Random(SEED)
    migrate(small.url)
    everyone = wearers(60)
    passwords = settle(everyone, tmp_path, small.url)
    receiver = Receiver()
    async with receiver.listening():
        settings = in_haste(receiver) | ({} if WHOLE else {"CORRECTIONS_WATCH__TELL_AFTER": "4s"})
        daemon = Daemon(tmp_path, small.url, endpoint=True, **settings)
        fleet = Fleet(everyone, None, Server("127.0.0.1", daemon.device_port), passwords)
        try:
            await asyncio.to_thread(daemon.start)
            async with fleet.reporting(DRAINED_S):
                idle = [one for one in everyone if one.does != "nothing"]
                rng.shuffle(idle)
                for one in idle[::2]:
                    one.since_ms = time.time_ns() // 1_000_000
                await asyncio.sleep(rng.uniform(2, 4))
                await _full(daemon, small, fleet, receiver)
                for one in idle[1::2]:
                    one.since_ms = time.time_ns() // 1_000_000
                await asyncio.sleep(8)  # who walks out has to be seen outside before it is over
            await all_is_told(fleet, small.url, receiver)
        finally:
            if daemon.alive:
                await asyncio.to_thread(daemon.stop)
    judge(fleet, small.url, receiver)


async def _full(daemon: Daemon, small: Small, fleet: Fleet, receiver: Receiver) -> None:
    before_mb, pid = daemon.memory_mb(), daemon.pid
    small.fill()
    said_s = await until(lambda: daemon.readyz()[0] == 503, "it says that it is blind", SAYS_SO_S)
    began_s, cpu_before_s = time.monotonic(), cpu_s(pid)
    failed, taken_in = daemon.metric("commits_failed_total"), fleet.taken_in()
    reason = daemon.readyz()[1]
    assert "DiskFull" in reason, reason
    told_s = await until(lambda: receiver.words["blind"], "the county's duty is told", TELLS_S)
    await asyncio.sleep(max(0.0, began_s + FULL_S - time.monotonic()))
    share = (cpu_s(pid) - cpu_before_s) / (time.monotonic() - began_s)
    failed = daemon.metric("commits_failed_total") - failed
    more_mb = daemon.memory_mb() - before_mb
    assert fleet.taken_in() == taken_in
    assert daemon.readyz()[0] == 503
    small.relieve()
    sight_s = await until(lambda: daemon.readyz()[0] == 200, "it sees again", DRAINED_S)
    print(
        f"chaos: 503 {said_s:.1f} s after the ballast, told {told_s:.1f} s later ({reason}); "
        f"{failed:.0f} commits tried in vain, {share:.0%} of a CPU, memory {more_mb:+.0f} MB; in sight "
        f"after {sight_s:.1f} s",
        flush=True,
    )
    assert failed <= TRIES_FIRST + TRIES_PER_S * FULL_S
    assert share <= CPU_SHARE_MAX
    assert more_mb <= MORE_MB
    assert daemon.pid == pid
    assert daemon.alive
