"""``/api/v1/audit``: who did and read what, and why."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from corrections_monitor.api.access import may, principal_of
from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.parameters import (
    LIMIT_DEFAULT,
    Cursor,
    Id,
    Limit,
    Time,
    known_parameters,
    read_cursor,
    read_interval,
    write_cursor,
)
from corrections_monitor.api.render import Json
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.model.times import format_time
from corrections_monitor.store.api_audit import AuditFilter, list_audit

router = APIRouter(
    prefix="/api/v1/audit", tags=["audit"], dependencies=[Depends(principal_of), Depends(known_parameters)]
)


@router.get("", summary="审计日志 · Audit log, newest first")
async def list_(
    asker: Annotated[Principal, Depends(may(Permission.AUDIT))],
    state: Annotated[ApiState, Depends(state_of)],
    actor: Id = None,
    action: Id = None,
    target: Id = None,
    from_: Annotated[Time, Query(alias="from")] = None,
    to: Time = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> Json:
    """What the officers of the asker's offices did; from the city, also what the system did."""
    after = read_cursor(cursor)
    wanted = AuditFilter(
        actor, action, target, read_interval(from_, to, state.zone), after[0] if after else None, limit + 1
    )
    found = await list_audit(state.store, asker.office_id, asker.offices, wanted)
    page = found[:limit]
    return {
        "items": [
            {
                "seq": row["seq"],
                "at": format_time(row["at_ms"], state.zone),
                "actor": row["actor"],
                "action": row["action"],
                "target": row["target"],
                "detail": row["detail"],
                "hash": row["hash"],
            }
            for row in page
        ],
        "next": write_cursor(page[-1]["seq"], "") if len(found) > limit else None,
    }
