"""Every view, full of what a night shift has to do: readable by everybody, no wider than its window, and kept
as a picture in build/console.

axe-core (npm 4.14.1, MPL-2.0, beside this file) finds no fault of WCAG 2.1 AA.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from console_world import DESKTOP, PHONE, WALL, Browser, only_whole, window
from night_shift import NightShift
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")
RUN = """
const done = arguments[arguments.length - 1];
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
axe.run({ runOnly: tags }).then((found) => done(found.violations.map((v) => `${v.id}: ${v.nodes[0].html}`)));
"""
SIZES = {"desktop": DESKTOP, "phone": PHONE, "wall": WALL}
MATRIX = [
    (language, size, theme) for language in ("zh", "en") for size in SIZES for theme in ("light", "dark")
]
QUICK = {("zh", "desktop", "light"), ("en", "phone", "dark")}


def faults(browser: Browser) -> list[str]:
    browser.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE})
    found: list[str] = browser.driver.execute_async_script(RUN)
    return found


@pytest.mark.parametrize(
    ("language", "size", "theme"),
    [pytest.param(*c, id="-".join(c), marks=() if c in QUICK else only_whole) for c in MATRIX],
)
def test_every_view_is_readable_and_fits(
    chromium: webdriver.Chrome, night_shift: NightShift, language: str, size: str, theme: str
) -> None:
    night = night_shift.night
    with window(chromium, night_shift.server.url) as browser:
        browser.resize(SIZES[size])
        suffix = f"{language}-{size}" + ("" if theme == "light" else f"-{theme}")
        found: list[str] = []

        def look(name: str) -> None:
            browser.picture(f"view-{name}-{suffix}")
            found.extend(f"{name}: {fault}" for fault in faults(browser))
            if browser.overflow_px() > 0:
                found.append(f"{name}: {browser.overflow_px()} px wider than the window")

        browser.driver.get(browser.url)
        browser.driver.execute_script("localStorage.setItem('console.theme', arguments[0])", theme)
        browser.open_login(language)
        look("login")
        browser.give_name_and_password(night.supervisor, language)
        browser.find(".live.on")
        for name, (address, ready) in VIEWS.items():
            browser.show(address.format(**vars(night)))
            if isinstance(ready, str):
                browser.find(ready)
            else:
                ready(browser)
            look(name)
        browser.show("board")
        browser.press("li [data-do=resolve]")
        browser.find(".findings")
        look("resolve")
        assert not found, "\n".join(found)


def _open_track(browser: Browser) -> None:
    browser.find("#track-reason").send_keys("核实越界警情")
    browser.driver.execute_script(
        "document.getElementById('track-from').value ="
        " new Date(Date.now() - 864e5).toISOString().slice(0, 16)"
    )
    browser.press("#track-open")
    browser.find("#track-slider").send_keys(Keys.PAGE_UP * 6)
    browser.driver.execute_script("document.getElementById('toast').className = ''")
    browser.driver.execute_script("scrollTo(0, 0)")


def _loaded(browser: Browser) -> None:
    browser.find("main tbody tr")
    browser.find("[data-load]")


def _both_charts(browser: Browser) -> None:
    browser.until(lambda d: len(d.find_elements("css selector", ".chart canvas")) == 2, "two charts")


# [address, what is there when it is drawn]
VIEWS: dict[str, tuple[str, str | Callable[[Browser], None]]] = {
    "board": ("board", "li[data-alert]"),
    "alert": ("board?alert={under_way}", ".panel .timeline"),
    "map": ("map", ".legend .number"),
    "people": ("people", "main tbody tr"),
    "file": ("people/{person_id}", ".facts"),
    "track": ("people/{person_id}", _open_track),
    "violations": ("violations", "tr[data-episode]"),
    "violations-by-day": ("violations?by=day", ".bars"),
    "census": ("census", "main tbody tr"),
    "offices": ("offices", _loaded),
    "compare": ("offices/compare", _both_charts),
    "digest": ("offices/digest", ".cards"),
    "duty": ("cases/duty", "tr[data-row]"),
    "orders": ("cases/orders", "tr[data-row]"),
    "leaves": ("cases/leaves", "main table"),
    "zones": ("cases/zones", ".zone-list li"),
    "devices": ("cases/devices", "tr[data-row]"),
    "drills": ("drills", "#drill-new"),
    "system": ("system", ".verdict"),
    "quarantine": ("system/quarantine", "main tbody tr"),
    "holds": ("system/holds", "tr[data-held]"),
    "audit": ("system/audit", "main tbody tr"),
    "account": ("system/account", "tbody tr"),
}
