"""The daemon does its whole work under the restrictions of its unit, and they do bite."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from chaos_fleet import Fleet, Receiver, all_is_told, in_haste, judge, settle, until
from chaos_run import only_whole
from precinct_of_bands import wearers
from program import Daemon
from psycopg import conninfo

from simulators.mqtt import Server

UNIT = Path(__file__).parents[2] / "systemd" / "corrections-monitor.service"
LAUNCHER = [sys.executable, str(Path(__file__).with_name("unit_sandbox.py")), str(UNIT)]

pytestmark = [
    pytest.mark.chaos,
    only_whole,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("systemd-analyze") is None, reason="needs root and systemd"
    ),
]
FORBIDDEN = {
    "write inside": "open('inside', 'w')",  # this one is not
    "write outside": "open('/etc/corrections-was-here', 'w')",
    "a raw socket": "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "another kind of socket": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "memory written and run": "import mmap; mmap.mmap(-1, 4096, prot=7)",
    "another user": "import os; os.setuid(65534)",
    "another root": "import os; os.chroot('/tmp')",
    "the clock": "import time; time.clock_settime(0, 0)",
    "another's file": "import os; os.chown('.', 1, 1)",
    "a mount": "import ctypes, os; c = ctypes.CDLL(None, use_errno=True); "
    "c.mount(b'none', b'/mnt', b'tmpfs', 0, None) and (_ for _ in ()).throw(OSError(ctypes.get_errno()))",
}


TRY_ALL = """
import json, sys
for what, code in json.loads(sys.argv[1]).items():
    try:
        exec(code)
    except OSError:
        continue
    print(what)
"""


@pytest.fixture
def forbidden_and_done(tmp_path: Path) -> list[str]:
    """What could be done although it is forbidden; skips where we cannot be restricted like that."""
    done = subprocess.run(
        [*LAUNCHER, str(tmp_path), "--", sys.executable, "-c", TRY_ALL, json.dumps(FORBIDDEN)],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"the restrictions cannot be set here: {done.stderr[-200:]}")
    return done.stdout.splitlines()


async def test_the_daemon_works_under_the_restrictions_of_its_unit_and_they_do_bite(
    tmp_path: Path, database_url: str, forbidden_and_done: list[str]
) -> None:
    assert forbidden_and_done == ["write inside"]
    everyone, receiver = wearers(6), Receiver()
    passwords = settle(everyone, tmp_path, database_url)
    socket_folder = conninfo.conninfo_to_dict(database_url)["host"]
    os.chmod(str(socket_folder), 0o755)  # the server's own; we come without the right to pass over that
    async with receiver.listening():
        run = Daemon(
            tmp_path,
            database_url,
            endpoint=True,
            prefix=[*LAUNCHER, str(tmp_path), "--"],
            **in_haste(receiver),
        )
        fleet = Fleet(everyone, None, Server("127.0.0.1", run.device_port), passwords)
        try:
            await asyncio.to_thread(run.start)
            async with fleet.reporting():
                for one in everyone:
                    one.since_ms = time.time_ns() // 1_000_000 if one.does != "nothing" else None
                run.tell(signal.SIGHUP)
                await until(lambda: "configuration read again" in run.words(), "it reads its configuration")
                await asyncio.sleep(8)
            await all_is_told(fleet, database_url, receiver)
            assert (tmp_path / "heartbeat.json").exists()
            assert await asyncio.to_thread(run.stop) == 0
        finally:
            if run.alive:
                run.kill()
    judge(fleet, database_url, receiver)
