"""``/api/v1/offices/{office_id}/statistics`` (统计): an office and those right below it, side by side."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from corrections_monitor.api.access import may, principal_of
from corrections_monitor.api.filters import offices_asked
from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.parameters import Time, known_parameters, read_interval
from corrections_monitor.api.problems import invalid, not_found
from corrections_monitor.api.render import Json
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.times import DAY_MS, Interval, format_time, from_ms, midnight_ms
from corrections_monitor.store.api_rows import Row
from corrections_monitor.store.api_statistics import Statistics, read_statistics

DAYS_DEFAULT = 30
DAYS_MAX = 366

router = APIRouter(
    prefix="/api/v1/offices",
    tags=["offices"],
    dependencies=[Depends(principal_of), Depends(known_parameters)],
)


@router.get("/{office_id}/statistics", summary="统计 · Offices side by side")
async def statistics(
    office_id: str,
    asker: Annotated[Principal, Depends(may(Permission.READ))],
    state: Annotated[ApiState, Depends(state_of)],
    from_: Annotated[Time, Query(alias="from")] = None,
    to: Time = None,
) -> Json:
    """The office with all below it (``whole``), then each office right below it: of the alerts opened in the
    span how many there were, how many of those resolved were false, and for those that page the seconds to
    the first answer and to the resolution (median and 90th percentile); people of whom a silence was told.
    By default the last 30 civil days, today the last; at most 366.  Drills are left out."""
    now_ms = state.clock.wall_ms()
    span = _span(from_, to, now_ms, state)
    asked = await offices_asked(state, asker, office_id)
    cases, _ = await state.cases.current(state.store)
    if office_id not in cases.offices:
        raise not_found("机构")
    groups = _groups(cases, office_id, asked)
    found = await read_statistics(state.store, groups, span, now_ms, state.zone)
    return {
        "from": format_time(span.from_ms, state.zone),
        "to": format_time(span.to_ms, state.zone),
        "offices": [
            {
                "office_id": group,
                "name": cases.offices[group].name,
                "whole": group == office_id,
                **_figures(found.answered.get(group)),
                **_people(found, group),
            }
            for group in groups
        ],
        "days": _days(found, span, state),
    }


def _span(start: str | None, end: str | None, now_ms: int, state: ApiState) -> Interval:
    """The span asked for, by default up to the end of today.  Raises the 422 for one that is too long."""
    asked = read_interval(start, end, state.zone)
    today = from_ms(now_ms, state.zone).date()
    to_ms = asked.to_ms if end else midnight_ms(today + timedelta(days=1), state.zone)
    from_ms_ = asked.from_ms if start else to_ms - DAYS_DEFAULT * DAY_MS
    if to_ms <= from_ms_:
        raise invalid("from", "晚于截止时间（after the end of the span）")
    if to_ms - from_ms_ > DAYS_MAX * DAY_MS:
        raise invalid("from", f"最多统计 {DAYS_MAX} 天（at most {DAYS_MAX} days）")
    return Interval(from_ms_, to_ms)


def _groups(cases: CaseSet, office_id: str, asked: frozenset[str]) -> dict[str, list[str]]:
    """The whole first, then the offices right below it by name, each with all below it."""
    groups: dict[str, list[str]] = {office_id: sorted(asked)}
    right_below = [o for o in cases.offices.values() if o.parent_id == office_id and o.office_id in asked]
    for office in sorted(right_below, key=lambda o: o.office_id):
        groups[office.office_id] = sorted(
            o for o in asked if office.office_id in {up.office_id for up in cases.offices_up(o)}
        )
    return groups


def _figures(row: Row | None) -> Json:
    """``false_share``: 0..1 of what was found to be a false alarm or a device's fault; None of nothing."""
    if row is None:
        row = {"alerts": 0, "paging": 0, "unanswered": 0, "found": 0, "found_false": 0}
    return {
        "alerts": row["alerts"],
        "paging": row["paging"],
        "unanswered": row["unanswered"],
        "found": row["found"],
        "false_share": round(row["found_false"] / row["found"], 4) if row["found"] else None,
        "to_answer_s": _percentiles(row.get("to_answer_ms")),
        "to_resolve_s": _percentiles(row.get("to_resolve_ms")),
    }


def _percentiles(pair: list[float] | None) -> Json | None:
    return None if pair is None else {"median": round(pair[0] / 1e3), "p90": round(pair[1] / 1e3)}


def _people(found: Statistics, group: str) -> Json:
    silent = found.silent.get(group, {})
    return {
        "people": found.people.get(group, 0),
        "people_silent": silent.get("people_silent", 0),
        "people_silent_now": silent.get("people_silent_now", 0),
    }


def _days(found: Statistics, span: Interval, state: ApiState) -> list[Json]:
    """The whole office, every civil day of the span up to today, those without alerts too."""
    by_day = {row["day"]: row for row in found.days}
    last_ms = min(span.to_ms - 1, state.clock.wall_ms())
    day, last = from_ms(span.from_ms, state.zone).date(), from_ms(last_ms, state.zone).date()
    told = []
    while day <= last:
        told.append({"day": day.isoformat(), **_figures(by_day.get(day))})
        day += timedelta(days=1)
    return told
