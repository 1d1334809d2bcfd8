"""Commands down to the wearer through a real broker: said again until the device answers or time runs out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import aiomqtt
import psycopg
import pytest
from mqtt_world import Mosquitto, needs_mosquitto, until
from receivers import RunningClock
from town import T0, TOWN

from corrections_monitor.clock import SteadyClock
from corrections_monitor.config import Config
from corrections_monitor.ingest.broker import BrokerSession
from corrections_monitor.ingest.inbox import Inbox
from corrections_monitor.live.monitor import Monitor
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.alerts import Answer, Disposition
from corrections_monitor.model.cases import Device, DeviceKind, Order
from corrections_monitor.model.commands import Cmd, Command, Origin
from corrections_monitor.model.times import ALWAYS, MINUTE_MS
from corrections_monitor.paging.channels import Ways
from corrections_monitor.paging.commands import CommandSender
from corrections_monitor.paging.results import RetrySettings
from corrections_monitor.store import Store
from corrections_monitor.store.answers import Given

pytestmark = needs_mosquitto

AS_BOUND_S, PURSUIT_S = 60, 10
CASES = replace(
    TOWN,
    orders={"o1": Order("o1", "p1", "29.2", "head", date(2026, 1, 1), ALWAYS)},
    devices={("d1", ALWAYS.from_ms): Device("d1", DeviceKind.BAND, "p1", AS_BOUND_S)},
)
RETRY = RetrySettings(first_ms=200, longest_ms=400)


@dataclass
class Band:
    """A device that does what it is told, unless it is deaf; ``heard`` is every command, each time."""

    client: aiomqtt.Client
    clock: RunningClock
    interval_s: int = AS_BOUND_S
    deaf: int = 0  # so many commands are heard and not answered
    able: bool = True
    heard: list[dict[str, Any]] = field(default_factory=list)

    async def work(self) -> None:
        """Answer whatever comes."""
        await self.client.subscribe("cm/v1/its-county/d1/cmd", qos=1)
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            command = json.loads(message.payload)
            self.heard.append(command)
            if self.deaf:
                self.deaf -= 1
                continue
            if self.able and command["cmd"] == "set_interval":
                self.interval_s = command["arg"]
            await self.says("cmd_ok" if self.able else "cmd_failed", id=command["id"])

    async def says(self, event: str, **fields: Any) -> None:
        told = {"t": self.clock.wall_ms(), "ev": event, **fields}
        await self.client.publish("cm/v1/its-county/d1/band", json.dumps(told), qos=1)


class Centre:
    """The daemon on the broker: what is heard is judged, what follows is sent."""

    def __init__(self, store: Store, url: str, clock: RunningClock, mosquitto: Mosquitto) -> None:
        self.store, self.url, self.clock, self._mosquitto = store, url, clock, mosquitto
        inbox = Inbox(1_000, 10**6, clock)
        self.broker = BrokerSession(mosquitto.url(), "centre", inbox, clock, reconnect_max_s=0.3)
        self.monitor = Monitor(store, Config(), SteadyClock(clock), inbox, Metrics(), Ways())
        self.sender = CommandSender(store, [self.broker.publish], self.monitor.county_of, RETRY, clock)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        works = (self.broker.run(), self.monitor.run(), self.sender.run())
        tasks = [asyncio.ensure_future(work) for work in works]
        try:
            await until(lambda: self.broker.connected)
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @asynccontextmanager
    async def band(self, **how: Any) -> AsyncIterator[Band]:
        """The device, connected and heard once, so that its county is known."""
        async with aiomqtt.Client("127.0.0.1", self._mosquitto.port, identifier="d1") as client:
            band = Band(client, self.clock, **how)
            await band.says("heartbeat")
            await until(lambda: self.monitor.county_of("d1"))
            task = asyncio.ensure_future(band.work())
            try:
                yield band
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def order(self, name: str, cmd: Cmd = Cmd.LOCATE_NOW, arg: int | str | None = None) -> None:
        """An officer orders it, for ten minutes."""
        now_ms = self.clock.wall_ms()
        command = Command(
            name, "p1", "d1", "k1", cmd, arg, "duty1", Origin.OFFICER, None, now_ms, now_ms + 10 * MINUTE_MS
        )
        async with self.store.transaction() as tx:
            await tx.write_commands([command])
        self.sender.wake()

    def states(self) -> dict[str, str]:
        """command_id → state."""
        with psycopg.connect(self.url) as connection:
            return dict(connection.execute("SELECT command_id, state FROM commands").fetchall())

    def timeline(self) -> list[str]:
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(
                "SELECT what FROM alert_timeline WHERE what LIKE 'command%' ORDER BY entry_id"
            ).fetchall()
        return [str(what) for (what,) in rows]

    async def resolve(self) -> None:
        """An officer closes what is open."""
        async with self.store.transaction() as tx:
            with psycopg.connect(self.url) as connection:
                alerts = connection.execute(
                    "SELECT alert_id FROM alerts WHERE state <> 'resolved'"
                ).fetchall()
            for (alert_id,) in alerts:
                given = Given(
                    Answer.RESOLVED, "duty1", self.clock.wall_ms(), "已查验", Disposition.TRUE_VIOLATION
                )
                assert (await tx.answer(alert_id, given)).won
        self.monitor.notices.answers = True


@pytest.fixture
async def centre(
    store: Store, database_url: str, clock: RunningClock, mosquitto: Mosquitto
) -> AsyncIterator[Centre]:
    await store.save_cases(CASES, "test", T0 - 1)
    centre = Centre(store, database_url, clock, mosquitto)
    async with centre.working():
        yield centre


async def test_pursuit_is_set_and_taken_back_by_a_device_that_answers_late(centre: Centre) -> None:
    """It hears each order twice without a word; answered, it is told no more."""
    async with centre.band(deaf=2) as band:
        await band.says("strap_cut")
        await until(lambda: band.interval_s == PURSUIT_S)
        await until(lambda: set(centre.states().values()) == {"done"})
        assert [c["arg"] for c in band.heard] == [PURSUIT_S] * 3
        assert len({c["id"] for c in band.heard}) == 1
        await asyncio.sleep(1)
        assert len(band.heard) == 3, "what is answered is not said again"

        band.deaf = 2
        await centre.resolve()
        await until(lambda: band.interval_s == AS_BOUND_S)
        await until(lambda: list(centre.states().values()) == ["done", "done"])
        assert [c["arg"] for c in band.heard[3:]] == [AS_BOUND_S] * 3
    assert centre.timeline() == ["commanded", "command-done", "commanded", "command-done"]


async def test_a_device_that_cannot_says_so_once(centre: Centre) -> None:
    async with centre.band(able=False) as band:
        await centre.order("vibrate-1", Cmd.VIBRATE, 3)
        await until(lambda: centre.states() == {"vibrate-1": "failed"})
        await asyncio.sleep(1)
    assert band.heard == [{"id": "vibrate-1", "cmd": "vibrate", "arg": 3}]


async def test_a_device_that_is_silent_is_told_until_the_time_is_over_and_no_longer(centre: Centre) -> None:
    """An answer that comes after that still counts."""
    async with centre.band(deaf=1_000) as band:
        await centre.order("locate-1")
        await until(lambda: len(band.heard) >= 4)
        centre.clock.skip(minutes=11, steadily=True)
        await until(lambda: centre.states()["locate-1"] == "expired")
        said = len(band.heard)
        await asyncio.sleep(1.5)
        told = [c for c in band.heard[said:] if c["id"] == "locate-1"]
        assert told == []
        assert {c["id"] for c in band.heard[:said]} == {"locate-1"}
        await band.says("cmd_ok", id="locate-1")
        await until(lambda: centre.states()["locate-1"] == "done")


async def test_a_device_that_is_away_and_a_broker_that_dies_are_waited_for(
    centre: Centre, mosquitto: Mosquitto
) -> None:
    async with centre.band() as band:
        pass
    await centre.order("message-1", Cmd.MESSAGE, "请回电")
    await until(lambda: centre.states()["message-1"] == "sent")  # the broker has it, nobody else
    mosquitto.end()
    await until(lambda: not centre.broker.connected)
    await until(lambda: centre.states()["message-1"] == "pending")
    mosquitto.start()
    await until(lambda: centre.broker.connected)
    async with centre.band() as band:
        await until(lambda: centre.states()["message-1"] == "done")
    assert {tuple(c.items()) for c in band.heard} == {
        (("id", "message-1"), ("cmd", "message"), ("arg", "请回电"))
    }
