"""A house that is watched: database, daemon and API as real processes, and who is told when sight is lost."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from subprocess import Popen

from mqtt_world import until
from receivers import HttpReceiver, Post
from town import TOWN

from corrections_monitor.clock import SystemClock
from corrections_monitor.model.cases import Device, DeviceKind, Duty, Order
from corrections_monitor.model.times import ALWAYS
from corrections_monitor.store import Store
from corrections_monitor.store.embedded import EmbeddedServer
from corrections_monitor.store.migrate import migrate

TOLD_WITHIN_S = 30.0
TELL_AFTER_S, TELL_AFTER_DEFAULT_S = 3.0, 10.0
# What a machine tells as wall time, shifted at the one place that reads it.
_SHIM = """
import os, pathlib
from corrections_monitor import clock

machine = clock.SystemClock.wall_ms
clock.SystemClock.wall_ms = lambda self: machine(self) + int(pathlib.Path(os.environ["SHIFT"]).read_text())
"""


@dataclass
class House:
    """``duty`` is all the county's duty reads, ``platform`` a webhook, ``outside`` the dead man's switch."""

    folder: Path
    server: EmbeddedServer
    duty: HttpReceiver
    platform: HttpReceiver
    outside: HttpReceiver
    environ: dict[str, str]
    daemons: list[Popen[bytes]] = field(default_factory=list)
    others: list[Popen[bytes]] = field(default_factory=list)

    @property
    def daemon(self) -> Popen[bytes]:
        return self.daemons[-1]

    def start_daemon(self) -> None:
        self.daemons.append(self._start("run"))

    def start_api(self) -> None:
        self.others.append(self._start("serve"))

    def shift_clock(self, by_ms: int) -> None:
        """The daemon's machine tells another time."""
        partial = self.folder / "shift.new"
        partial.write_text(str(by_ms))
        partial.replace(self.folder / "shift")

    def said(self) -> list[str]:
        """What the county's duty has been told of sight so far, by its first word."""
        titles = [json.loads(post.body)["title"] for post in self.duty.posts]
        return [title.partition("】")[0] for title in titles if "监测" in title]

    async def is_told(self, *words: str, within_s: float = TOLD_WITHIN_S) -> None:
        """All that has been said by then, in order."""
        since_s = time.monotonic()
        # What is not waited for here would be waited for where nobody set watch.tell_after.
        await until(lambda: self.said() == list(words), within_s - (TELL_AFTER_DEFAULT_S - TELL_AFTER_S))
        assert time.monotonic() - since_s < within_s

    def text(self) -> str:
        """The last message to the duty."""
        return str(json.loads(self.duty.posts[-1].body)["message"])

    def alerts(self) -> list[dict[str, object]]:
        """Of blindness, as the platform was given them."""
        return [alert for post in self.platform.posts if (alert := self._alert(post)).get("blind")]

    @staticmethod
    def _alert(post: Post) -> dict[str, object]:
        return dict(json.loads(post.body))

    def _start(self, verb: str) -> Popen[bytes]:
        with (self.folder / f"{verb}.log").open("ab") as out:
            call = [sys.executable, "-m", "corrections_monitor.cli", verb]
            return Popen(call, env=self.environ, stdout=out, stderr=out)

    def end(self) -> None:
        for child in (*self.daemons, *self.others):
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
                child.terminate()
                child.wait(20)


@asynccontextmanager
async def house(folder: Path, **settings: str) -> AsyncIterator[House]:
    """In sight when the block begins; everything has ended after it."""
    server = await asyncio.to_thread(EmbeddedServer.start, folder / "data", {"fsync": "off"})
    async with HttpReceiver() as duty, HttpReceiver() as platform, HttpReceiver() as outside:
        await _prepare(server.url(), duty.url.replace("http://", "json://"))
        environ = {
            **os.environ,
            "PYTHONPATH": str(folder),
            "SHIFT": str(folder / "shift"),
            "CORRECTIONS_DATABASE_URL": server.url(),
            "CORRECTIONS_STATE_DIR": str(folder / "state"),
            "CORRECTIONS_DEVICE_LISTEN": f"127.0.0.1:{_free_port()}",
            "CORRECTIONS_RUN_LISTEN": f"127.0.0.1:{_free_port()}",
            "CORRECTIONS_HTTP_LISTEN": f"127.0.0.1:{_free_port()}",
            "CORRECTIONS_WATCH__TELL_AFTER": f"{TELL_AFTER_S}s",
            "CORRECTIONS_WATCH__HEARTBEAT_URL": outside.url,
            "CORRECTIONS_WATCH__HEARTBEAT_EVERY": "1s",
            "CORRECTIONS_PAGING__WEBHOOKS__PLATFORM__URL": platform.url,
            "CORRECTIONS_PAGING__WEBHOOKS__PLATFORM__SECRET": "0123456789abcdef",
            **settings,
        }
        (folder / "sitecustomize.py").write_text(_SHIM)
        found = House(folder, server, duty, platform, outside, environ)
        found.shift_clock(0)
        try:
            found.start_daemon()
            found.start_api()
            await until(lambda: (folder / "state" / "watch.json").exists() and outside.posts, 40)
            yield found
        finally:
            await asyncio.to_thread(found.end)
            await asyncio.to_thread(found.server.stop)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _prepare(url: str, mail_to: str) -> None:
    """The town with p1 and ``strict`` under order; the county's duty is told by ``mail_to`` alone."""
    everyone = ("p1", "strict")
    cases = replace(
        TOWN,
        officers={n: replace(o, channels=(mail_to,)) for n, o in TOWN.officers.items()},
        duty={
            (d.office_id, d.officer_id, 0): Duty(d.office_id, d.officer_id, ALWAYS)
            for d in TOWN.duty.values()
        },
        orders={p: Order(p, p, "29.2", "head", date(2026, 1, 1), ALWAYS) for p in everyone},
        devices={(f"band-{p}", ALWAYS.from_ms): Device(f"band-{p}", DeviceKind.BAND, p) for p in everyone},
    )
    await asyncio.to_thread(migrate, url)
    store = await Store.open(url, "owner", max_size=2)
    await store.save_cases(cases, "test", SystemClock().wall_ms())
    await store.close()
