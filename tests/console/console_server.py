"""The console's server, in a thread of the tests' own process."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import psycopg
from argon2 import PasswordHasher
from console_world import Server, world
from prometheus_client import CollectorRegistry

from corrections_monitor.api.app import create_app
from corrections_monitor.api.server import ApiServer, server_config
from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Config, Oidc
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.store import Store

_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(world.PASSWORD)
NO_PROVIDER = Oidc()
VIDEO_CALL = "https://meet.example.cn/call?who={person_id}&by={officer_id}"
T = TypeVar("T")


@contextmanager
def serving(database_url: str, cases: CaseSet, since_ms: int, oidc: Oidc = NO_PROVIDER) -> Iterator[Server]:
    """A server for these cases, which stand since then."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    stack = AsyncExitStack()

    def run(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    async def start() -> Server:
        store = await Store.open(database_url, "engine")
        stack.push_async_callback(store.close)
        await store.save_cases(cases, "test", since_ms)
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            await connection.execute(
                "INSERT INTO credentials (kind, id, hash, created_ms) SELECT 'officer', id, %s, %s"
                " FROM unnest(%s::text[]) AS id",
                (_HASH, world.NOW_MS - 1_000, list(cases.officers)),
            )
        api_store = await Store.open(database_url, "api")
        stack.push_async_callback(api_store.close)
        config = Config()
        config = replace(config, http=replace(config.http, video_call=VIDEO_CALL), oidc=oidc)
        app = create_app(api_store, config, SystemClock(), CollectorRegistry())
        http_server = ApiServer(server_config(app, config), app.state.api.hub)
        listener = socket.create_server(("127.0.0.1", 0))
        task = asyncio.create_task(http_server.serve([listener]))
        await http_server.is_listening.wait()

        async def end() -> None:
            http_server.should_exit = True
            await task
            listener.close()

        stack.push_async_callback(end)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        return Server(url, store, loop, app.state.api.hub)

    try:
        yield run(start())
    finally:
        run(stack.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
