"""Every route × every role × offices, taken from the API's own description: nobody sees elsewhere.

A route that is added is in the matrix by itself; one with a path parameter nobody has named here fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import small_city as world
from conftest import Api

from corrections_monitor import api as api_room
from corrections_monitor.api import caseview
from corrections_monitor.api.jurisdiction import PERMISSIONS, Permission
from corrections_monitor.model.alerts import Page
from corrections_monitor.model.cases import Duty, Role
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.times import MINUTE_MS
from corrections_monitor.store import EVERYTHING, queries
from corrections_monitor.store.api_drills import Matter, order_drill
from corrections_monitor.store.api_holds import set_hold

# For machines, without login; the session is how one logs in; the stream has a test of its own.
OPEN_PATHS = {"/healthz", "/readyz", "/metrics"}
OWN_ACCOUNT = {
    "/api/v1/session",
    "/api/v1/session/factor",
    "/api/v1/sessions",
    "/api/v1/sessions/{session_id}",
}
OTHER_DOOR = {"/api/v1/session/oidc", "/api/v1/session/oidc/open", "/api/v1/session/oidc/callback"}
# A roster is about everybody: only a city bureau sees it (test_roster_exchange).
ROSTER = {"/api/v1/roster", "/api/v1/roster/{exchange_id}"}
ROSTER |= {f"/api/v1/roster/{{exchange_id}}/{word}" for word in ("confirm", "refuse")}
APART = OPEN_PATHS | OWN_ACCOUNT | OTHER_DOOR | ROSTER | {"/api/v1/stream"}

MANAGED = tuple(f"/api/v1/{name}" for name in ("duty", "devices", "holds", "minors", "drills"))
SECRETS_OF = {p: (p, f"姓名{p}", f"home-{p}", f"band-{p}", f"order-{p}", f"leave-{p}") for p in world.PEOPLE}


async def _full_house(api: Api) -> dict[str, str]:
    """Something of every kind for everybody; alert ids by person."""
    turns = {
        (s, world.officer_id(Role.OFFICER, s), world.NOW_MS): Duty(
            s, world.officer_id(Role.OFFICER, s), world.SPAN
        )
        for s in world.STATIONS
    }
    cases = world.cases()
    duty = {(d.office_id, d.officer_id, d.span.from_ms): d for d in turns.values()}
    await api.store.save_cases(type(cases)(duty=duty), "test", world.NOW_MS)
    found = {person: world.violation(person) for person in world.PEOPLE}
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert for _, alert in found.values()])
        await tx.write_lines([line for line, _ in found.values()])
        await tx.write_pages(
            [
                (Page(a.alert_id, 1, 0, f"officer-{a.office_id}", Severity.CRITICAL, a.opened_ms), "mqtt", "")
                for _, a in found.values()
            ]
        )
    for person in world.PEOPLE:
        await world.report(api.store, person, world.NOW_MS - MINUTE_MS, 122.1, 41.1)
        assert await set_hold(api.api_store, ["city", *world.OFFICES], person, "x", "test", world.NOW_MS)
    matter = Matter(Kind.ZONE_EXIT, Severity.CRITICAL, MINUTE_MS, "演练")
    for station in world.STATIONS:
        officer = cases.officers[f"officer-{station}"]
        drill_id = await order_drill(api.api_store, ["city"], [officer], matter, "test", world.NOW_MS)
        async with api.store.seeing(EVERYTHING) as connection:
            named = (f"drill-{station}", drill_id)
            await connection.execute("UPDATE drills SET drill_id = %s WHERE drill_id = %s", named)
    return {person: alert.alert_id for person, (_, alert) in found.items()}


def _ids_of(person: str, alert_id: str) -> dict[str, dict[str, str]]:
    """What stands in a path for somebody's alert, rows and office."""
    station = world.PEOPLE[person]
    items = {
        "zones": f"home-{person}",
        "orders": f"order-{person}",
        "leaves": f"leave-{person}",
        "suspensions": f"{person}:{world.HOSPITAL.from_ms}",
        "devices": f"band-{person}:{world.SPAN.from_ms}",
        "duty": f"{station}:officer-{station}:{world.SPAN.from_ms}",
    }
    return {
        "alert_id": {"": alert_id},
        "episode_id": {"": world.violation(person)[0].episode.episode_id},
        "drill_id": {"": f"drill-{station}"},
        "person_id": {"": person},
        "office_id": {"": station},
        "officer_id": {"": f"officer-{station}"},
        "item_id": items,
    }


def _filled(path: str, person: str, alert_id: str) -> str:
    for name, values in _ids_of(person, alert_id).items():
        table = path.split("/")[3]
        if "{" + name + "}" in path:
            path = path.replace("{" + name + "}", values.get(table) or values[""])
    assert "{" not in path, f"{path}: say in _ids_of what stands for its parameter"
    return path


def test_only_the_console_and_signed_links_are_left_out_of_the_description() -> None:
    """What the description does not name is not in the matrix."""
    hiding = {
        p.name for p in Path(api_room.__file__).parent.rglob("*.py") if "include_in_schema" in p.read_text()
    }
    assert hiding == {"console.py", "links.py"}


async def _operations(api: Api) -> list[tuple[str, str]]:
    paths: dict[str, dict[str, Any]] = (await api.client().get("/api/openapi.json")).json()["paths"]
    return [(m.upper(), p) for p, operations in paths.items() for m in operations if p not in APART]


