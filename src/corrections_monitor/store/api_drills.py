"""Drills (演练): ordered here, taken by the daemon, measured by what became of their alerts and pages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from corrections_monitor.model.alerts import Drill
from corrections_monitor.store.api_rows import Row, jurisdiction, rows
from corrections_monitor.store.audit import append
from corrections_monitor.store.pool import Store
from corrections_monitor.store.queries import query


async def order_drill(
    store: Store, offices: Collection[str], drills: Sequence[Drill], ordered_by: str
) -> None:
    """Order one drill of one or more officers of these offices; audited, told to the daemon."""
    first = drills[0]
    async with jurisdiction(store, offices) as connection:
        for drill in drills:
            await connection.execute(query("drills.add"), _values(drill) | {"ordered_by": ordered_by})
        await connection.execute(query("decisions.tell"), ["answers", ""])
        detail = {
            "officers": [d.officer_id for d in drills], "kind": first.kind.value, "reason": first.reason,
        }  # fmt: skip
        await append(connection, first.at_ms, ordered_by, "drill.order", first.drill_id, detail)


async def drill_report(store: Store, offices: Collection[str], drill_id: str) -> list[Row]:
    """What became of a drill, a row an officer: when it opened, was handed to a channel, acknowledged and
    resolved (epoch ms, None: not); empty for one outside the offices."""
    async with jurisdiction(store, offices) as connection:
        return await rows(connection, "drills.report", drill_id=drill_id)


async def list_drills(store: Store, offices: Collection[str], limit: int) -> list[Row]:
    """The newest drills of the offices: id, when, kind, how many officers, how many acknowledged."""
    async with jurisdiction(store, offices) as connection:
        return await rows(connection, "drills.newest", offices=list(offices), limit=limit)


def _values(drill: Drill) -> dict[str, Any]:
    return {
        "drill_id": drill.drill_id,
        "officer_id": drill.officer_id,
        "office_id": drill.office_id,
        "alert_id": drill.alert_id,
        "kind": drill.kind.value,
        "severity": int(drill.severity),
        "at_ms": drill.at_ms,
        "ends_ms": drill.ends_ms,
        "reason": drill.reason,
    }
