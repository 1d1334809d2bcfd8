"""``/api/v1/duty/…``: hand-over (交班), stand-in (替班), rotation (轮值), hours with nobody on call (空岗).

All of them change rows of ``/duty`` and nothing else.
"""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from corrections_monitor.api.access import may, principal_of, require
from corrections_monitor.api.editing import Edit
from corrections_monitor.api.filters import offices_asked
from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.parameters import Id, Time, known_parameters, read_time
from corrections_monitor.api.problems import Problem, invalid
from corrections_monitor.api.render import Json
from corrections_monitor.api.roster import Wish, apply, preview
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.model.times import DAY_MS, Interval, format_time
from corrections_monitor.rules.turns import Rotation, hand_over, offices_without, rotate, stand_in
from corrections_monitor.store.api_duty import roster_log

router = APIRouter(
    prefix="/api/v1/duty", tags=["duty"], dependencies=[Depends(principal_of), Depends(known_parameters)]
)

State = Annotated[ApiState, Depends(state_of)]
Reader = Annotated[Principal, Depends(may(Permission.READ))]
Answerer = Annotated[Principal, Depends(may(Permission.ANSWER))]
Manager = Annotated[Principal, Depends(may(Permission.MANAGE))]

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Note = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]

GAPS_AHEAD_MAX_MS = 92 * DAY_MS
ROTATION_MAX_DAYS = 366
LOG_ROWS = 50


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class HandOver(_Body):
    """``to``: the colleague; ``at``: when, by default now; ``note``: what he must know.  ``office_id`` is
    needed only by who is on call for several."""

    to: Name
    office_id: Name | None = None
    at: str | int | None = None
    note: Note = ""


class StandIn(_Body):
    """``other_id`` in place of ``officer_id`` from ``from`` to ``to``."""

    office_id: Name
    officer_id: Name
    other_id: Name
    from_: str | int = Field(alias="from")
    to: str | int
    note: Note = ""


class Every(StrEnum):
    DAY = "day"
    WEEK = "week"


class Plan(_Body):
    """The officers one after another, a day or a week each from ``from`` on, changing at ``at``; ``to`` is
    included.  With the ``plan`` of a preview it is applied, without one only shown."""

    office_id: Name
    officers: list[Name] = Field(min_length=1, max_length=100)
    every: Every
    from_: date = Field(alias="from")
    to: date
    at: time = time(8, 0)
    plan: str | None = Field(default=None, max_length=64)
    note: Note = ""


@router.post("/handover", summary="交班 · Hand one's duty over")
async def hand_over_(given: HandOver, asker: Answerer, state: State) -> Json:
    """The rest of the asker's present turn becomes the colleague's; alerts he has acknowledged stay his until
    they are handed over themselves.  409 when he is not on call then."""
    now_ms, who = state.clock.wall_ms(), asker.principal_id
    at_ms = now_ms if given.at is None else read_time("at", given.at, state.zone)
    if at_ms < now_ms:
        raise invalid("at", "不能早于现在（cannot be in the past）")
    cases, _ = await state.cases.current(state.store)
    mine = {d.office_id for d in cases.duty.values() if d.officer_id == who and d.span.holds(at_ms)}
    here = mine & ({given.office_id} if given.office_id else asker.offices)
    if not here:
        raise Problem("conflict", "您在该时刻没有值班（you are not on call then）。")
    if len(here) > 1:
        raise invalid("office_id", f"您同时在 {', '.join(sorted(here))} 值班，请指明一处（say which）")
    [office_id] = here
    wish = Wish(
        "duty.handover",
        office_id,
        (given.to,),
        lambda standing: hand_over(standing.duty, office_id, who, given.to, at_ms),
        {"officer": who, "other": given.to, "from_ms": at_ms},
    )
    return await apply(Edit(asker, state, "duty", given.note or None), wish)


