"""Both edges of summer time under load, in a zone that has it: no page is missed, doubled or moved.

The machine's clock is shifted so that the edge falls into the test.  Where hours begin with the edge (02:00
becomes 03:00) who is out by then is in breach from that moment; where they last over it (03:00 becomes 02:00,
so they last an hour longer) a breach goes on and is told once.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from chaos_fleet import Fleet, Receiver, all_is_told, in_haste, judge, rows, settle
from chaos_run import SEED, announce, only_whole
from precinct_of_bands import LADDER, STEP_S, Wearer, wearers
from program import Daemon
from shifted_clock import Shift

from corrections_monitor.model.schedule import parse_schedule
from simulators.mqtt import Server

pytestmark = [pytest.mark.chaos, only_whole]
ZONE = ZoneInfo("Europe/Berlin")
WITHIN_S = 1.0
LEAD_S, AFTER_S = (
    30.0,
    12.0,
)  # of the edge, from before the daemon starts; how long somebody still does something
CURFEWS = 6
HOURS = {"spring": ("03:00", "05:00"), "autumn": ("00:00", "03:00")}


def next_edge_ms(which: str) -> int:
    """When the clocks of the zone go forward (spring) or back (autumn) next, two days from now or later."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    while True:
        before, after = ((hour + timedelta(hours=n)).astimezone(ZONE).utcoffset() for n in (-1, 0))
        assert before is not None
        assert after is not None
        if before != after and (after > before) == (which == "spring"):
            return int(hour.timestamp()) * 1_000
        hour += timedelta(hours=1)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("which", ["spring", "autumn"])
async def test_an_edge_of_summer_time_neither_misses_nor_doubles_nor_moves_a_page(
    tmp_path: Path, database_url: str, daemon: Callable[..., Daemon], which: str
) -> None:
    announce(f"the clocks change in {which}")
    rng, edge_ms = random.Random(SEED), next_edge_ms(which)
    everyone = wearers(24) + [Wearer(24 + n, "curfew") for n in range(CURFEWS)]
    first, last = HOURS[which]
    night = parse_schedule([{"days": "Mo-Su", "from": first, "to": last}])
    shift, receiver = Shift(tmp_path), Receiver()
    shift_ms = edge_ms - round(LEAD_S * 1_000) - time.time_ns() // 1_000_000
    passwords = settle(everyone, tmp_path, database_url, shift_ms=shift_ms, night=night)
    shift.by(shift_ms)
    async with receiver.listening():
        settings = in_haste(receiver) | {
            "CORRECTIONS_SITE__TIMEZONE": ZONE.key,
            "CORRECTIONS_RULES__SEVERITY__CURFEW": "critical",
            "CORRECTIONS_RULES__LADDER__CRITICAL": LADDER,
        }
        run = daemon(endpoint=True, **settings, **shift.environ(300))
        server = Server("127.0.0.1", run.device_port)
        fleet = Fleet(everyone, None, server, passwords, shift_ms=shift_ms)
        await asyncio.to_thread(run.start)
        assert fleet.now_ms() < edge_ms, "the edge came before the daemon: raise LEAD_S"
        async with fleet.reporting():
            idle = [one for one in everyone if one.does != "nothing"]
            rng.shuffle(idle)
            # Half before the edge, so that ladders are under way when it comes, half behind it.
            before_ms = edge_ms - fleet.now_ms()
            begins = sorted(rng.uniform(0, before_ms) for _ in idle[::2])
            begins += sorted(before_ms + rng.uniform(0, AFTER_S * 1_000) for _ in idle[1::2])
            began_ms = fleet.now_ms()
            for one, begin_ms in zip(idle[::2] + idle[1::2], begins, strict=True):
                await asyncio.sleep(max(0.0, began_ms + begin_ms - fleet.now_ms()) / 1_000)
                one.since_ms = fleet.now_ms()
            await asyncio.sleep(12)  # who walks out has to be seen outside before it is over
        await all_is_told(fleet, database_url, receiver)
        assert run.readyz()[0] == 200
        assert await asyncio.to_thread(run.stop) == 0
    judge(fleet, database_url, receiver)
    off_s = max(receiver.off_s(STEP_S))
    print(f"chaos: no step of a ladder was off by more than {off_s:.2f} s", flush=True)
    assert off_s <= WITHIN_S
    breaches = rows(database_url, "SELECT person_id, started_ms FROM episodes WHERE kind = 'curfew'")
    assert len(breaches) == CURFEWS
    for person_id, started_ms in breaches:
        (one,) = (one for one in everyone if one.person_id == person_id)
        assert one.since_ms is not None
        assert isinstance(started_ms, int)
        out_ms = one.since_ms + 3_000  # 30 m at 10 m/s
        begins_ms = max(out_ms, edge_ms) if which == "spring" else out_ms
        assert abs(started_ms - begins_ms) <= WITHIN_S * 1_000 + 1_000, (one, started_ms - begins_ms)
    assert rows(database_url, "SELECT reason, count(*) FROM quarantine GROUP BY 1") == []
    assert rows(database_url, "SELECT count(*) FROM episodes WHERE kind LIKE 'silence%'") == [(0,)]
