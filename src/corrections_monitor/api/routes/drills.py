"""``/api/v1/drills``: practise the chain of alert, page and answer with chosen officers (演练)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from corrections_monitor.api.access import may, principal_of
from corrections_monitor.api.jurisdiction import PERMISSIONS, Permission, Principal
from corrections_monitor.api.parameters import known_parameters
from corrections_monitor.api.problems import invalid, not_found
from corrections_monitor.api.render import Json
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.config_schema import PagingSeverity
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.times import MINUTE_MS, format_time
from corrections_monitor.store.api_drills import Matter, drill_report, list_drills, order_drill
from corrections_monitor.store.api_rows import Row

router = APIRouter(
    prefix="/api/v1/drills", tags=["drills"], dependencies=[Depends(principal_of), Depends(known_parameters)]
)

State = Annotated[ApiState, Depends(state_of)]
Reader = Annotated[Principal, Depends(may(Permission.READ))]
Manager = Annotated[Principal, Depends(may(Permission.MANAGE))]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]

DRILLS_LISTED = 50


class Order(BaseModel):
    """Who practises what; after ``minutes`` it ends by itself."""

    model_config = ConfigDict(extra="forbid")

    officers: list[Name] = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")
    kind: Kind = Kind.ZONE_EXIT
    severity: PagingSeverity = PagingSeverity.CRITICAL
    minutes: int = Field(default=60, ge=1, le=24 * 60)


@router.post("", status_code=201, summary="组织演练 · Order a drill")
async def order(given: Order, asker: Manager, state: State) -> Json:
    """One alert for each officer, marked as a drill, over the whole chain to that officer alone.  It is in no
    statistics, violates nobody and is audited."""
    cases, _ = await state.cases.current(state.store)
    officers = [cases.officers.get(name) for name in dict.fromkeys(given.officers)]
    fit = [
        o
        for o in officers
        if o is not None and o.office_id in asker.offices and Permission.ANSWER in PERMISSIONS[o.role]
    ]
    if len(fit) < len(officers):
        raise invalid(
            "officers", "只能选择本机构及下级能处置警情的人员（officers of yours who answer alerts）"
        )
    matter = Matter(given.kind, Severity[given.severity.name], given.minutes * MINUTE_MS, given.reason)
    by, now_ms = asker.principal_id, state.clock.wall_ms()
    drill_id = await order_drill(state.store, asker.offices, fit, matter, by, now_ms)
    return await _report(drill_id, asker, state)


@router.get("", summary="演练列表 · Drills, newest first")
async def list_(asker: Reader, state: State) -> Json:
    """The newest fifty with officers of the asker's offices in them; only these officers are counted."""
    found = await list_drills(state.store, asker.offices, DRILLS_LISTED)
    items = [
        {**_drill(row, state), "officers": row["officers"], "acknowledged": row["acknowledged"]}
        for row in found
    ]
    return {"items": items, "next": None}


@router.get("/{drill_id}", summary="演练结果 · What became of a drill")
async def read(drill_id: str, asker: Reader, state: State) -> Json:
    """By officer: pages, and seconds from the order to the first page, acknowledgement and resolution; null:
    not yet."""
    return await _report(drill_id, asker, state)


async def _report(drill_id: str, asker: Principal, state: ApiState) -> Json:
    found = await drill_report(state.store, asker.offices, drill_id)
    if not found:
        raise not_found("演练")
    return {
        **_drill(found[0], state),
        "officers": [
            {
                "officer_id": row["officer_id"],
                "name": row["officer_name"],
                "office_id": row["office_id"],
                "alert_id": row["alert_id"],
                "state": row["state"],
                "pages": row["pages"],
                "paged_after_s": row["paged_after_s"],
                "acknowledged_after_s": row["acknowledged_after_s"],
                "resolved_after_s": row["resolved_after_s"],
            }
            for row in found
        ],
    }


def _drill(row: Row, state: ApiState) -> Json:
    return {
        "drill_id": row["drill_id"],
        "ordered_at": format_time(row["at_ms"], state.zone),
        "ordered_by": row["ordered_by"],
        "ends_at": format_time(row["ends_ms"], state.zone),
        "kind": row["kind"],
        "severity": str(Severity(row["severity"])),
        "reason": row["reason"],
    }
