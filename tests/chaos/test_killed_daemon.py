"""The daemon is killed and frozen at random moments under load: nothing is lost, nothing is there twice.

Half of the devices speak through a broker, half to the daemon's own endpoint, to the same daemon at once.
A slice here; ``make chaos`` kills and freezes a dozen times, ``make chaos KILLS=50 FREEZES=10 FROZEN_S=60
SEED=7`` as often as told.  The seed is printed.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import pytest
from chaos_fleet import Fleet, Receiver, all_is_told, in_haste, judge, settle
from chaos_run import SEED, WHOLE, announce
from mqtt_world import Mosquitto, needs_mosquitto
from precinct_of_bands import wearers
from program import Daemon

from simulators.mqtt import Server, parse_url

pytestmark = [pytest.mark.chaos, needs_mosquitto]
KILLS = int(os.environ.get("KILLS") or (12 if WHOLE else 2))
FREEZES = int(os.environ.get("FREEZES") or (4 if WHOLE else 1))
FROZEN_S = float(os.environ.get("FROZEN_S") or (20 if WHOLE else 3))
PEOPLE = 36
EARLY_KILLS = 0.25  # this share is killed while it is still starting


@pytest.mark.timeout(7_200)
async def test_killed_again_and_again_it_loses_nothing_and_pages_nobody_twice(
    tmp_path: Path, database_url: str, mosquitto: Mosquitto
) -> None:
    announce(f"{KILLS} kills and {FREEZES} freezes of {FROZEN_S:g} s")
    rng = random.Random(SEED)
    everyone = wearers(PEOPLE)
    passwords = settle(everyone, tmp_path, database_url)
    receiver = Receiver()
    async with receiver.listening():
        daemon = Daemon(tmp_path, database_url, mqtt=mosquitto.url(), endpoint=True, **in_haste(receiver))
        fleet = Fleet(
            everyone, parse_url(mosquitto.url()), Server("127.0.0.1", daemon.device_port), passwords
        )
        try:
            await asyncio.to_thread(daemon.start)
            await _killed(daemon, fleet, rng)
            await all_is_told(fleet, database_url, receiver)
        finally:
            if daemon.alive:
                daemon.tell(signal.SIGCONT)
                await asyncio.to_thread(daemon.stop)
    judge(fleet, database_url, receiver)


async def _killed(daemon: Daemon, fleet: Fleet, rng: random.Random) -> None:
    """Kill or freeze, and start again, while everyone reports and now and then somebody does something."""
    idle = [one for one in fleet.everyone if one.does != "nothing"]
    rng.shuffle(idle)
    faults = ["kill"] * KILLS + ["freeze"] * FREEZES
    rng.shuffle(faults)
    async with fleet.reporting():
        for number, fault in enumerate(faults):
            for _ in range(-(-len(idle) // (len(faults) - number))):
                idle.pop().since_ms = time.time_ns() // 1_000_000
            if rng.random() >= EARLY_KILLS:
                await asyncio.to_thread(daemon.wait_ready)
                await asyncio.sleep(rng.uniform(0, 1))
            else:
                await asyncio.sleep(rng.uniform(0, 2))
            if fault == "freeze":
                daemon.tell(signal.SIGSTOP)
                await asyncio.sleep(FROZEN_S)
                daemon.tell(signal.SIGCONT)
            else:
                daemon.kill()
                daemon.start(wait=False)
        await asyncio.to_thread(daemon.wait_ready)
        # Who walks out has to be seen outside before it is over.
        await asyncio.sleep(8)
