"""Logging in at a real OpenID provider: an HTTP server of its own that signs its tokens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import small_city as world
from conftest import Api, serving
from oidc_provider_mock import User, run_server_in_thread

from corrections_monitor.config import Oidc
from corrections_monitor.model.cases import Role
from corrections_monitor.store import Store

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the provider's own

PATH = "/api/v1/session/oidc"
SECRET = "secret of this client"


def _user(username: str, *methods: str) -> User:
    claims = {"preferred_username": username, "amr": list(methods)}
    return User(sub=f"sub-{username}-{len(methods)}", claims=claims)


USERS = (
    _user("officer-station-a1"),
    _user("chief-station-a1"),
    _user("chief-station-a1", "pwd", "otp"),
    _user("stranger"),
)


@pytest.fixture
def provider() -> Iterator[str]:
    with run_server_in_thread(user_claims=USERS, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
async def joined(api: Api, api_store: Store, provider: str) -> AsyncIterator[Api]:
    """A server on the same database that lets people in by the provider."""
    oidc = Oidc(provider, "corrections-monitor", SECRET)
    server = serving(
        api_store,
        lambda c: replace(c, oidc=oidc, http=replace(c.http, second_factor=(Role.CHIEF,))),
    )
    async with server as (url, clock):
        clock.now_ms = time.time_ns() // 1_000_000  # the provider's tokens are of real time
        running = Api(url, clock, api.store, api_store, server.stop)
        yield running
        for client in running.clients:
            await client.aclose()


async def _back_from(browser: httpx.AsyncClient, sub: str) -> str:
    """Begin, log in at the provider; the address it sends the browser back to."""
    begun = await browser.get(PATH)
    assert begun.status_code == 302
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]

    def at_the_provider() -> str:
        with httpx.Client(trust_env=False) as other:
            answer = other.post(begun.headers["location"], data={"sub": sub})
            assert answer.status_code == 302, answer.text
            return answer.headers["location"]

    return await asyncio.to_thread(at_the_provider)


async def test_an_officer_comes_in_by_the_provider(joined: Api) -> None:
    browser = joined.client()
    back = await _back_from(browser, "sub-officer-station-a1-0")
    done = await browser.get(back)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    me = (await browser.get("/api/v1/session")).json()
    assert me["officer_id"] == "officer-station-a1"
    assert "samesite=strict" in "".join(done.headers.get_list("set-cookie")).lower()
    again = await browser.get(back)
    assert again.status_code >= 400  # a code works once


async def test_who_is_not_registered_here_stays_outside(joined: Api) -> None:
    browser = joined.client()
    refused = await browser.get(await _back_from(browser, "sub-stranger-0"))
    assert refused.status_code == 403
    assert refused.json()["type"].endswith(":not-registered")
    await joined.store.credentials.revoke("officer", ["officer-station-a1"], world.NOW_MS, "test")
    gone = await browser.get(await _back_from(browser, "sub-officer-station-a1-0"))
    assert gone.json()["type"].endswith(":not-registered")


async def test_a_role_that_needs_a_second_factor_needs_it_there_too(joined: Api) -> None:
    browser = joined.client()
    refused = await browser.get(await _back_from(browser, "sub-chief-station-a1-0"))
    assert refused.status_code == 403
    done = await browser.get(await _back_from(browser, "sub-chief-station-a1-2"))
    assert done.status_code == 303
    assert (await browser.get("/api/v1/alerts")).status_code == 200


async def test_an_answer_that_was_not_asked_for_is_refused(joined: Api) -> None:
    browser, other = joined.client(), joined.client()
    back = await _back_from(browser, "sub-officer-station-a1-0")
    # Somebody else's browser (login CSRF), and a state of another attempt.
    assert (await other.get(back)).status_code == 422
    await other.get(PATH)
    assert (await other.get(back)).status_code == 422
    assert (await browser.get(f"{PATH}/callback?state=x&code=y")).status_code == 422


async def test_a_token_for_somebody_else_is_not_believed(joined: Api, provider: str) -> None:
    """The nonce of another attempt: what a stolen code would bring."""
    browser, thief = joined.client(), joined.client()
    back = await _back_from(browser, "sub-officer-station-a1-0")
    await thief.get(PATH)
    code = parse_qs(urlsplit(back).query)["code"][0]
    own_state = _state(thief)
    stolen = await thief.get(f"{PATH}/callback", params={"state": own_state, "code": code})
    assert stolen.status_code == 502
    assert (await thief.get("/api/v1/session")).status_code == 401


async def test_without_a_provider_there_is_no_such_door(api: Api) -> None:
    assert (await api.client().get(PATH)).status_code == 404
    assert (await api.client().get(f"{PATH}/callback")).status_code == 404
    assert (await api.client().get(f"{PATH}/open")).json() == {"open": False}


async def test_a_browser_is_told_on_the_login_page(joined: Api) -> None:
    browser = joined.client(Accept="text/html,application/xhtml+xml")
    refused = await browser.get(await _back_from(browser, "sub-stranger-0"))
    assert (refused.status_code, refused.headers["location"]) == (303, "/#/login?problem=not-registered")
    assert (await browser.get(f"{PATH}/open")).json() == {"open": True}


async def test_a_provider_that_is_away_is_said_so(api: Api, api_store: Store) -> None:
    oidc = Oidc("http://127.0.0.1:9", "corrections-monitor", SECRET)
    server = serving(api_store, lambda c: replace(c, oidc=oidc))
    async with server as (url, _), httpx.AsyncClient(base_url=url, trust_env=False) as browser:
        assert (await browser.get(PATH)).status_code == 502


def _state(client: httpx.AsyncClient) -> str:
    import base64
    import json

    cookie = client.cookies["corrections_oidc"].strip('"')
    return str(json.loads(base64.urlsafe_b64decode(cookie))["state"])
