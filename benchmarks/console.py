"""What an officer waits for in the browser: the first paint, and the map of a city of 5,000 while it moves.

    python -m benchmarks.console [--quick]

Headless Chromium without a graphics card paints what the server shows, both on this machine.  First paint is
the browser's own first-contentful-paint with an empty cache; beside it stands the time until the duty board
has its alerts.  The map is dragged about and zoomed in and out by events of mouse and wheel, at every frame
the next, while every two seconds as many people report as would in a city where everybody does once a minute.
Frames are counted by requestAnimationFrame; what the display allows is 60 a second.  Beside it, in the same
page with the same people, hand and reports: Leaflet's own markers, in the document and on its canvas.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
from argon2 import PasswordHasher
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from benchmarks.api import PASSWORD, serving
from benchmarks.report import Row, report
from corrections_monitor import cases as case_folder
from corrections_monitor.clock import SystemClock
from corrections_monitor.model.cases import CaseSet, Category, Circle
from corrections_monitor.model.telemetry import Fixes
from corrections_monitor.store import Store
from corrections_monitor.store.embedded import EmbeddedServer
from corrections_monitor.store.migrate import migrate
from simulators.city import CityPlan, write_city

PAINT_MS, FRAMES_PER_S = 1_000.0, 30.0
BOSS = "supervisor-211100-1"
REPORTS_EVERY_S = 2.0
WINDOW = (1440, 900)
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")

# A drag to and fro and round, then the wheel in and out; at every frame the next move.
_HAND = """
window.worked = async (holder, moves) => {
  const box = holder.getBoundingClientRect();
  const [cx, cy] = [box.left + box.width / 2, box.top + box.height / 2];
  const tell = (target, kind, x, y, more = {}) => {
    const Kind = kind === "wheel" ? WheelEvent : MouseEvent;
    const at = { clientX: x, clientY: y, button: 0, buttons: 1 };
    target.dispatchEvent(new Kind(kind, { bubbles: true, cancelable: true, view: window, ...at, ...more }));
  };
  const frame = () => new Promise(requestAnimationFrame);
  const under = document.elementFromPoint(cx, cy);
  const times = [];
  let before = await frame();
  const next = async () => { const now = await frame(); times.push(now - before); before = now; };
  tell(under, "mousedown", cx, cy);
  for (let i = 0; i < moves; i++) {
    tell(document, "mousemove", cx + 260 * Math.sin(i / 19), cy + 170 * Math.sin(i / 27));
    await next();
  }
  tell(document, "mouseup", cx, cy);
  for (let i = 0; i < moves / 2; i++) {
    if (i % 6 === 0) tell(under, "wheel", cx, cy, { deltaY: i < moves / 4 ? -120 : 120, deltaMode: 0 });
    await next();
  }
  return times;
};
"""
_RUN = "const [at, moves, done] = arguments; window.worked(document.querySelector(at), moves).then(done);"
MOVES, MOVES_OF_MARKERS = 240, 40  # five thousand markers in the document take a second for each

# The same people by what Leaflet brings along.
_USUAL = """
const [places, canvas, perSecond] = arguments;
document.querySelector("#usual")?.remove();
const holder = document.createElement("div");
holder.id = "usual";
holder.style.cssText = "position:fixed;inset:0;z-index:9000";
document.body.append(holder);
const how = { zoomAnimation: false, fadeAnimation: false, zoomSnap: 0.25, preferCanvas: canvas };
const map = L.map(holder, how);
map.fitBounds(L.latLngBounds(places));
const icon = L.divIcon({ className: "usual-mark", iconSize: [14, 14] });
const sheet = new CSSStyleSheet();
sheet.replaceSync(".usual-mark { background: #1d6b37; border: 1.5px solid #fff; border-radius: 50% }");
document.adoptedStyleSheets = [sheet];
const mark = (at) => (canvas ? L.circleMarker(at, { radius: 7 }) : L.marker(at, { icon, keyboard: false }));
const marks = places.map((at) => mark(at).addTo(map));
window.usualMoves = setInterval(() => {
  for (let i = 0; i < perSecond * 2; i++) {
    const mark = marks[Math.floor(Math.random() * marks.length)];
    const { lat, lng } = mark.getLatLng();
    mark.setLatLng([lat + (Math.random() - 0.5) * 2e-4, lng + (Math.random() - 0.5) * 2e-4]);
  }
}, 2000);
"""


def _homes(cases: CaseSet) -> dict[str, tuple[float, float]]:
    """Where everybody lives, by device."""
    found = {}
    for device in cases.devices.values():
        person = cases.people[device.person_id]
        home = cases.zones.get(f"home-{person.person_id}")
        if person.category is not Category.PROTECTED and home and isinstance(home.shape, Circle):
            found[f"band-{person.person_id}"] = (home.shape.lon, home.shape.lat)
    bound = {device.device_id for device in cases.devices.values()}
    return {device: at for device, at in found.items() if device in bound}


async def _report(store: Store, homes: dict[str, tuple[float, float]], devices: list[str]) -> None:
    """A fix of each device, about its home."""
    now_ms, count = SystemClock().wall_ms(), len(devices)
    fixes = Fixes(
        message=np.zeros(count, np.int64),
        t_ms=np.full(count, now_ms),
        lon=np.array([homes[d][0] + random.gauss(0, 3e-4) for d in devices]),
        lat=np.array([homes[d][1] + random.gauss(0, 3e-4) for d in devices]),
        acc_m=np.full(count, 8, np.float32),
        spd_mps=np.full(count, 1, np.float32),
        hdg_deg=np.full(count, np.nan, np.float32),
        src=np.zeros(count, np.uint8),
    )
    numbers = await store.device_numbers(devices)
    async with store.transaction() as tx:
        await tx.insert_fixes(numbers, fixes, np.full(count, now_ms))


async def fill(url: str, folder: Path, people: int) -> dict[str, tuple[float, float]]:
    """A simulated city, everybody heard of just now; the homes by device."""
    write_city(folder, CityPlan(SystemClock().wall_ms(), people, seed=11))
    cases = case_folder.read(folder, ZoneInfo("Asia/Shanghai"))
    store = await Store.open(url, "engine")
    try:
        await store.save_cases(cases, "benchmark", SystemClock().wall_ms() - 40 * 86_400_000)
        homes = _homes(cases)
        await _report(store, homes, list(homes))
    finally:
        await store.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO credentials (kind, id, hash, created_ms) VALUES ('officer', %s, %s, 0)",
            [BOSS, PasswordHasher().hash(PASSWORD)],
        )
        connection.execute("VACUUM ANALYZE")
    return homes


@contextmanager
def reporting(url: str, homes: dict[str, tuple[float, float]]) -> Iterator[None]:
    """Everybody reports once a minute, a few at a time, from a thread of its own."""
    stop = threading.Event()

    async def run() -> None:
        store = await Store.open(url, "engine")
        devices = list(homes)
        some = max(1, round(len(devices) * REPORTS_EVERY_S / 60))
        try:
            while not stop.is_set():
                await _report(store, homes, random.sample(devices, some))
                await asyncio.sleep(REPORTS_EVERY_S)
        finally:
            await store.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def chromium(folder: Path) -> Iterator[webdriver.Chrome]:
    program, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not chromedriver:
        raise SystemExit("console: Debian packages chromium and chromium-driver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*_FLAGS, f"--user-data-dir={folder}", f"--window-size={WINDOW[0]},{WINDOW[1]}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    driver.set_script_timeout(300)
    try:
        yield driver
    finally:
        driver.quit()


def log_in(driver: webdriver.Chrome, url: str) -> None:
    driver.get(url)
    driver.execute_async_script(
        "const [username, password, done] = arguments;"
        "fetch('api/v1/session', { method: 'POST', headers: { 'Content-Type': 'application/json' },"
        " body: JSON.stringify({ username, password }) }).then(() => {"
        " localStorage.setItem('console.entered', 'yes'); done(); })",
        BOSS,
        PASSWORD,
    )


def first_paint(driver: webdriver.Chrome, url: str) -> tuple[float, float]:
    """Milliseconds from the navigation until something is painted, and until the duty board is complete."""
    driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    driver.get("about:blank")
    driver.get(url)
    found: list[float] = driver.execute_async_script(
        "const done = arguments[0]; const look = () => {"
        " const [paint] = performance.getEntriesByName('first-contentful-paint');"
        " const note = document.querySelector('.hidden-note, li[data-alert]');"
        " if (paint && note && note.textContent) done([paint.startTime, performance.now()]);"
        " else requestAnimationFrame(look); }; look();"
    )
    return found[0], found[1]


def open_map(driver: webdriver.Chrome, url: str) -> int:
    """How many people are on it, once all have been read."""
    driver.get(url + "#/map")
    return int(
        driver.execute_async_script(
            "const done = arguments[0]; const look = () => {"
            " const told = document.querySelector('.view-map .counts')?.textContent.match(/\\d+/);"
            " if (told && document.getElementById('count-normal')?.textContent) done(Number(told[0]));"
            " else setTimeout(look, 100); }; look();"
        )
    )


def frames(driver: webdriver.Chrome, holder: str, moves: int = MOVES) -> list[float]:
    """Milliseconds of each frame while the map in ``holder`` is dragged and zoomed."""
    driver.execute_script(_HAND)
    return list(driver.execute_async_script(_RUN, holder, moves))


def measure(driver: webdriver.Chrome, url: str, homes: Any, repeats: int) -> list[Row]:
    paints = [first_paint(driver, url) for _ in range(repeats + 1)][1:]
    shown = open_map(driver, url)
    if shown < 0.9 * len(homes):
        raise RuntimeError(f"{shown} people on the map of {len(homes)}")
    ours = [frames(driver, ".big-map") for _ in range(repeats)]
    places = [[lat, lon] for lon, lat in homes.values()]
    per_second = len(places) / 60
    usual = {}
    for name, canvas in (("Leaflet's markers", False), ("Leaflet's canvas", True)):
        driver.execute_script(_USUAL, places, canvas, per_second)
        moves = MOVES if canvas else MOVES_OF_MARKERS
        usual[name] = [frames(driver, "#usual", moves) for _ in range(min(repeats, 3))]
        driver.execute_script("clearInterval(window.usualMoves)")
    rate = {
        name: [_rate(run) for run in runs] for name, runs in (("the console's map", ours), *usual.items())
    }
    beside = statistics.median(rate["Leaflet's markers"])
    what = f"map of {shown:,} people"
    return [
        Row("first paint, nothing cached", "ms", [p for p, _ in paints], PAINT_MS, at_most=True),
        Row("duty board complete, nothing cached", "ms", [b for _, b in paints]),
        Row(
            f"{what}, dragged and zoomed, live",
            "frames/s",
            rate["the console's map"],
            FRAMES_PER_S,
            beside="Leaflet's markers",
            times=statistics.median(rate["the console's map"]) / beside,
        ),
        Row(f"{what}, slowest frame in twenty", "ms", [_slow(run) for run in ours]),
        *(Row(f"{what} by {name}", "frames/s", rate[name]) for name in usual),
    ]


def _rate(run: list[float]) -> float:
    return 1_000 * len(run) / sum(run)


def _slow(run: list[float]) -> float:
    return statistics.quantiles(run, n=20)[-1]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the people, once")
    quick = parser.parse_args(argv).quick
    people, repeats = (500, 1) if quick else (5_000, 5)
    with (
        tempfile.TemporaryDirectory(prefix="corrections-bench-", ignore_cleanup_errors=True) as name,
        EmbeddedServer.start(Path(name) / "pg") as server,
        chromium(Path(name) / "profile") as driver,
    ):
        migrate(server.url())
        homes = asyncio.run(fill(server.url(), Path(name) / "cases", people))
        with serving(server.url(), Path(name), BOSS) as (client, _), reporting(server.url(), homes):
            url = f"{client.base_url.scheme}://{client.base_url.host}:{client.base_url.port}/"
            log_in(driver, url)
            rows = measure(driver, url, homes, repeats)
    name = "console-quick" if quick else "console"
    report(name, rows, date=datetime.now(UTC).isoformat(timespec="seconds"), packages=("fastapi", "selenium"))


if __name__ == "__main__":
    main()
