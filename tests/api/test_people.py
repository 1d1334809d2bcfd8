"""People, the census, offices; and tracks, which are read for a reason that is logged."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import httpx
import pytest
import small_city as world
from conftest import Api

from corrections_monitor.model.cases import Category, Order, Person, Role
from corrections_monitor.model.times import HOUR_MS, MINUTE_MS, format_time, format_times, to_ms
from corrections_monitor.store import api_tracks

DAY = {"from": "2026-11-24", "to": "2026-11-24"}


async def _ids(client: httpx.AsyncClient, path: str) -> list[str]:
    answer = await client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return [item["person_id"] for item in answer.json()["items"]]


async def test_people_of_ones_own_offices(api: Api) -> None:
    county = await api.login(Role.SUPERVISOR, "county-a")
    assert await _ids(county, "people") == ["guarded", "p-a1", "p-a2", "q-a1"]
    assert await _ids(county, "people?office=station-a2") == ["p-a2"]
    assert await _ids(county, "people?name=姓名q") == ["q-a1"]
    assert await _ids(county, "people?category=protected") == ["guarded"]
    assert (await county.get("/api/v1/people?office=station-b1")).status_code == 404
    first = (await county.get("/api/v1/people?limit=3")).json()
    assert await _ids(county, f"people?limit=3&cursor={first['next']}") == ["q-a1"]


async def test_one_person_whole(api: Api) -> None:
    await world.report(api.store, "p-a1", world.NOW_MS - MINUTE_MS, 122.1, 41.1)
    client = await api.login(Role.OFFICER, "station-a1")
    person = (await client.get("/api/v1/people/p-a1")).json()
    assert person["name"] == "姓名p-a1"
    assert person["officer_name"] == "officer@station-a1"
    assert person["position"] == {"lon": 122.1, "lat": 41.1, "at": "2026-11-24T11:59:00.000+08:00"}
    assert person["last_contact"] == "2026-11-24T11:59:00.000+08:00"
    assert [d["device_id"] for d in person["devices"]] == ["band-p-a1"]
    assert [o["ground"] for o in person["orders"]] == ["29.2"]
    assert [r["leave_id"] for r in person["leaves"]] == ["leave-p-a1"]
    assert [s["reason"] for s in person["suspensions"]] == ["住院"]
    elsewhere = await client.get("/api/v1/people/p-b1")
    nobody = await client.get("/api/v1/people/nobody")
    assert elsewhere.status_code == nobody.status_code == 404
    assert elsewhere.json() == nobody.json()


async def test_somebody_not_heard_for_months_still_has_a_last_position(api: Api) -> None:
    await world.report(api.store, "p-a1", world.SPAN.from_ms + 1, 122.1, 41.1)
    api.clock.now_ms += 25 * 24 * HOUR_MS
    await api.store.credentials.issue("service", "s", world.NOW_MS, "test")
    client = await api.login(Role.OFFICER, "station-a1")
    assert (await client.get("/api/v1/people/p-a1")).json()["position"]["lon"] == 122.1


async def test_the_admin_sees_people_but_not_where_they_are(api: Api) -> None:
    await world.report(api.store, "p-a1", world.NOW_MS - MINUTE_MS, 122.1, 41.1)
    admin = await api.login(Role.ADMIN, "city")
    assert (await admin.get("/api/v1/people/p-a1")).json()["position"] is None
    assert (await admin.get("/api/v1/people/p-a1/track?reason=x")).status_code == 403


async def _walk(api: Api, steps: int) -> None:
    for n in range(steps):
        await world.report(api.store, "p-a1", world.NOW_MS - (steps - n) * MINUTE_MS, 122.1 + n / 1_000, 41.1)


async def test_a_track_in_three_formats(api: Api) -> None:
    await _walk(api, 3)
    client = await api.login(Role.OFFICER, "station-a1")
    url = "/api/v1/people/p-a1/track"
    asked = DAY | {"reason": "核查外出"}
    found = await client.get(url, params=asked)
    assert found.headers["content-type"] == "application/geo+json"
    features = found.json()["features"]
    assert [f["geometry"]["coordinates"] for f in features] == [
        [122.1, 41.1],
        [122.101, 41.1],
        [122.102, 41.1],
    ]
    assert features[0]["properties"] == {
        "t": "2026-11-24T11:57:00.000+08:00",
        "arrived_at": "2026-11-24T11:57:00.000+08:00",
        "device_id": "band-p-a1",
        "acc": 8.0,
        "spd": 1.5,
        "hdg": None,
        "src": "gnss",
        "person_id": "p-a1",
    }
    gpx = await client.get(url, params=asked | {"format": "gpx"})
    points = ElementTree.fromstring(gpx.content).findall(".//{http://www.topografix.com/GPX/1/1}trkpt")
    assert [p.get("lon") for p in points] == ["122.1000000", "122.1010000", "122.1020000"]
    table = await client.get(url, params=asked | {"format": "csv"})
    assert [row["lon"] for row in csv.DictReader(io.StringIO(table.text))] == ["122.1", "122.101", "122.102"]
    short = await client.get(
        url, params={"from": "2026-11-24T11:58", "to": "2026-11-24T11:59", "reason": "x"}
    )
    assert len(short.json()["features"]) == 1


@pytest.fixture
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_tracks, "PIECE_FIXES", 2)


@pytest.mark.usefixtures("_small_pieces")
async def test_a_track_longer_than_a_piece_is_whole(api: Api) -> None:
    await _walk(api, 5)
    client = await api.login(Role.OFFICER, "station-a1")
    found = await client.get("/api/v1/people/p-a1/track?reason=x")
    assert [f["geometry"]["coordinates"][0] for f in found.json()["features"]] == [
        122.1, 122.101, 122.102, 122.103, 122.104,
    ]  # fmt: skip


async def test_reading_a_track_needs_a_reason_and_is_logged(api: Api) -> None:
    client = await api.login(Role.OFFICER, "station-a1")
    for query in ("", "?reason=", "?reason=%20%20"):
        refused = await client.get(f"/api/v1/people/p-a1/track{query}")
        assert refused.status_code == 422
        assert [e["field"] for e in refused.json()["errors"]] == ["reason"]
    assert (await client.get("/api/v1/people/p-b1/track?reason=x")).status_code == 404
    assert (await client.get("/api/v1/people/p-a1/track?reason=核查", params=None)).status_code == 200
    city = await api.login(Role.AUDITOR, "city")
    [row] = (await city.get("/api/v1/audit?action=track.read")).json()["items"]
    assert (row["actor"], row["target"], row["detail"]["reason"]) == ("officer-station-a1", "p-a1", "核查")
    assert (await api.store.audit.verify()).faults == ()


async def test_the_census_lists_everyone_under_order_with_what_is_wrong(api: Api) -> None:
    await world.report(api.store, "p-a1", world.NOW_MS - MINUTE_MS, 122.1, 41.1)
    cases = world.cases()
    no_device = Person("r-a1", "无手环", Category.PAROLE, "station-a1", "officer-station-a1", world.SPAN)
    order = replace(cases.orders["order-p-a1"], order_id="order-r-a1", person_id="r-a1")
    over = Person("s-a1", "期满", Category.PAROLE, "station-a1", "officer-station-a1", world.SPAN)
    past = Order(
        "order-s-a1", "s-a1", "29.1", "x", order.approved_on, replace(world.SPAN, to_ms=world.NOW_MS)
    )
    await api.store.save_cases(
        replace(
            cases,
            people={**cases.people, "r-a1": no_device, "s-a1": over},
            orders={**cases.orders, "order-r-a1": order, "order-s-a1": past},
        ),
        "test",
        world.NOW_MS,
    )
    client = await api.login(Role.CHIEF, "station-a1")
    items = {i["person_id"]: i for i in (await client.get("/api/v1/census")).json()["items"]}
    assert set(items) == {"p-a1", "q-a1", "r-a1"}
    assert items["p-a1"]["last_contact"] == "2026-11-24T11:59:00.000+08:00"
    assert items["p-a1"]["devices"][0]["device_id"] == "band-p-a1"
    assert items["p-a1"]["officer_name"] == "officer@station-a1"
    assert items["p-a1"]["wrong"] == []
    assert items["r-a1"]["wrong"] == ["no-device"]
    # Nothing judges here; the census sees for itself who was never heard.
    assert (items["q-a1"]["last_contact"], items["q-a1"]["wrong"]) == (None, ["unheard"])


async def test_how_things_stand_at_an_office(api: Api) -> None:
    line, alert = world.violation("p-a1")
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert])
        await tx.write_lines([line])
    client = await api.login(Role.SUPERVISOR, "county-a")
    summary = (await client.get("/api/v1/offices/county-a/summary")).json()
    assert summary["office"]["name"] == "甲县司法局"
    assert summary["people"] == {
        "people": 3,
        "under_order": 3,
        "monitored": 3,
        "silent": 0,
        "unmonitored": 0,
        "on_leave": 0,
        "suspended": 0,
    }
    assert [(a["state"], a["severity"], a["count"]) for a in summary["alerts"]] == [("open", "critical", 1)]
    assert (await client.get("/api/v1/offices/station-b1/summary")).status_code == 404
    assert (await client.get("/api/v1/offices/city/summary")).status_code == 404


def test_many_times_are_written_as_each_by_itself() -> None:
    rng = random.Random(3)
    span = [to_ms(datetime(year, 1, 1, tzinfo=UTC)) for year in (1980, 2040)]
    for name in ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "UTC"):
        zone = ZoneInfo(name)
        times = [rng.randrange(*span) for _ in range(500)]
        assert format_times(times, zone) == [format_time(t, zone) for t in times]
    assert format_times([], zone) == []
