"""The whole way of an officer, on the real programs: in with a second factor, an alert comes, is answered,
the track is replayed, and all of it is found, exported and packed again."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pyotp
import pypdf
import pytest
from console_precinct import Precinct, Walker, open_precinct
from console_world import DESKTOP, PHONE, Browser, only_whole, window
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from corrections_monitor.model.cases import Role

SIZES = {"desktop": DESKTOP, "phone": PHONE}
ROLES = (Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR)
MATRIX = [(role, language, size) for role in ROLES for language in ("zh", "en") for size in SIZES]
QUICK = {
    (Role.OFFICER, "zh", "desktop"),
    (Role.SUPERVISOR, "en", "phone"),
    (Role.AUDITOR, "zh", "phone"),
}
WALKERS = {cell: Walker(cell[0], n) for n, cell in enumerate(MATRIX)}


@dataclass(frozen=True)
class Words:
    six_digits: str
    left: str
    taken: str
    give_reason: str
    fixes: str
    finding: str
    replay: str


SAYS = {
    "zh": Words("六位数字", "越界", "处置中", "请先填写申请理由", "8 个定位点", "属实违规", "播放"),
    "en": Words(
        "six digits",
        "Left the zone",
        "Acknowledged",
        "give a reason",
        "8 fixes",
        "True violation",
        "Play",
    ),
}


@pytest.fixture(scope="module")
def precinct(tmp_path_factory: pytest.TempPathFactory, module_database_url: str) -> Iterator[Precinct]:
    with open_precinct(
        tmp_path_factory.mktemp("precinct"), module_database_url, list(WALKERS.values())
    ) as running:
        yield running


@pytest.mark.parametrize(
    ("role", "language", "size"),
    [pytest.param(*cell, id="-".join(cell), marks=() if cell in QUICK else only_whole) for cell in MATRIX],
)
def test_from_the_login_to_the_evidence_pack(
    chromium: webdriver.Chrome, precinct: Precinct, role: Role, language: str, size: str
) -> None:
    walker, says = WALKERS[role, language, size], SAYS[language]
    with window(chromium, precinct.url) as browser:
        browser.resize(SIZES[size])
        name = f"walk-{role}-{language}-{size}"
        _log_in_with_a_second_factor(browser, precinct, walker, says, language)
        row = _an_alert_arrives(browser, precinct, walker, says)
        browser.picture(f"{name}-1-alert")
        if role is not Role.AUDITOR:
            _acknowledge(browser, row, says, by_keyboard=size == "desktop")
        _replay_the_track(browser, row, says, name)
        if role is Role.AUDITOR:
            _may_only_read(browser, row)
        else:
            _resolve(browser, row, says)
        _find_export_and_pack(browser, walker, says, name, resolved=role is not Role.AUDITOR)
        if role is not Role.OFFICER:
            browser.show("system/audit?action=track.read")
            browser.find("tbody tr", "核实越界警情")


def _log_in_with_a_second_factor(
    browser: Browser, precinct: Precinct, walker: Walker, says: Words, language: str
) -> None:
    totp = pyotp.TOTP(precinct.secrets[walker.officer_id])
    browser.give_name_and_password(walker.officer_id, language)
    browser.find("#login-fault", says.six_digits)
    assert all("401" in entry for entry in browser.complaints()), "the browser itself notes the refusal"
    browser.find("#otp").send_keys(totp.at(time.time() + totp.interval))  # the present one has enrolled it
    browser.press("button[type=submit]")
    browser.find(".live.on")


def _an_alert_arrives(browser: Browser, precinct: Precinct, walker: Walker, says: Words) -> str:
    """Live: the page is not read anew.  Gives the row."""
    assert walker.person_name not in browser.text()
    precinct.leaves_the_circle(walker)
    row = browser.find("li[data-alert]", walker.person_name)
    assert says.left in row.text
    assert browser.driver.title.startswith("(")
    return f"li[data-alert='{row.get_attribute('data-alert')}']"


def _acknowledge(browser: Browser, row: str, says: Words, *, by_keyboard: bool) -> None:
    if by_keyboard:
        chosen = f'return document.activeElement === document.querySelector("{row}")'
        browser.find("h1")
        for _ in browser.driver.find_elements(By.CSS_SELECTOR, "li[data-alert]"):
            browser.type("j")
            if browser.driver.execute_script(chosen):
                break
        browser.type("a")
    else:
        browser.press(f"{row} [data-do=ack]")
    browser.find(row, says.taken)


def _replay_the_track(browser: Browser, row: str, says: Words, name: str) -> None:
    browser.press(f"{row} .what a")
    browser.find("#track-reason")
    _the_last_day(browser)
    browser.press("#track-open")
    browser.find(".fault", says.give_reason)
    browser.find("#track-reason").send_keys("核实越界警情")
    browser.press("#track-open")
    browser.find(".card", says.fixes)
    first = browser.find(".reading").text
    browser.press(".replay button", says.replay)
    browser.until(lambda _: browser.find(".reading").text != first, "the replay goes on")
    browser.find("#track-slider").send_keys(Keys.HOME)
    browser.until(lambda _: browser.find(".reading").text == first, "the slider leads back")
    assert browser.overflow_px() <= 0
    browser.picture(f"{name}-2-track")
    browser.show("board")
    browser.find(row)


def _the_last_day(browser: Browser) -> None:
    """Around midnight the day's track could be short of some."""
    browser.driver.execute_script(
        "for (const [id, d] of [['track-from', -1], ['track-to', 1]])"
        " document.getElementById(id).value = new Date(Date.now() + d * 864e5).toISOString().slice(0, 16)"
    )


def _resolve(browser: Browser, row: str, says: Words) -> None:
    browser.press(f"{row} [data-do=resolve]")
    browser.press("[data-finding=true_violation]", says.finding)
    browser.gone(row)


def _may_only_read(browser: Browser, row: str) -> None:
    """Nothing to press, and a program with the same rights is refused; whoever may, answers it afterwards."""
    assert not browser.driver.find_elements(By.CSS_SELECTOR, "[data-do=ack], [data-do=resolve]")
    alert_id = row.split("'")[1]
    with browser.beside() as client:
        for verb in ("ack", "resolve"):
            refused = client.post(f"/alerts/{alert_id}/{verb}", json=_BODY[verb])
            assert refused.status_code == 403, refused.text


_BODY = {"ack": {}, "resolve": {"disposition": "true_violation", "note": "x"}}


def _find_export_and_pack(
    browser: Browser, walker: Walker, says: Words, name: str, *, resolved: bool
) -> None:
    wanted = {"state": "resolved"} if resolved else {}
    browser.show(
        "violations?kind=zone.exit&q=" + walker.person_name + "".join(f"&{k}={v}" for k, v in wanted.items())
    )
    found = browser.find("tr[data-episode]", walker.person_name)
    assert (says.finding in found.text) == resolved
    episode_id = found.get_attribute("data-episode")
    browser.press("[data-export=csv]")
    header, *rows = browser.file("violations.csv").decode("utf-8-sig").splitlines()
    assert header.startswith("episode_id,")
    assert [r.split(",")[0] for r in rows] == [episode_id]
    browser.press("tr[data-episode] [data-do=evidence]")
    pack = pypdf.PdfReader(io.BytesIO(browser.file(f"evidence-{episode_id}.pdf")))
    text = "".join(page.extract_text() for page in pack.pages)
    assert walker.person_name in text
    assert str(episode_id) in text
    assert browser.overflow_px() <= 0
    browser.picture(f"{name}-3-history")
