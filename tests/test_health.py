"""healthz, readyz and metrics over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from corrections_monitor import health
from corrections_monitor.config_values import Listen
from corrections_monitor.health import HealthServer
from corrections_monitor.metrics import Metrics


class Readiness:
    """What the daemon would say of itself."""

    def __init__(self) -> None:
        self.answer: tuple[bool, str] | Exception = (True, "")

    def __call__(self) -> tuple[bool, str]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
async def server(readiness: Readiness) -> AsyncIterator[HealthServer]:
    async with HealthServer(Listen("127.0.0.1", 0), readiness, Metrics().registry, lambda: 7.5) as running:
        yield running


async def get(server: HealthServer, path: str, method: str = "GET") -> httpx.Response:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as client:
        return await client.request(method, path)


async def raw(server: HealthServer, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    try:
        return await reader.read()
    except ConnectionResetError:  # turned away before the request was read
        return b""
    finally:
        writer.close()


async def test_alive(server: HealthServer) -> None:
    answer = await get(server, "/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_blind_is_503_with_the_reason(server: HealthServer, readiness: Readiness) -> None:
    assert (await get(server, "/readyz")).status_code == 200
    readiness.answer = (False, "数据库 30 秒没有提交")
    answer = await get(server, "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "blind", "reason": "数据库 30 秒没有提交", "lag_s": 7.5}
    assert (await get(server, "/healthz")).status_code == 200, "blind is not dead: no restart for it"


async def test_a_readiness_check_that_fails_is_blind(server: HealthServer, readiness: Readiness) -> None:
    readiness.answer = RuntimeError("password=hunter2")
    answer = await get(server, "/readyz")
    assert answer.status_code == 503
    assert "hunter2" not in answer.text


async def test_metrics_are_scraped(server: HealthServer) -> None:
    answer = await get(server, "/metrics?name=x")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "corrections_blind 1.0" in answer.text


async def test_other_paths_and_methods_are_refused(server: HealthServer) -> None:
    assert (await get(server, "/")).status_code == 404
    assert (await get(server, "/healthz", "POST")).status_code == 405
    head = await get(server, "/healthz", "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert json.loads((await get(server, "/x")).text)["status"] == 404


@pytest.mark.parametrize(
    "request_", [b"\r\n\r\n", b"GET /healthz\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"x" * 20_000]
)
async def test_garbage_is_a_bad_request(server: HealthServer, request_: bytes) -> None:
    assert (await raw(server, request_)).startswith(b"HTTP/1.1 400 ")
    assert (await get(server, "/healthz")).status_code == 200


async def test_slow_peers_are_dropped_and_too_many_turned_away(
    server: HealthServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_TIMEOUT_S", 0.2)
    monkeypatch.setattr(health, "_CONNECTIONS_MAX", 3)
    silent = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
    assert await raw(server, b"GET /healthz HTTP/1.1\r\n\r\n") == b"", "no place is free"
    async with asyncio.timeout(4):
        assert [await reader.read() for reader, _ in silent] == [b""] * 3, "given up after the time-out"
    assert b"200 OK" in await raw(server, b"GET /healthz HTTP/1.1\r\n\r\n")
    for _, writer in silent:
        writer.close()
