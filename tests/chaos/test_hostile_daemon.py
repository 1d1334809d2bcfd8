"""A real daemon under payloads and connections that mean harm, beside honest devices that must not notice.

What is sent is drawn from the seed; what must come of it is counted at the senders and in the database.
"""

from __future__ import annotations

import asyncio
import json
import math
import pickle
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from chaos_fleet import rows, settle, until
from chaos_run import SEED, WHOLE, announce, only_whole
from hostile_talkers import Account
from precinct_of_bands import LAT, LON, Wearer, wearers
from program import Daemon

from simulators import encode
from simulators.mqtt import Connection, Server
from simulators.sender import Sender

pytestmark = pytest.mark.chaos
PAYLOADS = 100_000 if WHOLE else 3_000
CONNECTIONS = 10_000
TRIES = 1_000
TAKEOVERS = 1_000 if WHOLE else 20
REPLAYED = 10_000 if WHOLE else 1_000
TALKERS = str(Path(__file__).with_name("hostile_talkers.py"))
CROWD = str(Path(__file__).with_name("hostile_crowd.py"))
SLOWER_TIMES, UNNOTICED_S = 2.0, 0.3  # an honest device's p99: what is below is not felt
MORE_MB, CONNECTION_KB = 60.0, 24.0


@dataclass
class Honest:
    """Bands that report and clock how long each acknowledgement takes."""

    server: Server
    bands: list[Wearer]
    passwords: dict[str, str]
    took_s: list[float] = field(default_factory=list)
    sent: int = 0

    @asynccontextmanager
    async def reporting(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._report(band, group)) for band in self.bands]
            yield
            for task in tasks:
                task.cancel()

    async def _report(self, band: Wearer, group: asyncio.TaskGroup) -> None:
        name = band.device_id
        server = self.server.as_user(name, self.passwords[name])
        sender: Sender[float] = Sender(server, name, self._acked)
        sending = group.create_task(sender.run())
        try:
            while True:
                sender.put(time.monotonic(), *band.fixes(time.time_ns() // 1_000_000))
                self.sent += 1
                await asyncio.sleep(0.1)
        finally:
            sending.cancel()

    def _acked(self, put_s: float, refused: bool) -> None:
        assert not refused
        self.took_s.append(time.monotonic() - put_s)

    async def p99_s(self, seconds: float) -> float:
        """Over so long from now."""
        self.took_s.clear()
        await asyncio.sleep(seconds)
        return self.so_far()

    def so_far(self) -> float:
        return sorted(self.took_s)[math.ceil(0.99 * len(self.took_s)) - 1]


@dataclass
class World:
    """A daemon with eight bands: half honest, half not."""

    run: Daemon
    server: Server
    everyone: list[Wearer]
    passwords: dict[str, str]
    url: str

    @property
    def honest(self) -> Honest:
        return Honest(self.server, self.everyone[:4], self.passwords)

    @property
    def hostile(self) -> list[str]:
        return [one.device_id for one in self.everyone[4:]]

    def login(self, name: str) -> Server:
        return self.server.as_user(name, self.passwords[name])


@pytest.fixture
async def world(tmp_path: Path, database_url: str, daemon: Callable[..., Daemon]) -> AsyncIterator[World]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    everyone = wearers(8)
    passwords = settle(everyone, tmp_path, database_url)
    run = daemon(endpoint=True)
    await asyncio.to_thread(run.start)
    yield World(run, Server("127.0.0.1", run.device_port), everyone, passwords, database_url)
    assert run.alive, run.words()
    assert run.readyz()[0] == 200
    assert await asyncio.to_thread(run.stop) == 0


@pytest.mark.timeout(1_800)
async def test_hostile_payloads_are_counted_and_crash_nothing(world: World, tmp_path: Path) -> None:
    announce(f"{PAYLOADS} hostile payloads")
    honest, account = world.honest, tmp_path / "account"
    async with honest.reporting():
        before_s, before_mb = await honest.p99_s(4), world.run.memory_mb()
        honest.took_s.clear()
        logins = json.dumps({name: world.passwords[name] for name in world.hostile})
        asked = (world.server.port, PAYLOADS, SEED, account, logins)
        talkers = await asyncio.create_subprocess_exec(sys.executable, TALKERS, *map(str, asked))
        assert await talkers.wait() == 0
        under_s, more_mb = honest.so_far(), world.run.memory_mb() - before_mb
    told: Account = pickle.loads(account.read_bytes())
    reasons = Counter(dict(rows(world.url, "SELECT reason, count(*) FROM quarantine GROUP BY 1")))  # type: ignore
    print(
        f"chaos: {told.acknowledged} acknowledged over {told.reconnects} reconnects, quarantined "
        f"{dict(reasons)} ({told.rubbish.total()} rubbish); an honest p99 {before_s * 1_000:.0f} ms before, "
        f"{under_s * 1_000:.0f} ms under it; {more_mb:+.0f} MB",
        flush=True,
    )
    assert told.acknowledged == PAYLOADS
    assert told.reconnects == 0
    taken = world.run.metric("messages_total")
    assert PAYLOADS <= taken <= PAYLOADS + honest.sent
    counted = {reason: world.run.metric("quarantined_total", reason=reason) for reason in reasons}
    kept = sum(reasons.values()) + rows(world.url, "SELECT dropped FROM quarantine_size")[0][0]  # type: ignore
    assert sum(counted.values()) == kept
    assert kept >= PAYLOADS / 2
    found = rows(world.url, "SELECT payload FROM quarantine WHERE reason = 'undecodable'")
    assert not told.rubbish - Counter(bytes(body or b"") for (body,) in found)  # type: ignore[arg-type]
    assert more_mb <= MORE_MB
    if WHOLE:  # the slice runs beside others
        assert under_s <= max(SLOWER_TIMES * before_s, UNNOTICED_S)


@only_whole
@pytest.mark.timeout(600)
async def test_hostile_connections_are_bounded_and_honest_devices_do_not_notice(world: World) -> None:
    announce(f"{CONNECTIONS} hostile connections")
    honest, name = world.honest, world.hostile[0]
    async with honest.reporting():
        before_s, before_mb = await honest.p99_s(4), world.run.memory_mb()
        honest.took_s.clear()
        most_mb = before_mb
        asked = (world.server.port, CONNECTIONS, SEED, name, world.passwords[name])
        crowd = await asyncio.create_subprocess_exec(sys.executable, CROWD, *map(str, asked))
        gone = asyncio.create_task(crowd.wait())
        while not gone.done():
            await asyncio.sleep(0.5)
            most_mb = max(most_mb, world.run.memory_mb())
        assert gone.result() == 0
        under_s = honest.so_far()
        await until(
            lambda: world.run.metric("sources_connected", source="endpoint") == len(honest.bands),
            "the crowd is gone",
        )
    bound_mb = MORE_MB + CONNECTIONS * CONNECTION_KB / 1_024
    print(
        f"chaos: an honest p99 {before_s * 1_000:.0f} ms before, {under_s * 1_000:.0f} ms under it; memory "
        f"{most_mb - before_mb:+.0f} MB of {bound_mb:.0f} allowed",
        flush=True,
    )
    assert under_s <= max(SLOWER_TIMES * before_s, UNNOTICED_S)
    assert most_mb - before_mb <= bound_mb


@pytest.mark.timeout(300)
async def test_nobody_speaks_for_another_and_what_is_sent_again_is_nothing(world: World) -> None:
    announce(f"{TRIES} tries to speak for another, {TAKEOVERS} to take its place, {REPLAYED} resent")
    rng, done = random.Random(SEED), Counter[bool]()
    victim, thief = world.everyone[1].device_id, world.hostile[0]
    began_ms = time.time_ns() // 1_000_000 - 10 * REPLAYED
    captured = [
        (
            encode.fix_topic("county", victim),
            encode.fix_payload(n, [encode.fix(began_ms + 10 * n, LON, LAT, 5.0)], 80),
        )
        for n in range(REPLAYED)
    ]

    async def say(login: str, said: list[tuple[str, str]]) -> int:
        sender: Sender[int] = Sender(world.login(login), login, lambda _, refused: done.update([refused]))
        task = asyncio.create_task(sender.run())
        for number, (topic, body) in enumerate(said):
            sender.put(number, topic, body)
        async with asyncio.timeout(120):
            await sender.idle.wait()
        connects = sender.connects
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return connects

    assert await say(victim, captured) == 1
    stored = rows(world.url, "SELECT count(*) FROM fixes")
    assert stored == [(REPLAYED,)]
    assert await say(victim, rng.sample(captured, REPLAYED)) == 1  # its own, and in another order
    assert done == {False: 2 * REPLAYED}

    done.clear()
    tries = [_spoof(rng, victim, captured) for _ in range(TRIES)]
    assert await say(thief, tries) == 1  # it is told that it may not, and not hung up on
    assert done == {True: TRIES}
    for client_id in (victim, "corrections-monitor"):  # nor does a name taken end the other's connection
        own = await Connection.open(world.login(victim), client_id, lambda *_: None)
        for _ in range(TAKEOVERS // 2):
            with pytest.raises(ConnectionError):
                await Connection.open(world.login(thief), client_id, lambda *_: None)
        assert own.alive
        own.leave()
    assert rows(world.url, "SELECT count(*) FROM fixes") == stored
    assert rows(world.url, "SELECT count(*) FROM band_events") == [(0,)]
    assert rows(world.url, "SELECT kind FROM episodes WHERE kind NOT LIKE 'order.%'") == []
    kept = dict(rows(world.url, "SELECT reason, count(*) FROM quarantine GROUP BY 1"))  # type: ignore
    assert sum(kept.values()) == TRIES, kept
    assert world.run.metric("quarantined_total") == TRIES


def _spoof(rng: random.Random, victim: str, captured: list[tuple[str, str]]) -> tuple[str, str]:
    """In the name of another: a captured message, a new one, an event, on a topic of theirs."""
    now_ms = time.time_ns() // 1_000_000
    topics = ["cm/v1/{}/{}/fix", "cm/v1/{}/{}/band", "cm/v1/{}/{}/status", "owntracks/{}/{}"]
    return rng.choice(
        [
            rng.choice(captured),
            (
                encode.fix_topic(rng.choice(["county", "x", "officers"]), victim),
                encode.fix_payload(rng.randrange(99), [encode.fix(now_ms, LON + 0.1, LAT, 5.0)], 80),
            ),
            (encode.band_topic("county", victim), encode.band_payload(1, now_ms, "strap_cut")),
            (rng.choice(topics).format("county", victim), '{"online":true,"t":1}'),
            ("cm/v1/officers/duty/ack", '{"alert_id":"x"}'),
        ]
    )
