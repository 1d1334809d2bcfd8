"""Several officers answer one alert at once, each on a road of his own: one wins, the others are told who."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import aiomqtt
import httpx
import psycopg
import pytest
import small_city as world
from conftest import give_passwords
from prometheus_client import CollectorRegistry

from corrections_monitor.api.server import serve
from corrections_monitor.clock import SteadyClock, SystemClock
from corrections_monitor.config import Config, Http
from corrections_monitor.config_values import Listen
from corrections_monitor.ingest.endpoint import DeviceEndpoint
from corrections_monitor.ingest.inbox import Inbox
from corrections_monitor.ingest.principal import Principal, PrincipalKind
from corrections_monitor.links import PATH, Link, write_link
from corrections_monitor.live.monitor import Monitor
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import HOUR_MS
from corrections_monitor.paging.way_out import way_out, ways
from corrections_monitor.store import Store
from corrections_monitor.store.links import link_key

BY_MQTT, BY_LINK, BY_HTTP = "officer-station-a1", "chief-station-a1", "supervisor-county-a"
NAMES = {BY_MQTT: "officer@station-a1", BY_LINK: "chief@station-a1", BY_HTTP: "supervisor@county-a"}
KINDS = [Kind.ZONE_EXIT, Kind.STRAP_CUT, Kind.SOS, Kind.POWER_OFF]


async def _officers_only(username: str, _password: str) -> Principal | None:
    return Principal(PrincipalKind.OFFICER, username)


@dataclass
class Desk:
    """The daemon's endpoint, rules and sender, the API, and three officers before them."""

    store: Store
    url: str
    clock: SteadyClock
    phone: aiomqtt.Client
    browser: httpx.AsyncClient
    console: httpx.AsyncClient

    async def alert(self, kind: Kind) -> str:
        line, alert = world.violation("p-a1", kind)
        async with self.store.transaction() as tx:
            await tx.write_alerts([alert])
            await tx.write_lines([line])
        return alert.alert_id

    async def by_mqtt(self, alert_id: str) -> str:
        """Presses, and says whose the alert is: his own when nothing comes back and it is."""
        await self.phone.publish(f"cm/v1/officers/{BY_MQTT}/ack", json.dumps({"alert_id": alert_id}), qos=1)
        if await self.holder(alert_id) == BY_MQTT:
            return BY_MQTT
        async with asyncio.timeout(10):
            payload = (await anext(self.phone.messages)).payload
        assert isinstance(payload, bytes)
        told = json.loads(payload)
        assert (told["alert_id"], told["state"]) == (alert_id, "acknowledged")
        return str(told["acknowledged_by"])

    async def by_link(self, alert_id: str) -> str:
        now_ms = self.clock.wall_ms()
        link = Link(alert_id, BY_LINK, now_ms + HOUR_MS)
        answer = await self.browser.post(PATH + write_link(await link_key(self.store, now_ms), link))
        if answer.status_code == 200:
            assert "您已于" in answer.text
            return BY_LINK
        assert answer.status_code == 409
        (found,) = [who for who, name in NAMES.items() if f"已由 {name} 于" in answer.text]
        return found

    async def by_http(self, alert_id: str) -> str:
        answer = await self.console.post(f"/api/v1/alerts/{alert_id}/ack")
        if answer.status_code == 200:
            return str(answer.json()["acknowledged_by"])
        assert answer.status_code == 409
        return str(answer.json()["answered_by"])

    async def holder(self, alert_id: str) -> str:
        """Who has it, once anybody has."""
        async with asyncio.timeout(10):
            while True:
                async with await psycopg.AsyncConnection.connect(self.url) as connection:
                    cursor = await connection.execute(
                        "SELECT acknowledged_by FROM alerts WHERE alert_id = %s", [alert_id]
                    )
                    row = await cursor.fetchone()
                if row is not None and row[0] is not None:
                    return str(row[0])
                await asyncio.sleep(0.02)


def _client(base: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base, timeout=30, trust_env=False)


@pytest.fixture
async def desk(store: Store, api_store: Store, database_url: str) -> AsyncIterator[Desk]:
    clock, metrics = SteadyClock(SystemClock()), Metrics()
    await store.save_cases(world.cases(), "test", clock.wall_ms() - 1)
    await give_passwords(database_url, [BY_HTTP])
    config = replace(Config(), http=Http(listen=Listen("127.0.0.1", 0)))
    inbox = Inbox(1_000, 10**6, clock)
    endpoint = DeviceEndpoint("127.0.0.1:0", _officers_only, inbox, clock)
    await endpoint.start()
    monitor = Monitor(store, config, clock, inbox, metrics, ways(config.paging, mqtt=True))
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    async with AsyncExitStack() as stack:
        pages = await stack.enter_async_context(
            way_out(store, config, [endpoint.publish], clock, metrics, endpoint.publish)
        )
        served = serve(api_store, config, clock, CollectorRegistry(), stop, port.set_result)
        running = [asyncio.ensure_future(work) for work in (monitor.run(), pages.run(), served)]
        base = f"http://127.0.0.1:{await port}"
        browser = await stack.enter_async_context(_client(base))
        console = await stack.enter_async_context(_client(base))
        answer = await console.post("/api/v1/session", json={"username": BY_HTTP, "password": world.PASSWORD})
        console.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        phone = await stack.enter_async_context(
            aiomqtt.Client("127.0.0.1", endpoint.port, username=BY_MQTT, password="x", identifier="phone")
        )
        await phone.subscribe(f"cm/v1/officers/{BY_MQTT}/page", qos=1)
        yield Desk(store, database_url, clock, phone, browser, console)
        stop.set()
        await running[-1]
        for work in running:
            work.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    await endpoint.close()


Road = Callable[[Desk, str], Awaitable[str]]
ROADS: list[tuple[str, Road]] = [(BY_MQTT, Desk.by_mqtt), (BY_LINK, Desk.by_link), (BY_HTTP, Desk.by_http)]


@pytest.mark.parametrize("first", range(3), ids=["mqtt", "link", "http"])
async def test_who_is_first_on_any_road_has_it_and_the_other_roads_say_so(desk: Desk, first: int) -> None:
    alert_id = await desk.alert(Kind.ZONE_EXIT)
    winner, road = ROADS[first]
    assert await road(desk, alert_id) == winner
    others = [other for who, other in ROADS if who != winner]
    assert await asyncio.gather(*(other(desk, alert_id) for other in others)) == [winner, winner]
    assert await desk.holder(alert_id) == winner


async def test_of_those_who_press_at_once_one_wins_and_all_are_told_the_same(desk: Desk) -> None:
    for kind in KINDS:
        alert_id = await desk.alert(kind)
        told = await asyncio.gather(*(road(desk, alert_id) for _, road in ROADS))
        assert set(told) == {await desk.holder(alert_id)}, kind
    async with await psycopg.AsyncConnection.connect(desk.url) as connection:
        cursor = await connection.execute(
            "SELECT alert_id, count(*) FROM alert_timeline WHERE what = 'acknowledged' GROUP BY alert_id"
        )
        assert [count for _, count in await cursor.fetchall()] == [1] * len(KINDS)
