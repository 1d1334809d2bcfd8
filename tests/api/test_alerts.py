"""The board: filters and pages of alerts, one alert whole, and who answers first."""

from __future__ import annotations

import asyncio
from datetime import datetime

import httpx
import small_city as world
from conftest import Api

from corrections_monitor.model.alerts import Page
from corrections_monitor.model.cases import Role
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.times import HOUR_MS
from corrections_monitor.store.decisions import Entry

ALERT_MEMBERS = {
    "alert_id", "state", "severity", "cause", "kinds", "person_id", "person_name", "office_id", "opened_at",
    "updated_at", "acknowledged_by", "acknowledged_at", "resolved_by", "resolved_at", "disposition",
    "episodes", "position", "reason", "drill", "late",
}  # fmt: skip


async def _open(api: Api, *found: tuple[world.Line, world.Alert]) -> list[str]:
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert for _, alert in found])
        await tx.write_lines([line for line, _ in found])
    return [alert.alert_id for _, alert in found]


async def _ids(client: httpx.AsyncClient, query: str = "") -> list[str]:
    answer = await client.get(f"/api/v1/alerts{query}")
    assert answer.status_code == 200, answer.text
    return [item["alert_id"] for item in answer.json()["items"]]


async def test_an_alert_has_exactly_the_members_of_the_contract(api: Api) -> None:
    await _open(api, world.violation("p-a1"))
    client = await api.login(Role.OFFICER, "station-a1")
    body = (await client.get("/api/v1/alerts")).json()
    assert set(body) == {"items", "next"}
    assert body["next"] is None
    [alert] = body["items"]
    assert set(alert) == ALERT_MEMBERS
    assert alert["state"] == "open"
    assert alert["severity"] == "critical"
    assert alert["cause"] == "place"
    assert alert["kinds"] == ["zone.exit"]
    assert alert["person_name"] == "姓名p-a1"
    assert alert["position"] is None
    assert datetime.fromisoformat(alert["opened_at"]).utcoffset().total_seconds() == 8 * 3600  # type: ignore[union-attr]
    assert alert["episodes"][0]["started_at"] == "2026-11-24T11:00:00.000+08:00"


async def test_an_alert_says_where_the_person_is_now_except_to_the_admin(api: Api) -> None:
    await _open(api, world.violation("p-a1"))
    await world.report(api.store, "p-a1", world.NOW_MS - 5_000, 122.5, 41.5)
    officer, admin = await api.login(Role.OFFICER, "station-a1"), await api.login(Role.ADMIN, "city")
    [alert] = (await officer.get("/api/v1/alerts")).json()["items"]
    assert alert["position"] == {"lon": 122.5, "lat": 41.5, "at": "2026-11-24T11:59:55.000+08:00"}
    [alert] = (await admin.get("/api/v1/alerts")).json()["items"]
    assert alert["position"] is None
    whole = (await admin.get(f"/api/v1/alerts/{alert['alert_id']}")).json()
    assert whole["episodes"][0]["evidence"] is None


async def test_filters(api: Api) -> None:
    exit_a1, curfew_q1, silence_a2 = await _open(
        api,
        world.violation("p-a1"),
        world.violation("q-a1", Kind.CURFEW, world.NOW_MS - 3 * HOUR_MS),
        world.violation("p-a2", Kind.SILENCE_DEVICE, world.NOW_MS - 5 * HOUR_MS),
    )
    county = await api.login(Role.SUPERVISOR, "county-a")
    assert await _ids(county) == [exit_a1, curfew_q1, silence_a2]
    assert await _ids(county, "?office=station-a1") == [exit_a1, curfew_q1]
    assert await _ids(county, "?office=county-a&kind=curfew,silence.device") == [curfew_q1, silence_a2]
    assert await _ids(county, "?person=p-a2") == [silence_a2]
    assert await _ids(county, "?severity=major") == []
    assert await _ids(county, "?severity=critical,major&state=open") == [exit_a1, curfew_q1, silence_a2]
    assert await _ids(county, "?state=resolved") == []
    assert await _ids(county, "?from=2026-11-24T09:00:00&to=2026-11-24T11:00:00%2B08:00") == [curfew_q1]
    assert await _ids(county, f"?from={world.NOW_MS - HOUR_MS}") == [exit_a1]
    assert await _ids(county, "?to=2026-11-24") == [exit_a1, curfew_q1, silence_a2]
    assert await _ids(county, "?to=2026-11-23") == []


