"""The API on a real PostgreSQL and a real port, with a clock that is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

import httpx
import psycopg
import pytest
import small_city as world
from argon2 import PasswordHasher
from prometheus_client import CollectorRegistry

from corrections_monitor.api.server import serve
from corrections_monitor.config import Config, Http
from corrections_monitor.config_values import Listen
from corrections_monitor.model.cases import Role
from corrections_monitor.store import Store

# The same algorithm at its cheapest: what is tested is not how slow a guess is.
_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(world.PASSWORD)


@dataclass
class HandClock:
    """Both clocks stand still until moved."""

    now_ms: int = world.NOW_MS

    def wall_ms(self) -> int:
        return self.now_ms

    def monotonic_s(self) -> float:
        return self.now_ms / 1_000


@dataclass
class Api:
    """The running server: ``await api.login(role, office)`` gives a client with that officer's token."""

    url: str
    clock: HandClock
    store: Store  # the daemon's
    api_store: Store
    stop: asyncio.Event
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def client(self, **headers: str) -> httpx.AsyncClient:
        client = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30, trust_env=False)
        self.clients.append(client)
        return client

    async def login(self, role: Role, office_id: str) -> httpx.AsyncClient:
        client = self.client()
        body = {"username": world.officer_id(role, office_id), "password": world.PASSWORD}
        answer = await client.post("/api/v1/session", json=body)
        assert answer.status_code == 200, answer.text
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return client


@pytest.fixture
async def api(store: Store, api_store: Store, database_url: str) -> AsyncIterator[Api]:
    """The server with the small city of ``world``; every officer has the password ``world.PASSWORD``."""
    cases = world.cases()
    await store.save_cases(cases, "test", world.NOW_MS - 30 * 86_400_000)
    await give_passwords(database_url, list(cases.officers))
    server = serving(api_store)
    async with server as (url, clock):
        running = Api(url, clock, store, api_store, server.stop)
        yield running
        for client in running.clients:
            await client.aclose()


async def give_passwords(database_url: str, officer_ids: list[str]) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute(
            "INSERT INTO credentials (kind, id, hash, created_ms) SELECT 'officer', id, %s, %s"
            " FROM unnest(%s::text[]) AS id",
            (_HASH, world.NOW_MS - 1_000, officer_ids),
        )


class serving:
    """A server on a free port for as long as the block: gives (url, clock)."""

    def __init__(self, store: Store, configure: Callable[[Config], Config] = lambda config: config) -> None:
        self._store = store
        self._config = configure(replace(Config(), http=Http(listen=Listen("127.0.0.1", 0))))
        self.stop = asyncio.Event()

    async def __aenter__(self) -> tuple[str, HandClock]:
        clock = HandClock()
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(
            serve(self._store, self._config, clock, CollectorRegistry(), self.stop, port.set_result)
        )
        await asyncio.wait({self._task, port}, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            await self._task
        return f"http://127.0.0.1:{await port}", clock

    async def __aexit__(self, *_: object) -> None:
        self.stop.set()
        await self._task
