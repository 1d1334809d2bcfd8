"""Alerts per officer and day against the budget."""

from __future__ import annotations

from dataclasses import replace

import small_city as world
from conftest import Api

from corrections_monitor.model.alerts import Page, Purpose
from corrections_monitor.model.cases import Role
from corrections_monitor.model.episodes import Severity
from corrections_monitor.model.times import DAY_MS, HOUR_MS

MINE, COUNTY = "officer-station-a1", "officer-county-a"


async def alerts(api: Api, number: int, days_ago: int = 0, *, drill: bool = False) -> list[str]:
    """So many alerts of that day at noon; each is paged to the station's officer over two channels, twice."""
    told = []
    at_ms = world.NOW_MS - days_ago * DAY_MS
    for i in range(number):
        line, alert = world.violation("p-a1", started_ms=at_ms - HOUR_MS - i)
        async with api.store.transaction() as tx:
            await tx.write_alerts([replace(alert, drill=drill)])
            await tx.write_lines([line])
            await tx.write_pages(
                [
                    (Page(alert.alert_id, 1, step, MINE, Severity.CRITICAL, at_ms, purpose), channel, "")
                    for step, purpose in ((0, Purpose.STEP), (1, Purpose.REPEAT), (0, Purpose.REMINDER))
                    for channel in ("mqtt", "mail")
                ]
            )
        told.append(alert.alert_id)
    return told


async def test_each_alert_counts_once_a_day_for_whom_it_was_told(api: Api) -> None:
    await alerts(api, 13)
    await alerts(api, 2, days_ago=1)
    await alerts(api, 3, days_ago=13)
    await alerts(api, 4, days_ago=14)  # before the first day that is shown
    await alerts(api, 5, days_ago=2, drill=True)
    supervisor = await api.login(Role.SUPERVISOR, "county-a")
    found = (await supervisor.get("/api/v1/offices/county-a/load")).json()
    assert (found["budget"], found["days"][0], found["days"][-1]) == (12, "2026-11-11", "2026-11-24")
    [officer] = found["officers"]
    assert (officer["officer_id"], officer["office_id"]) == (MINE, "station-a1")
    assert officer["alerts"] == [3] + [0] * 11 + [2, 13]
    assert officer["days_over"] == 1


async def test_a_reminder_to_who_holds_an_alert_and_what_was_moot_burden_nobody(api: Api) -> None:
    [alert_id] = await alerts(api, 1)
    page = Page(alert_id, 1, 1, COUNTY, Severity.CRITICAL, world.NOW_MS, Purpose.REMINDER)
    async with api.store.transaction() as tx:
        await tx.write_pages([(page, "mqtt", "")])
    client = await api.login(Role.CHIEF, "county-a")
    url = "/api/v1/offices/county-a/load"
    assert [o["officer_id"] for o in (await client.get(url)).json()["officers"]] == [MINE]
    async with api.store.seeing(["*"]) as connection:
        await connection.execute("UPDATE pages SET state = 'moot'")
    assert (await client.get(url)).json()["officers"] == []
