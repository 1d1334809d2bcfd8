"""Server-sent events: what another process commits reaches those who may see it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Any

import httpx
import pytest
import small_city as world
from conftest import Api

from corrections_monitor.api import feed
from corrections_monitor.api.routes import stream
from corrections_monitor.model.cases import Role

pytestmark = pytest.mark.timeout(60)


async def _events(client: httpx.AsyncClient) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """(event, data) as they come; the first is ("", {}) once the stream is open."""
    async with client.stream("GET", "/api/v1/stream") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        event = ""
        async for line in answer.aiter_lines():
            if line == ": connected":
                yield "", {}
            elif line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield event, json.loads(line.removeprefix("data: "))


Opened = Callable[[httpx.AsyncClient], Awaitable[AsyncIterator[tuple[str, dict[str, Any]]]]]


@pytest.fixture
async def opened(api: Api) -> AsyncIterator[Opened]:
    """Opens streams; they are ended before the server is."""
    async with AsyncExitStack() as ending:

        async def opened_stream(client: httpx.AsyncClient) -> AsyncIterator[tuple[str, dict[str, Any]]]:
            events = await ending.enter_async_context(aclosing(_events(client)))
            assert await anext(events) == ("", {})
            return events

        yield opened_stream


async def _violate(api: Api, person_id: str) -> str:
    line, alert = world.violation(person_id)
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert])
        await tx.write_lines([line])
    return alert.alert_id


async def test_an_alert_committed_elsewhere_is_told_to_its_offices_alone(api: Api, opened: Opened) -> None:
    mine = await opened(await api.login(Role.OFFICER, "station-a1"))
    theirs = await opened(await api.login(Role.OFFICER, "station-a2"))
    above = await opened(await api.login(Role.SUPERVISOR, "county-a"))
    in_a1 = await _violate(api, "p-a1")
    in_a2 = await _violate(api, "p-a2")
    event, alert = await anext(mine)
    assert (event, alert["alert_id"], alert["state"]) == ("alert", in_a1, "open")
    assert alert["person_name"] == "姓名p-a1"
    assert (await anext(theirs))[1]["alert_id"] == in_a2
    assert {(await anext(above))[1]["alert_id"] for _ in range(2)} == {in_a1, in_a2}


async def test_an_answer_is_told(api: Api, opened: Opened) -> None:
    alert_id = await _violate(api, "p-a1")
    officer = await api.login(Role.OFFICER, "station-a1")
    events = await opened(await api.login(Role.CHIEF, "station-a1"))
    await officer.post(f"/api/v1/alerts/{alert_id}/ack", json={})
    async with asyncio.timeout(20):
        alert = await anext(alert async for _, alert in events if alert["state"] != "open")
    assert (alert["state"], alert["acknowledged_by"]) == ("acknowledged", "officer-station-a1")


async def test_positions_are_told_as_they_become_newer_but_not_to_the_admin(api: Api, opened: Opened) -> None:
    officer = await opened(await api.login(Role.OFFICER, "station-a1"))
    admin = await opened(await api.login(Role.ADMIN, "station-a1"))
    await world.report(api.store, "p-a2", world.NOW_MS + 1, 122.1, 41.1)
    await world.report(api.store, "p-a1", world.NOW_MS + 1, 122.2, 41.2)
    event, position = await anext(officer)
    assert event == "position"
    assert position == {
        "person_id": "p-a1",
        "office_id": "station-a1",
        "device_id": "band-p-a1",
        "lon": 122.2,
        "lat": 41.2,
        "at": "2026-11-24T12:00:00.001+08:00",
        "acc": 8.0,
    }
    alert_id = await _violate(api, "p-a1")
    event, alert = await anext(admin)
    assert (event, alert["alert_id"], alert["position"]) == ("alert", alert_id, None)


async def test_a_stream_ends_when_the_server_stops(api: Api, opened: Opened) -> None:
    events = await opened(await api.login(Role.OFFICER, "station-a1"))
    api.stop.set()
    with pytest.raises((StopAsyncIteration, httpx.HTTPError)):
        await asyncio.wait_for(anext(events), 20)


@pytest.fixture(autouse=True)
def _positions_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "POSITIONS_EVERY_S", 0.1)


async def test_a_stream_ends_with_its_session(
    api: Api, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.1)
    client = await api.login(Role.OFFICER, "station-a1")
    events = await opened(client)
    await client.delete("/api/v1/session")
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(events), 20)
