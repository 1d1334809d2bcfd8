"""The embedded PostgreSQL: any path, data kept, nothing left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from corrections_monitor.store.embedded import EmbeddedError, EmbeddedServer


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of its own: every start of pytest closes its common one to other accounts, also to the
    one root runs the server as."""
    with tempfile.TemporaryDirectory(prefix="corrections-test-") as name:
        yield Path(name)


def _alive(data_dir: Path) -> bool:
    """Whether a server runs on the directory, asked of the system rather than of us."""
    listing = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    return any(str(data_dir) in line and "postgres" in line for line in listing.splitlines())


def _scalar(url: str, sql: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(sql.encode()).fetchone()
    return row[0] if row else None


def test_it_runs_in_a_path_with_a_space_keeps_its_data_and_leaves_nothing_running(folder: Path) -> None:
    data_dir = folder / "a city's data" / ("很长的目录" * 8) / "pg"
    with EmbeddedServer.start(data_dir, {"fsync": "off"}) as server:
        assert _scalar(server.url(), "SHOW fsync") == "off"
        with psycopg.connect(server.url()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        assert _alive(data_dir)
    assert not _alive(data_dir)
    with EmbeddedServer.start(data_dir) as server:
        assert _scalar(server.url(), "SELECT n FROM kept") == 42
    assert not _alive(data_dir)


KILLED = (
    "import os, pathlib, signal, sys; from corrections_monitor.store.embedded import EmbeddedServer;"
    "server = EmbeddedServer.start(pathlib.Path(sys.argv[1]));"
    "[os.kill(pid, signal.SIGKILL) for pid in ({watch}, os.getpid())]"
)


def _start_and_be_killed(data_dir: Path, watch: str) -> None:
    command = [sys.executable, "-c", KILLED.format(watch=watch), str(data_dir)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL


def test_a_killed_process_leaves_no_server_running(folder: Path) -> None:
    _start_and_be_killed(folder / "pg", watch="os.getpid()")
    deadline = time.monotonic() + 30
    while _alive(folder / "pg"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_server_left_behind_all_the_same_is_stopped_by_the_next_start(folder: Path) -> None:
    _start_and_be_killed(folder / "pg", watch="server._watch.pid")
    assert _alive(folder / "pg")
    with EmbeddedServer.start(folder / "pg", {"fsync": "off"}) as server:
        assert _scalar(server.url(), "SHOW fsync") == "off"
    assert not _alive(folder / "pg")


def test_a_directory_in_use_is_refused_and_its_server_left_alone(folder: Path) -> None:
    with EmbeddedServer.start(folder / "pg") as server:
        with pytest.raises(EmbeddedError, match="another process"):
            EmbeddedServer.start(folder / "pg")
        assert _scalar(server.url(), "SELECT 1") == 1


def test_a_stale_pid_file_does_not_stop_a_start(folder: Path) -> None:
    data_dir = folder / "pg"
    EmbeddedServer.start(data_dir).stop()
    pid_file = data_dir / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{data_dir}\n")
    os.chown(pid_file, data_dir.stat().st_uid, data_dir.stat().st_gid)
    with EmbeddedServer.start(data_dir) as server:
        assert _scalar(server.url(), "SELECT 1") == 1


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with pytest.raises(EmbeddedError, match="no_such_parameter"):
        EmbeddedServer.start(folder / "pg", {"no_such_parameter": "1"})
    assert not _alive(folder / "pg")
