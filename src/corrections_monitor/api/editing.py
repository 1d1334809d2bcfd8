"""Creating, changing and ending case rows: judged by the checks of an import, within the jurisdiction.

A row is judged twice: against what the asker may see, so that a reference to somebody elsewhere is as
wrong as one to nobody; then against everything, where a contradiction is told without naming with what.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from corrections_monitor.api.caseview import visible
from corrections_monitor.api.jurisdiction import Principal
from corrections_monitor.api.problems import FieldFault, Problem, invalid, not_found
from corrections_monitor.api.state import ApiState
from corrections_monitor.cases import CaseFaults
from corrections_monitor.cases.single import ZONES, columns_of, read_one
from corrections_monitor.model.cases import CaseSet, Zone
from corrections_monitor.model.times import Interval
from corrections_monitor.store.api_cases import CasesMovedError, save_rows

SAVE_TRIES = 5  # how often others may save between our reading and our saving before we give up


@dataclass(frozen=True, slots=True)
class Item:
    """A case row with its id in URLs: its key, joined by ``:`` where it has several parts."""

    item_id: str
    key: Any
    row: Any


@dataclass(frozen=True, slots=True)
class Edit:
    """Who edits which table, and why, for the log."""

    asker: Principal
    state: ApiState
    table: str
    why: str | None


def items_of(cases: CaseSet, table: str) -> list[Item]:
    """The rows of a table by id."""
    rows: Mapping[Any, Any] = getattr(cases, table)
    return sorted(
        (Item(item_id_of(key), key, row) for key, row in rows.items()), key=lambda item: item.item_id
    )


def etag(table: str, row: Any, state: ApiState) -> str:
    """A strong validator of a row's content, for If-Match (RFC 9110 §13.1.1)."""
    text = json.dumps(columns_of(table, row, state.zone), sort_keys=True)
    return '"' + hashlib.sha256(text.encode()).hexdigest()[:20] + '"'


async def create(edit: Edit, value: Mapping[str, Any]) -> Item:
    """Add a row.  Raises the 422 with every fault, the 409 when its key is taken."""
    for _ in range(SAVE_TRIES):
        cases, version = await edit.state.cases.current(edit.state.store)
        key, row = _judged(edit, value, cases)
        if key in getattr(cases, edit.table):
            raise Problem("conflict", f"编号 {item_id_of(key)} 已被使用。", faults=[_taken(key)])
        if await _saved(edit, key, row, version, f"{edit.table}.create", value):
            return Item(item_id_of(key), key, row)
    raise moving()


async def change(edit: Edit, item_id: str, value: Mapping[str, Any], if_match: str | None) -> Item:
    """Put the given columns in place of the row's.  Its key cannot change: end it and create another."""
    for _ in range(SAVE_TRIES):
        cases, version = await edit.state.cases.current(edit.state.store)
        item = _found(edit, item_id, cases, if_match)
        whole = _merged(edit.table, columns_of(edit.table, item.row, edit.state.zone), value)
        key, row = _judged(edit, whole, cases)
        if key != item.key:
            raise invalid("id", "编号不可更改，请结束后新建（the key cannot change: end it, create another）")
        if await _saved(edit, key, row, version, f"{edit.table}.change", value):
            return Item(item_id, key, row)
    raise moving()


async def end(edit: Edit, item_id: str, at_ms: int, if_match: str | None) -> Item | None:
    """End the row at an instant; None when it had not begun (or is a zone, which has no end) and is gone."""
    for _ in range(SAVE_TRIES):
        cases, version = await edit.state.cases.current(edit.state.store)
        item = _found(edit, item_id, cases, if_match)
        row = None
        if not isinstance(item.row, Zone) and item.row.span.from_ms < at_ms:
            if item.row.span.to_ms <= at_ms:
                raise Problem("conflict", "该记录此前已经结束。")
            row = replace(item.row, span=Interval(item.row.span.from_ms, at_ms))
        if row is None:
            _require_unused(edit.table, item, cases)
        if await _saved(edit, item.key, row, version, f"{edit.table}.end", {"at_ms": at_ms}):
            return None if row is None else Item(item_id, item.key, row)
    raise moving()


