"""``/api/v1/minors``: files of minors (未成年人), guarded separately."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from corrections_monitor.api.access import may, principal_of
from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.parameters import known_parameters
from corrections_monitor.api.problems import invalid, not_found, required_reason
from corrections_monitor.api.render import Json
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.model.times import format_time
from corrections_monitor.store.api_minors import guard, list_minors, unguard, unknown_officers

router = APIRouter(
    prefix="/api/v1/minors", tags=["minors"], dependencies=[Depends(principal_of), Depends(known_parameters)]
)

State = Annotated[ApiState, Depends(state_of)]
Reader = Annotated[Principal, Depends(may(Permission.READ))]
Manager = Annotated[Principal, Depends(may(Permission.MANAGE))]
NEEDED = "须说明理由"
OfficerId = Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")]


class Guard(BaseModel):
    """``officers``: who may open the file besides the chief of the person's own office."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "未满十八周岁", "officers": ["O-0101"]}]}
    )

    reason: str = Field(default="", max_length=500, pattern=r"^[^\x00]*$")
    officers: list[OfficerId] = Field(default_factory=list, max_length=20)


class Why(BaseModel):
    """Why a file is no longer guarded."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "登记有误"}]})

    reason: str = Field(default="", max_length=500, pattern=r"^[^\x00]*$")


@router.get("", summary="未成年人档案 · Guarded files of minors")
async def list_(asker: Reader, state: State) -> Json:
    """Whose files of the asker's offices are guarded, by number and initials, and who may open them besides
    the chief of the office."""
    items = [
        {
            "person_id": row["person_id"],
            "person_name": row["name"],
            "office_id": row["office_id"],
            "officers": row["officers"],
            "reason": row["reason"],
            "guarded_by": row["guarded_by"],
            "guarded_at": format_time(row["guarded_ms"], state.zone),
        }
        for row in await list_minors(state.store, asker.offices)
    ]
    return {"items": items, "next": None}


@router.put("/{person_id}", status_code=204, summary="设为未成年人档案 · Guard a file")
async def set_(person_id: str, wanted: Guard, asker: Manager, state: State) -> Response:
    """From now on the person is named by initials; name, positions, evidence and home are read only by who is
    named here and by the chief of the person's own office, for a reason.  Logged."""
    reason = required_reason(wanted.reason, NEEDED)
    strangers = await unknown_officers(state.store, asker.offices, wanted.officers)
    if strangers:
        raise invalid("officers", f"无此人员（no such officer）：{', '.join(strangers)}")
    now_ms, who = state.clock.wall_ms(), asker.principal_id
    officers = list(dict.fromkeys(wanted.officers))
    if not await guard(state.store, asker.offices, person_id, officers, reason, who, now_ms):
        raise not_found("人员")
    return Response(status_code=204)


@router.post("/{person_id}/lift", status_code=204, summary="取消 · Guard it no longer")
async def lift(person_id: str, why: Why, asker: Manager, state: State) -> Response:
    """The file is one like others again.  Coming of age is no reason by itself: the record stays sealed."""
    reason, now_ms = required_reason(why.reason, NEEDED), state.clock.wall_ms()
    if not await unguard(state.store, asker.offices, person_id, reason, asker.principal_id, now_ms):
        raise not_found("未成年人档案")
    return Response(status_code=204)