def _permission(method: str, path: str) -> Permission:
    if path.startswith("/api/v1/officers"):
        return Permission.ACCOUNTS
    if path == "/api/v1/audit":
        return Permission.AUDIT
    if path == "/api/v1/quarantine":
        return Permission.INSPECT
    if path.endswith(("/track", "/evidence")):
        return Permission.LOCATE
    if path.endswith("/load"):
        return Permission.MANAGE
    if method == "GET":
        return Permission.READ
    if path.startswith("/api/v1/alerts"):
        return Permission.ANSWER
    if path.endswith("/commands"):
        return Permission.COMMAND
    return Permission.MANAGE if path.startswith(MANAGED) else Permission.EDIT_CASES


BODIES: dict[str, dict[str, object]] = {
    "/resolve": {"disposition": "drill", "note": "x"},
    "/notes": {"note": "x"},
    "/handover": {"officer_id": "nobody"},
    **{
        f"/{guarded}/{person}{end}": {"reason": "x"}
        for guarded in ("holds", "minors")
        for person in world.PEOPLE
        for end in ("", "/lift")
    },
    "/commands": {"cmd": "locate_now"},
    "/drills": {"officers": ["x"], "reason": "x"},
    "/stand-in": {"office_id": "x", "officer_id": "x", "other_id": "x", "from": 0, "to": 1},
}
"""What a request needs before anything else of it is looked at."""


async def _ask(client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    params = {"reason": "test"} if path.endswith("/track") else None
    body = next((body for end, body in BODIES.items() if path.endswith(end)), {})
    return await client.request(method, path, params=params, json=None if method == "GET" else body)


async def test_without_login_every_route_is_closed(api: Api) -> None:
    client = api.client()
    for method, path in await _operations(api):
        answer = await _ask(client, method, _filled(path, "p-a1", "a"))
        assert answer.status_code == 401, (method, path)


async def test_no_route_tells_any_role_of_another_office(api: Api) -> None:
    await _nobody_sees_elsewhere(api)


@pytest.mark.usefixtures("_queries_without_their_own_filter")
async def test_the_database_alone_tells_no_role_of_another_office(api: Api) -> None:
    await _nobody_sees_elsewhere(api)


@pytest.fixture
def _queries_without_their_own_filter(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every ``office_id = ANY(offices)`` is gone from the statements, and the API shows whatever it reads."""
    whole = queries._family

    def open_family(family: str) -> dict[str, Any]:
        return {
            name: text.replace("= ANY(%(offices)s)", "IS NOT NULL") for name, text in whole(family).items()
        }

    monkeypatch.setattr(queries, "_family", open_family)
    monkeypatch.setattr(caseview, "visible", lambda cases, _offices: cases)
    queries.query.cache_clear()
    yield
    queries.query.cache_clear()


async def _nobody_sees_elsewhere(api: Api) -> None:
    alerts = await _full_house(api)
    operations = await _operations(api)
    for role in Role:
        # The neighbouring station for a station, the neighbouring county for a county.
        for office, outside in (("station-a1", "p-a2"), ("county-a", "p-b1")):
            client = await api.login(role, office)
            for method, path in operations:
                permitted = _permission(method, path) in PERMISSIONS[role]
                await _elsewhere_is_nothing(client, method, path, outside, alerts, permitted)
                if method == "GET":
                    await _own_is_there(client, path, alerts, permitted, outside)


async def _elsewhere_is_nothing(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    outside: str,
    alerts: dict[str, str],
    permitted: bool,
) -> None:
    if "{" in path:
        answer = await _ask(client, method, _filled(path, outside, alerts[outside]))
        assert answer.status_code == (404 if permitted else 403), (method, path, answer.text)


async def _own_is_there(
    client: httpx.AsyncClient, path: str, alerts: dict[str, str], permitted: bool, outside: str
) -> None:
    answer = await _ask(client, "GET", _filled(path, "p-a1", alerts["p-a1"]))
    assert answer.status_code == (200 if permitted else 403), (path, answer.text)
    for secret in (*SECRETS_OF[outside], alerts[outside]):
        assert f'"{secret}"' not in answer.text, (path, secret)


async def test_roles_that_see_no_locations_are_told_none(api: Api) -> None:
    alerts = await _full_house(api)
    admin = await api.login(Role.ADMIN, "city")
    for method, path in await _operations(api):
        if method != "GET":
            continue
        formats = ("csv", "geojson") if path.endswith("/violations") else (None,)
        for format in formats:
            filled = _filled(path, "p-a1", alerts["p-a1"])
            answer = await admin.get(filled, params={"format": format} if format else None)
            for number in ("122.1", "122.08", "122.07", "41.1"):
                assert number not in answer.text.replace(_offices_own_place(answer), ""), (path, number)


def _offices_own_place(answer: httpx.Response) -> str:
    """An office's address is no secret."""
    return '"lon":122.07,"lat":41.12'


async def test_every_change_is_refused_to_those_who_only_look(api: Api) -> None:
    alerts = await _full_house(api)
    before, version = await api.store.load_cases()
    auditor = await api.login(Role.AUDITOR, "city")
    for method, path in await _operations(api):
        if method != "GET":
            answer = await _ask(auditor, method, _filled(path, "p-a1", alerts["p-a1"]))
            assert answer.status_code == 403, (method, path)
    assert await api.store.load_cases() == (before, version)
