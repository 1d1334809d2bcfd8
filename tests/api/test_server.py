"""The server: its cookie behind TLS, its address, its stop."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
import small_city as world
from conftest import Api, serving

from corrections_monitor.api.server import server_config
from corrections_monitor.config import Config
from corrections_monitor.config_values import Listen
from corrections_monitor.model.cases import Role


def _behind_tls(config: Config) -> Config:
    return replace(config, http=replace(config.http, secure_cookies=True))


LOGIN = {"username": "officer-station-a1", "password": world.PASSWORD}


async def test_behind_a_tls_proxy_the_cookie_is_of_this_host_and_travels_by_tls_alone(api: Api) -> None:
    async with serving(api.api_store, _behind_tls) as (url, _), httpx.AsyncClient(base_url=url) as client:
        answer = await client.post("/api/v1/session", json=LOGIN)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-corrections_session=")
        assert {"secure", "httponly", "path=/", "samesite=strict"} <= set(cookie.lower().split("; "))
        assert "domain" not in cookie.lower()
        token = answer.json()["token"]
        client.cookies.clear()
        own = {"Cookie": f"__Host-corrections_session={token}"}
        # A name without the prefix could have been set by another host of the domain.
        another = {"Cookie": f"corrections_session={token}"}
        assert (await client.get("/api/v1/session", headers=own)).status_code == 200
        assert (await client.get("/api/v1/session", headers=another)).status_code == 401
        left = await client.delete("/api/v1/session", headers=own)
        assert left.status_code == 204
        gone = left.headers["set-cookie"].lower()
        assert gone.startswith("__host-corrections_session=")
        assert "secure" in gone  # else a browser keeps it


async def test_a_browser_that_came_by_tls_never_comes_without(api: Api) -> None:
    name = "strict-transport-security"
    async with serving(api.api_store, _behind_tls) as (url, _), httpx.AsyncClient(base_url=url) as client:
        for path in ("/", "/api/v1/alerts", "/console/main.js", "/nothing"):
            assert (await client.get(path)).headers[name] == "max-age=31536000; includeSubDomains"
    assert name not in (await api.client().get("/")).headers  # the demo on localhost would lock itself out


@pytest.mark.parametrize("path", ["/", "/api/v1/alerts", "/console/main.js", "/a/x", "/healthz", "/nothing"])
async def test_every_answer_says_what_a_browser_may_do_with_it(api: Api, path: str) -> None:
    headers = (await api.client().get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    policy = dict(rule.strip().split(" ", 1) for rule in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert not any("unsafe" in source or "http" in source for source in policy.values())
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


async def test_what_is_refused_to_somebody_is_in_the_log(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    officer = await api.login(Role.OFFICER, "station-a1")
    assert (await officer.get("/api/v1/audit")).status_code == 403
    assert "refused: officer-station-a1 (officer) may not: audit" in caplog.text
    browser = api.client()
    assert (await browser.post("/api/v1/session", json=LOGIN)).status_code == 200
    foreign = await browser.delete("/api/v1/session", headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    assert "refused: a DELETE from the pages of another site" in caplog.text
    for _ in range(6):
        await browser.post("/api/v1/session", json=LOGIN | {"username": "nobody", "password": "secret!"})
    assert "refused: too many failed logins from 127.0.0.1" in caplog.text
    assert "secret!" not in caplog.text


async def test_a_taken_address_is_an_error_one_can_catch(api: Api) -> None:
    port = int(api.url.rsplit(":", 1)[1])

    def same_port(config: Config) -> Config:
        return replace(config, http=replace(config.http, listen=Listen("127.0.0.1", port)))

    with pytest.raises(OSError, match="in use"):
        async with serving(api.api_store, same_port):
            pass


async def test_nobody_is_believed_who_says_he_comes_from_elsewhere(api: Api) -> None:
    # A forged address would let a guesser be locked out under a new name each time.
    settings = server_config(None, Config())  # type: ignore[arg-type]
    assert settings.proxy_headers is False
