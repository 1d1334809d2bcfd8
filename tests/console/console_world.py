"""A server and a browser as the console's tests handle them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    NoSuchElementException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

ROOT = Path(__file__).parents[2]
# The small city is the API tests' own.
sys.path.append(str(ROOT / "tests" / "api"))

import small_city as world  # noqa: E402

from corrections_monitor.api.hub import Hub  # noqa: E402
from corrections_monitor.clock import SystemClock  # noqa: E402
from corrections_monitor.model.alerts import Answer, Disposition  # noqa: E402
from corrections_monitor.model.cases import Role  # noqa: E402
from corrections_monitor.model.episodes import Kind  # noqa: E402
from corrections_monitor.rules.outcome import Noted, TimelineNote  # noqa: E402
from corrections_monitor.store import Store  # noqa: E402
from corrections_monitor.store.answers import Given  # noqa: E402
from corrections_monitor.store.api_alerts import answer_alert  # noqa: E402

PICTURES = ROOT / "build" / "console"
DOWNLOADS = PICTURES / "downloads"
WAIT_S = 15
DESKTOP = (1440, 900)
PHONE = (390, 844)
WALL = (3840, 2160)
only_whole = pytest.mark.skipif(os.environ.get("CONSOLE") != "whole", reason="make console")
"""The rest of a matrix of which ``make test`` walks a slice."""
_REDRAWN = (NoSuchElementException, StaleElementReferenceException, ElementClickInterceptedException)
T = TypeVar("T")


@dataclass
class Server:
    """The running server; ``do`` runs a coroutine beside it."""

    url: str
    store: Store
    loop: asyncio.AbstractEventLoop
    hub: Hub

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(WAIT_S)

    def violate(self, person_id: str, times: int = 1, kind: Kind = Kind.ZONE_EXIT) -> str:
        """Violations are detected now: committed as the daemon commits them; gives the last alert's id."""

        async def commit() -> str:
            began_ms = SystemClock().wall_ms() - 180_000
            found = [world.violation(person_id, kind, began_ms - i) for i in range(times)]
            async with self.store.transaction() as tx:
                await tx.write_alerts([alert for _, alert in found])
                await tx.write_lines([line for line, _ in found])
            return found[-1][1].alert_id

        return self.do(commit())

    def miss(self, alert_id: str) -> None:
        """A step of the alert's ladder finds nobody at the county."""

        async def commit() -> None:
            now_ms = SystemClock().wall_ms()
            note = TimelineNote(alert_id, now_ms, Noted.SKIPPED, (), {"rung": "county-duty", "why": "nobody"})
            async with self.store.transaction() as tx:
                await tx.write_timeline([note])

        self.do(commit())

    def answer(self, alert_id: str, officer_id: str) -> None:
        """Another officer resolves it."""

        async def commit() -> None:
            await answer_alert(
                self.store,
                list(world.OFFICES),
                alert_id,
                Given(
                    Answer.RESOLVED,
                    officer_id,
                    SystemClock().wall_ms(),
                    "误报",
                    Disposition.FALSE_ALARM,
                ),
            )

        self.do(commit())

    def cut_streams(self) -> None:
        """Every open stream ends; a browser comes back after two seconds."""
        self.loop.call_soon_threadsafe(self.hub.end_streams)

    def report(self, person_id: str, before_ms: int, lon: float, lat: float) -> None:
        """A fix of the person so long ago."""
        now_ms = SystemClock().wall_ms()
        self.do(world.report(self.store, person_id, now_ms - before_ms, lon, lat))


