"""The database is stopped, or hangs, under load: nothing is acknowledged, hoarded or lost; people are told.

``make chaos AWAY_S=600`` keeps it away for ten minutes.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chaos_fleet import Fleet, Receiver, all_is_told, in_haste, judge, rows, settle, until
from chaos_run import SEED, announce, only_whole
from mqtt_world import Mosquitto, needs_mosquitto
from precinct_of_bands import wearers
from program import Daemon

from corrections_monitor.store.embedded import EmbeddedServer
from corrections_monitor.store.migrate import migrate
from simulators.mqtt import Server, parse_url

pytestmark = [pytest.mark.chaos, only_whole, needs_mosquitto]
AWAY_S = float(os.environ.get("AWAY_S") or 60)
SAYS_SO_S, TELLS_S, DRAINED_S, MORE_MB = 5.0, 30.0, 60.0, 50.0
PATIENCE_S = 30  # with a silent device: shorter than we are deaf ourselves
ON_THE_WAY_S = 1.0  # what was committed before may still be acknowledged for so long
PADDING = int(min(20_000, 1_200_000 / AWAY_S))  # bytes of each message: what is hoarded would show


@pytest.fixture
def postgresql(server_folder: Path) -> Iterator[Callable[[], EmbeddedServer]]:
    """A PostgreSQL that only this test has; each call starts it (again)."""
    running: list[EmbeddedServer] = []

    def start() -> EmbeddedServer:
        running[:] = [EmbeddedServer.start(server_folder / "postgresql", {"fsync": "off"})]
        return running[0]

    yield start
    for server in running:
        _tell_all(server, signal.SIGCONT)
        server.stop()


def _tell_all(server: EmbeddedServer, number: signal.Signals) -> None:
    """The server and every process it made."""
    pid_file = server.data_dir / "postmaster.pid"
    if pid_file.exists():
        pid = int(pid_file.read_text().split()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, children)):
            os.kill(one, number)


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("how", ["is stopped", "hangs"])
async def test_while_the_database_is_away_nothing_is_acknowledged_and_nothing_lost(
    tmp_path: Path, mosquitto: Mosquitto, postgresql: Callable[[], EmbeddedServer], how: str
) -> None:
    announce(f"the database {how} for {AWAY_S:g} s")
    rng = random.Random(SEED)
    server = postgresql()
    url = server.url()
    migrate(url)
    everyone = wearers(60)
    passwords = settle(everyone, tmp_path, url, report_every_s=PATIENCE_S // 3)
    receiver = Receiver()
    async with receiver.listening():
        settings = in_haste(receiver) | {"CORRECTIONS_DETECTION__SILENCE_MIN": f"{PATIENCE_S}s"}
        daemon = Daemon(tmp_path, url, mqtt=mosquitto.url(), endpoint=True, **settings)
        fleet = Fleet(
            everyone, parse_url(mosquitto.url()), Server("127.0.0.1", daemon.device_port), passwords, PADDING
        )
        try:
            await asyncio.to_thread(daemon.start)
            async with fleet.reporting(DRAINED_S):
                idle = [one for one in everyone if one.does != "nothing"]
                rng.shuffle(idle)
                for number in range(2):
                    for _ in range(len(idle) // 2):
                        idle[_ + number * len(idle) // 2].since_ms = time.time_ns() // 1_000_000
                    await asyncio.sleep(rng.uniform(2, 4))
                    if number == 0:
                        await _away(daemon, server, fleet, receiver, how, postgresql)
                await asyncio.sleep(6)  # who walks out has to be seen outside before it is over
            await all_is_told(fleet, url, receiver)
        finally:
            if daemon.alive:
                await asyncio.to_thread(daemon.stop)
    judge(fleet, url, receiver)
    assert rows(url, "SELECT kind FROM episodes WHERE kind LIKE 'silence%' OR kind = 'outage'") == []
    assert set(receiver.words.values()) == {1}, receiver.words
    assert set(receiver.words) == {"blind", "back"}


async def _away(
    daemon: Daemon,
    server: EmbeddedServer,
    fleet: Fleet,
    receiver: Receiver,
    how: str,
    start: Callable[[], EmbeddedServer],
) -> None:
    before_mb, pid = daemon.memory_mb(), daemon.pid
    began_s = time.monotonic()
    if how == "is stopped":
        await asyncio.to_thread(server.stop)
    else:
        _tell_all(server, signal.SIGSTOP)
    said_s = await until(lambda: daemon.readyz()[0] == 503, "it says that it is blind")
    await asyncio.sleep(max(0.0, ON_THE_WAY_S - said_s))
    taken_in = fleet.taken_in()
    told_s, most_mb = None, before_mb
    while told_s is None or time.monotonic() - began_s < AWAY_S:
        await asyncio.sleep(0.5)
        most_mb = max(most_mb, daemon.memory_mb())
        if told_s is None and receiver.words["blind"]:
            told_s = time.monotonic() - began_s
        assert told_s is not None or time.monotonic() - began_s < TELLS_S, "nobody was told"
        assert daemon.get("/healthz")[0] == 200
    assert fleet.taken_in() == taken_in
    waited = len(fleet.messages) - len(fleet.ledger.acked)
    if how == "is stopped":
        await asyncio.to_thread(start)
    else:
        _tell_all(server, signal.SIGCONT)
    sight_s = await until(lambda: daemon.readyz()[0] == 200, "it sees again", DRAINED_S)
    back_s = await until(lambda: receiver.words["back"], "that it sees again is told", DRAINED_S)
    print(
        f"chaos: 503 after {said_s:.1f} s, told after {told_s:.1f} s, memory +{most_mb - before_mb:.0f} MB, "
        f"{waited} messages waited; in sight after {sight_s:.1f} s, told "
        f"after {back_s:.1f} s",
        flush=True,
    )
    assert said_s <= SAYS_SO_S
    assert most_mb - before_mb <= MORE_MB
    assert daemon.pid == pid
    assert daemon.alive
