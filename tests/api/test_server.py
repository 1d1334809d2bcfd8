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


def _behind_tls(config: Config) -> Config:
    return replace(config, http=replace(config.http, secure_cookies=True))


async def test_behind_a_tls_proxy_the_cookie_is_secure(api: Api) -> None:
    async with serving(api.api_store, _behind_tls) as (url, _), httpx.AsyncClient(base_url=url) as client:
        body = {"username": "officer-station-a1", "password": world.PASSWORD}
        answer = await client.post("/api/v1/session", json=body)
        assert "secure" in answer.headers["set-cookie"].lower()


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
