"""The daemon is killed at random moments under load: afterwards nothing is lost and nothing is there twice.

Half of the devices speak through a broker, half to the daemon's own endpoint, to the same daemon at once.
A slice here; ``make chaos`` kills a dozen times, ``make chaos KILLS=100 SEED=7`` as often as told.  The
seed is printed.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import psycopg
import pytest
from mqtt_world import Mosquitto, needs_mosquitto
from precinct_of_bands import LADDER, PageRow, Wearer, cases_of, pages_expected, wearers
from program import Daemon, call_well, device_passwords

from corrections_monitor import cases as case_folder
from simulators.ledger import Key, Ledger, Message
from simulators.mqtt import Server, parse_url
from simulators.sender import Sender

pytestmark = [pytest.mark.chaos, needs_mosquitto]
ZONE = ZoneInfo("Asia/Shanghai")
KILLS = int(os.environ.get("KILLS") or 3)
SEED = int(os.environ.get("SEED") or secrets.randbelow(1_000_000))
PEOPLE = 36
MESSAGE_EVERY_S = 0.2  # of one band
CHANNELS = ("mqtt", "webhook:TEST")
EARLY_KILLS = 0.25  # this share is killed while it is still starting


@dataclass
class Fleet:
    """All bands, each with a connection of its own, half of them to the broker; keeps the account."""

    everyone: list[Wearer]
    broker: Server
    endpoint: Server
    passwords: dict[str, str]
    ledger: Ledger = field(default_factory=Ledger)
    messages: list[Message] = field(default_factory=list)
    senders: dict[str, Sender[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.everyone:
            name = one.device_id
            own = one.number % 2
            server = self.endpoint.as_user(name, self.passwords[name]) if own else self.broker
            self.senders[name] = Sender(server, name, self._acked)

    def _acked(self, number: int, refused: bool) -> None:
        self.ledger.note(number, self.messages[number], refused)

    def put(self, one: Wearer, said: tuple[str, str]) -> None:
        """One message of one band."""
        self.messages.append(Message(0, *said))
        self.senders[one.device_id].put(len(self.messages) - 1, *said)

    async def live(self) -> None:
        """Everyone reports, until cancelled."""
        while True:
            for one in self.everyone:
                now_ms = time.time_ns() // 1_000_000
                self.put(one, one.fixes(now_ms))
                if one.does == "strap.cut" and one.since_ms is not None and not one.cut_told:
                    self.put(one, one.cut(now_ms))
                await asyncio.sleep(MESSAGE_EVERY_S / len(self.everyone))


@dataclass
class Receiver:
    """A webhook that remembers under which keys it was called."""

    keys: Counter[tuple[str, str]] = field(default_factory=Counter)  # idempotency key, officer
    url: str = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {k.lower(): v for k, _, v in (row.partition(": ") for row in head[1:] if row)}
            await reader.readexactly(int(headers["content-length"]))
            self.keys[unquote(headers["idempotency-key"]), headers["x-corrections-officer"]] += 1
            writer.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the daemon was killed in the middle of its call
        finally:
            writer.close()


@pytest.mark.timeout(3_600)
async def test_killed_again_and_again_it_loses_nothing_and_pages_nobody_twice(
    tmp_path: Path, database_url: str, mosquitto: Mosquitto
) -> None:
    print(f"\nchaos: seed {SEED}, {KILLS} kills", flush=True)
    rng = random.Random(SEED)
    everyone = wearers(PEOPLE)
    folder = tmp_path / "cases"
    folder.mkdir()
    case_folder.write(cases_of(everyone, time.time_ns() // 1_000_000), folder, ZONE)
    call_well("import", folder, database_url=database_url)
    passwords = device_passwords(tmp_path, database_url)
    receiver = Receiver()
    async with receiver.listening():
        daemon = Daemon(
            tmp_path,
            database_url,
            mqtt=mosquitto.url(),
            endpoint=True,
            CORRECTIONS_INGEST__BATCH_MAX_WAIT="20ms",  # a commit is nearly always under way
            CORRECTIONS_DETECTION__EVIDENCE_GAP="1s",
            CORRECTIONS_RULES__LADDER__CRITICAL=LADDER,
            CORRECTIONS_PAGING__WEBHOOKS__TEST__URL=receiver.url,
            CORRECTIONS_PAGING__WEBHOOKS__TEST__SECRET="a secret of some length",
        )
        fleet = Fleet(
            everyone, parse_url(mosquitto.url()), Server("127.0.0.1", daemon.device_port), passwords
        )
        try:
            await asyncio.to_thread(daemon.start)
            await _killed(daemon, fleet, rng, KILLS)
            await _all_is_told(fleet, database_url, receiver)
        finally:
            if daemon.alive:
                await asyncio.to_thread(daemon.stop)
    _judge(fleet, database_url, receiver)


async def _killed(daemon: Daemon, fleet: Fleet, rng: random.Random, kills: int) -> None:
    """Kill and start again, while everyone reports and now and then somebody does something."""
    idle = [one for one in fleet.everyone if one.does != "nothing"]
    rng.shuffle(idle)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(s.run()) for s in fleet.senders.values()]
        reporting = group.create_task(fleet.live())
        for number in range(kills):
            for _ in range(-(-len(idle) // (kills - number))):
                idle.pop().since_ms = time.time_ns() // 1_000_000
            if rng.random() >= EARLY_KILLS:
                await asyncio.to_thread(daemon.wait_ready)
                await asyncio.sleep(rng.uniform(0, 1))
            else:
                await asyncio.sleep(rng.uniform(0, 2))
            daemon.kill()
            daemon.start(wait=False)
        await asyncio.to_thread(daemon.wait_ready)
        # Who walks out has to be seen outside before it is over.
        await asyncio.sleep(8)
        reporting.cancel()
        async with asyncio.timeout(60):
            for sender in fleet.senders.values():
                await sender.idle.wait()
        for task in tasks:
            task.cancel()


async def _all_is_told(fleet: Fleet, url: str, receiver: Receiver) -> None:
    """Until all that is expected has arrived (or never will), and a little longer, for what is not."""
    wanted = len(pages_expected(fleet.everyone, ("webhook:TEST",)))
    deadline_s = time.monotonic() + 40
    while len(receiver.keys) < wanted and time.monotonic() < deadline_s:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    while len(_fixes(url)) < len(fleet.ledger.fixes) and time.monotonic() < deadline_s:  # noqa: ASYNC110
        await asyncio.sleep(0.5)
    await asyncio.sleep(1)


def _judge(fleet: Fleet, url: str, receiver: Receiver) -> None:
    ledger = fleet.ledger
    stored, events, pages = _fixes(url), _events(url), _pages(url)
    expected = pages_expected(fleet.everyone, CHANNELS)
    print(
        f"chaos: {len(ledger.acked)} messages acknowledged with {len(ledger.fixes)} fixes and "
        f"{len(ledger.events)} events; lost {len(ledger.fixes - stored.keys())}, twice "
        f"{sum(n > 1 for n in stored.values())}; pages {len(pages)} of {len(expected)}, missing "
        f"{len(expected.keys() - pages.keys())}, twice {sum(n > 1 for n in pages.values())}; handed over "
        f"{len(receiver.keys)} pages in {receiver.keys.total()} calls",
        flush=True,
    )
    assert not ledger.refused
    assert len(ledger.acked) == len(fleet.messages)
    assert stored == Counter(dict.fromkeys(ledger.fixes, 1))
    assert events == Counter(dict.fromkeys(ledger.events, 1))
    assert pages == expected
    assert len(receiver.keys) == len(expected) / len(CHANNELS)


def _rows(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


def _fixes(url: str) -> Counter[Key]:
    rows = _rows(url, "SELECT device_id, t_ms, 'gnss' FROM fixes JOIN device_numbers USING (device_no)")
    return Counter(Key(*row) for row in rows)  # type: ignore[arg-type]


def _events(url: str) -> Counter[Key]:
    rows = _rows(
        url, "SELECT device_id, t_ms, 'strap_cut' FROM band_events JOIN device_numbers USING (device_no)"
    )
    return Counter(Key(*row) for row in rows)  # type: ignore[arg-type]


def _pages(url: str) -> Counter[PageRow]:
    rows = _rows(
        url,
        """SELECT a.person_id, (SELECT string_agg(e.kind, ',') FROM episodes e WHERE e.alert_id = a.alert_id),
                  p.step, p.officer_id, p.channel FROM pages p JOIN alerts a USING (alert_id)""",
    )
    return Counter(PageRow(*row) for row in rows)  # type: ignore[arg-type]
