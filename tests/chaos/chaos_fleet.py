"""The world of the killings from outside: who reports, who is called, what is in the database.

Nothing here asks the program: acknowledgements are counted at the device, calls at the webhook's end, rows by
SQL of our own, and what must come of it follows from the case folder (``precinct_of_bands``).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import psycopg
from precinct_of_bands import LADDER, PageRow, Wearer, cases_of, pages_expected
from program import call_well, device_passwords, wait_for

from corrections_monitor import cases as case_folder
from corrections_monitor.model.schedule import ALWAYS_HOLDS, Schedule
from simulators.ledger import Key, Ledger, Message
from simulators.mqtt import Server
from simulators.sender import Sender

MESSAGE_EVERY_S = 0.2  # of one band
CHANNELS = ("mqtt", "webhook:TEST")


def settle(
    everyone: list[Wearer],
    folder: Path,
    database_url: str,
    report_every_s: int = 60,
    shift_ms: int = 0,
    night: Schedule = ALWAYS_HOLDS,
    **environ: str,
) -> dict[str, str]:
    """Import the wearers' cases, as of ``shift_ms`` from now; the passwords of their devices."""
    cases = folder / "cases"
    cases.mkdir()
    world = cases_of(everyone, time.time_ns() // 1_000_000 + shift_ms, report_every_s, night)
    case_folder.write(world, cases, ZoneInfo("Asia/Shanghai"))
    call_well("import", cases, database_url=database_url, **environ)
    return device_passwords(folder, database_url, **environ)


def in_haste(receiver: Receiver) -> dict[str, str]:
    """Settings under which all that must happen happens within seconds."""
    return {
        "CORRECTIONS_INGEST__BATCH_MAX_WAIT": "20ms",  # a commit is nearly always under way
        "CORRECTIONS_DETECTION__EVIDENCE_GAP": "1s",
        "CORRECTIONS_RULES__LADDER__CRITICAL": LADDER,
        "CORRECTIONS_PAGING__WEBHOOKS__TEST__URL": receiver.url,
        "CORRECTIONS_PAGING__WEBHOOKS__TEST__SECRET": "a secret of some length",
    }


@dataclass
class Fleet:
    """All bands, each with a connection of its own, half of them to the broker; keeps the account."""

    everyone: list[Wearer]
    broker: Server | None  # None: all speak to the endpoint
    endpoint: Server
    passwords: dict[str, str]
    padding: int = 0  # spaces behind each payload
    shift_ms: int = 0  # of the devices' clocks
    ledger: Ledger = field(default_factory=Ledger)
    messages: list[Message] = field(default_factory=list)
    senders: dict[str, Sender[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.everyone:
            own = self.broker is None or one.number % 2
            server = self._own(one, self.endpoint) if own else self.broker
            assert server is not None
            self.senders[one.device_id] = Sender(server, one.device_id, self._acked)

    def _own(self, one: Wearer, endpoint: Server) -> Server:
        return endpoint.as_user(one.device_id, self.passwords[one.device_id])

    def _acked(self, number: int, refused: bool) -> None:
        self.ledger.note(number, self.messages[number], refused)

    def put(self, one: Wearer, said: tuple[str, str]) -> None:
        """One message of one band."""
        topic, payload = said
        self.messages.append(Message(0, topic, payload))
        self.senders[one.device_id].put(len(self.messages) - 1, topic, payload + " " * self.padding)

    def move(self, one: Wearer, endpoint: Server) -> None:
        """Let a band that speaks to the endpoint speak to another."""
        self.senders[one.device_id].move(self._own(one, endpoint))

    def taken_in(self) -> int:
        """How many messages the program itself has acknowledged: those to the endpoint."""
        return sum(self.broker is None or self._number(n) % 2 for n in self.ledger.acked)

    def _number(self, message: int) -> int:
        return int(self.messages[message].topic.split("/")[3].removeprefix("band-"))

    @asynccontextmanager
    async def reporting(self, drained_within_s: float = 60.0) -> AsyncIterator[None]:
        """Everyone reports; at the end, wait until everything is acknowledged."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(s.run()) for s in self.senders.values()]
            living = group.create_task(self._live())
            yield
            living.cancel()
            async with asyncio.timeout(drained_within_s):
                for sender in self.senders.values():
                    await sender.idle.wait()
            for task in tasks:
                task.cancel()

    def now_ms(self) -> int:
        """By the devices' clocks."""
        return time.time_ns() // 1_000_000 + self.shift_ms

    async def _live(self) -> None:
        while True:
            for one in self.everyone:
                now_ms = self.now_ms()
                self.put(one, one.fixes(now_ms))
                if one.does == "strap.cut" and one.since_ms is not None and not one.cut_told:
                    self.put(one, one.cut(now_ms))
                await asyncio.sleep(MESSAGE_EVERY_S / len(self.everyone))


@dataclass
class Receiver:
    """A webhook that remembers under which keys it was called, words of blindness apart from pages."""

    keys: Counter[tuple[str, str]] = field(default_factory=Counter)  # idempotency key, officer
    first_s: dict[tuple[str, str], float] = field(default_factory=dict)  # when, monotonic
    alerts: list[dict[str, Any]] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)  # blind, back
    url: str = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield
        server.close()

    def off_s(self, step_s: float) -> list[float]:
        """Of each step of each ladder of equal steps: how far from its time after the first, by our clock."""
        ladders = defaultdict[str, dict[int, float]](dict)
        for (key, officer), at_s in self.first_s.items():
            alert_id, _, step = key.removesuffix(f"-{officer}-webhook:TEST").rsplit("-", 2)
            ladders[alert_id][int(step)] = at_s
        return [
            abs(at_s - steps[0] - step * step_s) for steps in ladders.values() for step, at_s in steps.items()
        ]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {k.lower(): v for k, _, v in (row.partition(": ") for row in head[1:] if row)}
            body = await reader.readexactly(int(headers["content-length"]))
            key, officer = unquote(headers["idempotency-key"]), headers["x-corrections-officer"]
            if (word := key.partition("-")[0]) in ("blind", "back"):
                self.words[word] += 1
            else:
                self.keys[key, officer] += 1
                self.alerts.append(json.loads(body))
                self.first_s.setdefault((key, officer), time.monotonic())
            writer.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the daemon was killed in the middle of its call
        finally:
            writer.close()


async def all_is_told(fleet: Fleet, url: str, receiver: Receiver, timeout_s: float = 40.0) -> None:
    """Until all that is expected has arrived (or never will), and a little longer, for what is not."""
    wanted = len(pages_expected(fleet.everyone, CHANNELS[1:]))
    deadline_s = time.monotonic() + timeout_s
    while len(receiver.keys) < wanted and time.monotonic() < deadline_s:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    while len(stored_fixes(url)) < len(fleet.ledger.fixes) and time.monotonic() < deadline_s:  # noqa: ASYNC110
        await asyncio.sleep(0.5)
    await asyncio.sleep(1)


def judge(fleet: Fleet, url: str, receiver: Receiver) -> None:
    """Nothing acknowledged is lost, nothing is there twice, everybody is told of everything once."""
    ledger = fleet.ledger
    fixes, events, pages = stored_fixes(url), stored_events(url), pages_written(url)
    expected = pages_expected(fleet.everyone, CHANNELS)
    print(
        f"chaos: {len(ledger.acked)} messages acknowledged with {len(ledger.fixes)} fixes and "
        f"{len(ledger.events)} events; lost {len(ledger.fixes - fixes.keys())}, twice "
        f"{sum(n > 1 for n in fixes.values())}; pages {len(pages)} of {len(expected)}, missing "
        f"{len(expected.keys() - pages.keys())}, twice {sum(n > 1 for n in pages.values())}; handed over "
        f"{len(receiver.keys)} pages in {receiver.keys.total()} calls",
        flush=True,
    )
    assert not ledger.refused
    assert len(ledger.acked) == len(fleet.messages)
    assert fixes == Counter(dict.fromkeys(ledger.fixes, 1))
    assert events == Counter(dict.fromkeys(ledger.events, 1))
    assert pages == expected
    assert len(receiver.keys) == len(expected) / len(CHANNELS)


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    """What is in the database."""
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


def stored_fixes(url: str) -> Counter[Key]:
    """By key."""
    found = rows(url, "SELECT device_id, t_ms, 'gnss' FROM fixes JOIN device_numbers USING (device_no)")
    return Counter(Key(*row) for row in found)  # type: ignore[arg-type]


def stored_events(url: str) -> Counter[Key]:
    """By key."""
    found = rows(
        url, "SELECT device_id, t_ms, 'strap_cut' FROM band_events JOIN device_numbers USING (device_no)"
    )
    return Counter(Key(*row) for row in found)  # type: ignore[arg-type]


def pages_written(url: str) -> Counter[PageRow]:
    """The outbox."""
    found = rows(
        url,
        """SELECT a.person_id, (SELECT string_agg(e.kind, ',') FROM episodes e WHERE e.alert_id = a.alert_id),
                  p.step, p.officer_id, p.channel FROM pages p JOIN alerts a USING (alert_id)""",
    )
    return Counter(PageRow(*row) for row in found)  # type: ignore[arg-type]


async def until(condition: Callable[[], object], what: str, timeout_s: float = 30.0) -> float:
    """Wait for a state of the real world; returns how long it took, s."""
    began_s = time.monotonic()
    await asyncio.to_thread(wait_for, condition, what, timeout_s)
    return time.monotonic() - began_s
