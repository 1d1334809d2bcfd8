"""The API describes itself whole, and what it shows as an example is what it answers.

``EXAMPLES=write`` writes the examples anew from the answers given here.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import small_city as world
from conftest import Api
from test_roster_exchange import pending

from corrections_monitor.api.description import EXAMPLES_FILE, PROBLEM_JSON
from corrections_monitor.model.cases import Role
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import HOUR_MS, MINUTE_MS
from corrections_monitor.rules.outcome import Noted, TimelineNote

Json = dict[str, Any]
Call = tuple[str, Role, str, Json | None]
"""Path and query as asked, by whom, and the body."""

# A download, and the doors of another house.
NO_EXAMPLE = {
    "GET /api/v1/violations/{episode_id}/evidence",
    "GET /api/v1/session/oidc",
    "GET /api/v1/session/oidc/callback",
}
_SECRETS = {
    "token": "cm_session_…",
    "secret": "JBSWY3DPEHPK3PXP",
    "uri": "otpauth://totp/…",
    "hash": "9f86d0…",
}


def _calls(alert: str, other: str, episode: str) -> dict[str, Call]:
    officer, chief, supervisor, admin = Role.OFFICER, Role.CHIEF, Role.SUPERVISOR, Role.ADMIN
    zone = {
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
    made: dict[str, tuple[Json, str, Json]] = {
        "zones": (zone, "park", {"properties": {**zone["properties"], "radius_m": 300}}),
        "orders": (
            {
                "order_id": "order-2",
                "person_id": "p-a1",
                "ground": "29.2",
                "approved_by": "局长",
                "approved_on": "2026-12-20",
                "from": "2026-12-24",
                "to": "2027-03-23",
                "extends": "order-p-a1",
            },
            "order-2",
            {"to": "2027-03-01"},
        ),
        "leaves": (
            {
                "leave_id": "leave-2",
                "person_id": "p-a1",
                "from": "2026-12-01",
                "to": "2026-12-03",
                "approved_by": "所长",
                "zone_ids": [],
            },
            "leave-2",
            {"to": "2026-12-05"},
        ),
        "suspensions": (
            {"person_id": "q-a1", "from": "2026-12-10", "to": "2026-12-12", "reason": "住院"},
            "{new}",
            {"reason": "住院手术"},
        ),
        "duty": (
            {
                "office_id": "station-a1",
                "officer_id": "officer-station-a1",
                "from": "2026-12-01T08:00:00+08:00",
                "to": "2026-12-02T08:00:00+08:00",
            },
            "{new}",
            {"to": "2026-12-02T09:00:00+08:00"},
        ),
        "devices": (
            {
                "device_id": "phone-1",
                "kind": "phone",
                "person_id": "p-a1",
                "report_every_s": 60,
                "from": "2026-12-01",
                "to": "",
            },
            "{new}",
            {"report_every_s": 120},
        ),
    }
    boss = (supervisor, "county-a")
    cases: dict[str, Call] = {}
    for table, (body, item, change) in made.items():
        cases |= {
            f"POST /api/v1/{table}": (f"{table}?why=新建", chief, "station-a1", body),
            f"GET /api/v1/{table}": (f"{table}?limit=1", *boss, None),
            f"GET /api/v1/{table}/{{item_id}}": (f"{table}/{item}", *boss, None),
            f"PATCH /api/v1/{table}/{{item_id}}": (f"{table}/{item}", chief, "station-a1", change),
            f"POST /api/v1/{table}/{{item_id}}/end": (f"{table}/{item}/end", chief, "station-a1", {}),
        }
    now = "2026-11-24T11:00:00+08:00"
    duty = {"office_id": "station-a1", "officer_id": "officer-station-a1", "from": now}
    return {
        "GET /api/v1/alerts": ("alerts?state=open&severity=critical,major&limit=1", *boss, None),
        "POST /api/v1/alerts/{alert_id}/ack": (
            f"alerts/{alert}/ack",
            officer,
            "station-a1",
            {"note": "已出发"},
        ),
        "POST /api/v1/alerts/{alert_id}/notes": (
            f"alerts/{alert}/notes",
            officer,
            "station-a1",
            {"note": "家属称在途中"},
        ),
        "POST /api/v1/alerts/{alert_id}/handover": (
            f"alerts/{alert}/handover",
            officer,
            "station-a1",
            {"officer_id": "chief-station-a1", "note": "请接手"},
        ),
        "GET /api/v1/alerts/{alert_id}": (f"alerts/{alert}", *boss, None),
        "POST /api/v1/alerts/{alert_id}/resolve": (
            f"alerts/{other}/resolve",
            officer,
            "station-a1",
            {"disposition": "true_violation", "note": "已电话核实并批评教育"},
        ),
        "GET /api/v1/violations": ("violations?kind=zone.exit&office=station-a1&limit=1", *boss, None),
        "GET /api/v1/violations/counts": ("violations/counts?by=kind,severity", *boss, None),
        "GET /api/v1/violations/{episode_id}": (f"violations/{episode}", *boss, None),
        "GET /api/v1/people": ("people?office=station-a1&limit=1", *boss, None),
        "GET /api/v1/people/{person_id}": ("people/p-a1", *boss, None),
        "GET /api/v1/people/{person_id}/track": (
            "people/p-a1/track?from=2026-11-24&to=2026-11-24&reason=核实警情",
            *boss,
            None,
        ),
        "GET /api/v1/census": ("census?limit=1", *boss, None),
        "POST /api/v1/people/{person_id}/commands": (
            "people/p-a1/commands",
            officer,
            "station-a1",
            {"cmd": "message", "arg": "请立即返回", "key": "k1"},
        ),
        "GET /api/v1/people/{person_id}/commands": ("people/p-a1/commands", *boss, None),
        "GET /api/v1/offices": ("offices", officer, "station-a1", None),
        "GET /api/v1/offices/{office_id}/summary": ("offices/station-a1/summary", *boss, None),
        "GET /api/v1/offices/{office_id}/load": ("offices/station-a1/load", *boss, None),
        "GET /api/v1/offices/{office_id}/digests": ("offices/station-a1/digests", *boss, None),
        "GET /api/v1/offices/{office_id}/statistics": (
            "offices/station-a1/statistics?from=2026-11-23&to=2026-11-24",
            *boss,
            None,
        ),
        "POST /api/v1/drills": (
            "drills",
            *boss,
            {"officers": ["officer-station-a1"], "reason": "夜间越界演练", "minutes": 20},
        ),
        "GET /api/v1/drills": ("drills", *boss, None),
        "GET /api/v1/drills/{drill_id}": ("drills/{drill_id}", *boss, None),
        "GET /api/v1/duty/gaps": ("duty/gaps?office=station-a2", *boss, None),
        **cases,
        "POST /api/v1/duty/rotation": (
            "duty/rotation",
            chief,
            "station-a1",
            {
                "office_id": "station-a1",
                "officers": ["officer-station-a1", "chief-station-a1"],
                "every": "day",
                "from": "2026-11-25",
                "to": "2026-11-26",
            },
        ),
        "+duty": ("duty", chief, "station-a1", duty | {"to": "2026-11-24T20:00:00+08:00"}),
        "POST /api/v1/duty/stand-in": (
            "duty/stand-in",
            chief,
            "station-a1",
            duty
            | {
                "other_id": "chief-station-a1",
                "from": "2026-11-24T18:00:00+08:00",
                "to": "2026-11-24T19:00:00+08:00",
                "note": "开会",
            },
        ),
        "POST /api/v1/duty/handover": (
            "duty/handover",
            officer,
            "station-a1",
            {"to": "chief-station-a1", "note": "张某今晚返回，留意"},
        ),
        "GET /api/v1/duty/log": ("duty/log", *boss, None),
        "PUT /api/v1/holds/{person_id}": ("holds/p-a1", *boss, {"reason": "检察院调取"}),
        "GET /api/v1/holds": ("holds", *boss, None),
        "POST /api/v1/holds/{person_id}/lift": ("holds/p-a1/lift", *boss, {"reason": "调取完毕"}),
        "GET /api/v1/audit": ("audit?action=track.read&limit=1", *boss, None),
        "GET /api/v1/quarantine": ("quarantine?limit=1", *boss, None),
        "GET /api/v1/system": ("system", *boss, None),
        "GET /api/v1/settings": ("settings", *boss, None),
        "GET /api/v1/session": ("session", officer, "station-a1", None),
        "GET /api/v1/session/oidc/open": ("session/oidc/open", officer, "station-a1", None),
        "POST /api/v1/session/factor": ("session/factor", officer, "station-a1", None),
        "GET /api/v1/sessions": ("sessions", officer, "station-a1", None),
        "DELETE /api/v1/sessions": ("sessions?office=station-a2", admin, "county-a", None),
        "GET /api/v1/roster": ("roster?limit=1", supervisor, "city", None),
        "GET /api/v1/roster/{exchange_id}": ("roster/1", supervisor, "city", None),
        "POST /api/v1/roster/{exchange_id}/confirm": (
            "roster/1/confirm",
            supervisor,
            "city",
            {"reason": "已电话核实"},
        ),
        "POST /api/v1/roster/{exchange_id}/refuse": (
            "roster/2/refuse",
            supervisor,
            "city",
            {"reason": "与纸质名册不符"},
        ),
        "PUT /api/v1/minors/{person_id}": (
            "minors/p-a1",
            *boss,
            {"reason": "未满十八周岁", "officers": ["officer-station-a1"]},
        ),
        "GET /api/v1/minors": ("minors", *boss, None),
        "POST /api/v1/minors/{person_id}/lift": ("minors/p-a1/lift", *boss, {"reason": "登记有误"}),
        "GET /healthz": ("/healthz", officer, "station-a1", None),
        "GET /metrics": ("/metrics", officer, "station-a1", None),
    }


# Of what is no list of ours: shown as it would be.
_SHOWN: dict[str, Json] = {
    "PUT /api/v1/session/factor": {"request": {"otp": "123456"}},
    "GET /api/v1/stream": {
        "media_type": "text/event-stream",
        "response": 'event: position\ndata: {"person_id": "p-a1", "office_id": "station-a1", "lon": 122.1,'
        ' "device_id": "band-p-a1", "lat": 41.1, "at": "2026-11-24T11:59:00.000+08:00", "acc": 8.0}\n\n',
    },
    "GET /readyz": {"media_type": "application/json", "response": {"status": "ready"}},
}


@pytest.fixture
async def told(api: Api) -> dict[str, Json]:
    """What every operation answers to a good request: request, media type and response."""
    return await _tell(api)


async def test_every_operation_is_described(api: Api) -> None:
    described = (await api.client().get("/api/openapi.json")).json()
    lacking = []
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            lacking += [f"{name}: {fault}" for fault in _lacking(name, operation)]
    assert not lacking, "\n".join(lacking)
    ids = [o["operationId"] for ops in described["paths"].values() for o in ops.values()]
    assert len(set(ids)) == len(ids)


def _lacking(name: str, operation: Json) -> list[str]:
    found = [] if operation.get("summary") else ["no summary"]
    found += [f"parameter {p['name']}" for p in operation.get("parameters", ()) if not p.get("description")]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        found += [] if "example" in content else ["no example of the body"]
    for status, answer in operation["responses"].items():
        kinds = answer.get("content", {})
        if status.startswith("2"):
            if kinds and name not in NO_EXAMPLE:
                found += [] if any("example" in c for c in kinds.values()) else [f"no example of {status}"]
        elif int(status) >= 400:
            found += [] if list(kinds) == [PROBLEM_JSON] else [f"{status} is no problem document"]
            found += [] if kinds.get(PROBLEM_JSON, {}).get("examples") else [f"no example of {status}"]
    if name.startswith(("GET /api", "POST /api", "PATCH /api", "PUT /api", "DELETE /api")) and not any(
        int(status) >= 400 for status in operation["responses"]
    ):
        found.append("no refusal")
    return found


async def test_the_examples_are_what_it_answers(api: Api, told: dict[str, Json]) -> None:
    if os.environ.get("EXAMPLES") == "write":
        EXAMPLES_FILE.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
    kept = json.loads(EXAMPLES_FILE.read_text("utf-8"))
    assert kept.keys() == told.keys()
    assert {n: _form(e.get("response")) for n, e in kept.items()} == {
        n: _form(e.get("response")) for n, e in told.items()
    }
    assert {n: e.get("request") for n, e in kept.items()} == {n: e.get("request") for n, e in told.items()}


def _form(value: Any) -> Any:
    """The names of its members, all the way down; of a list those of its first item."""
    if isinstance(value, dict):
        return {name: _form(member) for name, member in sorted(value.items())}
    if isinstance(value, list):
        return [_form(value[0])] if value else []
    return "…"


async def _tell(api: Api) -> dict[str, Json]:
    alert, other, episode = await _lived_in(api)
    clients: dict[tuple[Role, str], httpx.AsyncClient] = {}
    told: dict[str, Json] = dict(_SHOWN)
    known: dict[str, str] = {}
    for name, (query, role, office, body) in _calls(alert, other, episode).items():
        if name.endswith("/refuse"):
            assert await pending(api) == 2
        client = clients.get((role, office)) or await api.login(role, office)
        clients[role, office] = client
        path, _, values = query.format(
            new=known.get("new", ""), drill_id=known.get("drill_id", "")
        ).partition("?")
        url = path if path.startswith("/") else f"/api/v1/{path}"
        method = name.split(" ")[0] if " " in name else "POST"
        answer = await client.request(method, f"{url}?{values}" if values else url, json=body)
        assert answer.is_success, (name, answer.status_code, answer.text)
        media_type = answer.headers.get("content-type", "").split(";")[0]
        response = answer.json() if media_type.endswith("json") else answer.text[:400]
        if method == "POST" and isinstance(response, dict):
            known["new"] = str(response.get("id", known.get("new", "")))
            known["drill_id"] = str(response.get("drill_id", known.get("drill_id", "")))
        if " " not in name:
            continue
        example: Json = {} if body is None else {"request": body}
        asked = {k: v for k, _, v in (part.partition("=") for part in values.split("&")) if k}
        named = re.findall(r"\{(\w+)\}", name)
        parts = re.fullmatch(re.sub(r"\{\w+\}", "([^/]+)", name.split(" ", 1)[1]), url)
        example["parameters"] = asked | dict(zip(named, parts.groups() if parts else (), strict=False))
        if answer.content:
            example |= {"media_type": media_type, "response": _without_secrets(response)}
        told[name] = example
    login = {"username": "officer-station-a1", "password": world.PASSWORD}
    opened = (await api.client().post("/api/v1/session", json=login)).json()
    told["POST /api/v1/session"] = {
        "request": login | {"password": "…", "otp": "123456"},
        "media_type": "application/json",
        "response": _without_secrets(opened),
    }
    return dict(sorted(told.items()))


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _SECRETS.get(k, _without_secrets(v)) for k, v in value.items()}
    return [_without_secrets(v) for v in value[:2]] if isinstance(value, list) else value


async def _lived_in(api: Api) -> tuple[str, str, str]:
    """Enough has happened that no list is empty; two alerts and an episode."""
    line, alert = world.violation("p-a1", started_ms=world.NOW_MS - 20 * MINUTE_MS)
    other_line, other = world.violation("q-a1", Kind.STRAP_CUT)
    opened = TimelineNote(alert.alert_id, alert.opened_ms, Noted.OPENED, (), {"kind": "zone.exit"})
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert, other])
        await tx.write_lines([line, other_line])
        await tx.write_timeline([opened])
    assert await pending(api) == 1
    for minute in range(2):
        await world.report(api.store, "p-a1", world.NOW_MS - minute * MINUTE_MS - HOUR_MS, 122.1, 41.1)
    return alert.alert_id, other.alert_id, line.episode.episode_id
