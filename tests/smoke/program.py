"""The program as its user has it: processes of the installed command, on ports of their own."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from psycopg import conninfo

READY_S = 60.0
STOP_S = 30.0
COMMAND = str(Path(sys.executable).with_name("corrections-monitor"))


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], object], what: str, timeout_s: float = READY_S) -> None:
    """Wait for a state of the real world, looking often; fails saying ``what``."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(0.05)


def url_of(info: str) -> str:
    """A connection string as the URL that the program's settings want."""
    parts = conninfo.conninfo_to_dict(info)
    return f"postgresql:///{parts.pop('dbname')}?{urlencode(parts)}"


def environment(database_url: str | None, **more: str) -> dict[str, str]:
    """Of a child: nothing of the caller's settings gets in."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CORRECTIONS_")}
    url = {"CORRECTIONS_DATABASE_URL": url_of(database_url)} if database_url is not None else {}
    return {**clean, **url, **more}


def call(
    *arguments: object, database_url: str | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """One verb to its end."""
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        env=environment(database_url, **more),
        capture_output=True,
        text=True,
        timeout=120,
    )


def call_well(*arguments: object, database_url: str | None = None, **more: str) -> str:
    """One verb that must succeed; what it printed."""
    done = call(*arguments, database_url=database_url, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def device_passwords(folder: Path, database_url: str, **environ: str) -> dict[str, str]:
    """A secret for every bound device, as ``credentials`` writes them."""
    file = folder / "devices.csv"
    call_well("credentials", "issue", "device", "--all-devices", file, database_url=database_url, **environ)
    with file.open(encoding="utf-8", newline="") as rows:
        return {row["username"]: row["password"] for row in csv.DictReader(rows)}


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Process:
    """A verb that stays: ``run`` or ``serve``; its log is appended to over restarts."""

    def __init__(
        self,
        verb: str,
        folder: Path,
        environ: Mapping[str, str],
        port: int,
        name: str,
        config: Path | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self._prefix = prefix
        self._verb = verb
        self._arguments = ["--config", str(config)] if config else []
        self._environ = environ
        self._child: subprocess.Popen[bytes] | None = None
        self.port = port
        self.log = folder / f"{name}.log"

    def start(self, *, wait: bool = True) -> None:
        """Start; ``wait``: until readyz says yes."""
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [*self._prefix, COMMAND, self._verb, *self._arguments],
                env=dict(self._environ),
                stdout=log,
                stderr=log,
            )
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout_s: float = READY_S) -> None:
        def ready() -> bool:
            assert self.alive, f"ended by itself: {self.words()}"
            return self.readyz()[0] == 200

        wait_for(ready, f"{self._verb} is ready", timeout_s)

    def wait_alive(self, timeout_s: float = READY_S) -> None:
        """Until it answers, fit to monitor or not."""
        wait_for(lambda: self.get("/healthz")[0] == 200, f"{self._verb} answers", timeout_s)

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    def tell(self, number: signal.Signals) -> None:
        assert self._child is not None
        self._child.send_signal(number)

    def kill(self) -> None:
        """SIGKILL: no last word."""
        self.tell(signal.SIGKILL)
        assert self._child is not None
        self._child.wait()

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        if self._child is None:
            return 0
        if self._child.poll() is None:
            self._child.terminate()
        try:
            return self._child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self._verb} did not stop within {STOP_S:.0f} s") from None

    def get(self, path: str) -> tuple[int, str]:
        """A GET: status and body; (0, "") when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def readyz(self) -> tuple[int, str]:
        """The status, and the reason where it is blind."""
        status, body = self.get("/readyz")
        return status, json.loads(body).get("reason", "") if status else ""

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric over the series that have these labels."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            found = re.fullmatch(rf"corrections_{name}(?:\{{(.*)\}})? (\S+)", line)
            if found and all(f'{k}="{v}"' in (found[1] or "") for k, v in labels.items()):
                total += float(found[2])
        return total

    def memory_mb(self) -> float:
        """Resident memory."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1_024  # type: ignore[index]

    def words(self) -> str:
        """The last of what it said."""
        return self.log.read_text(errors="replace")[-2_000:] if self.log.exists() else ""


class Daemon(Process):
    """``run``, with the roads asked for: a broker's URL, the devices' own endpoint on ``device_port``."""

    def __init__(
        self,
        folder: Path,
        database_url: str,
        *,
        mqtt: str | None = None,
        endpoint: bool = False,
        name: str = "run",
        config: Path | None = None,
        prefix: Sequence[str] = (),
        **more: str,
    ) -> None:
        port, self.device_port = free_port(), free_port()
        roads = {"CORRECTIONS_MQTT_URL": mqtt} if mqtt else {}
        if endpoint:
            roads["CORRECTIONS_DEVICE_LISTEN"] = f"127.0.0.1:{self.device_port}"
        environ = environment(
            database_url,
            CORRECTIONS_RUN_LISTEN=f"127.0.0.1:{port}",
            CORRECTIONS_STATE_DIR=str(folder),
            **roads,
            **more,
        )
        super().__init__("run", folder, environ, port, name, config, prefix)


class Api(Process):
    """``serve``."""

    def __init__(self, folder: Path, database_url: str, **more: str) -> None:
        port = free_port()
        environ = environment(database_url, CORRECTIONS_HTTP_LISTEN=f"127.0.0.1:{port}", **more)
        super().__init__("serve", folder, environ, port, "serve")


@contextmanager
def daemons(folder: Path, database_url: str) -> Iterator[Callable[..., Daemon]]:
    """Makes daemons on a database, none started; whatever still runs at the end is killed."""
    made: list[Daemon] = []

    def make(**options: Any) -> Daemon:
        made.append(Daemon(folder, database_url, name=f"run{len(made)}", **options))
        return made[-1]

    try:
        yield make
    finally:
        for one in made:
            if one.alive:
                one.kill()