async def test_a_wrong_query_is_refused_by_naming_the_field(api: Api) -> None:
    client = await api.login(Role.OFFICER, "station-a1")
    for query, field in (
        ("stat=open", "stat"),
        ("state=opened", "state"),
        ("state=open&state=resolved", "state"),
        ("kind=zone.leave", "kind"),
        ("severity=3", "severity"),
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("from=2026-11-24&to=2026-11-23", "to"),
        ("from=99999999999999999999", "from"),
        ("person=%00", "person"),
        ("limit=0", "limit"),
        ("limit=100000", "limit"),
        ("cursor=abc", "cursor"),
        ("cursor=WzEsMl0", "cursor"),
    ):
        answer = await client.get(f"/api/v1/alerts?{query}")
        assert answer.status_code == 422, query
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == 422
        assert [e["field"] for e in problem["errors"]] == [field]
        assert problem["type"]
        assert problem["title"]


async def test_pages_follow_one_another_while_new_alerts_come(api: Api) -> None:
    hours = range(1, 6)
    old = await _open(
        api, *(world.violation("p-a1", started_ms=world.NOW_MS - h * HOUR_MS, subject=f"s{h}") for h in hours)
    )
    client = await api.login(Role.OFFICER, "station-a1")
    first = (await client.get("/api/v1/alerts?limit=2")).json()
    await _open(api, world.violation("q-a1", started_ms=world.NOW_MS))
    seen = [a["alert_id"] for a in first["items"]]
    cursor = first["next"]
    while cursor:
        page = (await client.get("/api/v1/alerts", params={"limit": 2, "cursor": cursor})).json()
        seen += [a["alert_id"] for a in page["items"]]
        cursor = page["next"]
    assert seen == old


async def test_one_alert_tells_its_timeline_its_evidence_and_its_pages(api: Api) -> None:
    line, alert = world.violation("p-a1")
    [alert_id] = await _open(api, (line, alert))
    async with api.store.transaction() as tx:
        page = Page(alert_id, 1, 0, "officer-station-a1", Severity.CRITICAL, alert.opened_ms)
        await tx.write_pages([(page, "mqtt", "cm/v1/officers/officer-station-a1/page")])
        await tx.write_timeline([Entry(alert_id, alert.opened_ms, "opened")])
    client = await api.login(Role.OFFICER, "station-a1")
    whole = (await client.get(f"/api/v1/alerts/{alert_id}")).json()
    assert set(whole) >= ALERT_MEMBERS | {"timeline"}
    assert [t["what"] for t in whole["timeline"]] == ["opened"]
    assert whole["episodes"][0]["evidence"]["fixes"][0]["lon"] == 122.08
    assert whole["lines"][0]["paged"] == ["officer-station-a1"]
    assert [(p["officer_id"], p["channel"], p["state"]) for p in whole["pages"]] == [
        ("officer-station-a1", "mqtt", "pending")
    ]


async def test_acknowledging_stops_at_the_first_and_tells_the_daemon(api: Api) -> None:
    [alert_id] = await _open(api, world.violation("p-a1"))
    officer, chief = await api.login(Role.OFFICER, "station-a1"), await api.login(Role.CHIEF, "station-a1")
    first = await officer.post(f"/api/v1/alerts/{alert_id}/ack", json={"note": "去看看"})
    assert first.status_code == 200
    assert set(first.json()) == ALERT_MEMBERS
    assert first.json()["state"] == "acknowledged"
    assert first.json()["acknowledged_by"] == "officer-station-a1"
    assert first.json()["acknowledged_at"] == "2026-11-24T12:00:00.000+08:00"
    again = await officer.post(f"/api/v1/alerts/{alert_id}/ack")
    assert again.status_code == 200
    assert again.json() == first.json()
    other = await chief.post(f"/api/v1/alerts/{alert_id}/ack", json={})
    assert other.status_code == 409
    assert other.headers["content-type"] == "application/problem+json"
    assert other.json()["answered_by"] == "officer-station-a1"
    async with api.store.transaction() as tx:
        answers = await tx.take_answers(1)
    assert [(a.answer, a.officer_id) for a in answers] == [("acknowledged", "officer-station-a1")]


