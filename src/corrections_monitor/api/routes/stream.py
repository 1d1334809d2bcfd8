"""``/api/v1/stream``: server-sent events of alerts and positions within the asker's jurisdiction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from corrections_monitor.api.access import may, principal_of
from corrections_monitor.api.hub import Told
from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.parameters import known_parameters
from corrections_monitor.api.problems import Problem
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.store.api_rows import Away

HEARTBEAT_S = 15.0
"""Shorter than the idle time-outs of common proxies (nginx: 60 s)."""

RETRY_MS = 2_000

router = APIRouter(
    prefix="/api/v1/stream", tags=["stream"], dependencies=[Depends(principal_of), Depends(known_parameters)]
)


class EventStream(StreamingResponse):
    media_type = "text/event-stream"


@router.get("", response_class=EventStream, summary="实时推送 · Stream")
async def stream(
    asker: Annotated[Principal, Depends(may(Permission.READ))],
    state: Annotated[ApiState, Depends(state_of)],
    request: Request,
) -> EventStream:
    """``event: alert`` carries the alert as it now is, ``event: position`` a person's newest position.

    A comment line comes every 15 s.  The stream holds no past: read the lists after (re)connecting.  It
    ends with the session, and when the asker's role or offices change.
    """
    if state.hub.is_full:
        raise Problem("unavailable", "实时连接数已达上限，请稍后再试。", headers={"Retry-After": "30"})
    changes = state.hub.subscribe(asker.offices, asker.may(Permission.LOCATE), HEARTBEAT_S)
    return EventStream(_lines(changes, asker, state, request), headers={"X-Accel-Buffering": "no"})


async def _lines(
    changes: AsyncIterator[Told | None], asker: Principal, state: ApiState, request: Request
) -> AsyncIterator[str]:
    yield f"retry: {RETRY_MS}\n: connected\n\n"
    checked_s = state.clock.monotonic_s()
    async for told in changes:
        if told is None or state.clock.monotonic_s() - checked_s >= HEARTBEAT_S:
            if not await _still_the_same(asker, state, request):
                return
            checked_s = state.clock.monotonic_s()
        # JSON has no raw line breaks, so one data line is always enough.
        yield f"event: {told[0]}\ndata: {told[1]}\n\n" if told else ": heartbeat\n\n"


async def _still_the_same(asker: Principal, state: ApiState, request: Request) -> bool:
    """Whether the session still stands for the same role and offices; nobody is cut off for a database
    that is away, for then nothing can be told either."""
    try:
        return await principal_of(request, state) == asker
    except Problem:
        return False
    except Away:
        return True
