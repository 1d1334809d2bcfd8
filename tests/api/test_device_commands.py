"""An officer's commands to devices: who may, what is refused, what is written."""

from __future__ import annotations

from typing import Any

import pytest
import small_city as world
from conftest import Api

from corrections_monitor.model.cases import Role

URL = "/api/v1/people/p-a1/commands"


async def test_an_order_is_written_once_seen_on_the_timeline_and_in_the_audit(api: Api) -> None:
    line, alert = world.violation("p-a1")
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert])
        await tx.write_lines([line])
    officer = await api.login(Role.OFFICER, "station-a1")
    for _ in range(2):
        done = await officer.post(URL, json={"cmd": "message", "arg": "请立即返回", "key": "k1"})
        assert done.status_code == 202
    (told,) = (await officer.get(URL)).json()["items"]
    assert [told[k] for k in ("device_id", "cmd", "arg", "state", "issued_by", "alert_id")] == [
        "band-p-a1", "message", "请立即返回", "pending", "officer-station-a1", alert.alert_id,
    ]  # fmt: skip
    whole = (await officer.get(f"/api/v1/alerts/{alert.alert_id}")).json()
    assert [(t["what"], t["who"], t["detail"]["cmd"]) for t in whole["timeline"]] == [
        ("commanded", "officer-station-a1", "message")
    ]
    auditor = await api.login(Role.AUDITOR, "county-a")
    rows = (await auditor.get("/api/v1/audit?action=device.command")).json()["items"]
    assert [r["actor"] for r in rows] == ["officer-station-a1"]
    (claimed,) = await api.store.commands.claim(api.clock.wall_ms(), 9, 1_000)
    assert (claimed.device_id, claimed.county_id, claimed.arg) == ("band-p-a1", "county-a", "请立即返回")


@pytest.mark.parametrize(
    "given",
    [
        {"cmd": "explode"},
        {"cmd": "locate_now", "arg": 1},
        {"cmd": "message"},
        {"cmd": "message", "arg": " "},
        {"cmd": "message", "arg": "字" * 201},
        {"cmd": "set_interval", "arg": 4},
        {"cmd": "set_interval", "arg": 61},
        {"cmd": "set_interval", "arg": "10"},
        {"cmd": "vibrate", "arg": 61},
        {"cmd": "vibrate", "arg": True},
        {"cmd": "locate_now", "device_id": "band-q-a1"},
        {"cmd": "locate_now", "other": 1},
    ],
)
async def test_what_no_device_could_do_is_refused(api: Api, given: dict[str, Any]) -> None:
    officer = await api.login(Role.OFFICER, "station-a1")
    assert (await officer.post(URL, json=given)).status_code == 422
    assert (await officer.get(URL)).json()["items"] == []


async def test_only_who_works_there_commands_and_only_under_an_order(api: Api) -> None:
    locate = {"cmd": "locate_now"}
    auditor = await api.login(Role.AUDITOR, "station-a1")
    assert (await auditor.post(URL, json=locate)).status_code == 403
    neighbour = await api.login(Role.OFFICER, "station-a2")
    assert (await neighbour.post(URL, json=locate)).status_code == 404
    assert (await neighbour.get(URL)).status_code == 404
    officer = await api.login(Role.OFFICER, "station-a1")
    assert (await officer.post("/api/v1/people/guarded/commands", json=locate)).status_code == 409
    assert (await officer.post(URL, json=locate)).status_code == 202