async def test_of_two_officers_at_once_one_wins_and_the_other_is_told_who(api: Api) -> None:
    ids = await _open(api, *(world.violation("p-a1", subject=f"s{n}") for n in range(8)))
    officer, chief = await api.login(Role.OFFICER, "station-a1"), await api.login(Role.CHIEF, "station-a1")
    body = {"disposition": "true_violation", "note": "已核实"}
    for what, given in (("ack", {}), ("resolve", body)):
        answers = await asyncio.gather(
            *(c.post(f"/api/v1/alerts/{i}/{what}", json=given) for i in ids for c in (officer, chief))
        )
        for mine, theirs in zip(answers[::2], answers[1::2], strict=True):
            assert sorted([mine.status_code, theirs.status_code]) == [200, 409]
            won, lost = (mine, theirs) if mine.status_code == 200 else (theirs, mine)
            winner = won.json()["acknowledged_by" if what == "ack" else "resolved_by"]
            assert winner == ("officer-station-a1" if won is mine else "chief-station-a1")
            assert lost.json()["answered_by"] == winner
            assert winner in lost.json()["detail"]
    async with api.store.transaction() as tx:
        assert len(await tx.take_answers(1)) == 2 * len(ids)


async def test_resolving_needs_a_disposition_and_a_note(api: Api) -> None:
    [alert_id] = await _open(api, world.violation("p-a1"))
    client = await api.login(Role.OFFICER, "station-a1")
    url = f"/api/v1/alerts/{alert_id}/resolve"
    for body, field in (
        ({"note": "x"}, "disposition"),
        ({"disposition": "drill"}, "note"),
        ({"disposition": "shrug", "note": "x"}, "disposition"),
        ({"disposition": "drill", "note": "x" * 2_001}, "note"),
        ({"disposition": "drill", "note": "a\u0000b"}, "note"),
        ({"disposition": "drill", "note": "x", "extra": 1}, "extra"),
    ):
        answer = await client.post(url, json=body)
        assert answer.status_code == 422, body
        assert [e["field"] for e in answer.json()["errors"]] == [field]
    not_json = await client.post(url, content=b"{", headers={"Content-Type": "application/json"})
    assert not_json.status_code == 422
    assert not_json.headers["content-type"] == "application/problem+json"
    done = await client.post(url, json={"disposition": "false_alarm", "note": "定位漂移"})
    assert done.status_code == 200
    assert done.json()["state"] == "resolved"
    assert done.json()["disposition"] == "false_alarm"
    assert done.json()["resolved_by"] == "officer-station-a1"
    assert (await client.post(f"/api/v1/alerts/{alert_id}/ack")).status_code == 409


async def test_an_answer_is_in_the_audit(api: Api) -> None:
    [alert_id] = await _open(api, world.violation("p-a1"))
    client = await api.login(Role.OFFICER, "station-a1")
    await client.post(f"/api/v1/alerts/{alert_id}/resolve", json={"disposition": "drill", "note": "演练"})
    auditor = await api.login(Role.AUDITOR, "county-a")
    rows = (await auditor.get("/api/v1/audit?action=alert.resolved")).json()["items"]
    assert [(r["actor"], r["target"], r["detail"]["note"]) for r in rows] == [
        ("officer-station-a1", alert_id, "演练")
    ]


async def test_elsewhere_is_404_and_looks_like_nothing(api: Api) -> None:
    [alert_id] = await _open(api, world.violation("p-b1"))
    client = await api.login(Role.SUPERVISOR, "county-a")
    assert await _ids(client) == []
    assert await _ids(client, "?person=p-b1") == []
    for method, path in (("GET", ""), ("POST", "/ack"), ("POST", "/resolve")):
        body = {"disposition": "drill", "note": "x"} if path == "/resolve" else None
        there = await client.request(method, f"/api/v1/alerts/{alert_id}{path}", json=body)
        nowhere = await client.request(method, f"/api/v1/alerts/nothing{path}", json=body)
        assert there.status_code == nowhere.status_code == 404
        assert there.json() == nowhere.json()
    for office in ("county-b", "station-b1", "city", "no-office"):
        assert (await client.get(f"/api/v1/alerts?office={office}")).status_code == 404


async def test_roles_that_only_look_cannot_answer(api: Api) -> None:
    [alert_id] = await _open(api, world.violation("p-a1"))
    for role in (Role.ADMIN, Role.AUDITOR):
        client = await api.login(role, "county-a")
        assert (await client.get(f"/api/v1/alerts/{alert_id}")).status_code == 200
        answer = await client.post(f"/api/v1/alerts/{alert_id}/ack", json={})
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"
