"""``/api/v1/system`` and ``/api/v1/quarantine``: whether the house is well, and what it could not use."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from corrections_monitor.api.access import may, principal_of
from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.parameters import (
    LIMIT_DEFAULT,
    Cursor,
    Id,
    Limit,
    known_parameters,
    read_cursor,
    write_cursor,
)
from corrections_monitor.api.readiness import blind_reason
from corrections_monitor.api.render import Json
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.model.episodes import Severity
from corrections_monitor.model.times import format_time
from corrections_monitor.store.api_system import count_rejects, list_rejects
from corrections_monitor.store.api_tracks import note_read
from corrections_monitor.store.situation import situation

router = APIRouter(
    prefix="/api/v1", tags=["system"], dependencies=[Depends(principal_of), Depends(known_parameters)]
)

State = Annotated[ApiState, Depends(state_of)]

PAYLOAD_MAX_CHARS = 2_000


@router.get("/system", summary="系统状态 · How the system is")
async def system(_asker: Annotated[Principal, Depends(may(Permission.READ))], state: State) -> Json:
    """Whether somebody monitors, when last something was committed, and what waits; counts of the whole
    system, nobody's data.  ``monitor`` is null where no daemon has ever run."""
    now_ms = state.clock.wall_ms()
    reason = await blind_reason(state)
    word = await state.store.get_state("monitor")
    found = await situation(state.store, now_ms)
    return {
        "now": format_time(now_ms, state.zone),
        "ready": reason is None,
        "reason": reason,
        "monitor": None if word is None else _monitor(word[0], word[1], now_ms, state),
        "unanswered": {
            str(Severity(severity)): {"count": count, "oldest_at": format_time(oldest_ms, state.zone)}
            for severity, (count, oldest_ms) in found.unanswered.items()
        },
        "pages": {"due": found.pages_due, "overdue": found.pages_overdue},
        "quarantined": found.quarantined,
    }


def _monitor(told: Any, at_ms: int, now_ms: int, state: ApiState) -> Json:
    return {
        "committed_at": format_time(at_ms, state.zone),
        "lag_ms": max(0, now_ms - at_ms),
        "waiting_messages": told["waiting_messages"],
        "monitored": told["monitored"],
        "silent": told["silent"],
    }


@router.get("/quarantine", summary="隔离区 · What could not be used, newest first")
async def quarantine(
    asker: Annotated[Principal, Depends(may(Permission.INSPECT))],
    state: State,
    reason: Id = None,
    device: Id = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> Json:
    """Messages that were acknowledged, counted and set aside, of the devices of the asker's offices; from the
    city also those that name no known device.  ``reasons`` counts all of them.

    A payload may say where somebody was: it is shown to who may see locations, and that is logged.
    """
    sees = asker.may(Permission.LOCATE)
    after = read_cursor(cursor)
    found = await list_rejects(
        state.store,
        asker.offices,
        reason=reason,
        device_id=device,
        before_id=after[0] if after else None,
        limit=limit + 1,
    )
    page = found[:limit]
    counts = await count_rejects(state.store, asker.offices) if after is None else []
    if sees and any(row["payload"] for row in page):
        shown = {"reason": reason, "device": device, "rows": len(page)}
        await note_read(
            state.store,
            state.clock.wall_ms(),
            asker.principal_id,
            "quarantine.read",
            asker.office_id,
            shown,
        )
    return {
        "items": [
            {
                "id": row["reject_id"],
                "arrived_at": format_time(row["arrival_ms"], state.zone),
                "device_id": row["device_id"],
                "topic": row["topic"],
                "reason": row["reason"],
                "detail": row["detail"] if sees else None,
                "payload": _text(row["payload"]) if sees else None,
            }
            for row in page
        ],
        "reasons": [
            {
                "reason": row["reason"],
                "count": row["count"],
                "newest_at": format_time(row["newest_ms"], state.zone),
            }
            for row in counts
        ],
        "next": write_cursor(page[-1]["reject_id"], "") if len(found) > limit else None,
    }


def _text(payload: bytes | None) -> str | None:
    """A payload as text, what is not UTF-8 marked."""
    return None if payload is None else payload.decode("utf-8", "replace")[:PAYLOAD_MAX_CHARS]
