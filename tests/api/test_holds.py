"""A legal hold is set by who manages, for a reason, on one's own people, and every change is logged."""

from __future__ import annotations

from conftest import Api

from corrections_monitor.model.cases import Role


async def test_a_hold_is_set_seen_and_lifted_for_a_reason(api: Api) -> None:
    boss = await api.login(Role.SUPERVISOR, "county-a")
    assert (await boss.put("/api/v1/holds/p-a1", json={})).json()["errors"][0]["field"] == "reason"
    assert (await boss.get("/api/v1/people/p-a1")).json()["hold"] is None
    assert (await boss.put("/api/v1/holds/p-a1", json={"reason": "检察建议 12 号"})).status_code == 204
    hold = (await boss.get("/api/v1/people/p-a1")).json()["hold"]
    assert (hold["reason"], hold["held_by"]) == ("检察建议 12 号", "supervisor-county-a")
    [held] = (await boss.get("/api/v1/holds")).json()["items"]
    assert (held["person_id"], held["reason"], held["held_by"]) == (
        "p-a1",
        "检察建议 12 号",
        "supervisor-county-a",
    )
    elsewhere = await api.login(Role.SUPERVISOR, "county-b")
    assert (await elsewhere.get("/api/v1/holds")).json()["items"] == []
    assert (await elsewhere.put("/api/v1/holds/p-a1", json={"reason": "x"})).status_code == 404
    assert (await elsewhere.post("/api/v1/holds/p-a1/lift", json={"reason": "x"})).status_code == 404
    assert (await boss.post("/api/v1/holds/p-a1/lift", json={"reason": "已结案"})).status_code == 204
    assert (await boss.get("/api/v1/holds")).json()["items"] == []
    audit = (await boss.get("/api/v1/audit")).json()["items"]
    assert [row["action"] for row in audit if row["action"].startswith("hold.")] == ["hold.lift", "hold.set"]


async def test_who_only_looks_cannot_lift_a_hold(api: Api) -> None:
    boss = await api.login(Role.SUPERVISOR, "county-a")
    assert (await boss.put("/api/v1/holds/p-a1", json={"reason": "x"})).status_code == 204
    for role in (Role.OFFICER, Role.AUDITOR):
        asker = await api.login(role, "county-a")
        assert (await asker.post("/api/v1/holds/p-a1/lift", json={"reason": "x"})).status_code == 403
    assert (await boss.get("/api/v1/holds")).json()["items"]
