"""``/api/v1/offices``: how things stand at an office and below, and how much its officers are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends

from corrections_monitor.api.access import may, principal_of
from corrections_monitor.api.filters import offices_asked
from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.parameters import known_parameters
from corrections_monitor.api.problems import not_found
from corrections_monitor.api.render import Json, digest_object
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.model.alerts import Disposition
from corrections_monitor.model.episodes import Severity
from corrections_monitor.model.times import format_time, from_ms, midnight_ms
from corrections_monitor.store.api_digests import newest_digests
from corrections_monitor.store.api_offices import OfficeSummary, load_of, summarise

router = APIRouter(
    prefix="/api/v1/offices",
    tags=["offices"],
    dependencies=[Depends(principal_of), Depends(known_parameters)],
)

LOAD_DAYS = 14


@router.get("", summary="机构列表 · Offices and their officers")
async def list_(
    asker: Annotated[Principal, Depends(may(Permission.READ))],
    state: Annotated[ApiState, Depends(state_of)],
) -> Json:
    """Every office of the asker's jurisdiction with the officers who work there, all on one page."""
    cases, _ = await state.cases.current(state.store)
    officers: dict[str, list[Json]] = {}
    for officer in cases.officers.values():
        told = {"officer_id": officer.officer_id, "name": officer.name, "role": officer.role.value}
        officers.setdefault(officer.office_id, []).append(told)
    items = [
        {
            "office_id": office.office_id,
            "parent_id": office.parent_id,
            "level": office.level.value,
            "name": office.name,
            "officers": officers.get(office.office_id, []),
        }
        for office in cases.offices.values()
        if office.office_id in asker.offices
    ]
    return {"items": sorted(items, key=lambda item: str(item["office_id"])), "next": None}


@router.get("/{office_id}/summary", summary="机构概览 · Summary of an office")
async def summary(
    office_id: str,
    asker: Annotated[Principal, Depends(may(Permission.READ))],
    state: Annotated[ApiState, Depends(state_of)],
) -> Json:
    """People by state, unresolved alerts by state and severity with the age of the oldest, who is on duty;
    of the last 30 days the findings with the share of false ones, and ladders' steps that found nobody."""
    offices = await offices_asked(state, asker, office_id)
    found = await summarise(state.store, office_id, offices, state.clock.wall_ms())
    if found is None:
        raise not_found("机构")
    return {
        "office": found.office,
        "people": found.people,
        "alerts": [
            {
                "state": row["state"],
                "severity": str(Severity(row["severity"])),
                "count": row["alerts"],
                "oldest_at": format_time(row["oldest_ms"], state.zone),
            }
            for row in found.alerts
        ],
        "on_duty": [
            {
                "office_id": row["office_id"],
                "officer_id": row["officer_id"],
                "name": row["name"],
                "until": format_time(row["to_ms"], state.zone),
            }
            for row in found.on_duty
        ],
        "findings": _findings(found, state),
        "steps_with_nobody": [
            {
                "office_id": row["office_id"],
                "rung": row["rung"],
                "count": row["steps"],
                "latest_at": format_time(row["latest_ms"], state.zone),
            }
            for row in found.steps_with_nobody
        ],
    }


@router.get("/{office_id}/load", summary="警情负荷 · Alerts per officer and day")
async def load(
    office_id: str,
    asker: Annotated[Principal, Depends(may(Permission.MANAGE))],
    state: Annotated[ApiState, Depends(state_of)],
) -> Json:
    """Of the last fourteen civil days, today the last: how many alerts each officer of the office and below
    was told of, the most loaded first, against the budget (``duty.alerts_per_day``); without drills."""
    offices = await offices_asked(state, asker, office_id)
    now_ms, zone = state.clock.wall_ms(), state.zone
    today = from_ms(now_ms, zone).date()
    days = [today - timedelta(days=back) for back in reversed(range(LOAD_DAYS))]
    budget = state.config.duty.alerts_per_day
    told: dict[str, Json] = {}
    for row in await load_of(state.store, offices, midnight_ms(days[0], zone), now_ms, zone):
        officer = told.setdefault(
            row["officer_id"],
            {
                "officer_id": row["officer_id"],
                "name": row["name"],
                "office_id": row["office_id"],
                "alerts": [0] * LOAD_DAYS,
            },
        )
        officer["alerts"][days.index(row["day"])] = row["alerts"]
    officers = [
        {**officer, "days_over": sum(n > budget for n in officer["alerts"])} for officer in told.values()
    ]
    return {
        "budget": budget,
        "days": [day.isoformat() for day in days],
        "officers": sorted(officers, key=lambda o: (-max(o["alerts"]), o["officer_id"])),
    }


@router.get("/{office_id}/digests", summary="每日简报 · Daily digests, newest first")
async def list_digests(
    office_id: str,
    asker: Annotated[Principal, Depends(may(Permission.READ))],
    state: Annotated[ApiState, Depends(state_of)],
) -> Json:
    """The newest fourteen of the office, as they were sent; each of the office with all below it."""
    offices = await offices_asked(state, asker, office_id)
    found = await newest_digests(state.store, offices, office_id, LOAD_DAYS)
    return {"items": [digest_object(digest, state.zone) for digest in found], "next": None}


def _findings(found: OfficeSummary, state: ApiState) -> Json:
    """``false_share``: 0..1 of what was found to be a false alarm or a device's fault; None of nothing."""
    counts = {d.value: 0 for d in Disposition if d is not Disposition.DRILL}
    counts |= {row["disposition"]: row["alerts"] for row in found.findings}
    resolved = sum(counts.values())
    false = counts[Disposition.FALSE_ALARM] + counts[Disposition.DEVICE_FAULT]
    return {
        "since": format_time(found.since_ms, state.zone),
        "resolved": resolved,
        "counts": counts,
        "false_share": round(false / resolved, 4) if resolved else None,
        "uninspected_tampers": sum(row["uninspected_tampers"] for row in found.findings),
    }
