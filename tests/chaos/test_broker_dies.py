"""The broker is stopped, killed and restarted under 500 messages a second: what it lost is seen, then filled.

A broker acknowledges what it only holds in memory; killed, it takes that with it.  Which numbers those are is
known here from the devices' own account.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest
from chaos_fleet import rows, settle, until
from chaos_run import SEED, announce, only_whole
from mqtt_world import Mosquitto, needs_mosquitto
from precinct_of_bands import LAT, LON, wearers
from program import Daemon

from simulators import encode
from simulators.mqtt import Server, parse_url
from simulators.sender import Sender

pytestmark = [pytest.mark.chaos, needs_mosquitto]
DEVICES, PER_S = 20, 500
FAULTS = ["stop", "kill", "restart"] * 4
INTERVAL_S = 1
GAP_WITHIN_MS = 2 * INTERVAL_S * 1_000
DEAF_S = 1.5  # the daemon is dead for so long before a kill, so that the broker has something to lose
PERSISTENT = """allow_anonymous true
max_queued_messages 1000000000
max_inflight_messages 65535
persistence true
persistence_location {}/
"""


@pytest.fixture
def keeping_broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that writes its queue down when it is stopped, as the shipped one does."""
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = Mosquitto(tmp_path, PERSISTENT.format(folder))
    broker.start()
    yield broker
    broker.end()


class Sent(NamedTuple):
    device_id: str
    seq: int


