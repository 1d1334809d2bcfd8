"""Violation history: filters that combine, orders that page, numbers, and exports of everything."""

from __future__ import annotations

import csv
import io

import httpx
import pytest
import small_city as world
from conftest import Api

from corrections_monitor.model.cases import Role
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import DAY_MS, HOUR_MS
from corrections_monitor.store import api_violations

PATH = "/api/v1/violations"


async def _history(api: Api) -> None:
    """Seven episodes of three people on two days; one alert is resolved as false."""
    told = [
        *(
            world.violation("p-a1", Kind.ZONE_EXIT, world.NOW_MS - n * HOUR_MS, subject=f"s{n}")
            for n in (1, 2, 3)
        ),
        world.violation("p-a1", Kind.CURFEW, world.NOW_MS - DAY_MS),
        world.violation("q-a1", Kind.STRAP_CUT, world.NOW_MS - 2 * HOUR_MS),
        world.violation("p-a2", Kind.ZONE_EXIT, world.NOW_MS - DAY_MS - HOUR_MS),
        world.violation("p-b1", Kind.ZONE_EXIT, world.NOW_MS - HOUR_MS),
    ]
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert for _, alert in told])
        await tx.write_lines([line for line, _ in told])
    officer = await api.login(Role.OFFICER, "station-a1")
    body = {"disposition": "false_alarm", "note": "定位漂移，家属作证"}
    alert_id = told[4][1].alert_id
    assert (await officer.post(f"/api/v1/alerts/{alert_id}/resolve", json=body)).status_code == 200


async def _found(client: httpx.AsyncClient, **asked: str) -> list[tuple[str, str]]:
    answer = await client.get(PATH, params=asked)
    assert answer.status_code == 200, answer.text
    return [(e["person_id"], e["kind"]) for e in answer.json()["items"]]


async def test_filters_combine(api: Api) -> None:
    await _history(api)
    county = await api.login(Role.SUPERVISOR, "county-a")
    assert len(await _found(county)) == 6
    assert await _found(county, disposition="false_alarm") == [("q-a1", "strap.cut")]
    assert await _found(county, disposition="false_alarm", kind="curfew") == []
    assert await _found(county, q="家属") == [("q-a1", "strap.cut")]
    assert await _found(county, q="姓名P-A2") == await _found(county, q="p-a2") == [("p-a2", "zone.exit")]
    assert len(await _found(county, q="住所 300")) == 6
    assert await _found(county, q="100%") == []
    for means_all in ("%", "_", "住所_300", "\\", "P%A2"):
        assert await _found(county, q=means_all) == [], means_all
    assert await _found(county, state="resolved") == [("q-a1", "strap.cut")]
    assert len(await _found(county, kind="zone.exit,curfew", office="station-a1")) == 4