@router.post("/stand-in", summary="替班 · Have somebody stand in")
async def stand_in_(given: StandIn, asker: Reader, state: State) -> Json:
    """What the officer has of the span becomes the other's; one's own turns anybody who answers alerts may
    give away, those of others who manages the roster.  409 when he is not on call in the span."""
    require(asker, Permission.ANSWER if given.officer_id == asker.principal_id else Permission.MANAGE)
    from_ms = max(read_time("from", given.from_, state.zone), state.clock.wall_ms())
    to_ms = read_time("to", given.to, state.zone, end=True)
    if to_ms <= from_ms:
        raise invalid("to", "应晚于开始和现在（must be after the start, and after now）")
    span = Interval(from_ms, to_ms)
    wish = Wish(
        "duty.stand-in",
        given.office_id,
        (given.other_id,),
        lambda standing: stand_in(standing.duty, given.office_id, given.officer_id, given.other_id, span),
        {"officer": given.officer_id, "other": given.other_id, "from_ms": from_ms, "to_ms": to_ms},
    )
    return await apply(Edit(asker, state, "duty", given.note or None), wish)


@router.post("/rotation", summary="轮值 · Plan a rotation, and apply what was previewed")
async def rotation(given: Plan, asker: Manager, state: State) -> Json:
    """``written`` and ``withdrawn`` rows: from now on, and for its span, the rotation stands in place of
    whatever stood at the office.  Nothing is changed without the ``plan`` of a preview; 412 when the roster
    has moved since."""
    if not 0 <= (given.to - given.from_).days < ROTATION_MAX_DAYS:
        raise invalid(
            "to", f"应在开始后 {ROTATION_MAX_DAYS} 天内（within {ROTATION_MAX_DAYS} days of the start）"
        )
    days = 7 if given.every is Every.WEEK else 1
    plan = Rotation(given.office_id, given.officers, days, given.from_, given.to, given.at)
    now_ms = state.clock.wall_ms()
    wish = Wish(
        "duty.rotation",
        given.office_id,
        given.officers,
        lambda standing: rotate(standing.duty, plan, state.zone, now_ms),
        {
            "officers": given.officers,
            "every": given.every.value,
            "from": str(given.from_),
            "to": str(given.to),
        },
    )
    edit = Edit(asker, state, "duty", given.note or None)
    return await preview(edit, wish) if given.plan is None else await apply(edit, wish, given.plan)


@router.get("/gaps", summary="空岗 · Hours with nobody on call")
async def gaps(
    asker: Reader,
    state: State,
    office: Id = None,
    to: Annotated[Time, Query(description="so far ahead; by default duty.gap_notice")] = None,
) -> Json:
    """From now on, soonest first, with the rung of the ladder that is told ``instead`` (null: nobody is)."""
    now_ms = state.clock.wall_ms()
    to_ms = (
        now_ms + state.config.duty.gap_notice_ms if to is None else read_time("to", to, state.zone, end=True)
    )
    if not now_ms < to_ms <= now_ms + GAPS_AHEAD_MAX_MS:
        raise invalid("to", "应晚于现在，且在 92 天之内（after now and within 92 days）")
    offices = await offices_asked(state, asker, office)
    cases, _ = await state.cases.current(state.store)
    return {
        "items": [
            {
                "office_id": gap.office_id,
                "from": format_time(gap.span.from_ms, state.zone),
                "to": format_time(gap.span.to_ms, state.zone),
                "has_roster": gap.has_roster,
                "instead": gap.instead,
            }
            for gap in offices_without(sorted(offices), cases, Interval(now_ms, to_ms))
        ],
        "next": None,
    }


@router.get("/log", summary="交接班记录 · What was handed over, with notes")
async def log(asker: Reader, state: State, office: Id = None) -> Json:
    """The newest hand-overs, stand-ins and rotations of the offices, newest first."""
    offices = await offices_asked(state, asker, office)
    found = await roster_log(state.store, offices, LOG_ROWS)
    return {
        "items": [
            {
                "at": format_time(row["at_ms"], state.zone),
                "by": row["actor"],
                "action": row["action"],
                "office_id": row["target"],
                "officer_id": row["detail"].get("officer"),
                "other_id": row["detail"].get("other"),
                "officers": row["detail"].get("officers"),
                "from": row["detail"].get("from") or format_time(row["detail"].get("from_ms"), state.zone),
                "to": row["detail"].get("to") or format_time(row["detail"].get("to_ms"), state.zone),
                "note": row["detail"].get("why"),
            }
            for row in found
        ],
        "next": None,
    }
