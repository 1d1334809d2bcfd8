"""The console in a real browser, against the real server on a real database; nothing else is on the net."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from console_server import serving
from console_world import DOWNLOADS, Browser, Server, window, world
from night_shift import NightShift, district, fall
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from corrections_monitor.clock import SystemClock
from corrections_monitor.model.times import DAY_MS
from corrections_monitor.store.leader import lead

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


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    """The small city, served from another thread; every officer has the password ``world.PASSWORD``."""
    with serving(database_url, world.cases(), world.NOW_MS - 30 * 86_400_000) as running:
        yield running


@pytest.fixture(scope="module")
def night_shift(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NightShift]:
    """A simulated county at night, once for a module."""
    cases = district(tmp_path_factory.mktemp("district"))
    with serving(module_database_url, cases, SystemClock().wall_ms() - 40 * DAY_MS) as server:
        night = fall(server, cases, module_database_url)
        monitoring = lead(module_database_url)  # as a daemon does
        server.do(monitoring.__aenter__())
        yield NightShift(server, night)
        server.do(monitoring.__aexit__(None, None, None))


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
