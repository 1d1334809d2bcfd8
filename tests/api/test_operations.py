"""What machines ask: alive, fit to monitor, metrics, the description of the API; and errors as problems."""

from __future__ import annotations

import asyncio

from conftest import Api

from corrections_monitor.store import Store
from corrections_monitor.store.api_access import is_led


async def test_alive_and_metrics_need_no_login(api: Api) -> None:
    client = api.client()
    assert (await client.get("/healthz")).json() == {"status": "alive"}
    metrics = await client.get("/metrics")
    assert metrics.status_code == 200
    assert metrics.headers["content-type"].startswith("text/plain")


async def test_ready_while_a_daemon_leads_and_blind_half_a_minute_after_the_last_did(
    api: Api, database_url: str
) -> None:
    client = api.client()
    assert (await client.get("/readyz")).status_code == 200  # our own start is no outage
    api.clock.now_ms += 31_000
    blind = await client.get("/readyz")
    assert blind.status_code == 503
    assert "no daemon" in blind.json()["reason"]
    async with Store.lead(database_url):
        assert (await client.get("/readyz")).status_code == 200
    # The server takes a moment to notice that the daemon's session has ended.
    while await is_led(api.store):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    api.clock.now_ms += 29_000
    assert (await client.get("/readyz")).status_code == 200
    api.clock.now_ms += 2_000
    assert (await client.get("/readyz")).status_code == 503


async def test_a_database_that_is_away_is_503_with_a_reason(api: Api) -> None:
    await api.api_store.close()
    client = api.client()
    ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert "database" in ready.json()["reason"]
    asked = await client.post("/api/v1/session", json={"username": "a", "password": "b"})
    assert asked.status_code == 503
    assert asked.headers["content-type"] == "application/problem+json"
    assert (await client.get("/healthz")).status_code == 200


async def test_the_api_describes_itself(api: Api) -> None:
    paths = (await api.client().get("/api/openapi.json")).json()["paths"]
    assert {"/api/v1/session", "/api/v1/alerts", "/api/v1/alerts/{alert_id}/ack", "/api/v1/stream"} <= set(
        paths
    )


async def test_every_error_is_a_problem(api: Api) -> None:
    client = api.client()
    for method, path, status in (
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/nothing", 404),
        ("PUT", "/api/v1/alerts", 405),
        ("GET", "/api/v1/people", 401),
    ):
        answer = await client.request(method, path)
        assert answer.status_code == status, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert {"type", "title", "detail"} <= set(answer.json())
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_body_without_bound_is_refused(api: Api) -> None:
    client = api.client()
    declared = await client.post("/api/v1/session", content=b" " * 5_000_000)
    assert declared.status_code == 413

    async def chunks() -> object:
        for _ in range(50):
            yield b" " * 100_000

    streamed = await client.post("/api/v1/session", content=chunks())  # type: ignore[arg-type]
    assert streamed.status_code in (400, 413, 422)
    assert streamed.headers["content-type"] == "application/problem+json"
