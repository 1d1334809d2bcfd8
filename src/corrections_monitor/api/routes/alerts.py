"""``/api/v1/alerts``: the board, one alert with its timeline, and the officer's answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel, ConfigDict, Field

from corrections_monitor.api.access import may, principal_of
from corrections_monitor.api.filters import Filtered
from corrections_monitor.api.jurisdiction import PERMISSIONS, Permission, Principal
from corrections_monitor.api.parameters import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    known_parameters,
    read_cursor,
    write_cursor,
)
from corrections_monitor.api.problems import Problem, invalid, not_found
from corrections_monitor.api.render import Json, alert_detail, alert_object
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.model.alerts import AlertState, Answer, Disposition
from corrections_monitor.model.times import format_time
from corrections_monitor.store.answers import AnswerResult, Given
from corrections_monitor.store.api_alerts import (
    AlertRow,
    alert_history,
    alerts_by_id,
    answer_alert,
    list_alerts,
    opened_alert,
)

router = APIRouter(
    prefix="/api/v1/alerts",
    tags=["alerts"],
    dependencies=[Depends(principal_of), Depends(known_parameters)],
)

State = Annotated[ApiState, Depends(state_of)]
Reader = Annotated[Principal, Depends(may(Permission.READ))]
Answerer = Annotated[Principal, Depends(may(Permission.ANSWER))]

NOTE_MAX = 2_000
_NO_NUL = r"^[^\x00]*$"  # PostgreSQL text cannot hold it


class Acknowledgement(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: str | None = Field(default=None, max_length=NOTE_MAX, pattern=_NO_NUL)


class Resolution(BaseModel):
    model_config = ConfigDict(extra="forbid")

    disposition: Disposition
    note: str = Field(min_length=1, max_length=NOTE_MAX, pattern=_NO_NUL)
    inspected: bool | None = None


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: str = Field(min_length=1, max_length=NOTE_MAX, pattern=_NO_NUL)


class HandOver(BaseModel):
    model_config = ConfigDict(extra="forbid")

    officer_id: str = Field(min_length=1, max_length=200, pattern=_NO_NUL)
    note: str | None = Field(default=None, max_length=NOTE_MAX, pattern=_NO_NUL)


@router.get("", summary="警情列表 · Alerts, newest first")
async def list_(
    asker: Reader, state: State, wanted: Filtered, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> Json:
    """All alerts of the asker's offices, newest first; open ones stay in the list however old they are."""
    # One more than asked for tells whether there is a next page.
    wanted = replace(wanted, after=read_cursor(cursor), limit=limit + 1)
    found = await list_alerts(state.store, wanted, state.clock.wall_ms())
    page = found[:limit]
    more = len(found) > limit
    last = page[-1].alert if more else None
    return {
        "items": [_told(alert, asker, state) for alert in page],
        "next": write_cursor(last["opened_ms"], last["alert_id"]) if last else None,
    }


@router.get("/{alert_id}", summary="警情详情 · One alert with timeline and evidence")
async def read(alert_id: str, asker: Reader, state: State) -> Json:
    """The alert, its episodes with evidence, its timeline, and every page with what became of it.  What
    the asker himself was sent of it counts as read."""
    alert = await _found(alert_id, asker, state)
    if asker.may(Permission.ANSWER):
        at_ms = state.clock.wall_ms()
        await opened_alert(state.store, asker.offices, alert_id, asker.principal_id, at_ms)
    history = await alert_history(state.store, asker.offices, alert_id)
    return alert_detail(alert, history, state.zone, sees_locations=asker.may(Permission.LOCATE))


@router.post("/{alert_id}/ack", summary="确认警情 · Acknowledge")
async def acknowledge(
    alert_id: str,
    asker: Answerer,
    state: State,
    given: Annotated[Acknowledgement | None, Body()] = None,
) -> Json:
    """Take the alert on: its ladder stops.  Once more by the same officer changes nothing; 409 when
    somebody else was first."""
    note = given.note if given else None
    return await _answer(alert_id, asker, state, _given(asker, state, Answer.ACKNOWLEDGED, note))


