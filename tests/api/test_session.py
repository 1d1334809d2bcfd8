"""Logging in: cookie and token, wrong passwords, lockout, requests from other sites."""

from __future__ import annotations

import psycopg
import small_city as world
from conftest import Api

from corrections_monitor.api.lockout import FREE_TRIES
from corrections_monitor.model.cases import Role

LOGIN = {"username": "officer-station-a1", "password": world.PASSWORD}


async def test_a_login_gives_a_cookie_for_browsers_and_a_token_for_programs(api: Api) -> None:
    browser = api.client()
    answer = await browser.post("/api/v1/session", json=LOGIN)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie  # plain HTTP
    assert (await browser.get("/api/v1/alerts")).status_code == 200
    program = api.client(Authorization=f"Bearer {answer.json()['token']}")
    assert (await program.get("/api/v1/session")).json()["officer_id"] == "officer-station-a1"


async def test_without_a_session_everything_but_health_is_401(api: Api) -> None:
    answer = await api.client().get("/api/v1/alerts")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["status"] == 401
    assert (await api.client(Authorization="Bearer nonsense").get("/api/v1/alerts")).status_code == 401
    assert (await api.client().get("/healthz")).status_code == 200


async def test_a_wrong_password_and_an_unknown_name_look_the_same(api: Api) -> None:
    client = api.client()
    wrong = await client.post("/api/v1/session", json=LOGIN | {"password": "no"})
    unknown = await client.post("/api/v1/session", json={"username": "nobody", "password": "no"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


async def test_guessing_is_locked_out_and_the_wait_ends(api: Api) -> None:
    client = api.client()
    for _ in range(FREE_TRIES + 1):
        assert (await client.post("/api/v1/session", json=LOGIN | {"password": "no"})).status_code == 401
    locked = await client.post("/api/v1/session", json=LOGIN)
    assert locked.status_code == 429
    assert locked.headers["retry-after"] == "2"
    api.clock.now_ms += 2_000
    assert (await client.post("/api/v1/session", json=LOGIN)).status_code == 200


async def test_logging_out_ends_the_session_for_cookie_and_token(api: Api) -> None:
    browser = api.client()
    token = (await browser.post("/api/v1/session", json=LOGIN)).json()["token"]
    assert (await browser.delete("/api/v1/session")).status_code == 204
    program = api.client(Authorization=f"Bearer {token}")
    assert (await program.get("/api/v1/alerts")).status_code == 401


async def test_a_session_expires(api: Api) -> None:
    client = await api.login(Role.OFFICER, "station-a1")
    api.clock.now_ms += 12 * 3_600_000 + 1
    assert (await client.get("/api/v1/alerts")).status_code == 401


async def test_a_new_password_ends_the_sessions_of_the_old_one(api: Api) -> None:
    client = await api.login(Role.OFFICER, "station-a1")
    await api.store.credentials.issue("officer", "officer-station-a1", world.NOW_MS + 5, "test", "new one")
    assert (await client.get("/api/v1/alerts")).status_code == 401


async def test_an_officer_who_has_left_has_no_session_any_more(api: Api) -> None:
    client = await api.login(Role.OFFICER, "station-a1")
    await api.store.save_cases(
        world.cases(), "test", world.NOW_MS, withdrawn={"officers": ["officer-station-a1"]}
    )
    assert (await client.get("/api/v1/alerts")).status_code == 401


async def test_a_change_by_cookie_must_come_from_our_own_pages(api: Api) -> None:
    browser = api.client()
    await browser.post("/api/v1/session", json=LOGIN)
    own = api.url
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": own},
    ):
        refused = await browser.post("/api/v1/alerts/a1/ack", json={}, headers=headers)
        assert refused.status_code == 403, headers
        assert (await browser.get("/api/v1/alerts", headers=headers)).status_code == 200
    allowed = await browser.post("/api/v1/alerts/a1/ack", json={}, headers={"Origin": own})
    assert allowed.status_code == 404


async def test_a_service_reads_by_its_token_and_changes_nothing(api: Api) -> None:
    token = await api.store.credentials.issue("service", "platform", world.NOW_MS, "test")
    service = api.client(Authorization=f"Bearer {token}")
    assert (await service.get("/api/v1/alerts")).status_code == 200
    assert (await service.post("/api/v1/alerts/x/ack", json={})).status_code == 403
    await api.store.credentials.revoke("service", ["platform"], world.NOW_MS, "test")
    assert (await service.get("/api/v1/alerts")).status_code == 401


async def test_logins_and_failures_stand_in_the_audit(api: Api, database_url: str) -> None:
    client = api.client()
    await client.post("/api/v1/session", json=LOGIN)
    await client.post("/api/v1/session", json=LOGIN | {"password": "no"})
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        cursor = await connection.execute(
            "SELECT action FROM audit WHERE actor = 'officer-station-a1' ORDER BY seq"
        )
        assert [row[0] for row in await cursor.fetchall()] == ["session.open", "session.refused"]


async def test_a_password_is_never_said_back(api: Api) -> None:
    answer = await api.client().post("/api/v1/session", json={"username": "", "password": "hunter2", "x": 1})
    assert answer.status_code == 422
    assert "hunter2" not in answer.text
    assert {e["field"] for e in answer.json()["errors"]} == {"username", "x"}
