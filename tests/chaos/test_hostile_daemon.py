"""A real daemon under payloads and connections that mean harm, beside honest devices that must not notice.

What is sent is drawn from the seed; what must come of it is counted at the senders and in the database.
"""

from __future__ import annotations

import asyncio
import json
import math
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
from precinct_of_bands import LAT, LON, Wearer, wearers
from program import Daemon

from simulators import encode
from simulators.mqtt import Connection, Server
from simulators.sender import Sender

pytestmark = pytest.mark.chaos
PAYLOADS = 100_000 if WHOLE else 3_000
PAYLOADS_PER_S = 1_000  # we are on the same machine, and not what is measured
CONNECTIONS = 10_000
TRIES = 1_000
TAKEOVERS = 1_000 if WHOLE else 20
REPLAYED = 10_000 if WHOLE else 1_000
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


NASTY = [
    None, True, -0.0, 1e308, -1e308, 10**25, -(10**25), 2**63, 2**31, 0.1, "", "NaN", "\0", "\ud800",
    "张" * 50, [], {}, [[]], {"t": 1}, "x" * 5_000,
]  # fmt: skip
RAW = [
    b"",
    b"\0",
    b"NaN",
    b"[" * 5_000,
    b'{"fixes":' * 500,
    b"\xff\xfe\xfd",
    b"1e999",
    b'{"t":1,"t":2}',
    b'"\\ud800"',
]


def payload(rng: random.Random, device_id: str) -> tuple[str, bytes]:
    """What a hostile device says on one of its own topics: something good, spoilt."""
    now_ms = time.time_ns() // 1_000_000
    leaf = rng.choice(["fix", "band", "status", "owntracks"])
    topic = f"owntracks/u/{device_id}" if leaf == "owntracks" else f"cm/v1/county/{device_id}/{leaf}"
    good: dict[str, object] = {
        "fix": {"seq": 1, "fixes": [{"t": now_ms, "lon": LON, "lat": LAT, "acc": 5}] * 2, "bat": 80},
        "band": {"seq": 1, "t": now_ms, "ev": "heartbeat", "bat": 80, "id": "x"},
        "status": {"online": True, "t": now_ms},
        "owntracks": {"_type": "location", "tst": now_ms // 1_000, "lon": LON, "lat": LAT, "vel": 3},
    }[leaf]  # type: ignore[assignment]
    how = rng.choice((0, 1, 2, 2, 2, 2, 3, 4))
    if how == 0:
        return topic, rng.choice(RAW)
    if how == 1:
        return topic, rng.randbytes(rng.randrange(200))
    if how == 2:
        return topic, json.dumps(_spoilt(rng, good)).encode()
    body = bytearray(json.dumps(_spoilt(rng, good) if how == 3 else good).encode())
    for _ in range(rng.randrange(1, 4)):
        body[rng.randrange(len(body))] = rng.randrange(256)
    return topic, bytes(body[: rng.randrange(1, len(body) + 1)])


def _spoilt(rng: random.Random, value: object) -> object:
    """The same with one of its parts replaced, at whatever depth."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: _spoilt(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.6:
        at = rng.randrange(len(value))
        return [*value[:at], _spoilt(rng, value[at]), *value[at + 1 :]]
    return rng.choice(NASTY)


def is_rubbish(body: bytes) -> bool:
    """By another reader of JSON: nothing that could be an object."""
    try:
        return not isinstance(json.loads(body.decode()), dict)
    except (ValueError, RecursionError):
        return True


@pytest.mark.timeout(1_800)
async def test_hostile_payloads_are_counted_and_crash_nothing(world: World) -> None:
    announce(f"{PAYLOADS} hostile payloads")
    rng, done, rubbish = random.Random(SEED), Counter[str](), 0
    honest = world.honest
    async with honest.reporting():
        before_s, before_mb = await honest.p99_s(4), world.run.memory_mb()
        honest.took_s.clear()

        def acked(name: str, refused: bool) -> None:
            assert not refused
            done[name] += 1

        async with asyncio.TaskGroup() as group:
            senders = {name: Sender(world.login(name), name, acked, window=50) for name in world.hostile}
            tasks = [group.create_task(sender.run()) for sender in senders.values()]
            began_s = time.monotonic()
            for number in range(PAYLOADS):
                await asyncio.sleep(max(0.0, began_s + number / PAYLOADS_PER_S - time.monotonic()))
                name = world.hostile[number % len(world.hostile)]
                topic, body = payload(rng, name)
                rubbish += is_rubbish(body)
                senders[name].put(name, topic, body)
            async with asyncio.timeout(120):
                for sender in senders.values():
                    await sender.idle.wait()
            for task in tasks:
                task.cancel()
        under_s, more_mb = honest.so_far(), world.run.memory_mb() - before_mb
        reconnects = sum(sender.connects - 1 for sender in senders.values())
    reasons = Counter(dict(rows(world.url, "SELECT reason, count(*) FROM quarantine GROUP BY 1")))  # type: ignore
    print(
        f"chaos: {done.total()} acknowledged over {reconnects} reconnects, quarantined {dict(reasons)} "
        f"({rubbish} rubbish); an honest p99 {before_s * 1_000:.0f} ms before, {under_s * 1_000:.0f} ms "
        f"under it; {more_mb:+.0f} MB",
        flush=True,
    )
    assert done.total() == PAYLOADS
    assert reconnects == 0
    taken = world.run.metric("messages_total")
    assert PAYLOADS <= taken <= PAYLOADS + honest.sent
    counted = {reason: world.run.metric("quarantined_total", reason=reason) for reason in reasons}
    kept = sum(reasons.values()) + rows(world.url, "SELECT dropped FROM quarantine_size")[0][0]  # type: ignore
    assert sum(counted.values()) == kept
    assert kept >= PAYLOADS / 2
    assert counted["undecodable"] >= rubbish
    assert under_s <= max(SLOWER_TIMES * before_s, UNNOTICED_S)
    assert more_mb <= MORE_MB


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
