"""The roster of another system in the API: a city bureau's alone, in the query and by the database."""

from __future__ import annotations

import pytest
import small_city as world
from conftest import Api

from corrections_monitor.model.cases import Role
from corrections_monitor.store.exchanges import Came, decide, keep, list_exchanges

HOLE = {
    "kind": "order-shortened", "subject": "p-a1", "name": "姓名p-a1", "from": "2026-11-24T12:00:00.000+08:00",
    "to": None, "to_ms": None, "before": 0, "after": 0,
}  # fmt: skip
ROW = {
    "key": "order-p-a1",
    "name": "姓名p-a1",
    "person_id": "p-a1",
    "columns": {"to": ["2026-12-24", "2026-11-25"]},
}
PART = {"count": 0, "rows": []}
DIFFERENCE = {"orders": {"new": PART, "changed": {"count": 1, "rows": [ROW]}, "gone": PART}}


async def pending(api: Api) -> int:
    _, version = await api.store.load_cases()
    came = Came("/srv/roster", b"\x01" * 32, version, DIFFERENCE, [HOLE], [])
    return await keep(api.store, came, "pending", world.NOW_MS, b"content")


async def test_a_supervisor_of_the_city_sees_the_difference_and_confirms_it_once(api: Api) -> None:
    number = await pending(api)
    client = await api.login(Role.SUPERVISOR, "city")
    listed = (await client.get("/api/v1/roster")).json()
    assert [(i["id"], i["state"], i["holes"]) for i in listed["items"]] == [(number, "pending", 1)]
    assert listed["items"][0]["counts"]["orders"] == {"new": 0, "changed": 1, "gone": 0}
    whole = (await client.get(f"/api/v1/roster/{number}")).json()
    assert whole["difference"] == DIFFERENCE
    assert whole["holes"] == [{k: v for k, v in HOLE.items() if k != "to_ms"}]
    where = f"/api/v1/roster/{number}/confirm"
    assert (await client.post(where, json={"reason": " "})).status_code == 422
    assert (await client.post(where, json={"reason": "已核实"})).status_code == 202
    assert (await client.post(where, json={"reason": "已核实"})).status_code == 409
    shown = (await client.get(f"/api/v1/roster/{number}")).json()
    assert (shown["state"], shown["decided_by"], shown["reason"]) == (
        "confirmed", "supervisor-city", "已核实"
    )  # fmt: skip
    audit = (await client.get("/api/v1/audit", params={"action": "roster.confirm"})).json()["items"]
    assert [(a["actor"], a["target"], a["detail"]) for a in audit] == [
        ("supervisor-city", str(number), {"reason": "已核实"})
    ]


@pytest.mark.parametrize("role", [Role.OFFICER, Role.AUDITOR])
async def test_who_may_not_manage_is_refused(api: Api, role: Role) -> None:
    number = await pending(api)
    client = await api.login(role, "city")
    assert (await client.get("/api/v1/roster")).status_code == 403
    assert (await client.post(f"/api/v1/roster/{number}/confirm", json={"reason": "x"})).status_code == 403


@pytest.mark.parametrize("office", ["county-a", "station-a1"])
async def test_below_the_city_nobody_sees_any(api: Api, office: str) -> None:
    number = await pending(api)
    client = await api.login(Role.SUPERVISOR, office)
    assert (await client.get("/api/v1/roster")).json()["items"] == []
    assert (await client.get(f"/api/v1/roster/{number}")).status_code == 404
    for word in ("confirm", "refuse"):
        answer = await client.post(f"/api/v1/roster/{number}/{word}", json={"reason": "x"})
        assert answer.status_code == 404
    # The statements have no filter of their own: it is the database that shows nothing.
    assert await list_exchanges(api.api_store, [office], None, 10) == []
    assert not await decide(
        api.api_store, [office], number, confirm=True, actor="x", reason="x", now_ms=world.NOW_MS
    )
