"""Two daemons; the one in charge stands still (SIGSTOP): the other takes over, and who wakes cannot write.

One band never notices and goes on speaking to the frozen one; the others come to the one that works.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos_fleet import Fleet, Receiver, all_is_told, in_haste, judge, settle, until
from chaos_run import SEED, WHOLE, announce, only_whole
from mqtt_world import Mosquitto, needs_mosquitto
from precinct_of_bands import wearers
from program import Daemon

from simulators.mqtt import Server, parse_url

pytestmark = [pytest.mark.chaos, needs_mosquitto]
TURNS = 4 if WHOLE else 1
TAKES_OVER_S = 15.0
SLEEPS_ON_S = (1.0, 20.0) if WHOLE else (1.0, 2.0)
STANDBY = (503, "standby: another daemon is in charge")


@only_whole
@pytest.mark.timeout(900)
async def test_who_wakes_after_another_took_over_cannot_write(
    tmp_path: Path, database_url: str, mosquitto: Mosquitto, daemon: Callable[..., Daemon]
) -> None:
    announce(f"{TURNS} frozen leaders")
    rng = random.Random(SEED)
    everyone = wearers(12)
    passwords = settle(everyone, tmp_path, database_url)
    receiver = Receiver()
    async with receiver.listening():
        leads, waits = (daemon(mqtt=mosquitto.url(), endpoint=True, **in_haste(receiver)) for _ in range(2))
        fleet = Fleet(everyone, parse_url(mosquitto.url()), Server("127.0.0.1", leads.device_port), passwords)
        await asyncio.to_thread(leads.start)
        waits.start(wait=False)
        await until(lambda: waits.readyz() == STANDBY, "the second waits")
        idle = [one for one in everyone if one.does != "nothing"]
        rng.shuffle(idle)
        async with fleet.reporting():
            for turn in range(TURNS):
                for _ in range(-(-len(idle) // (TURNS - turn))):
                    idle.pop().since_ms = time.time_ns() // 1_000_000
                await asyncio.sleep(rng.uniform(1, 3))
                await _freeze(leads, waits, fleet, rng)
                leads, waits = waits, leads
            await asyncio.sleep(8)  # who walks out has to be seen outside before it is over
        await all_is_told(fleet, database_url, receiver)
        assert [await asyncio.to_thread(one.stop) for one in (waits, leads)] == [0, 0]
    judge(fleet, database_url, receiver)


async def _freeze(leads: Daemon, waits: Daemon, fleet: Fleet, rng: random.Random) -> None:
    bands = [one for one in fleet.everyone if one.number % 2]
    stubborn = rng.choice(bands)
    leads.tell(signal.SIGSTOP)
    frozen_s = time.monotonic()
    elsewhere = Server("127.0.0.1", waits.device_port)
    for one in bands:
        if one is not stubborn:
            fleet.move(one, elsewhere)
    await until(lambda: waits.readyz()[0] == 200, "the standby has taken over", 60)
    took_s = time.monotonic() - frozen_s
    print(f"chaos: taken over {took_s:.1f} s after the leader froze", flush=True)
    assert took_s <= TAKES_OVER_S

    await asyncio.sleep(rng.uniform(*SLEEPS_ON_S))
    acknowledged = _acknowledged(fleet, stubborn.device_id)
    leads.tell(signal.SIGCONT)
    await until(lambda: leads.readyz() == STANDBY, "who was frozen knows that it is over", 15)
    await asyncio.sleep(1)
    assert _acknowledged(fleet, stubborn.device_id) == acknowledged
    assert waits.readyz()[0] == 200
    assert waits.metric("leader") == 1
    fleet.move(stubborn, elsewhere)


def _acknowledged(fleet: Fleet, device_id: str) -> int:
    return sum(f"/{device_id}/" in fleet.messages[n].topic for n in fleet.ledger.acked)
