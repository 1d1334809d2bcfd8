"""``/api/v1/sessions`` and second factors of others: what is open, and taking it away."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from corrections_monitor.api.access import Asker, may, principal_of
from corrections_monitor.api.filters import offices_asked
from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.parameters import Id, known_parameters
from corrections_monitor.api.problems import invalid, not_found
from corrections_monitor.api.render import Json
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.model.times import format_time
from corrections_monitor.store.api_accounts import (
    end_session,
    end_sessions,
    list_sessions,
    reset_factor,
)

router = APIRouter(
    prefix="/api/v1", tags=["session"], dependencies=[Depends(principal_of), Depends(known_parameters)]
)

State = Annotated[ApiState, Depends(state_of)]


@router.get("/sessions", summary="登录会话 · Open sessions")
async def list_(asker: Asker, state: State, officer: Id = None, office: Id = None) -> Json:
    """One's own sessions; with the permission ``accounts`` those of any officer of one's offices, or of all
    officers of an office and below.  All on one page."""
    if officer is not None and officer != asker.principal_id and not asker.may(Permission.ACCOUNTS):
        raise not_found("人员")
    if office is not None and not asker.may(Permission.ACCOUNTS):
        raise not_found("机构")
    offices = await offices_asked(state, asker, office)
    whose = officer or (asker.principal_id if office is None else None)
    found = await list_sessions(state.store, offices, whose, state.clock.wall_ms())
    items = [
        {
            "session_id": row["session_id"],
            "officer_id": row["officer_id"],
            "name": row["name"],
            "office_id": row["office_id"],
            "opened_at": format_time(row["created_ms"], state.zone),
            "expires_at": format_time(row["expires_ms"], state.zone),
            "address": row["address"],
            "second_factor": row["second_factor"],
            "current": row["session_id"] == asker.session_id,
        }
        for row in found
    ]
    return {"items": items, "next": None}


@router.delete("/sessions", summary="全部终止 · End many sessions")
async def end_many(
    asker: Annotated[Principal, Depends(may(Permission.ACCOUNTS))],
    state: State,
    officer: Id = None,
    office: Id = None,
) -> dict[str, int]:
    """All of an officer, or of all officers of an office and below; one's own present session stays."""
    if (officer is None) == (office is None):
        raise invalid("office", "officer 与 office 须给出其一（give one of officer and office）")
    offices = await offices_asked(state, asker, office)
    ended = await end_sessions(
        state.store, offices, officer, asker.session_id, asker.principal_id, state.clock.wall_ms()
    )
    return {"ended": ended}


@router.delete("/sessions/{session_id}", status_code=204, summary="终止会话 · End a session")
async def end(session_id: Annotated[int, Path(ge=0, lt=2**62)], asker: Asker, state: State) -> Response:
    """It ends at once, streams included; one's own, or with ``accounts`` anybody's of one's offices."""
    others = asker.may(Permission.ACCOUNTS)
    now_ms = state.clock.wall_ms()
    if not await end_session(
        state.store, asker.offices, session_id, asker.principal_id, others=others, now_ms=now_ms
    ):
        raise not_found("会话")
    return Response(status_code=204)


@router.delete("/officers/{officer_id}/factor", status_code=204, summary="解除验证器 · Reset a second factor")
async def reset(
    officer_id: str, asker: Annotated[Principal, Depends(may(Permission.ACCOUNTS))], state: State
) -> Response:
    """For a lost telephone: the officer's second factor is gone, every session of theirs ends."""
    now_ms = state.clock.wall_ms()
    if not await reset_factor(state.store, asker.offices, officer_id, asker.principal_id, now_ms):
        raise not_found("验证器")
    return Response(status_code=204)
