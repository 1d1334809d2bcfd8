"""``/api/v1/holds``: legal holds (证据保全), which keep one person's positions from being deleted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from corrections_monitor.api.access import may, principal_of
from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.parameters import known_parameters
from corrections_monitor.api.problems import not_found, required_reason
from corrections_monitor.api.render import Json
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.model.times import format_time
from corrections_monitor.store.api_holds import lift_hold, list_holds, set_hold

router = APIRouter(
    prefix="/api/v1/holds", tags=["holds"], dependencies=[Depends(principal_of), Depends(known_parameters)]
)

State = Annotated[ApiState, Depends(state_of)]
Reader = Annotated[Principal, Depends(may(Permission.READ))]
Manager = Annotated[Principal, Depends(may(Permission.MANAGE))]


class Why(BaseModel):
    """Why a hold is set or lifted, such as the number of the letter that asks for it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "检察建议 〔2026〕12 号"}]}
    )

    reason: str = Field(default="", max_length=500, pattern=r"^[^\x00]*$")


@router.get("", summary="证据保全 · Legal holds")
async def list_(asker: Reader, state: State) -> Json:
    """Everyone of the asker's offices of whom nothing may be deleted."""
    items = [
        {
            "person_id": row["person_id"],
            "person_name": row["name"],
            "reason": row["reason"],
            "held_by": row["held_by"],
            "held_at": format_time(row["held_ms"], state.zone),
        }
        for row in await list_holds(state.store, asker.offices)
    ]
    return {"items": items, "next": None}


@router.put("/{person_id}", status_code=204, summary="设为保全 · Hold")
async def hold(person_id: str, why: Why, asker: Manager, state: State) -> Response:
    """From now on nothing stored of this person is deleted, whatever the retention says.  Logged."""
    now_ms = state.clock.wall_ms()
    if not await set_hold(state.store, asker.offices, person_id, _given(why), asker.principal_id, now_ms):
        raise not_found("人员")
    return Response(status_code=204)


@router.post("/{person_id}/lift", status_code=204, summary="解除保全 · Lift a hold")
async def lift(person_id: str, why: Why, asker: Manager, state: State) -> Response:
    """What is overdue is then deleted at the next upkeep, within the hour.  Logged."""
    now_ms = state.clock.wall_ms()
    if not await lift_hold(state.store, asker.offices, person_id, _given(why), asker.principal_id, now_ms):
        raise not_found("保全")
    return Response(status_code=204)


def _given(why: Why) -> str:
    return required_reason(why.reason, "保全须说明理由")
