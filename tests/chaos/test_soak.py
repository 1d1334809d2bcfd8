"""Hours at 2,000 fixes a second: memory, open files and lag stay where they were.

``make soak`` runs two hours, ``make soak FOR=10m`` shorter; without ``FOR`` it is skipped.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from chaos_fleet import rows, settle
from chaos_run import SEED, announce
from precinct_of_bands import LAT, LON, wearers
from program import Daemon

from corrections_monitor.store.embedded import EmbeddedServer
from corrections_monitor.store.migrate import migrate
from simulators import encode
from simulators.mqtt import Server
from simulators.sender import Sender

FOR = os.environ.get("FOR")
DEVICES, FIXES_EACH, FIXES_PER_S = 100, 10, 2_000
WARM_UP = 0.2  # of the whole
LOOKS = 200
MEMORY_GROWS, FILES_GROW, LAG_GROWS, LAG_UNNOTICED_S = 0.02, 5, 1.5, 0.5

pytestmark = pytest.mark.skipif(FOR is None, reason="make soak FOR=10m")


def seconds(text: str) -> float:
    """``2h``, ``10m``, ``90s``."""
    found = re.fullmatch(r"(\d+)([hms])", text)
    assert found, f"FOR={text}: expected a number of h, m or s"
    return int(found[1]) * {"h": 3_600, "m": 60, "s": 1}[found[2]]


class Look(NamedTuple):
    memory_mb: float
    files: int
    lag_s: float  # the median of acknowledgements since the look before


@pytest.mark.timeout(0)
async def test_hours_leave_no_trace_but_rows(tmp_path: Path, server_folder: Path) -> None:
    lasts_s = seconds(FOR or "2h")
    announce(f"a soak of {lasts_s:.0f} s")
    with EmbeddedServer.start(server_folder / "postgresql") as server:
        url = server.url()
        migrate(url)
        everyone = wearers(DEVICES)
        passwords = settle(everyone, tmp_path, url)
        run = Daemon(tmp_path, url, endpoint=True)
        run.start()
        took_s: list[float] = []
        sent, looks = 0, list[Look]()

        def acked(put_s: float, refused: bool) -> None:
            assert not refused
            took_s.append(time.monotonic() - put_s)

        senders = []
        for one in everyone:
            login = Server("127.0.0.1", run.device_port, one.device_id, passwords[one.device_id])
            senders.append(Sender[float](login, one.device_id, acked))
        rng, last_ms = random.Random(SEED), time.time_ns() // 1_000_000 - 1_000
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(sender.run()) for sender in senders]
            began_s = time.monotonic()
            while (passed_s := time.monotonic() - began_s) < lasts_s:
                now_ms = time.time_ns() // 1_000_000
                for one, sender in zip(everyone, senders, strict=True):
                    # What a band kept since it spoke last: spread evenly, each a little elsewhere.
                    times = [last_ms + (now_ms - last_ms) * n // FIXES_EACH for n in range(1, FIXES_EACH + 1)]
                    fixes = [encode.fix(t, LON + rng.uniform(0, 1e-4), LAT, 5.0) for t in times]
                    topic = encode.fix_topic("county", one.device_id)
                    sender.put(time.monotonic(), topic, encode.fix_payload(None, fixes, 80))
                    sent += FIXES_EACH
                last_ms = now_ms
                if passed_s >= (len(looks) + 1) * lasts_s / LOOKS and took_s:
                    files = len(os.listdir(f"/proc/{run.pid}/fd"))
                    looks.append(Look(run.memory_mb(), files, statistics.median(took_s)))
                    took_s.clear()
                await asyncio.sleep(max(0.0, began_s + sent / FIXES_PER_S - time.monotonic()))
            async with asyncio.timeout(60):
                for sender in senders:
                    await sender.idle.wait()
            for task in tasks:
                task.cancel()
        stored = rows(url, "SELECT count(*) FROM fixes")
        assert run.alive
        assert run.stop() == 0
        assert stored == [(sent,)]
    _verdict(looks[int(WARM_UP * len(looks)) :])


def _verdict(looks: Sequence[Look]) -> None:
    """The last quarter against the first, by the median of each."""
    quarter = len(looks) // 4

    def ends(values: Sequence[float]) -> tuple[float, float]:
        return statistics.median(values[:quarter]), statistics.median(values[-quarter:])

    memory, files, lag = (ends(column) for column in zip(*looks, strict=True))
    print(
        f"soak: memory {memory[0]:.1f} → {memory[1]:.1f} MB ({memory[1] / memory[0] - 1:+.1%}), open files "
        f"{files[0]:.0f} → {files[1]:.0f}, lag {lag[0] * 1_000:.0f} → {lag[1] * 1_000:.0f} ms",
        flush=True,
    )
    within = {
        "memory": memory[1] <= memory[0] * (1 + MEMORY_GROWS),
        "open files": files[1] <= files[0] + FILES_GROW,
        "lag": lag[1] <= max(lag[0] * LAG_GROWS, LAG_UNNOTICED_S),
    }
    assert all(within.values()), within
