"""Offices side by side: what was told, how much of it was false, how long it took, who was silent."""

from __future__ import annotations

import small_city as world
from conftest import Api

from corrections_monitor.model.alerts import Answer, Disposition
from corrections_monitor.model.cases import Role
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import DAY_MS, HOUR_MS, MINUTE_MS
from corrections_monitor.store.answers import Given
from corrections_monitor.store.api_alerts import answer_alert


async def _happened(
    api: Api,
    person: str,
    ago_ms: int,
    answered_min: float | None,
    resolved_min: float | None = None,
    found: Disposition = Disposition.TRUE_VIOLATION,
    kind: Kind = Kind.ZONE_EXIT,
) -> None:
    """An alert opened so long ago, answered and resolved so many minutes after."""
    line, alert = world.violation(person, kind, world.NOW_MS - ago_ms - 2 * MINUTE_MS)
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert])
        await tx.write_lines([line])
    for answer, minutes in ((Answer.ACKNOWLEDGED, answered_min), (Answer.RESOLVED, resolved_min)):
        if minutes is not None:
            at_ms = alert.opened_ms + round(minutes * MINUTE_MS)
            given = Given(answer, "x", at_ms, disposition=found if answer is Answer.RESOLVED else None)
            assert (await answer_alert(api.store, list(world.OFFICES), alert.alert_id, given)).won


async def test_offices_stand_side_by_side(api: Api) -> None:
    for n, minutes in enumerate((1, 2, 3, 4, 10)):
        finding = Disposition.FALSE_ALARM if n == 0 else Disposition.TRUE_VIOLATION
        await _happened(api, "p-a1", n * HOUR_MS, minutes, minutes * 10, finding)
    await _happened(api, "p-a2", HOUR_MS, None)
    await _happened(api, "p-b1", HOUR_MS, 1, 2)
    await _happened(api, "q-a1", HOUR_MS, None, kind=Kind.SILENCE_DEVICE)
    client = await api.login(Role.SUPERVISOR, "county-a")
    told = (await client.get("/api/v1/offices/county-a/statistics")).json()
    whole, first, second = told["offices"]
    assert [whole["office_id"], first["office_id"], second["office_id"]] == [
        "county-a",
        "station-a1",
        "station-a2",
    ]
    assert whole["whole"]
    assert not first["whole"]
    assert (whole["alerts"], first["alerts"], second["alerts"]) == (7, 6, 1)
    assert (whole["unanswered"], first["unanswered"], second["unanswered"]) == (2, 1, 1)
    assert (first["found"], first["false_share"], second["false_share"]) == (5, 0.2, None)
    assert first["to_answer_s"] == {"median": 180, "p90": 456}
    assert first["to_resolve_s"] == {"median": 1_800, "p90": 4_560}
    assert second["to_answer_s"] is None
    assert (first["people"], first["people_silent"], first["people_silent_now"]) == (2, 1, 1)
    assert len(told["days"]) == 30
    assert told["days"][-1]["day"] == "2026-11-24"
    assert sum(day["alerts"] for day in told["days"]) == 7


async def test_an_acknowledgement_that_expired_counts_as_the_first_answer(api: Api) -> None:
    await _happened(api, "p-a1", HOUR_MS, 5)
    async with api.store.transaction() as tx:
        _, alert = world.violation("p-a1", started_ms=world.NOW_MS - HOUR_MS - 2 * MINUTE_MS)
        await tx.write_alerts([alert])  # the daemon opens it again
    given = Given(
        Answer.RESOLVED, "x", alert.opened_ms + 40 * MINUTE_MS, disposition=Disposition.DEVICE_FAULT
    )
    await answer_alert(api.store, list(world.OFFICES), alert.alert_id, given)
    client = await api.login(Role.OFFICER, "station-a1")
    [station] = (await client.get("/api/v1/offices/station-a1/statistics")).json()["offices"]
    assert station["to_answer_s"]["median"] == 300
    assert station["to_resolve_s"]["median"] == 2_400
    assert station["false_share"] == 1.0


async def test_a_span_is_kept_to_and_is_a_year_at_most(api: Api) -> None:
    await _happened(api, "p-a1", 3 * DAY_MS, 5)
    await _happened(api, "p-a1", 8 * DAY_MS, 5)
    client = await api.login(Role.SUPERVISOR, "city")
    path = "/api/v1/offices/city/statistics"
    week = (await client.get(path, params={"from": "2026-11-18", "to": "2026-11-24"})).json()
    assert week["offices"][0]["alerts"] == 1
    assert [d["alerts"] for d in week["days"]] == [0, 0, 0, 1, 0, 0, 0]
    older = (await client.get(path, params={"to": "2026-11-18"})).json()
    assert older["offices"][0]["alerts"] == 1
    refused = await client.get(path, params={"from": "2024-01-01"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "from"


async def test_what_is_known_of_nothing_is_said_to_be_nothing(api: Api) -> None:
    client = await api.login(Role.ADMIN, "city")
    told = (await client.get("/api/v1/offices/station-b1/statistics")).json()
    assert told["offices"][0]["alerts"] == 0
    assert told["offices"][0]["to_answer_s"] is None
    assert told["offices"][0]["people"] == 1