def _judged(edit: Edit, value: Mapping[str, Any], cases: CaseSet) -> tuple[Any, Any]:
    zone = edit.state.zone
    seen = visible(cases, edit.asker.offices)
    try:
        key, row = read_one(edit.table, value, seen, zone)
    except CaseFaults as found:
        faults = [FieldFault(f.column, f.message) for f in found.faults]
        raise Problem(
            "invalid", "; ".join(f"{f.field}: {f.message}" for f in faults), faults=faults
        ) from None
    office = cases.offices.get(edit.asker.office_id)
    if isinstance(row, Zone) and row.applies_to == "*" and (office is None or office.parent_id):
        raise invalid("applies_to", '"*" 涉及所有机构，只能由市局设定')
    try:
        read_one(edit.table, value, cases, zone)
    except CaseFaults:
        raise Problem("conflict", "与其他机构的数据冲突，请联系上级机构。") from None
    return key, row


def _found(edit: Edit, item_id: str, cases: CaseSet, if_match: str | None) -> Item:
    """The row to edit.  Raises the 404, and the 412 when it is not what the asker has seen."""
    item = find_item(visible(cases, edit.asker.offices), edit.table, item_id)
    mine = item is not None and (not isinstance(item.row, Zone) or _is_own_zone(item.row, cases, edit.asker))
    if item is None or not mine:
        raise not_found("记录")
    if if_match is not None and if_match != "*" and if_match != etag(edit.table, item.row, edit.state):
        raise Problem("changed-meanwhile", "该记录已被他人修改，请刷新后再试。")
    return item


def find_item(cases: CaseSet, table: str, item_id: str) -> Item | None:
    """The row of an id in a URL."""
    rows: Mapping[Any, Any] = getattr(cases, table)
    key = item_id if item_id in rows else next((k for k in rows if item_id_of(k) == item_id), None)
    return None if key is None else Item(item_id, key, rows[key])


def _is_own_zone(zone: Zone, cases: CaseSet, asker: Principal) -> bool:
    """A zone of a higher office applies to the asker's people but is not theirs to change."""
    office = cases.offices.get(asker.office_id)
    if zone.applies_to == "*":
        return office is not None and office.parent_id is None
    return zone.applies_to in cases.people or zone.applies_to in asker.offices or not zone.applies_to


def _require_unused(table: str, item: Item, cases: CaseSet) -> None:
    """What others refer to cannot be withdrawn."""
    if table == ZONES and any(item.key in leave.zone_ids for leave in cases.leaves.values()):
        raise Problem("conflict", "请假记录引用了该区域，不能撤销。")
    if table == "orders" and any(order.extends == item.key for order in cases.orders.values()):
        raise Problem("conflict", "另有决定延长该决定，不能撤销。")


def _merged(table: str, standing: dict[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """The columns given in place of those standing; for a zone its properties and geometry likewise."""
    if table != ZONES:
        return {**standing, **value}
    properties = value.get("properties") or {}
    if not isinstance(properties, dict):
        raise invalid("properties", "应为对象（expected an object）")
    kept: dict[str, Any] = standing["properties"]
    if "geometry" not in value:
        if "crs" in properties:
            raise invalid("crs", "只随 geometry 一起给出（goes with a geometry）")
    elif (
        not isinstance(value["geometry"], dict)
        or value["geometry"].get("type") != standing["geometry"]["type"]
    ):
        # A circle's radius says nothing of the polygon that takes its place.
        kept = {name: known for name, known in kept.items() if name not in ("radius_m", "width_m")}
    return {**standing, **value, "properties": {**kept, **properties}}


async def _saved(
    edit: Edit, key: Any, row: Any | None, version: int, action: str, given: Mapping[str, Any]
) -> bool:
    """Whether the row was saved; False when others have saved since it was judged."""
    # The log keeps no shapes: they are where somebody lives, and stand in the versioned rows.
    logged = {name: known for name, known in given.items() if name != "geometry"}
    return await save_change(edit, {key: row}, version, action, item_id_of(key), {"given": logged})


async def save_change(
    edit: Edit,
    changed: Mapping[Any, Any | None],
    version: int,
    action: str,
    target: str,
    detail: Mapping[str, Any],
) -> bool:
    """Whether the rows (None: withdrawn) were saved; False when others have saved since ``version``."""
    try:
        await save_rows(
            edit.state.store,
            edit.asker.offices,
            edit.table,
            changed,
            actor=edit.asker.principal_id,
            at_ms=edit.state.clock.wall_ms(),
            base_version=version,
            action=action,
            target=target,
            detail={**detail, "why": edit.why},
        )
    except CasesMovedError:
        return False
    return True


def item_id_of(key: Any) -> str:
    return ":".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _taken(key: Any) -> FieldFault:
    return FieldFault("id", f"{item_id_of(key)} 已存在（exists already）")


def moving() -> Problem:
    return Problem("unavailable", "案件数据正在被频繁修改，请稍后再试。", headers={"Retry-After": "1"})
