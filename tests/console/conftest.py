"""The console in a real browser, against the real server on a real database; nothing else is on the net."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, TypeVar

import psycopg
import pytest
from argon2 import PasswordHasher
from console_world import DOWNLOADS, Browser, Server, window, world
from prometheus_client import CollectorRegistry
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from corrections_monitor.api.app import create_app
from corrections_monitor.api.server import ApiServer, server_config
from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Config
from corrections_monitor.store import Store

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=zh-CN",
    "--hide-scrollbars",
)
_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(world.PASSWORD)
VIDEO_CALL = "https://meet.example.cn/call?who={person_id}&by={officer_id}"
T = TypeVar("T")


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    """The small city, served from another thread; every officer has the password ``world.PASSWORD``."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    stack = AsyncExitStack()

    def run(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    async def start() -> Server:
        store = await Store.open(database_url, "engine")
        stack.push_async_callback(store.close)
        cases = world.cases()
        await store.save_cases(cases, "test", world.NOW_MS - 30 * 86_400_000)
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            await connection.execute(
                "INSERT INTO credentials (kind, id, hash, created_ms) SELECT 'officer', id, %s, %s"
                " FROM unnest(%s::text[]) AS id",
                (_HASH, world.NOW_MS - 1_000, list(cases.officers)),
            )
        api_store = await Store.open(database_url, "api")
        stack.push_async_callback(api_store.close)
        config = Config()
        config = replace(config, http=replace(config.http, video_call=VIDEO_CALL))
        app = create_app(api_store, config, SystemClock(), CollectorRegistry())
        http = ApiServer(server_config(app, config), app.state.api.hub)
        listener = socket.create_server(("127.0.0.1", 0))
        serving = asyncio.create_task(http.serve([listener]))
        await http.is_listening.wait()

        async def end() -> None:
            http.should_exit = True
            await serving
            listener.close()

        stack.push_async_callback(end)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        return Server(url, store, loop, app.state.api.hub)

    yield run(start())
    run(stack.aclose())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """One headless Chromium for all; skips where there is none."""
    program, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not chromedriver:
        pytest.skip("Debian packages chromium and chromium-driver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(DOWNLOADS)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    shutil.rmtree(DOWNLOADS, ignore_errors=True)
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium: webdriver.Chrome, server: Server) -> Iterator[Browser]:
    """A window on the small city."""
    with window(chromium, server.url, server) as found:
        yield found
