"""The evidence pack: one PDF that a person can read, made from what was known, and logged with its hash."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import replace
from pathlib import Path

import httpx
import pypdf
import small_city as world
from conftest import Api

from corrections_monitor.model.alerts import Page
from corrections_monitor.model.cases import Role
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.times import MINUTE_MS

KEEP_AS = os.environ.get("CORRECTIONS_TEST_KEEP_EVIDENCE")


async def _violation(api: Api) -> str:
    """An exit of p-a1 with an hour's track; its episode id."""
    line, alert = world.violation("p-a1", Kind.ZONE_EXIT)
    began = line.episode.started_ms
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert])
        await tx.write_lines([line])
        page = Page(alert.alert_id, 1, 0, "officer-station-a1", Severity.CRITICAL, alert.opened_ms)
        await tx.write_pages([(page, "mqtt", "")])
    for n in range(-20, 40):
        away = max(0, min(n, 20))
        lon, lat = 122.07 + away * 0.0005, 41.12 + away * 0.0005 + (n % 3) * 0.00004
        await world.report(api.store, "p-a1", began + n * MINUTE_MS, lon, lat)
    return line.episode.episode_id


def _text(document: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(document)).pages)


def _keep(document: bytes) -> None:
    """Where a person wants to look at it."""
    if KEEP_AS:
        Path(KEEP_AS).write_bytes(document)


async def _pack(client: httpx.AsyncClient, episode_id: str, **asked: str) -> bytes:
    answer = await client.get(f"/api/v1/violations/{episode_id}/evidence", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return answer.content


async def test_a_pack_says_who_what_where_by_which_rule_and_order(api: Api) -> None:
    episode_id = await _violation(api)
    officer = await api.login(Role.OFFICER, "station-a1")
    [alert] = (await officer.get("/api/v1/alerts")).json()["items"]
    await officer.post(f"/api/v1/alerts/{alert['alert_id']}/ack", json={"note": "已出发"})
    document = await _pack(officer, episode_id, reason="提请警告")
    _keep(document)
    text = _text(document).replace("\n", "")
    for said in (
        "姓名p-a1",
        "缓刑，普管",
        "离开规定区域（zone.exit）",
        "2026-11-24 11:00:00",
        "order-p-a1",
        "未经批准离开所居住的市、县",
        "住所（home-p-a1），规定活动区域",
        "已出发",
        "通知第 1 级",
        "提请警告",
        "122.080000",
        "第 1 页，共",
    ):
        assert said in text, said


async def test_reading_a_pack_is_logged_with_the_hash_of_the_file(api: Api) -> None:
    episode_id = await _violation(api)
    officer = await api.login(Role.OFFICER, "station-a1")
    document = await _pack(officer, episode_id)
    auditor = await api.login(Role.AUDITOR, "county-a")
    rows = (await auditor.get("/api/v1/audit", params={"target": episode_id})).json()["items"]
    assert [(r["actor"], r["action"]) for r in rows] == [
        ("officer-station-a1", "evidence.made"),
        ("officer-station-a1", "evidence.read"),
    ]
    assert rows[0]["detail"]["sha256"] == hashlib.sha256(document).hexdigest()
    assert rows[1]["detail"] == {"reason": "违规取证", "person_id": "p-a1"}


async def test_a_pack_shows_the_rules_of_then_not_of_now(api: Api) -> None:
    episode_id = await _violation(api)
    zone = replace(world.cases().zones["home-p-a1"], name="新住所")
    await api.store.save_cases(replace(world.cases(), zones={zone.zone_id: zone}), "test", world.NOW_MS)
    text = _text(await _pack(await api.login(Role.CHIEF, "station-a1"), episode_id))
    assert "新住所" not in text


async def test_who_sees_no_locations_gets_no_pack_and_elsewhere_is_nothing(api: Api) -> None:
    episode_id = await _violation(api)
    path = f"/api/v1/violations/{episode_id}/evidence"
    assert (await (await api.login(Role.ADMIN, "county-a")).get(path)).status_code == 403
    assert (await (await api.login(Role.SUPERVISOR, "county-b")).get(path)).status_code == 404
