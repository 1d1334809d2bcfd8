"""What follows an acknowledgement: notes, hand-overs, the inspection of a tampered device."""

from __future__ import annotations

from typing import Any

import httpx
import small_city as world
from conftest import Api

from corrections_monitor.model.alerts import Answer
from corrections_monitor.model.cases import Role
from corrections_monitor.model.episodes import Kind
from corrections_monitor.rules.outcome import Noted, TimelineNote


async def _open(api: Api, kind: Kind = Kind.ZONE_EXIT) -> str:
    line, alert = world.violation("p-a1", kind)
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert])
        await tx.write_lines([line])
    return alert.alert_id


async def _timeline(client: httpx.AsyncClient, alert_id: str) -> list[tuple[str, str, dict[str, Any]]]:
    whole = (await client.get(f"/api/v1/alerts/{alert_id}")).json()
    return [(t["what"], t["who"], t["detail"]) for t in whole["timeline"]]


async def test_notes_stand_in_the_timeline_and_are_told_to_the_daemon(api: Api) -> None:
    alert_id = await _open(api)
    officer, chief = await api.login(Role.OFFICER, "station-a1"), await api.login(Role.CHIEF, "station-a1")
    assert (await officer.post(f"/api/v1/alerts/{alert_id}/ack")).status_code == 200
    for client, text in ((officer, "已电话联系"), (chief, "派人前往")):
        done = await client.post(f"/api/v1/alerts/{alert_id}/notes", json={"note": text})
        assert done.status_code == 200
        assert done.json()["acknowledged_by"] == "officer-station-a1"
    assert await _timeline(officer, alert_id) == [
        ("acknowledged", "officer-station-a1", {"via": "api"}),
        ("noted", "officer-station-a1", {"note": "已电话联系", "via": "api"}),
        ("noted", "chief-station-a1", {"note": "派人前往", "via": "api"}),
    ]
    async with api.store.transaction() as tx:
        answers = await tx.take_answers(1)
    assert [a.answer for a in answers] == [Answer.ACKNOWLEDGED, Answer.NOTED, Answer.NOTED]
    assert (await officer.post(f"/api/v1/alerts/{alert_id}/notes", json={"note": ""})).status_code == 422


async def test_an_alert_is_handed_over_to_who_may_answer_it(api: Api) -> None:
    alert_id = await _open(api)
    officer = await api.login(Role.OFFICER, "station-a1")
    url = f"/api/v1/alerts/{alert_id}/handover"
    early = await officer.post(url, json={"officer_id": "supervisor-county-a"})
    assert (early.status_code, early.json()["state"]) == (409, "open")
    await officer.post(f"/api/v1/alerts/{alert_id}/ack")
    for nobody in ("nobody", "officer-station-a2", "auditor-station-a1", "admin-county-a"):
        refused = await officer.post(url, json={"officer_id": nobody})
        assert refused.status_code == 422, nobody
        assert [e["field"] for e in refused.json()["errors"]] == ["officer_id"]
    for _ in range(2):
        done = await officer.post(url, json={"officer_id": "supervisor-county-a", "note": "请接手"})
        assert (done.status_code, done.json()["acknowledged_by"]) == (200, "supervisor-county-a")
    assert (await _timeline(officer, alert_id))[-1] == (
        "handed-over", "officer-station-a1",
        {"to": "supervisor-county-a", "note": "请接手", "via": "api"},
    )  # fmt: skip
    async with api.store.transaction() as tx:
        answers = await tx.take_answers(1)
    assert [(a.answer, a.to_officer) for a in answers[1:]] == [(Answer.HANDED_OVER, "supervisor-county-a")]
    auditor = await api.login(Role.AUDITOR, "county-a")
    rows = (await auditor.get("/api/v1/audit?action=alert.handed-over")).json()["items"]
    assert [r["actor"] for r in rows] == ["officer-station-a1"]


async def test_a_tampered_device_was_looked_at_or_the_gap_is_seen(api: Api) -> None:
    seen, unseen = await _open(api, Kind.STRAP_CUT), await _open(api, Kind.ZONE_EXIT)
    officer = await api.login(Role.OFFICER, "station-a1")
    finding = {"disposition": "device_fault", "note": "锁扣老化"}
    done = await officer.post(f"/api/v1/alerts/{seen}/resolve", json={**finding, "inspected": True})
    assert done.status_code == 200
    assert (await officer.post(f"/api/v1/alerts/{unseen}/resolve", json=finding)).status_code == 200
    county = await api.login(Role.SUPERVISOR, "county-a")
    findings = (await county.get("/api/v1/offices/county-a/summary")).json()["findings"]
    assert (findings["resolved"], findings["uninspected_tampers"]) == (2, 0)
    unlooked = await _open(api, Kind.CASE_OPEN)
    done = await officer.post(f"/api/v1/alerts/{unlooked}/resolve", json=finding)
    assert done.status_code == 200
    findings = (await county.get("/api/v1/offices/county-a/summary")).json()["findings"]
    assert findings["uninspected_tampers"] == 1
    marks = [(await officer.get(f"/api/v1/alerts/{a}")).json()["inspected"] for a in (seen, unseen)]
    assert marks == [True, None]


async def test_findings_and_steps_with_nobody_are_statistics_of_the_office(api: Api) -> None:
    officer, supervisor = (
        await api.login(Role.OFFICER, "station-a1"),
        await api.login(Role.SUPERVISOR, "county-a"),
    )
    url = "/api/v1/offices/county-a/summary"
    nothing = (await supervisor.get(url)).json()
    assert (nothing["findings"]["resolved"], nothing["findings"]["false_share"]) == (0, None)
    assert nothing["steps_with_nobody"] == []
    found = {
        Kind.ZONE_EXIT: "false_alarm", Kind.CURFEW: "device_fault", Kind.JAMMED: "true_violation",
        Kind.SHIELDED: "authorised", Kind.SOS: "drill",
    }  # fmt: skip
    for kind, disposition in found.items():
        alert_id = await _open(api, kind)
        done = await officer.post(
            f"/api/v1/alerts/{alert_id}/resolve", json={"disposition": disposition, "note": "x"}
        )
        assert done.status_code == 200
    async with api.store.transaction() as tx:
        await tx.write_timeline(
            [
                TimelineNote(
                    alert_id, world.NOW_MS + at, Noted.SKIPPED, (), {"rung": "county-duty", "why": why}
                )
                for at, why in ((-2_000, "nobody"), (-1_000, "nobody"), (-500, "suspended"))
            ]
        )
    summary = (await supervisor.get(url)).json()
    assert summary["findings"] == {
        "since": "2026-10-25T12:00:00.000+08:00",
        "resolved": 4,
        "counts": {"true_violation": 1, "false_alarm": 1, "device_fault": 1, "authorised": 1},
        "false_share": 0.5,
        "uninspected_tampers": 0,
    }
    assert summary["steps_with_nobody"] == [
        {
            "office_id": "station-a1", "rung": "county-duty", "count": 2,
            "latest_at": "2026-11-24T11:59:59.000+08:00",
        }
    ]  # fmt: skip
    elsewhere = await api.login(Role.SUPERVISOR, "county-b")
    other = (await elsewhere.get("/api/v1/offices/county-b/summary")).json()
    assert (other["findings"]["resolved"], other["steps_with_nobody"]) == (0, [])