@pytest.mark.parametrize(
    "sort", ["-detected", "started", "-lasted", "-severity", "person", "office", "-kind"]
)
async def test_every_order_pages_through_everything_once(api: Api, sort: str) -> None:
    await _history(api)
    client = await api.login(Role.SUPERVISOR, "county-a")
    whole = (await client.get(PATH, params={"sort": sort})).json()["items"]
    paged, cursor = [], None
    while True:
        asked = {"sort": sort, "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(PATH, params=asked)).json()
        paged += page["items"]
        if not cursor:  # somebody else's news must not shift what is still to come
            async with api.store.transaction() as tx:
                line, alert = world.violation("p-a1", Kind.SOS, world.NOW_MS)
                await tx.write_alerts([alert])
                await tx.write_lines([line])
        cursor = page["next"]
        if cursor is None:
            break
    ids = [e["episode_id"] for e in paged if e["kind"] != "sos"]
    assert ids == [e["episode_id"] for e in whole]


async def test_orders_are_what_they_say(api: Api) -> None:
    await _history(api)
    client = await api.login(Role.SUPERVISOR, "county-a")
    items = (await client.get(PATH, params={"sort": "started"})).json()["items"]
    assert [e["started_at"] for e in items] == sorted(e["started_at"] for e in items)
    items = (await client.get(PATH, params={"sort": "-person"})).json()["items"]
    assert [e["person_id"] for e in items] == ["q-a1", "p-a2", *["p-a1"] * 4]


async def test_an_order_or_a_cursor_that_is_none_is_named(api: Api) -> None:
    client = await api.login(Role.OFFICER, "station-a1")
    for asked, field in (
        ({"sort": "colour"}, "sort"),
        ({"sort": "--detected"}, "sort"),
        ({"sort": "person", "cursor": "WzEsMSwieCJd"}, "cursor"),
        ({"disposition": "x"}, "disposition"),
    ):
        answer = await client.get(PATH, params=asked)
        assert answer.status_code == 422, asked
        assert [e["field"] for e in answer.json()["errors"]] == [field]


async def test_history_in_numbers(api: Api) -> None:
    await _history(api)
    client = await api.login(Role.SUPERVISOR, "county-a")
    by_kind = (await client.get(f"{PATH}/counts")).json()
    assert by_kind["by"] == ["kind"]
    assert by_kind["items"] == [
        {"kind": "curfew", "episodes": 1, "ongoing": 1, "people": 1},
        {"kind": "strap.cut", "episodes": 1, "ongoing": 1, "people": 1},
        {"kind": "zone.exit", "episodes": 4, "ongoing": 4, "people": 2},
    ]
    asked = {"by": "day,office_id", "kind": "zone.exit,curfew"}
    daily = (await client.get(f"{PATH}/counts", params=asked)).json()["items"]
    # 2026-11-24 12:00 in Shanghai: an hour earlier the day before is still the 23rd there.
    assert [(c["day"], c["office_id"], c["episodes"]) for c in daily] == [
        ("2026-11-23", "station-a1", 1),
        ("2026-11-23", "station-a2", 1),
        ("2026-11-24", "station-a1", 3),
    ]
    by_severity = (await client.get(f"{PATH}/counts?by=severity,disposition")).json()["items"]
    assert [(c["severity"], c["disposition"], c["episodes"]) for c in by_severity] == [
        ("critical", "false_alarm", 1),
        ("critical", None, 5),
    ]
    for by in ("", "kind,day,state,person_id", "weather"):
        assert (await client.get(f"{PATH}/counts", params={"by": by})).status_code == 422


async def test_one_violation_and_none_elsewhere(api: Api) -> None:
    await _history(api)
    client = await api.login(Role.OFFICER, "station-a1")
    [mine, *_] = (await client.get(PATH, params={"disposition": "false_alarm"})).json()["items"]
    assert (await client.get(f"{PATH}/{mine['episode_id']}")).json() == mine
    elsewhere = world.violation("p-b1", Kind.ZONE_EXIT, world.NOW_MS - HOUR_MS)[0].episode.episode_id
    assert (await client.get(f"{PATH}/{elsewhere}")).status_code == 404


async def test_an_export_is_everything_in_pieces_counted_and_logged(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_violations, "PIECE_EPISODES", 2)
    await _history(api)
    client = await api.login(Role.SUPERVISOR, "county-a")
    table = await client.get(PATH, params={"format": "csv", "kind": "zone.exit", "limit": "1"})
    assert table.headers["x-total-count"] == "4"
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [r["person_id"] for r in rows] == ["p-a1", "p-a1", "p-a1", "p-a2"]
    assert {r["state"] for r in rows} == {"open"}
    places = (await client.get(PATH, params={"format": "geojson"})).json()["features"]
    assert len({f["id"] for f in places}) == 6
    logged = (await client.get("/api/v1/audit?action=violations.export")).json()["items"]
    assert [(r["actor"], r["detail"]["rows"]) for r in logged] == [
        ("supervisor-county-a", 6),
        ("supervisor-county-a", 4),
    ]
