"""``/api/v1/roster``: what came from the management system (名册交换), and the word of a person on it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from corrections_monitor.api.access import may, principal_of
from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.parameters import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    known_parameters,
    read_cursor,
    write_cursor,
)
from corrections_monitor.api.problems import Problem, not_found, required_reason
from corrections_monitor.api.render import Json
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.model.times import format_time
from corrections_monitor.store.api_rows import Row
from corrections_monitor.store.exchanges import decide, list_exchanges, one_exchange

router = APIRouter(
    prefix="/api/v1/roster", tags=["roster"], dependencies=[Depends(principal_of), Depends(known_parameters)]
)

State = Annotated[ApiState, Depends(state_of)]
Manager = Annotated[Principal, Depends(may(Permission.MANAGE))]
ExchangeId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class Decision(BaseModel):
    """Why what came is confirmed or refused."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "已电话核实：张三 11 月 20 日解矫"}]}
    )

    reason: str = Field(default="", max_length=500, pattern=r"^[^\x00]*$")


@router.get("", summary="名册交换 · What came from the management system")
async def list_(asker: Manager, state: State, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT) -> Json:
    """Newest first: when, what it would change in numbers, whether it was applied, waits or was faulty.  A
    roster is about everybody: offices below a city bureau see none.  ``last`` is the last look, if any."""
    after = read_cursor(cursor)
    found = await list_exchanges(state.store, asker.offices, after[0] if after else None, limit + 1)
    page = found[:limit]
    word = await state.store.get_state("roster")
    return {
        "items": [_short(row, state) for row in page],
        "last": None
        if word is None
        else {
            "at": format_time(word[1], state.zone),
            "outcome": word[0]["outcome"],
            "next_at": format_time(word[0]["next_ms"], state.zone),
        },
        "next": write_cursor(page[-1]["exchange_id"], "") if len(found) > limit else None,
    }


@router.get("/{exchange_id}", summary="一次名册交换 · One that came")
async def read(exchange_id: ExchangeId, asker: Manager, state: State) -> Json:
    """What is new, changed and gone by table, what would leave somebody unmonitored, and every fault."""
    return _whole(await _found(exchange_id, asker, state), state)


@router.post("/{exchange_id}/confirm", status_code=202, summary="确认应用 · Confirm")
async def confirm(exchange_id: ExchangeId, why: Decision, asker: Manager, state: State) -> Response:
    """The daemon in charge applies it within seconds, unless it would by then do more than was shown: then
    it waits again.  Logged.  409 when it does not wait."""
    return await _decided(exchange_id, why, asker, state, confirm=True)


@router.post("/{exchange_id}/refuse", status_code=202, summary="拒绝 · Refuse")
async def refuse(exchange_id: ExchangeId, why: Decision, asker: Manager, state: State) -> Response:
    """Nothing of it is applied; it comes again when its content has changed.  Logged."""
    return await _decided(exchange_id, why, asker, state, confirm=False)


async def _decided(
    exchange_id: int, why: Decision, asker: Principal, state: ApiState, *, confirm: bool
) -> Response:
    reason = required_reason(why.reason, "须说明理由")
    found = await _found(exchange_id, asker, state)
    done = await decide(
        state.store,
        asker.offices,
        exchange_id,
        confirm=confirm,
        actor=asker.principal_id,
        reason=reason,
        now_ms=state.clock.wall_ms(),
    )
    if not done:
        raise Problem("conflict", f"该次交换不在等待确认（it does not wait: {found['state']}）。")
    return Response(status_code=202)


async def _found(exchange_id: int, asker: Principal, state: ApiState) -> Row:
    row = await one_exchange(state.store, asker.offices, exchange_id)
    if row is None:
        raise not_found("名册交换记录")
    return row


def _short(row: Row, state: ApiState) -> Json:
    return {
        "id": row["exchange_id"],
        "came_at": format_time(row["came_ms"], state.zone),
        "source": row["source"],
        "digest": bytes(row["digest"]).hex(),
        "state": row["state"],
        "counts": {
            table: {part: parts[part]["count"] for part in parts}
            for table, parts in row["difference"].items()
        },
        "holes": len(row["holes"]),
        "faults": len(row["faults"]),
        "decided_by": row["decided_by"],
        "decided_at": format_time(row["decided_ms"], state.zone),
        "reason": row["reason"],
        "version": row["version"],
    }


def _whole(row: Row, state: ApiState) -> Json:
    holes: list[dict[str, Any]] = [{k: v for k, v in h.items() if k != "to_ms"} for h in row["holes"]]
    return {**_short(row, state), "difference": row["difference"], "holes": holes, "faults": row["faults"]}
