"""Second factors, sessions that can be ended, service tokens that may do little."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pyotp
import pytest
import small_city as world
from conftest import Api, serving

from corrections_monitor import credentials
from corrections_monitor.model.cases import Role
from corrections_monitor.store import Store

LOGIN = {"username": "officer-station-a1", "password": world.PASSWORD}
OTHER = {"username": "admin-county-a", "password": world.PASSWORD}
PATH = "/api/v1/session"
STEP_MS = 30_000


def _code(secret: str, api: Api, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(api.clock.now_ms // 1_000 + 30 * steps)


async def _enrol(api: Api, client: httpx.AsyncClient) -> str:
    offered = await client.post(f"{PATH}/factor")
    assert offered.status_code == 201
    secret = offered.json()["secret"]
    assert offered.json()["uri"].startswith("otpauth://totp/")
    confirmed = await client.put(f"{PATH}/factor", json={"otp": _code(secret, api)})
    assert confirmed.status_code == 204, confirmed.text
    api.clock.now_ms += STEP_MS
    return str(secret)


async def test_with_a_second_factor_a_password_is_not_enough(api: Api) -> None:
    secret = await _enrol(api, await api.login(Role.OFFICER, "station-a1"))
    client = api.client()
    without = await client.post(PATH, json=LOGIN)
    assert without.status_code == 401
    assert without.json()["type"].endswith(":second-factor-needed")
    wrong = await client.post(PATH, json=LOGIN | {"otp": "000000"})
    assert wrong.json()["type"].endswith(":wrong-credentials")
    # A right code with a wrong password is as wrong as any.
    assert (await client.post(PATH, json=LOGIN | {"password": "x", "otp": "1"})).json() == (
        await client.post(PATH, json=LOGIN | {"username": "nobody"})
    ).json()
    assert (await client.post(PATH, json=LOGIN | {"otp": _code(secret, api)})).status_code == 200


async def test_a_code_works_once_and_for_a_minute(api: Api) -> None:
    secret = await _enrol(api, await api.login(Role.OFFICER, "station-a1"))
    client = api.client()
    code = _code(secret, api)
    assert (await client.post(PATH, json=LOGIN | {"otp": code})).status_code == 200
    assert (await client.post(PATH, json=LOGIN | {"otp": code})).status_code == 401
    api.clock.now_ms += STEP_MS
    late = _code(secret, api)
    api.clock.now_ms += 2 * STEP_MS
    assert (await client.post(PATH, json=LOGIN | {"otp": late})).status_code == 401
    assert (await client.post(PATH, json=LOGIN | {"otp": _code(secret, api, 1)})).status_code == 200


async def test_guessed_codes_are_locked_out_whatever_comes_between(api: Api) -> None:
    await _enrol(api, await api.login(Role.OFFICER, "station-a1"))
    client = api.client()
    seen = set()
    for guess in range(8):
        await client.post(PATH, json=LOGIN)  # the right password alone must not clear the slate
        seen.add((await client.post(PATH, json=LOGIN | {"otp": f"{guess:06}"})).status_code)
    assert 429 in seen


async def test_a_factor_in_use_is_not_replaced_but_reset_by_an_admin_of_ones_office(api: Api) -> None:
    officer = await api.login(Role.OFFICER, "station-a1")
    await _enrol(api, officer)
    assert (await officer.post(f"{PATH}/factor")).status_code == 409
    path = "/api/v1/officers/officer-station-a1/factor"
    assert (await (await api.login(Role.CHIEF, "station-a1")).delete(path)).status_code == 403
    assert (await (await api.login(Role.ADMIN, "county-b")).delete(path)).status_code == 404
    assert (await (await api.login(Role.ADMIN, "county-a")).delete(path)).status_code == 204
    assert (await officer.get("/api/v1/alerts")).status_code == 401
    assert (await api.client().post(PATH, json=LOGIN)).status_code == 200
    assert await _actions(api, "officer-station-a1") >= {"factor.enrol", "factor.reset"}


async def test_the_operator_can_reset_the_factor_of_the_last_admin(api: Api, database_url: str) -> None:
    await _enrol(api, await api.login(Role.ADMIN, "city"))
    owner = await Store.open(database_url, "owner")
    given = await credentials.reset_factor(owner, "admin-city", actor="cli:root", now_ms=world.NOW_MS)
    await owner.close()
    assert given == {"reset": "admin-city"}
    assert await api.login(Role.ADMIN, "city")


@pytest.fixture
async def strict(store: Store, api_store: Store, api: Api) -> AsyncIterator[Api]:
    """A server beside ``api`` on the same database that demands a second factor of officers."""
    roles = (Role.OFFICER,)
    with_factor = serving(
        api_store, lambda config: replace(config, http=replace(config.http, second_factor=roles))
    )
    async with with_factor as (url, clock):
        running = Api(url, clock, store, api_store, with_factor.stop)
        yield running
        for client in running.clients:
            await client.aclose()


async def test_where_a_factor_is_demanded_nothing_else_works_before_it(strict: Api) -> None:
    officer = await strict.login(Role.OFFICER, "station-a1")
    assert (await officer.get(PATH)).status_code == 200
    refused = await officer.get("/api/v1/alerts")
    assert refused.status_code == 403
    assert refused.json()["type"].endswith(":second-factor-due")
    assert (await strict.client().post(PATH, json=LOGIN)).json()["must_enrol"] is True
    await _enrol(strict, officer)
    assert (await officer.get("/api/v1/alerts")).status_code == 200
    assert (await (await strict.login(Role.CHIEF, "station-a1")).get("/api/v1/alerts")).status_code == 200


async def test_sessions_are_listed_and_ended(api: Api) -> None:
    one, two = [await api.login(Role.OFFICER, "station-a1") for _ in range(2)]
    items = (await one.get("/api/v1/sessions")).json()["items"]
    assert [s["officer_id"] for s in items] == ["officer-station-a1"] * 2
    assert items[0]["address"] == "127.0.0.1"
    [other] = [s["session_id"] for s in items if not s["current"]]
    assert (await one.delete(f"/api/v1/sessions/{other}")).status_code == 204
    assert (await two.get("/api/v1/alerts")).status_code == 401
    assert (await one.get("/api/v1/alerts")).status_code == 200
    assert (await one.delete(f"/api/v1/sessions/{other}")).status_code == 404


async def test_others_sessions_are_an_admins_of_ones_offices(api: Api) -> None:
    officer = await api.login(Role.OFFICER, "station-a1")
    [mine] = (await officer.get("/api/v1/sessions")).json()["items"]
    path = f"/api/v1/sessions/{mine['session_id']}"
    asked = "/api/v1/sessions?officer=officer-station-a1"
    for role, office in ((Role.CHIEF, "station-a1"), (Role.ADMIN, "county-b"), (Role.AUDITOR, "city")):
        client = await api.login(role, office)
        assert (await client.delete(path)).status_code == 404
        listed = await client.get(asked)
        assert listed.status_code == 404 or listed.json()["items"] == []
    admin = await api.login(Role.ADMIN, "county-a")
    assert len((await admin.get(asked)).json()["items"]) == 1
    assert (await admin.delete(path)).status_code == 204
    assert (await officer.get("/api/v1/alerts")).status_code == 401
    assert "session.revoke" in await _actions(api, "officer-station-a1")


async def test_an_admin_sees_all_sessions_of_his_offices_and_ends_them_together(api: Api) -> None:
    officer, supervisor, elsewhere = [
        await api.login(*who)
        for who in (
            (Role.OFFICER, "station-a1"),
            (Role.SUPERVISOR, "county-a"),
            (Role.OFFICER, "station-b1"),
        )
    ]
    admin = await api.login(Role.ADMIN, "county-a")
    path = "/api/v1/sessions"
    items = (await admin.get(path, params={"office": "county-a"})).json()["items"]
    assert {s["officer_id"] for s in items} == {"officer-station-a1", "supervisor-county-a", "admin-county-a"}
    below = (await admin.get(path, params={"office": "station-a1"})).json()["items"]
    assert {s["officer_id"] for s in below} == {"officer-station-a1"}
    for verb in (admin.get, admin.delete):
        assert (await verb(path, params={"office": "county-b"})).status_code == 404
    assert (await supervisor.get(path, params={"office": "county-a"})).status_code == 404
    assert (await supervisor.delete(path, params={"office": "county-a"})).status_code == 403
    assert (await admin.delete(path)).status_code == 422
    assert (await admin.delete(path, params={"officer": "officer-station-b1"})).json() == {"ended": 0}
    assert (await admin.delete(path, params={"office": "county-a"})).json() == {"ended": 2}
    gone = [(await c.get("/api/v1/alerts")).status_code for c in (officer, supervisor, elsewhere, admin)]
    assert gone == [401, 401, 200, 200]
    assert "session.revoke" in await _actions(api, "supervisor-county-a")


async def test_a_service_may_do_what_its_token_says_where_it_says(api: Api, database_url: str) -> None:
    owner = await Store.open(database_url, "owner")
    now = {"actor": "cli", "now_ms": world.NOW_MS}
    given = await credentials.issue_service(owner, "board", scopes=["read"], office_id="county-a", **now)
    narrow = api.client(Authorization=f"Bearer {given['token']}")
    people = (await narrow.get("/api/v1/people")).json()["items"]
    assert {p["person_id"] for p in people} == {"p-a1", "q-a1", "p-a2", "guarded"}
    assert (await narrow.get("/api/v1/people/p-a1/track?reason=x")).status_code == 403
    assert (await narrow.get("/api/v1/audit")).status_code == 403
    assert (await narrow.post(f"{PATH}/factor")).status_code == 403
    rotated = await credentials.rotate(owner, "service", "board", **now)
    again = api.client(Authorization=f"Bearer {rotated['token']}")
    assert (await narrow.get("/api/v1/people")).status_code == 401
    assert (await again.get("/api/v1/people/p-b1")).status_code == 404
    assert (await again.get("/api/v1/people/p-a1/track?reason=x")).status_code == 403
    speaker = await credentials.issue_service(owner, "traccar", scopes=[], office_id=None, **now)
    mute = api.client(Authorization=f"Bearer {speaker['token']}")
    assert (await mute.get("/api/v1/alerts")).status_code == 403
    with pytest.raises(credentials.NoSuchHolderError, match="office nowhere"):
        await credentials.issue_service(owner, "x", scopes=[], office_id="nowhere", **now)
    await owner.close()


async def _actions(api: Api, target: str) -> set[str]:
    auditor = await api.login(Role.AUDITOR, "city")
    rows = (await auditor.get("/api/v1/audit", params={"target": target})).json()["items"]
    return {row["action"] for row in rows}
