"""The whole thing on one machine: PostgreSQL, broker, daemon and the sender of a load, each a process.

What a run cost is told by the CPU time of each, which neighbours on the machine disturb least.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corrections_monitor.store.embedded import EmbeddedServer

COMMAND = (str(Path(sys.executable).with_name("corrections-monitor")),)
HERE = "127.0.0.1"
DATABASE = {"shared_buffers": "512MB", "max_wal_size": "8GB", "synchronous_commit": "on"}
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
BROKER_SETTINGS = """
listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 1000000000
max_queued_bytes 0
max_inflight_messages 65535
persistence false
log_type error
"""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])


def cpu_s(*pids: int) -> float:
    """CPU seconds used so far by processes and their children, ended ones included."""
    total = 0
    for pid in pids:
        for of in (pid, *_children(pid)):
            try:
                fields = Path(f"/proc/{of}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            total += sum(map(int, fields[11:15]))  # own and of ended children, user and system
    return total / _TICKS_PER_S


def _children(pid: int) -> list[int]:
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in found]


def peak_mib(pid: int) -> float:
    """The most memory a living process has held at once."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


@dataclass
class Whole:
    """What runs: ``url`` of the database, ``broker`` and ``endpoint`` as MQTT URLs, the daemon's metrics."""

    folder: Path
    url: str
    database: EmbeddedServer
    broker_port: int
    broker: subprocess.Popen[bytes]
    device_port: int
    run_port: int
    daemon: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "CORRECTIONS_DATABASE_URL": self.url,
            "CORRECTIONS_MQTT_URL": f"mqtt://{HERE}:{self.broker_port}",
            "CORRECTIONS_DEVICE_LISTEN": f"{HERE}:{self.device_port}",
            "CORRECTIONS_RUN_LISTEN": f"{HERE}:{self.run_port}",
            "CORRECTIONS_STATE_DIR": str(self.folder / "state"),
        }

    def verb(self, *words: str, more: Mapping[str, str] | None = None) -> str:
        """Run one verb of the program to its end; its standard output."""
        done = subprocess.run(
            [*COMMAND, *words], env=self.environment | dict(more or {}), capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"{words[0]}: {done.stderr.strip()}")
        return done.stdout

    def start_daemon(self, more: Mapping[str, str] | None = None, within_s: float = 180.0) -> float:
        """Start ``run``; seconds until it is ready."""
        began = time.monotonic()
        with (self.folder / "run.log").open("ab") as log:
            self.daemon = subprocess.Popen(
                [*COMMAND, "run"], env=self.environment | dict(more or {}), stdout=log, stderr=log
            )
        while not self.ready:
            if self.daemon.poll() is not None or time.monotonic() - began > within_s:
                raise RuntimeError(f"the daemon is not ready: {(self.folder / 'run.log').read_text()[-500:]}")
            time.sleep(0.05)
        return time.monotonic() - began

    def stop_daemon(self) -> None:
        """End the daemon and wait."""
        assert self.daemon is not None
        self.daemon.terminate()
        self.daemon.wait(60)

    def kill_daemon(self) -> None:
        """SIGKILL."""
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait(60)

    @property
    def ready(self) -> bool:
        """Whether the daemon says it is fit to monitor."""
        try:
            with urllib.request.urlopen(f"http://{HERE}:{self.run_port}/readyz", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def metric(self, name: str) -> float:
        """The sum of one metric of the daemon over its labels."""
        with urllib.request.urlopen(f"http://{HERE}:{self.run_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if re.match(rf"{name}(\{{|\s)", line))

    def load(self, *options: str) -> dict[str, Any]:
        """Run ``simulators load``; what it told, with the CPU seconds each party used as ``cpu``, from when
        everybody was connected."""
        assert self.daemon is not None
        parties = {
            "daemon": (self.daemon.pid,),
            "database": (int((self.database.data_dir / "postmaster.pid").read_text().split()[0]),),
            "broker": (self.broker.pid,),
        }
        children_s = os.times().children_user + os.times().children_system
        load = subprocess.Popen(
            [sys.executable, "-m", "simulators", "load", "--json", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert load.stderr is not None
        first_line = load.stderr.readline()  # that all are connected, or what is wrong
        before = {name: cpu_s(*pids) for name, pids in parties.items()}
        children_s += cpu_s(load.pid)
        out, errors = load.communicate()
        if not out:
            raise RuntimeError((first_line + errors).strip())
        told: dict[str, Any] = json.loads(out)
        told["cpu"] = {name: cpu_s(*pids) - before[name] for name, pids in parties.items()}
        told["cpu"]["load"] = os.times().children_user + os.times().children_system - children_s
        return told


@contextmanager
def whole(folder: Path, cases: Path) -> Iterator[Whole]:
    """Database with the cases imported, and broker; the caller starts the daemon."""
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if mosquitto is None:
        raise RuntimeError("mosquitto is not installed")
    settings = folder / "mosquitto.conf"
    port = free_port()
    settings.write_text(BROKER_SETTINGS.format(port=port))
    with EmbeddedServer.start(folder / "postgresql", DATABASE) as database:
        broker = subprocess.Popen([mosquitto, "-c", str(settings)], stdout=subprocess.DEVNULL)
        made = Whole(folder, database.url(), database, port, broker, free_port(), free_port())
        try:
            made.verb("migrate")
            made.verb("import", str(cases))
            yield made
        finally:
            if made.daemon is not None and made.daemon.poll() is None:
                made.stop_daemon()
            broker.terminate()
            broker.wait()
