"""Zones, orders, leaves, suspensions, duty, devices: list, create, change, end.

The six work alike: an item is the columns of its file (CONTRACT §1; for zones a GeoJSON Feature) with an
``id``.  ``why`` is kept in the audit log.  A change may carry ``If-Match`` with the ETag it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Query, Response
from pydantic import BaseModel, ConfigDict

from corrections_monitor.api.access import may, principal_of
from corrections_monitor.api.editing import Edit, Item, change, create, end, etag, find_item, items_of
from corrections_monitor.api.filters import offices_asked
from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.parameters import (
    LIMIT_DEFAULT,
    Cursor,
    Id,
    Limit,
    known_parameters,
    read_cursor,
    read_time,
    write_cursor,
)
from corrections_monitor.api.problems import not_found
from corrections_monitor.api.render import Json
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.cases.single import ZONES, columns_of

router = APIRouter(
    prefix="/api/v1", tags=["cases"], dependencies=[Depends(principal_of), Depends(known_parameters)]
)

State = Annotated[ApiState, Depends(state_of)]
Reader = Annotated[Principal, Depends(may(Permission.READ))]
Why = Annotated[str | None, Query(max_length=500, pattern=r"^[^\x00]*$", description="kept in the audit log")]
IfMatch = Annotated[str | None, Header(max_length=100)]
Columns = Annotated[dict[str, Any], Body(description="the columns of the file, or a GeoJSON Feature")]

TABLES: Mapping[str, tuple[str, Permission]] = {
    ZONES: ("区域", Permission.EDIT_CASES),
    "orders": ("电子定位决定", Permission.EDIT_CASES),
    "leaves": ("请假", Permission.EDIT_CASES),
    "suspensions": ("暂停监测", Permission.EDIT_CASES),
    "duty": ("值班", Permission.MANAGE),
    "devices": ("设备绑定", Permission.MANAGE),
}
"""What they are called, and which permission changes them."""


class Ending(BaseModel):
    """``at``: the end, by default now."""

    model_config = ConfigDict(extra="forbid")

    at: str | int | None = None


def _add_routes(table: str, chinese: str, permission: Permission) -> None:
    """The five routes of one table."""
    editor = Depends(may(permission))

    @router.get(f"/{table}", name=f"list_{table}", summary=f"{chinese}列表 · List {table}")
    async def list_(
        asker: Reader,
        state: State,
        person: Id = None,
        office: Id = None,
        cursor: Cursor = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Json:
        seen = await state.cases.seen_by(state.store, await offices_asked(state, asker, office))
        after = read_cursor(cursor)
        items = [
            item
            for item in items_of(seen, table)
            if (after is None or item.item_id > after[1]) and (person is None or person in _persons(item.row))
        ]
        return {
            "items": [_told(table, item, asker, state) for item in items[:limit]],
            "next": write_cursor(0, items[limit - 1].item_id) if len(items) > limit else None,
        }

    @router.get(f"/{table}/{{item_id}}", name=f"read_{table}", summary=f"{chinese} · One of {table}")
    async def read(item_id: str, asker: Reader, state: State, response: Response) -> Json:
        item = find_item(await state.cases.seen_by(state.store, asker.offices), table, item_id)
        if item is None:
            raise not_found("记录")
        response.headers["ETag"] = etag(table, item.row, state)
        return _told(table, item, asker, state)

    @router.post(
        f"/{table}", name=f"create_{table}", status_code=201, summary=f"新建{chinese} · Create in {table}"
    )
    async def create_(
        value: Columns, state: State, response: Response, asker: Principal = editor, why: Why = None
    ) -> Json:
        item = await create(Edit(asker, state, table, why), value)
        response.headers["ETag"] = etag(table, item.row, state)
        return _told(table, item, asker, state)

    @router.patch(
        f"/{table}/{{item_id}}", name=f"change_{table}", summary=f"修改{chinese} · Change in {table}"
    )
    async def change_(
        item_id: str,
        value: Columns,
        state: State,
        response: Response,
        asker: Principal = editor,
        why: Why = None,
        if_match: IfMatch = None,
    ) -> Json:
        item = await change(Edit(asker, state, table, why), item_id, value, if_match)
        response.headers["ETag"] = etag(table, item.row, state)
        return _told(table, item, asker, state)

    @router.post(f"/{table}/{{item_id}}/end", name=f"end_{table}", summary=f"结束{chinese} · End in {table}")
    async def end_(
        item_id: str,
        state: State,
        asker: Principal = editor,
        ending: Annotated[Ending | None, Body()] = None,
        why: Why = None,
        if_match: IfMatch = None,
    ) -> Json:
        """The item as it ended; a zone, and what had not begun, is withdrawn: ``{id, withdrawn: true}``."""
        at_ms = _read_at(ending, state)
        item = await end(Edit(asker, state, table, why), item_id, at_ms, if_match)
        return {"id": item_id, "withdrawn": True} if item is None else _told(table, item, asker, state)


def _told(table: str, item: Item, asker: Principal, state: ApiState) -> Json:
    told = {"id": item.item_id, **columns_of(table, item.row, state.zone)}
    # Where a zone lies is where somebody lives or must not go.
    return told if table != ZONES or asker.may(Permission.LOCATE) else {**told, "geometry": None}


def _persons(row: Any) -> tuple[str, ...]:
    """The person a row belongs to; for duty the officer, for a zone whom it applies to."""
    return tuple(
        getattr(row, name) for name in ("person_id", "applies_to", "officer_id") if hasattr(row, name)
    )


def _read_at(ending: Ending | None, state: ApiState) -> int:
    if ending is None or ending.at is None:
        return state.clock.wall_ms()
    return read_time("at", ending.at, state.zone, end=True)


for _table, (_chinese, _permission) in TABLES.items():
    _add_routes(_table, _chinese, _permission)
