"""Changes of the duty roster as requests make them: judged, previewed, saved as duty rows, nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from corrections_monitor.api.caseview import visible
from corrections_monitor.api.editing import SAVE_TRIES, Edit, item_id_of, moving, save_change
from corrections_monitor.api.jurisdiction import PERMISSIONS, Permission
from corrections_monitor.api.problems import Problem, invalid
from corrections_monitor.api.render import Json
from corrections_monitor.cases.single import columns_of
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.rules.turns import Change


@dataclass(frozen=True, slots=True)
class Wish:
    """A change of one office's roster: ``make`` gives it from the cases as they stand; ``named`` are
    those who come on call by it, ``detail`` what the log keeps."""

    action: str
    office_id: str
    named: Collection[str]
    make: Callable[[CaseSet], Change]
    detail: dict[str, Any]


async def apply(edit: Edit, wish: Wish, previewed: str | None = None) -> Json:
    """Make the change; with ``previewed`` only if it is still the plan of that name.

    Raises the 404, the 409 when there is nothing to change, the 412 when the plan has moved, the 422.
    """
    for _ in range(SAVE_TRIES):
        cases, version = await edit.state.cases.current(edit.state.store)
        change = _judged(edit, wish, cases)
        if not change:
            raise Problem("conflict", "该时段无此人值班，或已如此安排（nothing to change）。")
        told = _told(edit, change)
        if previewed is not None and previewed != told["plan"]:
            raise Problem("changed-meanwhile", "值班表已被他人修改，请重新预览。")
        if await save_change(edit, change, version, wish.action, wish.office_id, wish.detail):
            return told
    raise moving()


async def preview(edit: Edit, wish: Wish) -> Json:
    """The change as it would be made, and who is still missing in its span.  Raises the 404 and the 422."""
    cases, _ = await edit.state.cases.current(edit.state.store)
    return _told(edit, _judged(edit, wish, cases))


def _judged(edit: Edit, wish: Wish, cases: CaseSet) -> Change:
    if wish.office_id not in visible(cases, edit.asker.offices).offices:
        raise invalid("office_id", "没有这个机构（no such office）")
    above = {office.office_id for office in cases.offices_up(wish.office_id)}
    for name in wish.named:
        officer = cases.officers.get(name)
        # A colleague may come from the office itself, from above it, or from where the asker may look anyway.
        if officer is None or officer.office_id not in above | edit.asker.offices:
            raise invalid("officer_id", f"没有人员 {name}（no such officer）")
        if Permission.ANSWER not in PERMISSIONS[officer.role]:
            raise invalid("officer_id", f"{officer.name} 的角色不处置警情（does not answer alerts）")
    return wish.make(cases)


def _told(edit: Edit, change: Change) -> Json:
    """``plan`` names exactly this change of exactly these rows."""
    zone = edit.state.zone
    written = [
        {"id": item_id_of(key), **columns_of("duty", row, zone)}
        for key, row in sorted(change.items(), key=lambda item: item[0][2])
        if row is not None
    ]
    withdrawn = sorted(item_id_of(key) for key, row in change.items() if row is None)
    text = json.dumps([written, withdrawn], sort_keys=True)
    return {
        "plan": hashlib.sha256(text.encode()).hexdigest()[:20],
        "written": written,
        "withdrawn": withdrawn,
    }
