"""Drills over HTTP: ordered, measured, and in nobody's figures."""

from __future__ import annotations

from typing import Any

import httpx
from by_hand import claim
from conftest import Api

from corrections_monitor.model.cases import Role
from corrections_monitor.model.settings import RulesSettings
from corrections_monitor.rules.book import AlertBook
from corrections_monitor.store.outbox import PageState

OFFICER, CHIEF = "officer-station-a1", "chief-station-a1"


async def practise(api: Api) -> None:
    """The daemon takes what was ordered, and a channel takes every page two seconds later."""
    cases, _ = await api.store.load_cases()
    async with api.store.transaction() as tx:
        drills = await tx.take_drills(1)
        outcome = AlertBook(RulesSettings()).advance([], [], cases, api.clock.now_ms, drills)
        await tx.write_alerts(outcome.alerts)
        await tx.write_pages([(page, "mqtt", "topic") for page in outcome.pages])
    api.clock.now_ms += 2_000
    for claimed in await claim(api.store.outbox, api.clock.now_ms):
        assert await api.store.outbox.record(claimed, PageState.SENT, api.clock.now_ms)


async def ordered(client: httpx.AsyncClient, status: int = 201, **body: Any) -> Any:
    answer = await client.post(
        "/api/v1/drills", json={"officers": [OFFICER, CHIEF], "reason": "夜间演练", **body}
    )
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_drill_is_measured_officer_by_officer(api: Api) -> None:
    supervisor, officer = (
        await api.login(Role.SUPERVISOR, "county-a"),
        await api.login(Role.OFFICER, "station-a1"),
    )
    drill = await ordered(supervisor, minutes=30)
    assert {o["officer_id"]: o["paged_after_s"] for o in drill["officers"]} == {OFFICER: None, CHIEF: None}
    await practise(api)
    mine = next(o for o in drill["officers"] if o["officer_id"] == OFFICER)
    url = f"/api/v1/alerts/{mine['alert_id']}"
    assert (await officer.get(url)).json()["drill"] is True
    api.clock.now_ms += 40_000
    assert (await officer.post(f"{url}/ack")).status_code == 200
    api.clock.now_ms += 60_000
    done = await officer.post(f"{url}/resolve", json={"disposition": "drill", "note": "x"})
    assert done.status_code == 200, done.text
    found = (await supervisor.get(f"/api/v1/drills/{drill['drill_id']}")).json()
    told = {
        o["officer_id"]: (o["paged_after_s"], o["acknowledged_after_s"], o["resolved_after_s"])
        for o in found["officers"]
    }
    assert told == {OFFICER: (2, 42, 102), CHIEF: (2, None, None)}
    [listed] = (await supervisor.get("/api/v1/drills")).json()["items"]
    assert (listed["drill_id"], listed["officers"], listed["acknowledged"]) == (drill["drill_id"], 2, 1)
    elsewhere = await api.login(Role.SUPERVISOR, "county-b")
    assert (await elsewhere.get("/api/v1/drills")).json()["items"] == []
    assert (await elsewhere.get(f"/api/v1/drills/{drill['drill_id']}")).status_code == 404


async def test_a_drill_touches_no_record_and_no_figure(api: Api) -> None:
    supervisor = await api.login(Role.SUPERVISOR, "county-a")
    summary, system = "/api/v1/offices/county-a/summary", "/api/v1/system"
    before = (await supervisor.get(summary)).json(), (await supervisor.get(system)).json()["unanswered"]
    drill = await ordered(supervisor)
    await practise(api)
    api.clock.now_ms -= 2_000
    assert (
        (await supervisor.get(summary)).json(),
        (await supervisor.get(system)).json()["unanswered"],
    ) == before
    assert (await supervisor.get("/api/v1/violations")).json()["items"] == []
    [logged] = (await supervisor.get("/api/v1/audit?action=drill.order")).json()["items"]
    assert (logged["target"], logged["actor"]) == (drill["drill_id"], "supervisor-county-a")


async def test_only_who_manages_orders_and_only_of_those_who_answer(api: Api) -> None:
    supervisor, officer = (
        await api.login(Role.SUPERVISOR, "county-a"),
        await api.login(Role.OFFICER, "station-a1"),
    )
    await ordered(officer, 403)
    for name in ("nobody", "auditor-station-a1", "officer-station-b1"):
        await ordered(supervisor, 422, officers=[OFFICER, name])
    await ordered(supervisor, 422, severity="info")
    assert (await supervisor.get("/api/v1/drills")).json()["items"] == []