@dataclass
class Browser:
    """One window; ``find`` waits until there is what is looked for."""

    driver: webdriver.Chrome
    url: str
    server: Server  # of the tests that have one in their own process

    def find(self, css: str, text: str = "") -> WebElement:
        """The first element that is shown and holds the text."""

        def look(driver: webdriver.Chrome) -> WebElement | None:
            shown = (e for e in driver.find_elements(By.CSS_SELECTOR, css) if e.is_displayed())
            return next((e for e in shown if text in e.text), None)

        return self.until(look, f"{css} with {text!r}")

    def press(self, css: str, text: str = "") -> None:
        """Click it, drawn anew meanwhile or not."""

        def click(driver: webdriver.Chrome) -> bool:
            for element in driver.find_elements(By.CSS_SELECTOR, css):
                if element.is_displayed() and text in element.text:
                    element.click()
                    return True
            return False

        self.until(click, f"{css} with {text!r}")

    def type(self, keys: str) -> None:
        """Press keys where the focus is, whatever is being redrawn."""
        ActionChains(self.driver).send_keys(keys).perform()

    def file(self, name: str) -> bytes:
        """What was downloaded under that name, whole."""
        path = DOWNLOADS / name
        self.until(lambda _: path.exists(), f"the file {name}")
        found = path.read_bytes()
        path.unlink()
        return found

    def gone(self, css: str) -> None:
        self.until(lambda d: not d.find_elements(By.CSS_SELECTOR, css), f"no {css}")

    def until(self, condition: Callable[[webdriver.Chrome], T | None], what: str) -> T:
        # An element may be drawn anew between being found and being asked.
        waiting = WebDriverWait(self.driver, WAIT_S, 0.05, ignored_exceptions=_REDRAWN)
        try:
            return waiting.until(condition)
        except TimeoutException:
            raise AssertionError(f"waited for {what}; the page says: {self.text()[:800]}") from None

    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    def show(self, address: str) -> None:
        self.driver.get(self.url + "#/" + address)

    def log_in(self, role: Role, office: str, language: str = "zh") -> None:
        self.give_name_and_password(world.officer_id(role, office), language)
        self.find(".live.on")

    def open_login(self, language: str) -> None:
        self.driver.get(self.url)
        self.driver.execute_script("localStorage.setItem('console.language', arguments[0])", language)
        self.driver.refresh()
        self.find("#username")

    def give_name_and_password(self, username: str, language: str = "zh") -> None:
        self.open_login(language)
        self.find("#username").send_keys(username)
        self.find("#password").send_keys(world.PASSWORD)
        self.find("button[type=submit]").click()

    @contextmanager
    def beside(self) -> Iterator[httpx.Client]:
        """A program with the very session of this window."""
        cookie = self.driver.get_cookie("corrections_session")  # not by TLS
        assert cookie is not None
        headers = {"Authorization": f"Bearer {cookie['value']}"}
        with httpx.Client(base_url=f"{self.url}api/v1", headers=headers, trust_env=False) as client:
            yield client

    def resize(self, size: tuple[int, int]) -> None:
        """The page is that large, whatever the least size of a window."""
        width, height = size
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(PICTURES / f"{name}.png"))

    def overflow_px(self) -> int:
        """By how much the page is wider than its window."""
        return int(
            self.driver.execute_script(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    def complaints(self) -> list[str]:
        """What stands in the browser's console."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def asked_elsewhere(self) -> list[str]:
        """Addresses outside our server that were asked for."""
        messages = (json.loads(e["message"])["message"] for e in self.driver.get_log("performance"))
        asked = [
            m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"
        ]
        assert asked, "requests are not being recorded"
        # The last two are the browser's own empty first page.
        ours = (self.url, "data:", "about:", "chrome:", "chrome-untrusted:")
        return [url for url in asked if not url.startswith(ours)]


@contextmanager
def window(
    chromium: webdriver.Chrome, url: str, server: Server | None = None, others: tuple[str, ...] = ()
) -> Iterator[Browser]:
    """A desktop-sized window that knows nobody; at the end nothing was complained of or asked elsewhere.

    ``others``: beginnings of addresses of another house that is passed through.
    """
    chromium.get("about:blank")
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    chromium.execute_cdp_cmd(
        "Storage.clearDataForOrigin", {"origin": url.rstrip("/"), "storageTypes": "local_storage"}
    )
    found = Browser(chromium, url, server)
    found.resize(DESKTOP)
    found.complaints()
    chromium.get_log("performance")
    yield found
    # Closed before the server goes: its streams must not be missed.
    chromium.get("about:blank")
    wrong = [said for said in found.complaints() + found.asked_elsewhere() if not said.startswith(others)]
    assert not wrong, wrong
