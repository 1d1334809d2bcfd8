"""A database that is really stopped and a daemon that really hangs: the county's duty hears of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from subprocess import Popen

from mqtt_world import until
from receivers import HttpReceiver
from town import TOWN

from corrections_monitor.clock import SystemClock
from corrections_monitor.model.cases import Device, DeviceKind, Duty, Order
from corrections_monitor.model.times import ALWAYS
from corrections_monitor.store import Store
from corrections_monitor.store.embedded import EmbeddedServer
from corrections_monitor.store.migrate import migrate

TOLD_WITHIN_S = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(verb: str, environ: dict[str, str], log: Path) -> Iterator[Popen[bytes]]:
    with log.open("wb") as out:
        child = Popen(
            [sys.executable, "-m", "corrections_monitor.cli", verb], env=environ, stdout=out, stderr=out
        )
    try:
        yield child
    finally:
        child.send_signal(signal.SIGCONT)
        child.terminate()
        child.wait(20)


async def prepare(url: str, mail_to: str) -> None:
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


async def test_a_hanging_daemon_and_a_stopped_database_are_told_once_each(tmp_path: Path) -> None:
    data, state = tmp_path / "data", tmp_path / "state"
    server = await asyncio.to_thread(EmbeddedServer.start, data, {"fsync": "off"})
    try:
        async with HttpReceiver() as duty, HttpReceiver() as platform, HttpReceiver() as outside:
            await prepare(server.url(), duty.url.replace("http://", "json://"))
            environ = {
                **os.environ,
                "CORRECTIONS_DATABASE_URL": server.url(),
                "CORRECTIONS_STATE_DIR": str(state),
                "CORRECTIONS_DEVICE_LISTEN": f"127.0.0.1:{free_port()}",
                "CORRECTIONS_RUN_LISTEN": f"127.0.0.1:{free_port()}",
                "CORRECTIONS_HTTP_LISTEN": f"127.0.0.1:{free_port()}",
                "CORRECTIONS_WATCH__TELL_AFTER": "2s",
                "CORRECTIONS_WATCH__HEARTBEAT_URL": outside.url,
                "CORRECTIONS_WATCH__HEARTBEAT_EVERY": "1s",
                "CORRECTIONS_PAGING__WEBHOOKS__PLATFORM__URL": platform.url,
                "CORRECTIONS_PAGING__WEBHOOKS__PLATFORM__SECRET": "0123456789abcdef",
            }
            with (
                process("run", environ, tmp_path / "run.log") as daemon,
                process("serve", environ, tmp_path / "serve.log"),
            ):
                await until(lambda: (state / "watch.json").exists() and outside.posts, 40)

                def said() -> list[str]:
                    """Titles that the county's duty has read so far."""
                    titles = [json.loads(p.body)["title"] for p in duty.posts]
                    return [t.partition("】")[0] for t in titles if "监测" in t]

                hung_s = time.monotonic()
                daemon.send_signal(signal.SIGSTOP)
                await until(lambda: said() == ["【紧急"], TOLD_WITHIN_S)
                signs = len(outside.posts)
                assert time.monotonic() - hung_s < TOLD_WITHIN_S
                text = json.loads(duty.posts[-1].body)["message"]
                assert "1. 姓某" in text
                assert text.index("严管") < text.index("2. 姓某")
                (alert,) = [a for p in platform.posts if (a := json.loads(p.body)).get("blind")]
                assert [p["person_id"] for p in alert["check_by_hand"]] == ["strict", "p1"]
                assert len(outside.posts) == signs  # the dead man's switch is silent
                daemon.send_signal(signal.SIGCONT)
                await until(lambda: said() == ["【紧急", "【恢复"], TOLD_WITHIN_S)

                await asyncio.to_thread(server.stop)
                await until(lambda: said()[2:] == ["【紧急"], TOLD_WITHIN_S)
                server = await asyncio.to_thread(EmbeddedServer.start, data, {"fsync": "off"})
                await until(lambda: said()[2:] == ["【紧急", "【恢复"], TOLD_WITHIN_S)
                assert daemon.poll() is None
    finally:
        await asyncio.to_thread(server.stop)