@router.post("/{alert_id}/resolve", summary="处置警情 · Resolve")
async def resolve(alert_id: str, asker: Answerer, state: State, given: Resolution) -> Json:
    """Close the alert with a disposition (处置结论); 409 when somebody else has.  Of a tamper ``inspected``
    says whether the device itself was looked at (实地查验); left out it is kept as unknown."""
    found = _given(asker, state, Answer.RESOLVED, given.note)
    return await _answer(
        alert_id, asker, state, replace(found, disposition=given.disposition, inspected=given.inspected)
    )


@router.post("/{alert_id}/notes", summary="处置记录 · Note")
async def note(alert_id: str, asker: Answerer, state: State, given: Note) -> Json:
    """Write down what is being done; an acknowledgement does not expire while something follows."""
    return await _answer(alert_id, asker, state, _given(asker, state, Answer.NOTED, given.note))


@router.post("/{alert_id}/handover", summary="移交警情 · Hand over")
async def hand_over(alert_id: str, asker: Answerer, state: State, given: HandOver) -> Json:
    """Give an acknowledged alert to another officer whose offices include it; he is paged.  409 while
    nobody has acknowledged it."""
    alert = await _found(alert_id, asker, state)
    cases, _ = await state.cases.current(state.store)
    to = cases.officers.get(given.officer_id)
    above = {office.office_id for office in cases.offices_up(alert.alert["office_id"])}
    if to is None or to.office_id not in above or Permission.ANSWER not in PERMISSIONS[to.role]:
        raise invalid("officer_id", "不是可处置该警情的人员（no officer who may answer this alert）")
    found = _given(asker, state, Answer.HANDED_OVER, given.note)
    return await _answer(alert_id, asker, state, replace(found, to_officer=to.officer_id))


def _given(asker: Principal, state: ApiState, answer: Answer, note: str | None) -> Given:
    return Given(answer, asker.principal_id, state.clock.wall_ms(), note)


async def _answer(alert_id: str, asker: Principal, state: ApiState, given: Given) -> Json:
    await _found(alert_id, asker, state)
    result = await answer_alert(state.store, asker.offices, alert_id, given)
    alert = await _found(alert_id, asker, state)
    if not result.won and not _same_again(result, alert, given):
        raise _beaten(result, state)
    return _told(alert, asker, state)


def _same_again(result: AnswerResult, alert: AlertRow, given: Given) -> bool:
    """Whether what is asked already stands: a repeated request, not a lost race."""
    match given.answer:
        case Answer.ACKNOWLEDGED:
            return result.by == given.officer_id and result.state is AlertState.ACKNOWLEDGED
        case Answer.HANDED_OVER:
            return result.by == given.to_officer and result.state is AlertState.ACKNOWLEDGED
        case Answer.RESOLVED:
            same = alert.alert["disposition"] == given.disposition
            return result.by == given.officer_id and result.state is AlertState.RESOLVED and same
        case Answer.NOTED:
            return False


def _beaten(result: AnswerResult, state: ApiState) -> Problem:
    if result.state is AlertState.OPEN:
        return Problem("conflict", "该警情尚无人确认，请先确认再移交。", state=result.state)
    done = "处置" if result.state is AlertState.RESOLVED else "确认"
    at = format_time(result.at_ms, state.zone)
    return Problem(
        "already-answered",
        f"该警情已由 {result.by} 于 {at} {done}。",
        state=result.state,
        answered_by=result.by,
        answered_at=at,
    )


async def _found(alert_id: str, asker: Principal, state: ApiState) -> AlertRow:
    found = await alerts_by_id(state.store, asker.offices, [alert_id], state.clock.wall_ms())
    if not found:
        raise not_found("警情")
    return found[0]


def _told(alert: AlertRow, asker: Principal, state: ApiState) -> Json:
    return alert_object(alert, state.zone, sees_locations=asker.may(Permission.LOCATE))
