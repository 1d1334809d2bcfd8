"""What the tests of this room share: a clock moved by hand, messages, a real mosquitto."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from signal import Signals
from zoneinfo import ZoneInfo

import pytest

from corrections_monitor.ingest.decode import Decoded, decode
from corrections_monitor.ingest.message import Message
from corrections_monitor.model.settings import DetectionSettings

NOW_MS = 1_795_000_000_000
ZONE = ZoneInfo("Asia/Shanghai")
SETTINGS = DetectionSettings()
DEVICES = {"d1": 0, "d2": 1, "d3": 2}
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")


class HandClock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def wall_ms(self) -> int:
        return self.now_ms

    def monotonic_s(self) -> float:
        return self.now_ms / 1000


def fix(t_ms: object = NOW_MS, **fields: object) -> dict[str, object]:
    return {"t": t_ms, "lon": 122.07, "lat": 41.12, **fields}


def said(payload: object, topic: str = "cm/v1/xlt/d1/fix", at_ms: int = NOW_MS, **fields: object) -> Message:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Message(topic, body, at_ms, **fields)  # type: ignore[arg-type]


def understood(*messages: Message) -> Decoded:
    return decode(messages, DEVICES, ZONE, SETTINGS)


async def until(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait for a state of the real world, looking often."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - sockets and processes set no event
            await asyncio.sleep(0.01)


class Mosquitto:
    """A real broker on a port of its own; ``lines`` is its configuration besides the listener."""

    def __init__(self, folder: Path, lines: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._conf = folder / "mosquitto.conf"
        self._conf.write_text(f"listener {self.port} 127.0.0.1\nuser root\n{lines}\n")
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, login: str = "") -> str:
        return f"mqtt://{login + '@' if login else ''}127.0.0.1:{self.port}"

    def start(self) -> None:
        assert MOSQUITTO is not None
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline_s = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self._process.poll() is None, "mosquitto refuses its configuration"
                assert time.monotonic() < deadline_s, "mosquitto does not listen"
                time.sleep(0.02)

    def tell(self, number: Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def end(self, number: Signals = Signals.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None