@dataclass
class Counting:
    """Devices that number what they send; the account of what the broker acknowledged."""

    server: Server
    names: list[str]
    sent_ms: dict[Sent, int] = field(default_factory=dict)  # event time of its only fix
    acked: set[Sent] = field(default_factory=set)
    senders: dict[str, Sender[Sent]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.names:
            self.senders[name] = Sender(self.server, name, lambda key, _: self.acked.add(key))

    def say(self, key: Sent) -> None:
        """The message of this number; said again, it is the same.  No two of a device are of one time."""
        before_ms = self.sent_ms.get(Sent(key.device_id, key.seq - 1), 0)
        t_ms = self.sent_ms.setdefault(key, max(time.time_ns() // 1_000_000, before_ms + 1))
        payload = encode.fix_payload(key.seq, [encode.fix(t_ms, LON, LAT, 5.0)], 80)
        self.senders[key.device_id].put(key, encode.fix_topic("county", key.device_id), payload)

    async def report(self) -> None:
        """Everyone in turn, ``PER_S`` in all, until cancelled."""
        began_s, number = time.monotonic(), 0
        while True:
            for name in self.names:
                self.say(Sent(name, number))
            number += 1
            await asyncio.sleep(began_s + number * len(self.names) / PER_S - time.monotonic())

    async def quiet(self) -> None:
        """Until all that was said is acknowledged."""
        async with asyncio.timeout(60):
            for sender in self.senders.values():
                await sender.idle.wait()


@only_whole
@pytest.mark.timeout(900)
async def test_what_a_broker_lost_is_a_gap_and_no_more_once_it_was_sent_again(
    tmp_path: Path, database_url: str, keeping_broker: Mosquitto, daemon: Callable[..., Daemon]
) -> None:
    announce(f"the broker: {', '.join(FAULTS)}, at {PER_S} messages/s")
    rng = random.Random(SEED)
    everyone = wearers(DEVICES)
    settle(everyone, tmp_path, database_url, INTERVAL_S)
    run = daemon(mqtt=keeping_broker.url())
    await asyncio.to_thread(run.start)
    fleet = Counting(parse_url(keeping_broker.url()), [one.device_id for one in everyone])
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(s.run()) for s in fleet.senders.values()]
        reporting = group.create_task(fleet.report())
        for fault in FAULTS:
            await asyncio.sleep(rng.uniform(2, 4))
            await _befall(keeping_broker, run, fault, rng)
        await until(lambda: run.readyz()[0] == 200, "the daemon finds its broker")
        await asyncio.sleep(GAP_WITHIN_MS / 1_000 + 1)
        reporting.cancel()
        await fleet.quiet()
        await _all_taken_in(fleet, database_url)
        await asyncio.sleep(GAP_WITHIN_MS / 1_000 + 1)
        missing = fleet.acked - _stored(database_url, fleet).keys()
        gaps = _gaps(database_url)
        print(f"chaos: {len(fleet.acked)} acknowledged, {len(missing)} lost in {len(gaps)} gaps", flush=True)
        assert missing, "the broker lost nothing: the test shows nothing"
        _each_is_told_in_time(missing, gaps, _stored(database_url, fleet))

        for key in sorted(missing):
            fleet.say(key)
        await fleet.quiet()
        await until(lambda: fleet.acked == _stored(database_url, fleet).keys(), "all is stored")
        await until(lambda: not any(gap.open for gap in _gaps(database_url)), "no gap is left")
        for task in tasks:
            task.cancel()
    assert len(rows(database_url, "SELECT 1 FROM fixes")) == len(fleet.sent_ms)
    assert await asyncio.to_thread(run.stop) == 0


async def _befall(broker: Mosquitto, run: Daemon, fault: str, rng: random.Random) -> None:
    if fault == "kill":
        run.kill()
        await asyncio.sleep(DEAF_S)
        broker.end(signal.SIGKILL)
        run.start(wait=False)
    else:
        broker.end()
    if fault != "restart":
        await asyncio.sleep(rng.uniform(0.5, 3))
    broker.start()


async def _all_taken_in(fleet: Counting, url: str) -> None:
    """Until the last of every device is stored: what is not there then was lost."""
    last = {Sent(name, max(k.seq for k in fleet.acked if k.device_id == name)) for name in fleet.names}
    await until(lambda: last <= _stored(url, fleet).keys(), "the newest is stored")


class Gap(NamedTuple):
    device_id: str
    first: int
    last: int
    detected_ms: int
    open: bool


def _gaps(url: str) -> list[Gap]:
    found = rows(
        url,
        """SELECT evidence->>'device', (evidence->>'first')::int, (evidence->>'last')::int, detected_ms,
                  ended_ms IS NULL FROM episodes WHERE kind = 'data.gap'""",
    )
    return [Gap(*row) for row in found]  # type: ignore[arg-type]


def _stored(url: str, fleet: Counting) -> dict[Sent, int]:
    """What is stored, with its arrival; which number it had, the device knows."""
    by_time = {(key.device_id, t_ms): key for key, t_ms in fleet.sent_ms.items()}
    found = rows(url, "SELECT device_id, t_ms, arrival_ms FROM fixes JOIN device_numbers USING (device_no)")
    return {by_time[device_id, t_ms]: arrival for device_id, t_ms, arrival in found}  # type: ignore


def _each_is_told_in_time(missing: set[Sent], gaps: list[Gap], stored: dict[Sent, int]) -> None:
    """Every missing number lies in an open gap told two intervals after a higher came; none is empty."""
    arrivals = defaultdict[str, list[tuple[int, int]]](list)
    for key, arrival_ms in stored.items():
        arrivals[key.device_id].append((key.seq, arrival_ms))
    for device_id, seq in sorted(missing):
        noticed_ms = min(arrival for n, arrival in arrivals[device_id] if n > seq)
        told = [
            gap for gap in gaps if gap.open and gap.device_id == device_id and gap.first <= seq <= gap.last
        ]
        assert len(told) == 1, (device_id, seq, told)
        assert 0 <= told[0].detected_ms - noticed_ms <= GAP_WITHIN_MS, (device_id, seq, told, noticed_ms)
    for gap in gaps:
        within = {n for d, n in missing if d == gap.device_id and gap.first <= n <= gap.last}
        assert bool(within) == gap.open, gap
