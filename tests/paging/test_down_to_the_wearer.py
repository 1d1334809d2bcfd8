"""Commands on their whole way: what happened → rules → outbox → a real device."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import aiomqtt
import mqtt5
import psycopg
import pytest
from endpoint_world import QOS1, World, authenticate
from mqtt_world import until
from receivers import RunningClock
from town import T0, TOWN

from corrections_monitor.clock import SteadyClock
from corrections_monitor.config import Config
from corrections_monitor.ingest.endpoint import DeviceEndpoint
from corrections_monitor.ingest.inbox import Inbox
from corrections_monitor.live.monitor import Monitor
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.alerts import Answer, Disposition
from corrections_monitor.model.cases import Device, DeviceKind, Order
from corrections_monitor.model.commands import Cmd, Command, Origin
from corrections_monitor.model.times import ALWAYS
from corrections_monitor.paging.channels import Ways
from corrections_monitor.paging.commands import CommandSender
from corrections_monitor.paging.results import RetrySettings
from corrections_monitor.store import EVERYTHING, Store
from corrections_monitor.store.answers import Given, answer

CASES = replace(
    TOWN,
    orders={"o1": Order("o1", "p1", "29.2", "head", date(2026, 1, 1), ALWAYS)},
    devices={("d1", ALWAYS.from_ms): Device("d1", DeviceKind.BAND, "p1", 60)},
)
RETRY = RetrySettings(first_ms=100, longest_ms=200)
COMMANDS, ANSWERS = "cm/v1/its-county/d1/cmd", "cm/v1/its-county/d1/band"


@pytest.fixture
async def world(clock: RunningClock) -> AsyncIterator[World]:
    inbox = Inbox(1_000, 10**6, clock)
    endpoint = DeviceEndpoint("127.0.0.1:0", authenticate, inbox, clock)
    await endpoint.start()
    yield World(inbox, endpoint)
    await endpoint.close()


@asynccontextmanager
async def running(*work: Any) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(w) for w in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Wearer:
    """The device of p1."""

    def __init__(self, client: aiomqtt.Client, clock: RunningClock) -> None:
        self._client, self._clock = client, clock

    async def says(self, event: str, **fields: Any) -> None:
        given = {"t": self._clock.wall_ms(), "ev": event, **fields}
        await self._client.publish(ANSWERS, json.dumps(given), qos=1)

    async def hears(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            message = await anext(self._client.messages)
        assert isinstance(message.payload, bytes)
        heard: dict[str, Any] = json.loads(message.payload)
        return heard


async def _resolve(store: Store, url: str, at_ms: int) -> None:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT alert_id FROM alerts WHERE cause = 'tamper'").fetchone()
    assert row is not None
    given = Given(Answer.RESOLVED, "duty1", at_ms, "已查验", Disposition.TRUE_VIOLATION)
    async with store.seeing(EVERYTHING) as connection:
        await answer(connection, row[0], given)


async def test_a_pursued_device_reports_faster_until_the_alert_is_resolved(
    store: Store, database_url: str, clock: RunningClock, world: World
) -> None:
    await store.save_cases(CASES, "test", T0 - 1)
    monitor = Monitor(store, Config(), SteadyClock(clock), world.inbox, Metrics(), Ways())
    sender = CommandSender(store, [world.endpoint.publish], monitor.county_of, RETRY, clock)
    async with running(monitor.run(), sender.run()), world.client("d1") as client:
        device = Wearer(client, clock)
        await client.subscribe(COMMANDS, qos=1)
        await device.says("strap_cut")
        first, again = await device.hears(), await device.hears()
        assert first == again == {"id": first["id"], "cmd": "set_interval", "arg": 10}
        await device.says("cmd_ok", id=first["id"])

        await until(lambda: _state(database_url, first["id"]) == "done")
        await _resolve(store, database_url, clock.wall_ms())
        monitor.notices.answers = True
        while (back := await device.hears())["id"] == first["id"]:
            pass
        assert (back["cmd"], back["arg"]) == ("set_interval", 60)
        await device.says("cmd_failed", id=back["id"])
        await until(lambda: _state(database_url, back["id"]) == "failed")

        await device.says("battery_low", bat=15)
        while (told := await device.hears())["id"] == back["id"]:
            pass
        assert (told["cmd"], told["arg"]) == ("message", "电量低，请充电")
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT what FROM alert_timeline WHERE what LIKE 'command%' ORDER BY at_ms")
        noted = [what for (what,) in rows]
    assert noted[:2] == ["commanded", "command-done"]
    assert sorted(noted[2:]) == ["command-failed", "commanded", "commanded"]


async def test_a_device_that_hangs_delays_no_other(store: Store, clock: RunningClock, world: World) -> None:
    hanging = await world.raw("d2")
    hanging.send(mqtt5.SubscribePacket(1, [mqtt5.TopicFilter("cm/v1/x/d2/cmd", max_qos=QOS1)]))
    await hanging.receive()
    sender = CommandSender(store, [world.endpoint.publish], lambda _: None, RETRY, clock)
    async with running(sender.run()), world.client("d1") as client:
        await client.subscribe(COMMANDS, qos=1)
        began_s = time.monotonic()
        async with store.transaction() as tx:
            await tx.write_commands([_locate(f"c{n}", "d2", clock.wall_ms()) for n in range(5)])
            await tx.write_commands([_locate("good", "d1", clock.wall_ms())])
        sender.wake()
        assert (await Wearer(client, clock).hears())["id"] == "good"
        assert time.monotonic() - began_s < 2
    hanging.writer.close()


def _locate(name: str, device_id: str, now_ms: int) -> Command:
    return Command(
        name, "p1", device_id, "k1", Cmd.LOCATE_NOW, None, "duty1", Origin.OFFICER, None, now_ms,
        now_ms + 60_000,
    )  # fmt: skip


def _state(url: str, name: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT state FROM commands WHERE command_id = %s", [name]).fetchone()
    return "" if row is None else str(row[0])
