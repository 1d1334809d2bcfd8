"""The console's files and the policy a browser holds the page to."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from conftest import Api, serving

from corrections_monitor.api.routes.console import content_policy
from corrections_monitor.config import Config
from corrections_monitor.model.cases import Role
from corrections_monitor.store import Store


async def test_the_page_speaks_to_this_server_only(api: Api) -> None:
    page = await api.client().get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("tiles", "source"),
    [
        ("https://tiles.example.cn/{z}/{x}/{y}.png?key=1", "https://tiles.example.cn"),
        ("http://{s}.example.cn:8000/{z}/{x}/{y}", "http://*.example.cn:8000"),
    ],
)
def test_only_pictures_may_come_from_the_source_of_tiles(tiles: str, source: str) -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in content_policy(tiles).split(";"))
    assert rules.pop("img-src").endswith(f" {source}")
    assert "example" not in str(rules)


async def test_the_source_of_tiles_is_told_to_those_who_are_logged_in(api: Api, api_store: Store) -> None:
    tiles = "https://tiles.example.cn/{z}/{x}/{y}.png?key=1"

    def with_tiles(config: Config) -> Config:
        return replace(config, http=replace(config.http, tiles=tiles, tiles_notice="审图号"))

    officer = await api.login(Role.OFFICER, "station-a1")
    assert (await officer.get("/api/v1/settings")).json()["tiles"] is None
    async with serving(api_store, with_tiles) as (url, _), httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/api/v1/settings")).status_code == 401
        told = await client.get("/api/v1/settings", headers=dict(officer.headers))
        assert told.json() == {
            "timezone": "Asia/Shanghai",
            "language": "zh",
            "tiles": tiles,
            "tiles_notice": "审图号",
            "tiles_gcj02": False,
            "video_call": None,
        }


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("main.js", "text/javascript"),
        ("css/base.css", "text/css"),
        ("vendor/leaflet/leaflet.js", "text/javascript"),
    ],
)
async def test_a_browser_asks_again_for_every_file(api: Api, path: str, kind: str) -> None:
    client = api.client()
    found = await client.get(f"/console/{path}")
    assert found.headers["content-type"].startswith(kind)
    assert found.headers["cache-control"] == "no-cache"
    again = await client.get(f"/console/{path}", headers={"If-None-Match": found.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["/console/../api/app.py", "/console/%2e%2e/api/app.py", "/console/", "/console/x"]
)
async def test_nothing_but_the_console_is_served(api: Api, path: str) -> None:
    assert (await api.client().get(path)).status_code == 404


async def test_the_list_of_offices_ends_at_the_jurisdiction(api: Api) -> None:
    county = await api.login(Role.SUPERVISOR, "county-a")
    found = (await county.get("/api/v1/offices")).json()
    assert [o["office_id"] for o in found["items"]] == ["county-a", "station-a1", "station-a2"]
    assert found["next"] is None
    station = found["items"][1]
    assert station["parent_id"] == "county-a"
    assert {"officer_id": "chief-station-a1", "name": "chief@station-a1", "role": "chief"} in station[
        "officers"
    ]
