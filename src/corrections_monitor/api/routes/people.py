"""``/api/v1/people``: the persons, one whole, and — for a reason that is logged — a track."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from corrections_monitor.api.access import may, principal_of
from corrections_monitor.api.filters import offices_asked
from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.minors import require_opened
from corrections_monitor.api.parameters import (
    LIMIT_DEFAULT,
    Cursor,
    Id,
    Limit,
    Names,
    Time,
    known_parameters,
    read_cursor,
    read_interval,
    read_names,
    write_cursor,
)
from corrections_monitor.api.person import census_object, person_object
from corrections_monitor.api.problems import not_found, required_reason
from corrections_monitor.api.render import Json
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.api.tracks import MEDIA_TYPES, TrackFormat, write_track
from corrections_monitor.model.cases import Category
from corrections_monitor.model.times import format_time
from corrections_monitor.store.api_people import PeopleFilter, PersonRow, list_people
from corrections_monitor.store.api_tracks import note_read, read_track

router = APIRouter(
    prefix="/api/v1", tags=["people"], dependencies=[Depends(principal_of), Depends(known_parameters)]
)

State = Annotated[ApiState, Depends(state_of)]
Reader = Annotated[Principal, Depends(may(Permission.READ))]

REASON_MAX = 500
Reason = Annotated[str, Query(max_length=REASON_MAX, pattern=r"^[^\x00]*$")]


@router.get("/people", summary="人员列表 · People")
async def list_(
    asker: Reader,
    state: State,
    office: Id = None,
    name: Id = None,
    category: Names = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> Json:
    """The people of the asker's offices by person_id; ``name`` is part of a name, or a person_id."""
    wanted = PeopleFilter(
        await offices_asked(state, asker, office),
        name=name,
        categories=read_names("category", category, Category),
        after_id=_after(cursor),
        limit=limit + 1,
    )
    found = await list_people(state.store, wanted, state.clock.wall_ms())
    sees = asker.may(Permission.LOCATE)
    return {
        "items": [person_object(p, state.zone, sees_locations=sees) for p in found[:limit]],
        "next": _next(found, limit),
    }


@router.get("/people/{person_id}", summary="人员详情 · One person")
async def read(
    person_id: str,
    asker: Reader,
    state: State,
    reason: Reason = "",
) -> Json:
    """The person with devices, orders, leaves, suspensions, contact rules and open episodes.

    A minor (``minor``) is named by initials and without a position, unless who may open the file gives a
    ``reason``, which is logged; to others it is a 403.
    """
    person = await _found(person_id, asker, state)
    if person.person["minor"] and reason.strip():
        await require_opened(state, asker, person_id, reason.strip())
        person = await _found(person_id, asker, state)
    return person_object(person, state.zone, sees_locations=asker.may(Permission.LOCATE))


@router.get("/people/{person_id}/track", response_class=StreamingResponse, summary="轨迹 · Track")
async def track(
    person_id: str,
    asker: Annotated[Principal, Depends(may(Permission.LOCATE))],
    state: State,
    from_: Annotated[Time, Query(alias="from")] = None,
    to: Time = None,
    reason: Reason = "",
    format: TrackFormat = TrackFormat.GEOJSON,
) -> StreamingResponse:
    """The person's fixes by event time.  ``reason`` is required, and logged with who read what.  Of a minor
    only who may open the file gets any; the file's name says whose it is."""
    span = read_interval(from_, to, state.zone)
    why = required_reason(reason, "查询轨迹必须说明理由")
    person = await _found(person_id, asker, state)
    if person.person["minor"]:
        await require_opened(state, asker, person_id, why)
    logged = {
        "reason": why,
        "from": format_time(span.from_ms, state.zone),
        "to": format_time(span.to_ms, state.zone),
        "format": format.value,
    }
    await note_read(state.store, state.clock.wall_ms(), asker.principal_id, "track.read", person_id, logged)
    name = "minor-sealed-track" if person.person["minor"] else "track"
    pieces = read_track(state.store, asker.offices, person_id, span)
    return StreamingResponse(
        write_track(format, pieces, person_id, state.zone),
        media_type=MEDIA_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="{name}.{format}"'},
    )


@router.get("/census", tags=["census"], summary="在管人员普查 · Everyone under order")
async def census(
    asker: Reader, state: State, office: Id = None, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> Json:
    """Everyone under an order now: device, last contact, owner, and what is wrong if anything is.

    Suspended people and people on leave are listed like everybody: nobody falls out of the census.
    """
    now_ms = state.clock.wall_ms()
    wanted = PeopleFilter(
        await offices_asked(state, asker, office),
        ordered_at_ms=now_ms,
        categories=tuple(c for c in Category if c is not Category.PROTECTED),
        after_id=_after(cursor),
        limit=limit + 1,
    )
    found = await list_people(state.store, wanted, now_ms)
    unheard_ms = state.config.detection.unheard_ms
    return {
        "items": [census_object(p, state.zone, now_ms, unheard_ms) for p in found[:limit]],
        "next": _next(found, limit),
    }


def _after(cursor: str | None) -> str | None:
    after = read_cursor(cursor)
    return after[1] if after else None


def _next(found: list[PersonRow], limit: int) -> str | None:
    return write_cursor(0, found[limit - 1].person["person_id"]) if len(found) > limit else None


async def _found(person_id: str, asker: Principal, state: ApiState) -> PersonRow:
    wanted = PeopleFilter(asker.offices, person_ids=(person_id,), limit=1)
    found = await list_people(state.store, wanted, state.clock.wall_ms())
    if not found:
        raise not_found("人员")
    return found[0]
