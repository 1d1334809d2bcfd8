"""One-time links: opening shows, a press acknowledges, once; no login, and nothing for who made them up."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import small_city as world
from conftest import Api

from corrections_monitor.links import PATH, Link, read_link, write_link
from corrections_monitor.model.alerts import Answer
from corrections_monitor.model.cases import Role
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import HOUR_MS, MINUTE_MS
from corrections_monitor.store.links import link_key

OFFICER, CHIEF = "officer-station-a1", "chief-station-a1"


async def _open(api: Api) -> str:
    line, alert = world.violation("p-a1", Kind.ZONE_EXIT)
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert])
        await tx.write_lines([line])
    return alert.alert_id


async def _link(api: Api, alert_id: str, officer_id: str = OFFICER) -> str:
    """As it stands in a message: written by the daemon, read by the API."""
    key = await link_key(api.store, world.NOW_MS)
    return PATH + write_link(key, Link(alert_id, officer_id, world.NOW_MS + HOUR_MS))


async def _alert(api: Api, alert_id: str) -> dict[str, object]:
    client = await api.login(Role.CHIEF, "station-a1")
    return dict((await client.get(f"/api/v1/alerts/{alert_id}")).json())


async def test_opening_a_link_shows_and_only_a_press_acknowledges(api: Api) -> None:
    alert_id, visitor = await _open(api), api.client()
    await world.report(api.store, "p-a1", world.NOW_MS - MINUTE_MS, 122.1, 41.1)
    link = await _link(api, alert_id)
    for _ in range(3):  # a scanner, a preview, an officer
        shown = await visitor.get(link)
        assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
        assert "离开规定区域" in shown.text
        assert "公里" in shown.text or "米（" in shown.text  # where, in words
        assert '<form method="post"' in shown.text
        assert "姓名p-a1" not in shown.text  # by default messages give initials only
        assert "script" not in shown.text
    assert (await visitor.head(link)).status_code in (200, 405)
    assert (await _alert(api, alert_id))["state"] == "open"

    pressed = await visitor.post(link, data={"note": "马上到"})
    assert pressed.status_code == 200
    assert "您已于 11-24 12:00 确认" in pressed.text
    assert "<form" not in pressed.text
    found = await _alert(api, alert_id)
    assert (found["state"], found["acknowledged_by"]) == ("acknowledged", OFFICER)
    assert [(t["what"], t["who"], t["detail"]) for t in found["timeline"]] == [  # type: ignore[attr-defined]
        ("acknowledged", OFFICER, {"note": "马上到", "via": "link"})
    ]
    async with api.store.transaction() as tx:
        assert [(a.answer, a.officer_id) for a in await tx.take_answers(1)] == [
            (Answer.ACKNOWLEDGED, OFFICER)
        ]
    auditor = await api.login(Role.AUDITOR, "county-a")
    rows = (await auditor.get("/api/v1/audit?action=alert.link-opened")).json()["items"]
    assert {r["actor"] for r in rows} == {OFFICER}
    assert len(rows) >= 3


async def test_a_link_acknowledges_once_even_after_the_alert_has_opened_again(api: Api) -> None:
    alert_id, visitor = await _open(api), api.client()
    link = await _link(api, alert_id)
    assert (await visitor.post(link)).status_code == 200
    _, alert = world.violation("p-a1", Kind.ZONE_EXIT)
    async with api.store.transaction() as tx:
        await tx.write_alerts([replace(alert, round=2)])  # it has grown worse: paged anew
    assert (await _alert(api, alert_id))["state"] == "open"
    again = await visitor.post(link)
    assert again.status_code == 409
    assert (await _alert(api, alert_id))["state"] == "open"


async def test_of_two_who_press_at_once_one_wins_and_the_other_is_told_who(api: Api) -> None:
    alert_id, visitor = await _open(api), api.client()
    links = [await _link(api, alert_id, who) for who in (OFFICER, CHIEF)]
    answers = await asyncio.gather(*(visitor.post(link) for link in links))
    assert sorted(a.status_code for a in answers) == [200, 409]
    winner = str((await _alert(api, alert_id))["acknowledged_by"])
    loser = next(a for a in answers if a.status_code == 409)
    assert f"已由 {world.cases().officers[winner].name} 于 11-24 12:00 确认，您不必处理" in loser.text


async def test_expired_forged_and_foreign_links_show_nothing(api: Api) -> None:
    alert_id, visitor = await _open(api), api.client()
    key, soon = await link_key(api.store, world.NOW_MS), world.NOW_MS + HOUR_MS
    good = write_link(key, Link(alert_id, OFFICER, soon))
    bad = {
        write_link(key, Link(alert_id, OFFICER, world.NOW_MS)): 410,
        write_link(b"x" * 32, Link(alert_id, OFFICER, soon)): 404,
        good[:-1]: 404,
        ("B" if good[0] == "A" else "A") + good[1:]: 404,
        write_link(key, Link("a" * 21, OFFICER, soon)): 404,
        write_link(key, Link(alert_id, "nobody", soon)): 404,
        write_link(key, Link(alert_id, "auditor-station-a1", soon)): 404,
        "%FF%00": 404,
        "é": 404,
    }
    for token, status in bad.items():
        for method in ("GET", "POST"):
            answer = await visitor.request(method, PATH + token)
            assert answer.status_code == status, (method, token)
            assert "离开规定区域" not in answer.text
    assert (await _alert(api, alert_id))["state"] == "open"
    assert (await visitor.post(PATH + good, content=b"note=%00")).status_code == 200


async def test_the_same_key_signs_for_ever_and_signed_is_what_is_read(api: Api) -> None:
    key = await link_key(api.store, 1)
    assert key == await link_key(api.api_store, 2)
    assert len(key) == 32
    link = Link("a1", "张-3", 1_800_000_000_000)
    assert read_link(key, write_link(key, link)) == link
    assert len(PATH + write_link(key, Link("a" * 21, OFFICER, 1_800_000_000_000))) < 130


async def test_the_page_needs_nothing_from_elsewhere(api: Api) -> None:
    alert_id, visitor = await _open(api), api.client()
    shown: httpx.Response = await visitor.get(await _link(api, alert_id))
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert shown.headers["referrer-policy"] == "no-referrer"
