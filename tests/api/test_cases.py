"""Zones, orders, leaves, suspensions, duty, devices: edited over HTTP by the checks of an import."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import small_city as world
from conftest import Api

from corrections_monitor.model.cases import Role
from corrections_monitor.model.times import DAY_MS, parse_time

LEAVE = {
    "leave_id": "new-leave",
    "person_id": "p-a1",
    "from": "2026-12-01",
    "to": "2026-12-03",
    "approved_by": "所长",
    "zone_ids": [],
}
PARK = {
    "type": "Feature",
    "properties": {
        "zone_id": "park",
        "name": "公园",
        "kind": "exclusion",
        "applies_to": "p-a1",
        "radius_m": 200,
    },
    "geometry": {"type": "Point", "coordinates": [122.1, 41.2]},
}


async def _ids(client: httpx.AsyncClient, path: str) -> list[str]:
    answer = await client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def _fields(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 422, answer.text
    return {e["field"] for e in answer.json()["errors"]}


async def test_lists_hold_ones_own_rows(api: Api) -> None:
    station = await api.login(Role.OFFICER, "station-a1")
    assert await _ids(station, "orders") == ["order-p-a1", "order-q-a1"]
    assert await _ids(station, "leaves?person=q-a1") == ["leave-q-a1"]
    assert await _ids(station, "zones") == ["home-p-a1", "home-q-a1"]
    assert await _ids(station, "duty") == []
    county = await api.login(Role.SUPERVISOR, "county-a")
    assert len(await _ids(county, "devices")) == 3
    assert await _ids(county, "zones?office=station-a2") == ["home-p-a2"]
    first = (await county.get("/api/v1/orders?limit=2")).json()
    assert await _ids(county, f"orders?limit=2&cursor={first['next']}") == ["order-q-a1"]


async def test_a_leave_is_created_changed_and_ended(api: Api) -> None:
    client = await api.login(Role.OFFICER, "station-a1")
    made = await client.post("/api/v1/leaves", json=LEAVE, params={"why": "探亲"})
    assert made.status_code == 201, made.text
    assert made.json()["to"] == "2026-12-03"
    assert (await client.post("/api/v1/leaves", json=LEAVE)).status_code == 409
    url = "/api/v1/leaves/new-leave"
    tag = {"If-Match": made.headers["etag"]}
    changed = await client.patch(url, json={"to": "2026-12-05"}, headers=tag)
    assert changed.status_code == 200, changed.text
    assert changed.json()["to"] == "2026-12-05"
    assert changed.json()["approved_by"] == "所长"
    assert (await client.patch(url, json={"to": "2026-12-06"}, headers=tag)).status_code == 412
    api.clock.now_ms = parse_time("2026-12-02T12:00:00+08:00", world.ZONE)
    client = await api.login(Role.OFFICER, "station-a1")
    ended = await client.post(f"{url}/end")
    assert ended.json()["to"] == "2026-12-02T12:00:00.000+08:00"
    assert (await client.post(f"{url}/end")).status_code == 409
    cases, _ = await api.store.load_cases()
    assert cases.leaves["new-leave"].span.to_ms == api.clock.now_ms
    auditor = await api.login(Role.AUDITOR, "county-a")
    rows = (await auditor.get("/api/v1/audit?target=new-leave")).json()["items"]
    assert [r["action"] for r in rows] == ["leaves.end", "leaves.change", "leaves.create"]
    assert rows[2]["detail"]["why"] == "探亲"


async def test_what_has_not_begun_is_withdrawn(api: Api) -> None:
    client = await api.login(Role.OFFICER, "station-a1")
    assert (await client.post("/api/v1/leaves/leave-p-a1/end")).json()["withdrawn"] is True
    assert (await client.get("/api/v1/leaves/leave-p-a1")).status_code == 404


async def test_every_fault_at_once_by_field(api: Api) -> None:
    client = await api.login(Role.OFFICER, "station-a1")
    wrong = {"leave_id": "", "person_id": "nobody", "from": "soon", "approved_by": True, "extra": 1}
    answer = await client.post("/api/v1/leaves", json=wrong)
    assert _fields(answer) == {"leave_id", "person_id", "from", "approved_by", "extra"}
    order = {
        "order_id": "o-new", "person_id": "p-a1", "ground": "30.1", "approved_by": "局长",
        "approved_on": "2026-11-20", "from": "2026-11-25", "to": "2027-03-25",
    }  # fmt: skip
    assert _fields(await client.post("/api/v1/orders", json=order)) == {"ground", "to"}
    bow = {
        "type": "Polygon",
        "coordinates": [[[122, 41], [122.1, 41.1], [122.1, 41], [122, 41.1], [122, 41]]],
    }
    crossed = PARK | {"geometry": bow, "properties": PARK["properties"] | {"kind": "forbidden"}}
    assert _fields(await client.post("/api/v1/zones", json=crossed)) >= {"geometry", "kind"}
    assert _fields(await client.post("/api/v1/zones", json={"type": "Feature"})) == {"file"}


async def test_somebody_elsewhere_is_nobody(api: Api) -> None:
    client = await api.login(Role.OFFICER, "station-a1")

    async def messages(person_id: str) -> Any:
        answer = await client.post("/api/v1/leaves", json=LEAVE | {"person_id": person_id})
        assert _fields(answer) == {"person_id"}
        return answer.json()["errors"][0]["message"].replace(person_id, "…")

    assert await messages("p-b1") == await messages("nobody")
    for path in ("leaves/leave-p-b1", "orders/order-p-b1", "zones/home-p-b1"):
        assert (await client.get(f"/api/v1/{path}")).status_code == 404
        assert (await client.patch(f"/api/v1/{path}", json={})).status_code == 404
        assert (await client.post(f"/api/v1/{path}/end")).status_code == 404
    taken = await client.post("/api/v1/leaves", json=LEAVE | {"leave_id": "leave-p-b1"})
    assert taken.status_code == 409
    chief = await api.login(Role.CHIEF, "station-a1")
    worn = {"device_id": "band-p-b1", "kind": "band", "person_id": "p-a1", "from": "2026-11-24", "to": ""}
    clash = await chief.post("/api/v1/devices", json=worn)
    assert clash.status_code == 409
    assert "p-b1" not in clash.text.replace("band-p-b1", "")


async def test_a_zone_is_drawn_moved_and_withdrawn(api: Api) -> None:
    client = await api.login(Role.OFFICER, "station-a1")
    assert (await client.post("/api/v1/zones", json=PARK)).status_code == 201
    moved = {"geometry": {"type": "Point", "coordinates": [122.2, 41.2]}}
    answer = await client.patch("/api/v1/zones/park", json=moved)
    assert answer.json()["geometry"]["coordinates"] == [122.2, 41.2]
    assert answer.json()["properties"]["radius_m"] == 200
    assert (await client.post("/api/v1/zones/park/end")).json() == {"id": "park", "withdrawn": True}
    for_all = PARK | {"properties": PARK["properties"] | {"applies_to": "*"}}
    assert _fields(await client.post("/api/v1/zones", json=for_all)) == {"applies_to"}
    city = await api.login(Role.SUPERVISOR, "city")
    assert (await city.post("/api/v1/zones", json=for_all)).status_code == 201
    assert "park" in await _ids(client, "zones")
    assert (await client.post("/api/v1/zones/park/end")).status_code == 404


async def test_the_admin_manages_duty_and_devices_and_sees_no_shapes(api: Api) -> None:
    admin = await api.login(Role.ADMIN, "county-a")
    turn = {
        "office_id": "station-a1",
        "officer_id": "officer-station-a1",
        "from": "2026-11-24",
        "to": "2026-11-25",
    }
    made = await admin.post("/api/v1/duty", json=turn)
    assert made.status_code == 201, made.text
    assert await _ids(admin, "duty?office=station-a1") == [made.json()["id"]]
    [zone, *_] = (await admin.get("/api/v1/zones")).json()["items"]
    assert zone["geometry"] is None
    assert (await admin.post("/api/v1/zones", json=PARK)).status_code == 403
    assert (await admin.post("/api/v1/leaves", json=LEAVE)).status_code == 403
    officer = await api.login(Role.OFFICER, "station-a1")
    assert (await officer.post("/api/v1/duty", json=turn)).status_code == 403


async def test_an_edit_is_told_to_the_daemon(api: Api) -> None:
    told = api.store.listen("cases")
    await anext(told)
    client = await api.login(Role.OFFICER, "station-a1")
    await client.post("/api/v1/leaves", json=LEAVE)
    async with asyncio.timeout(10):
        channel, _version = await anext(told)
    assert channel == "cases"
    await told.aclose()  # type: ignore[attr-defined]


async def test_edits_at_once_all_stand(api: Api) -> None:
    client = await api.login(Role.OFFICER, "station-a1")
    answers = await asyncio.gather(
        *(client.post("/api/v1/leaves", json=LEAVE | {"leave_id": f"leave-{n}"}) for n in range(4))
    )
    assert [a.status_code for a in answers] == [201] * 4
    assert len(await _ids(client, "leaves?person=p-a1")) == 5


async def test_a_device_is_handed_on(api: Api) -> None:
    chief = await api.login(Role.CHIEF, "station-a1")
    [device] = await _ids(chief, "devices?person=p-a1")
    handed = {
        "device_id": "band-p-a1",
        "kind": "band",
        "person_id": "q-a1",
        "from": "2026-11-24T12:00:00",
        "to": "",
    }
    assert _fields(await chief.post("/api/v1/devices", json=handed)) == {"device_id"}
    assert (await chief.post(f"/api/v1/devices/{device}/end", json={"at": world.NOW_MS})).status_code == 200
    assert (await chief.post("/api/v1/devices", json=handed)).status_code == 201
    cases, _ = await api.store.load_cases()
    worn = [
        d
        for d in cases.devices.values()
        if d.device_id == "band-p-a1" and d.span.holds(world.NOW_MS + DAY_MS)
    ]
    assert [d.person_id for d in worn] == ["q-a1"]
