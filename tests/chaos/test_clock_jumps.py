"""The machine's clock jumps under load, and a machine starts with a slow one.

The daemon's processes are real; what the machine tells them as wall time is shifted at the one place that
reads it, by as much as a file says.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos_fleet import Fleet, Receiver, all_is_told, in_haste, judge, rows, settle, until
from chaos_run import SEED, WHOLE, announce, only_whole
from precinct_of_bands import STEP_S, Wearer, wearers
from program import Daemon
from shifted_clock import Shift

from simulators.mqtt import Server

pytestmark = pytest.mark.chaos
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
JUMPS_MS = (HOUR_MS, -HOUR_MS, DAY_MS, -DAY_MS)
LASTS_S, SAYS_SO_S = 5.0, 5.0
WITHIN_S = 1.0  # of a step against its own time
STEADY_S = 3.0


@only_whole
@pytest.mark.timeout(600)
async def test_jumps_neither_miss_nor_double_nor_move_a_page(
    tmp_path: Path, database_url: str, daemon: Callable[..., Daemon]
) -> None:
    rng = random.Random(SEED)
    jumps_ms = rng.sample(JUMPS_MS, len(JUMPS_MS))
    announce(f"the clock jumps by {jumps_ms} ms")
    everyone, shift, receiver = wearers(24), Shift(tmp_path), Receiver()
    passwords = settle(everyone, tmp_path, database_url)
    async with receiver.listening():
        run = daemon(endpoint=True, **in_haste(receiver), **shift.environ(300))
        fleet = Fleet(everyone, None, Server("127.0.0.1", run.device_port), passwords)
        await asyncio.to_thread(run.start)
        async with fleet.reporting():
            idle = _idle(everyone, rng)
            for number, jump_ms in enumerate(jumps_ms):
                for _ in range(-(-len(idle) // (len(jumps_ms) - number))):
                    idle.pop().since_ms = time.time_ns() // 1_000_000
                await asyncio.sleep(rng.uniform(0, 3))
                shift.by(jump_ms)
                told = f"the clock jumped by {jump_ms // 1_000:+d} s"
                await until(lambda told=told: run.readyz() == (503, told), told, SAYS_SO_S)  # type: ignore
                await asyncio.sleep(LASTS_S)
                shift.by(0)
                await until(lambda: run.readyz()[0] == 200, "the clock is believed again", SAYS_SO_S)
            await asyncio.sleep(8)  # who walks out has to be seen outside before it is over
        await all_is_told(fleet, database_url, receiver)
        assert await asyncio.to_thread(run.stop) == 0
    judge(fleet, database_url, receiver)
    off_s = max(receiver.off_s(STEP_S))
    print(f"chaos: no step of a ladder was off by more than {off_s:.2f} s", flush=True)
    assert off_s <= WITHIN_S
    assert rows(database_url, "SELECT reason, count(*) FROM quarantine GROUP BY 1") == []
    assert rows(database_url, "SELECT count(*) FROM episodes WHERE kind LIKE 'silence%'") == [(0,)]


def _idle(everyone: list[Wearer], rng: random.Random) -> list[Wearer]:
    idle = [one for one in everyone if one.does != "nothing"]
    rng.shuffle(idle)
    return idle


@only_whole
@pytest.mark.timeout(300)
@pytest.mark.parametrize("slow_ms", (HOUR_MS, DAY_MS) if WHOLE else (HOUR_MS,))
async def test_what_looked_future_dated_to_a_slow_clock_is_judged_once_the_clock_is_right(
    tmp_path: Path, database_url: str, daemon: Callable[..., Daemon], slow_ms: int
) -> None:
    announce(f"the machine starts {slow_ms} ms slow")
    rng = random.Random(SEED)
    everyone, shift, receiver = wearers(12), Shift(tmp_path), Receiver()
    passwords = settle(everyone, tmp_path, database_url)
    async with receiver.listening():
        run = daemon(endpoint=True, **in_haste(receiver), **shift.environ(STEADY_S))
        fleet = Fleet(everyone, None, Server("127.0.0.1", run.device_port), passwords)
        shift.by(-slow_ms)
        await asyncio.to_thread(run.start)
        async with fleet.reporting():
            await asyncio.sleep(2)
            for one in _idle(everyone, rng):
                one.since_ms = time.time_ns() // 1_000_000
            await asyncio.sleep(3)
            assert run.metric("quarantined_total", reason="future") > 0
            assert rows(database_url, "SELECT count(*) FROM fixes") == [(0,)]
            shift.by(0)
            await until(lambda: run.readyz()[0] == 503, "the clock was set", SAYS_SO_S)
            await until(lambda: run.readyz()[0] == 200, "it is believed", STEADY_S + 10)
            await asyncio.sleep(8)
        await all_is_told(fleet, database_url, receiver)
        left = "SELECT count(*) FROM quarantine"
        await until(lambda: rows(database_url, left) == [(0,)], "all that was kept has been judged")
        assert await asyncio.to_thread(run.stop) == 0
    judge(fleet, database_url, receiver)
    assert rows(database_url, "SELECT rows, bytes FROM quarantine_size") == [(0, 0)]
