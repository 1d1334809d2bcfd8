"""How the system is, and who may look into the quarantine."""

from __future__ import annotations

from dataclasses import dataclass

import small_city as world
from conftest import Api

from corrections_monitor.model.cases import Role


@dataclass(frozen=True)
class Reject:
    device_id: str | None
    payload: bytes | None
    arrival_ms: int = world.NOW_MS
    topic: str = "cm/v1/x/y/fix"
    reason: str = "out_of_range"
    detail: str = "lat 99"


async def _set_aside(api: Api) -> None:
    async with api.store.transaction() as tx:
        await tx.insert_rejects([Reject(f"band-{p}", b'{"lat":99}') for p in world.PEOPLE])
        await tx.insert_rejects([Reject(None, b"\xff")])


async def test_the_quarantine_shows_the_devices_of_ones_own_offices(api: Api) -> None:
    await _set_aside(api)
    county = await api.login(Role.SUPERVISOR, "county-a")
    told = (await county.get("/api/v1/quarantine")).json()
    assert {item["device_id"] for item in told["items"]} == {"band-p-a1", "band-q-a1", "band-p-a2"}
    assert told["items"][0]["payload"] == '{"lat":99}'
    assert [(r["reason"], r["count"]) for r in told["reasons"]] == [("out_of_range", 3)]
    city = await api.login(Role.SUPERVISOR, "city")
    assert len((await city.get("/api/v1/quarantine")).json()["items"]) == 5
    one = (await city.get("/api/v1/quarantine", params={"device": "band-p-b1"})).json()
    assert [item["device_id"] for item in one["items"]] == ["band-p-b1"]


async def test_who_sees_no_locations_sees_no_payload_and_officers_nothing(api: Api) -> None:
    await _set_aside(api)
    admin = await api.login(Role.ADMIN, "city")
    items = (await admin.get("/api/v1/quarantine")).json()["items"]
    assert items
    assert {(item["payload"], item["detail"]) for item in items} == {(None, None)}
    officer = await api.login(Role.OFFICER, "station-a1")
    assert (await officer.get("/api/v1/quarantine")).status_code == 403


async def test_looking_at_payloads_is_logged_and_pages_follow_on(api: Api) -> None:
    await _set_aside(api)
    auditor = await api.login(Role.AUDITOR, "city")
    first = (await auditor.get("/api/v1/quarantine", params={"limit": 3})).json()
    rest = (await auditor.get("/api/v1/quarantine", params={"limit": 3, "cursor": first["next"]})).json()
    assert rest["next"] is None
    assert len({item["id"] for item in first["items"] + rest["items"]}) == 5
    logged = (await auditor.get("/api/v1/audit", params={"action": "quarantine.read"})).json()["items"]
    assert [entry["actor"] for entry in logged] == ["auditor-city"] * 2


async def test_the_state_of_the_system_is_told_to_everybody(api: Api) -> None:
    await _set_aside(api)
    officer = await api.login(Role.OFFICER, "station-a1")
    told = (await officer.get("/api/v1/system")).json()
    assert told["quarantined"] == 5
    assert told["monitor"] is None
    heard = {"waiting_messages": 7, "monitored": 4, "silent": 1, "open": {}}
    await api.store.put_state("monitor", heard, world.NOW_MS)
    told = (await officer.get("/api/v1/system")).json()
    assert told["monitor"]["waiting_messages"] == 7
    assert told["monitor"]["lag_ms"] >= 0
