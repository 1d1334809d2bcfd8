"""Who is logged in where, and how that is ended; logging in by another platform."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from console_server import serving
from console_world import DESKTOP, PHONE, Browser, Server, window, world
from oidc_provider_mock import User, run_server_in_thread
from selenium import webdriver

from corrections_monitor.config import Oidc
from corrections_monitor.model.cases import Role

PROVIDER = ("http://localhost:", "https://cdn.jsdelivr.net/")  # its own page asks for a style there
EVERYBODY = ("officer-station-a1", "chief-station-a1", "supervisor-county-a", "officer-station-b1")


def log_in_beside(server: Server, username: str) -> httpx.Client:
    client = httpx.Client(base_url=f"{server.url}api/v1", trust_env=False)
    body = {"username": username, "password": world.PASSWORD}
    token = client.post("/session", json=body).raise_for_status().json()["token"]
    client.cookies.clear()
    client.headers["Authorization"] = f"Bearer {token}"
    return client


def test_an_admin_sees_who_is_logged_in_and_ends_it(browser: Browser) -> None:
    officer, again, chief, _, elsewhere = [
        log_in_beside(browser.server, name) for name in (EVERYBODY[0], *EVERYBODY)
    ]
    browser.log_in(Role.ADMIN, "county-a")
    browser.show("system/account")
    browser.find(".others .counts", "4 人登录，共 5 个会话")
    assert "officer-station-b1" not in browser.text()
    for size, suffix in ((PHONE, "-phone"), (DESKTOP, "")):
        browser.resize(size)
        assert browser.overflow_px() <= 0
        browser.picture(f"sessions{suffix}")
    row = browser.find(".others tr[data-session]", "chief@station-a1")
    session = row.get_attribute("data-session")
    browser.press(f"tr[data-session='{session}'] button", "终止")
    browser.gone(f"tr[data-session='{session}']")
    assert chief.get("/session").status_code == 401
    browser.find(".others tr[data-session]", "officer@station-a1")
    for words in ("终止此人全部会话", "再点一次"):
        browser.press(".others tr[data-session]:has(.do) button", words)
    browser.find(".others .counts", "2 人登录")  # drawn anew: what was pressed before would be forgotten
    for words in ("全部终止", "再点一次"):
        browser.press("#end-all", words)
    browser.find(".others .counts", "1 人登录，共 1 个会话")
    assert [c.get("/session").status_code for c in (officer, again, elsewhere)] == [401, 401, 200]
    browser.show("board")
    browser.find(".live.on")


@pytest.fixture
def joined(database_url: str) -> Iterator[Server]:
    """The small city, where the judicial platform logs in."""
    claims = [
        {"preferred_username": name, "amr": ["pwd", "otp"]} for name in ("officer-station-a1", "stranger")
    ]
    users = [User(sub=str(claim["preferred_username"]), claims=claim) for claim in claims]
    with run_server_in_thread(user_claims=users, require_nonce=True) as provider:
        oidc = Oidc(
            f"http://localhost:{provider.server_port}", "corrections-monitor", "secret of this client"
        )
        with serving(database_url, world.cases(), world.NOW_MS - 30 * 86_400_000, oidc=oidc) as server:
            yield server


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the provider's own
def test_an_officer_comes_in_by_the_judicial_platform(chromium: webdriver.Chrome, joined: Server) -> None:
    with window(chromium, joined.url, joined, PROVIDER) as browser:
        browser.open_login("zh")
        browser.driver.execute_script("localStorage.removeItem('console.entered')")
        browser.find("#oidc", "统一身份认证")
        browser.picture("login-oidc")
        for who, seen, what in (
            ("stranger", "#login-fault", "未在本系统登记"),
            ("officer-station-a1", ".who", "officer@station-a1"),
        ):
            browser.press("#oidc")
            browser.find("input[name=sub]").send_keys(who)
            browser.press("button[type=submit]")
            browser.find(seen, what)
        browser.find(".live.on")
        assert browser.driver.current_url.startswith(joined.url)
