"""A page is read when its officer opens the alert, by link or in the console; it is told, and no more."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import small_city as world
from conftest import Api

from corrections_monitor.links import PATH, Link, write_link
from corrections_monitor.model.alerts import Page
from corrections_monitor.model.cases import Role
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.times import HOUR_MS
from corrections_monitor.store.links import link_key

OFFICER, CHIEF = "officer-station-a1", "chief-station-a1"
CHANNELS = ("mqtt", "apprise:mailto:1a2b", "webhook:police", "apprise:sms")


async def _sent(api: Api, url: str) -> str:
    """An alert of which officer and chief were sent pages over three channels; one failed."""
    line, alert = world.violation("p-a1", Kind.ZONE_EXIT)
    page = Page(alert.alert_id, 1, 0, OFFICER, Severity.CRITICAL, world.NOW_MS)
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert])
        await tx.write_lines([line])
        for who in (OFFICER, CHIEF):
            await tx.write_pages([(replace(page, officer_id=who), channel, "") for channel in CHANNELS])
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE pages SET state = 'claimed'")
        connection.execute(
            "UPDATE pages SET state = CASE channel WHEN 'apprise:sms' THEN 'failed' ELSE 'sent' END"
        )
    return alert.alert_id


def _states(url: str, officer_id: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT state FROM pages WHERE officer_id = %s ORDER BY page_id", [officer_id]
        ).fetchall()
    return [str(state) for (state,) in rows]


READ = ["read", "read", "sent", "failed"]  # a platform's page is not the officer's reading
UNREAD = ["sent", "sent", "sent", "failed"]


async def test_opening_the_link_is_reading(api: Api, database_url: str) -> None:
    alert_id, visitor = await _sent(api, database_url), api.client()
    key = await link_key(api.store, world.NOW_MS)
    link = PATH + write_link(key, Link(alert_id, OFFICER, world.NOW_MS + HOUR_MS))
    for _ in range(2):
        assert (await visitor.get(link)).status_code == 200
    assert (_states(database_url, OFFICER), _states(database_url, CHIEF)) == (READ, UNREAD)
    supervisor = await api.login(Role.SUPERVISOR, "county-a")
    found = (await supervisor.get(f"/api/v1/alerts/{alert_id}")).json()
    assert found["state"] == "open", "to read is not to acknowledge"
    (told,) = found["timeline"]
    assert (told["what"], told["who"]) == ("read", OFFICER)
    assert told["detail"] == {"via": "link", "channels": ["apprise:mailto:1a2b", "mqtt"]}
    assert (_states(database_url, OFFICER), _states(database_url, CHIEF)) == (READ, UNREAD)


async def test_opening_the_alert_in_the_console_is_reading(api: Api, database_url: str) -> None:
    alert_id, chief = await _sent(api, database_url), await api.login(Role.CHIEF, "station-a1")
    assert (await chief.get("/api/v1/alerts")).status_code == 200
    assert _states(database_url, CHIEF) == UNREAD, "a list is not the alert"
    found = (await chief.get(f"/api/v1/alerts/{alert_id}")).json()
    assert [(t["what"], t["who"], t["detail"]["via"]) for t in found["timeline"]] == [
        ("read", CHIEF, "console")
    ]
    assert {p["state"] for p in found["pages"] if p["officer_id"] == CHIEF} == {"read", "sent", "failed"}
    assert _states(database_url, OFFICER) == UNREAD
    again = (await chief.get(f"/api/v1/alerts/{alert_id}")).json()
    assert len(again["timeline"]) == 1


async def test_who_may_not_see_the_alert_has_not_read_it(api: Api, database_url: str) -> None:
    alert_id, stranger = await _sent(api, database_url), await api.login(Role.CHIEF, "station-b1")
    assert (await stranger.get(f"/api/v1/alerts/{alert_id}")).status_code == 404
    assert (_states(database_url, OFFICER), _states(database_url, CHIEF)) == (UNREAD, UNREAD)
