"""``/healthz`` (alive), ``/readyz`` (fit to monitor) and ``/metrics``: for machines, without login."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from corrections_monitor.api.readiness import blind_reason
from corrections_monitor.api.state import ApiState, state_of

router = APIRouter(tags=["operations"])

State = Annotated[ApiState, Depends(state_of)]


@router.get("/healthz", summary="存活 · Alive")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/readyz", summary="就绪 · Fit to monitor")
async def readyz(state: State) -> JSONResponse:
    """200 when the database answers and somebody monitors; else 503 with the reason."""
    reason = await blind_reason(state)
    if reason is None:
        return JSONResponse({"status": "ready"})
    return JSONResponse({"status": "blind", "reason": reason}, status_code=503)


@router.get("/metrics", response_class=Response, summary="Prometheus")
async def metrics(state: State) -> Response:
    """This process's metrics in the Prometheus text format."""
    return Response(generate_latest(state.registry), media_type=CONTENT_TYPE_LATEST)
