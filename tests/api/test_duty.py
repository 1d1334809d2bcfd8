"""The roster over HTTP: hand-over, stand-in, rotation and gaps; what they leave is rows of /duty."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx
import small_city as world
from conftest import Api

from corrections_monitor.model.cases import CaseSet, Duty, Officer, Role
from corrections_monitor.model.settings import Rung
from corrections_monitor.model.times import DAY_MS, HOUR_MS, Interval, format_time
from corrections_monitor.rules.roster import Roster

STATION, COUNTY = "station-a1", "county-a"
MINE, CHIEF = f"officer-{STATION}", f"chief-{STATION}"


def at(ms: int) -> str | None:
    return format_time(ms, world.ZONE)


async def on_duty(api: Api, *turns: tuple[str, str, int, int]) -> None:
    """(office, officer, hours from and to, from now)."""
    rows = [
        Duty(office, who, Interval(world.NOW_MS + since * HOUR_MS, world.NOW_MS + until * HOUR_MS))
        for office, who, since, until in turns
    ]
    keyed = {(d.office_id, d.officer_id, d.span.from_ms): d for d in rows}
    await api.store.save_cases(CaseSet(duty=keyed), "test", world.NOW_MS)


async def told_at(api: Api, hours: float, office: str = STATION) -> tuple[str, ...]:
    """Whom the ladder's first step would tell then: rules read the duty rows, nothing else."""
    cases, _ = await api.store.load_cases()
    return Roster(cases).resolve(Rung.STATION_DUTY, "p-a1", office, world.NOW_MS + round(hours * HOUR_MS))


