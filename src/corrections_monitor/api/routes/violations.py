"""``/api/v1/violations``: episodes (违规/异常时段) as a list, a table, a map, in numbers, and one by one."""

from __future__ import annotations

import asyncio
import hashlib
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse

from corrections_monitor.api.access import may, principal_of
from corrections_monitor.api.evidence.content import Read
from corrections_monitor.api.evidence.pdf import evidence_pdf
from corrections_monitor.api.filters import Filtered
from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.minors import require_opened
from corrections_monitor.api.parameters import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    known_parameters,
    read_names,
    read_place,
    write_cursor,
)
from corrections_monitor.api.problems import invalid, not_found
from corrections_monitor.api.render import Json, episode_object
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.api.violation_files import as_csv, as_geojson
from corrections_monitor.model.episodes import Severity
from corrections_monitor.store.api_alerts import Filter
from corrections_monitor.store.api_evidence import gather_evidence
from corrections_monitor.store.api_rows import Row
from corrections_monitor.store.api_tracks import note_read
from corrections_monitor.store.api_violations import (
    Group,
    Order,
    Place,
    Sort,
    all_violations,
    count_violations,
    list_violations,
    one_violation,
    total_violations,
)

router = APIRouter(
    prefix="/api/v1/violations",
    tags=["violations"],
    dependencies=[Depends(principal_of), Depends(known_parameters)],
)

Reader = Annotated[Principal, Depends(may(Permission.READ))]
State = Annotated[ApiState, Depends(state_of)]

GROUPS_MAX = 3
COUNTS_MAX = 5_000
TOTAL_HEADER = "X-Total-Count"


class ListFormat(StrEnum):
    JSON = "json"
    CSV = "csv"
    GEOJSON = "geojson"


@router.get("", summary="违规查询 · Violations")
async def list_(
    asker: Reader,
    state: State,
    wanted: Filtered,
    sort: Annotated[
        str,
        Query(max_length=20, description=f"one of {', '.join(Sort)}; the greatest first with - before it"),
    ] = "-detected",
    format: ListFormat = ListFormat.JSON,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> Response:
    """``json`` is one page; ``csv`` and ``geojson`` are everything that fits the filters, newest detection
    first, streamed; ``X-Total-Count`` says how many are to come.  ``from`` and ``to`` find what lasted
    within them."""
    order = _order(sort)
    if format is ListFormat.JSON:
        return JSONResponse(await _page(asker, state, wanted, order, cursor, limit))
    return await _export(asker, state, wanted, format)


@router.get("/counts", summary="违规统计 · Violations in numbers")
async def counts(
    asker: Reader,
    state: State,
    wanted: Filtered,
    by: Annotated[
        str,
        Query(max_length=80, description=f"up to {GROUPS_MAX} of {', '.join(Group)}, by commas"),
    ] = "kind",
) -> Json:
    """How many episodes, how many of them still last, and how many people, by what ``by`` names; a day is
    that on which they began.  All on one page; 422 when it would be longer than 5,000."""
    groups = tuple(dict.fromkeys(Group(name) for name in read_names("by", by, Group)))
    if not 1 <= len(groups) <= GROUPS_MAX:
        raise invalid("by", f"应为 1 至 {GROUPS_MAX} 项（expected 1 to {GROUPS_MAX}）")
    found = await count_violations(state.store, wanted, groups, state.zone, COUNTS_MAX + 1)
    if len(found) > COUNTS_MAX:
        raise invalid("by", f"结果超过 {COUNTS_MAX} 行，请缩小范围（too many groups: narrow the filters）")
    return {"by": [str(group) for group in groups], "items": [_count(row) for row in found], "next": None}


@router.get("/{episode_id}", summary="一条违规 · One violation")
async def read(episode_id: str, asker: Reader, state: State) -> Json:
    """The episode with what decided it."""
    found = await one_violation(state.store, asker.offices, episode_id)
    if found is None:
        raise not_found("违规记录")
    return _told(found, asker, state)


@router.get(
    "/{episode_id}/evidence",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
    summary="证据包 · Evidence pack",
)
async def evidence(
    episode_id: str,
    asker: Annotated[Principal, Depends(may(Permission.LOCATE))],
    state: State,
    reason: Annotated[str, Query(max_length=500, pattern=r"^[^\x00]*$")] = "违规取证",
) -> Response:
    """One PDF in Chinese: person, rule, order, map, timeline, fixes, and the SHA-256 of each part.  Reading
    it is logged with its reason, and then the hash of the very file."""
    now_ms = state.clock.wall_ms()
    found = await gather_evidence(state.store, asker.offices, episode_id, now_ms)
    if found is None:
        raise not_found("违规记录")
    if found.episode["minor"]:
        await require_opened(state, asker, found.episode["person_id"], reason.strip())
        found = await gather_evidence(state.store, asker.offices, episode_id, now_ms)
        if found is None:
            raise not_found("违规记录")
    logged = {"reason": reason.strip(), "person_id": found.episode["person_id"]}
    who = asker.principal_id
    seq = await note_read(state.store, now_ms, who, "evidence.read", episode_id, logged)
    read = Read(seq, who, asker.name, now_ms, reason.strip())
    document = await asyncio.to_thread(evidence_pdf, found, read, state.zone)
    made = {"sha256": hashlib.sha256(document).hexdigest(), "read": seq}
    await note_read(state.store, now_ms, who, "evidence.made", episode_id, made)
    return Response(
        document,
        media_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="evidence-{episode_id}.pdf"'},
    )


async def _page(
    asker: Principal, state: ApiState, wanted: Filter, order: Order, cursor: str | None, limit: int
) -> Json:
    found = await list_violations(state.store, wanted, order, _after(cursor, order), limit + 1)
    page = found[:limit]
    more = len(found) > limit
    return {
        "items": [_told(episode, asker, state) for episode in page],
        "next": _cursor(page[-1]) if more else None,
    }


async def _export(asker: Principal, state: ApiState, wanted: Filter, format: ListFormat) -> Response:
    total = await total_violations(state.store, wanted)
    filters = {"format": format.value, "rows": total, "from_ms": wanted.interval.from_ms}
    await note_read(
        state.store, state.clock.wall_ms(), asker.principal_id, "violations.export", asker.office_id, filters
    )
    pieces = all_violations(state.store, wanted)
    told = ([_told(episode, asker, state) for episode in piece] async for piece in pieces)
    return StreamingResponse(
        as_csv(told) if format is ListFormat.CSV else as_geojson(told),
        media_type="text/csv; charset=utf-8" if format is ListFormat.CSV else "application/geo+json",
        headers={
            "Content-Disposition": f'attachment; filename="violations.{format}"',
            TOTAL_HEADER: str(total),
        },
    )


def _order(sort: str) -> Order:
    descending, name = sort.startswith("-"), sort.removeprefix("-")
    [found] = read_names("sort", name, Sort)[:1]
    return Order(Sort(found), descending)


def _after(cursor: str | None, order: Order) -> Place | None:
    place = read_place(cursor, order.key_type, int, str)
    return None if place is None else (place[0], int(place[1]), str(place[2]))


def _cursor(episode: Row) -> str:
    return write_cursor(episode["sort_key"], episode["detected_ms"], episode["episode_id"])


def _count(row: Row) -> Json:
    return row if "severity" not in row else {**row, "severity": str(Severity(row["severity"]))}


def _told(episode: Row, asker: Principal, state: ApiState) -> Json:
    return episode_object(episode, state.zone, sees_locations=asker.may(Permission.LOCATE))