async def given(client: httpx.AsyncClient, what: str, status: int, **body: Any) -> Any:
    answer = await client.post(f"/api/v1/duty/{what}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_an_officer_hands_over_from_now_on_and_the_note_is_read_by_who_comes(api: Api) -> None:
    await on_duty(api, (STATION, MINE, -1, 10), (STATION, MINE, 20, 30))
    officer, chief = await api.login(Role.OFFICER, STATION), await api.login(Role.CHIEF, STATION)
    done = await given(officer, "handover", 200, to=CHIEF, note="张某今晚请假返回，留意")
    assert [(r["officer_id"], r["from"], r["to"]) for r in done["written"]] == [
        (MINE, at(world.NOW_MS - HOUR_MS), at(world.NOW_MS)),
        (CHIEF, at(world.NOW_MS), at(world.NOW_MS + 10 * HOUR_MS)),
    ]
    assert [await told_at(api, h) for h in (-0.5, 0, 9, 21)] == [(MINE,), (CHIEF,), (CHIEF,), (MINE,)]
    [entry] = (await chief.get("/api/v1/duty/log")).json()["items"]
    assert (entry["by"], entry["other_id"], entry["note"]) == (MINE, CHIEF, "张某今晚请假返回，留意")
    elsewhere = await api.login(Role.CHIEF, "station-a2")
    assert (await elsewhere.get("/api/v1/duty/log")).json()["items"] == []
    # The audit has it, and nobody who is not on call hands anything over.
    await given(officer, "handover", 409, to=CHIEF)


async def test_a_hand_over_at_a_time_to_come(api: Api) -> None:
    await on_duty(api, (STATION, MINE, -1, 10))
    officer = await api.login(Role.OFFICER, STATION)
    await given(officer, "handover", 200, to=CHIEF, at=at(world.NOW_MS + 2 * HOUR_MS))
    assert [await told_at(api, h) for h in (1, 2)] == [(MINE,), (CHIEF,)]
    for wrong in (
        {"to": "nobody"},
        {"to": "admin-" + STATION},  # who answers no alerts
        {"to": "officer-station-a2"},  # who is elsewhere
        {"to": CHIEF, "at": at(world.NOW_MS - HOUR_MS)},
    ):
        await given(officer, "handover", 422, **wrong)


async def test_a_stand_in_for_a_span_by_oneself_or_by_who_manages(api: Api) -> None:
    await on_duty(api, (STATION, MINE, 0, 48))
    officer, chief = await api.login(Role.OFFICER, STATION), await api.login(Role.CHIEF, STATION)
    span = {"from": at(world.NOW_MS + 5 * HOUR_MS), "to": at(world.NOW_MS + 8 * HOUR_MS)}
    await given(officer, "stand-in", 200, office_id=STATION, officer_id=MINE, other_id=CHIEF, **span)
    assert [await told_at(api, h) for h in (4, 5, 7, 8)] == [(MINE,), (CHIEF,), (CHIEF,), (MINE,)]
    back = {"office_id": STATION, "officer_id": CHIEF, "other_id": MINE, **span}
    await given(officer, "stand-in", 403, **back)  # another's turn
    await given(chief, "stand-in", 200, **back)
    assert [await told_at(api, h) for h in (4, 5, 7, 8)] == [(MINE,)] * 4
    await given(chief, "stand-in", 409, **back)
    await given(chief, "stand-in", 422, **{**back, "office_id": "station-a2"})
    await given(chief, "stand-in", 422, **{**back, "to": at(world.NOW_MS - HOUR_MS)})


def plan_of(officers: list[str], days: int, every: str = "day") -> dict[str, Any]:
    first = date(2026, 11, 25)
    span = {"from": str(first), "to": str(first + timedelta(days=days - 1)), "at": "08:30"}
    return {"office_id": STATION, "officers": officers, "every": every, **span}


async def test_a_rotation_is_previewed_and_what_was_previewed_is_applied(api: Api) -> None:
    await on_duty(api, (STATION, CHIEF, 0, 20 * 24))
    chief = await api.login(Role.CHIEF, STATION)
    plan = plan_of([MINE, CHIEF], 14, "week")
    seen = await given(chief, "rotation", 200, **plan)
    assert [(r["officer_id"], r["from"][:16]) for r in seen["written"]][1:3] == [
        (MINE, "2026-11-25T08:30"),
        (CHIEF, "2026-12-02T08:30"),
    ]
    assert await told_at(api, 30) == (CHIEF,)  # a preview changes nothing
    await given(chief, "rotation", 200, **plan, plan=seen["plan"])
    assert [await told_at(api, h) for h in (20, 24, 24 * 9)] == [(CHIEF,), (MINE,), (CHIEF,)]
    rows = (await chief.get(f"/api/v1/duty?office={STATION}")).json()["items"]
    assert {row["id"] for row in seen["written"]} == {row["id"] for row in rows}
    await given(chief, "rotation", 409, **plan, plan=seen["plan"])  # it stands already


async def test_a_roster_that_moved_since_the_preview_is_not_overwritten(api: Api) -> None:
    chief = await api.login(Role.CHIEF, STATION)
    plan = plan_of([MINE], 3)
    seen = await given(chief, "rotation", 200, **plan)
    await on_duty(api, (STATION, CHIEF, 30, 40))
    await given(chief, "rotation", 412, **plan, plan=seen["plan"])
    officer = await api.login(Role.OFFICER, STATION)
    await given(officer, "rotation", 403, **plan)
    for wrong in ({"to": "2026-11-01"}, {"to": "2028-01-01"}, {"officers": []}, {"officers": ["nobody"]}):
        await given(chief, "rotation", 422, **{**plan, **wrong})


async def test_gaps_are_told_ahead_with_who_is_told_instead(api: Api) -> None:
    await on_duty(api, (STATION, MINE, -5, 10), (STATION, MINE, 30, 200), (COUNTY, "officer-county-a", 0, 5))
    county = await api.login(Role.SUPERVISOR, COUNTY)
    found = (await county.get("/api/v1/duty/gaps")).json()["items"]
    hour = lambda h: at(world.NOW_MS + h * HOUR_MS)  # noqa: E731
    assert [(g["office_id"], g["from"], g["to"], g["has_roster"], g["instead"]) for g in found] == [
        ("station-a2", hour(0), hour(72), False, "own-officer"),
        (COUNTY, hour(5), hour(72), True, "county-supervisors"),
        (STATION, hour(10), hour(30), True, "own-officer"),
    ]
    far = (await county.get(f"/api/v1/duty/gaps?office={STATION}&to={world.NOW_MS + 10 * DAY_MS}")).json()[
        "items"
    ]
    assert [g["from"] for g in far] == [hour(10), hour(200)]
    station = await api.login(Role.OFFICER, "station-a2")
    assert {g["office_id"] for g in (await station.get("/api/v1/duty/gaps")).json()["items"]} == {
        "station-a2"
    }
    assert (await county.get("/api/v1/duty/gaps?to=2020-01-01")).status_code == 422


async def test_a_county_without_supervisors_has_nobody_instead(api: Api) -> None:
    await on_duty(api, (COUNTY, "officer-county-a", 0, 5))
    moved = Officer("supervisor-county-a", COUNTY, "x", Role.AUDITOR, "supervisor-county-a")
    await api.store.save_cases(CaseSet(officers={moved.officer_id: moved}), "test", world.NOW_MS)
    admin = await api.login(Role.ADMIN, COUNTY)
    found = (await admin.get(f"/api/v1/duty/gaps?office={COUNTY}")).json()["items"]
    assert [g["instead"] for g in found if g["office_id"] == COUNTY] == [None]
