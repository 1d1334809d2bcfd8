"""Drills (演练): ordered here, taken by the daemon, measured by what became of their alerts and pages."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from corrections_monitor.model.alerts import Drill
from corrections_monitor.model.cases import Officer
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.store.api_rows import Row, jurisdiction, rows
from corrections_monitor.store.audit import append
from corrections_monitor.store.pool import Store
from corrections_monitor.store.queries import query


@dataclass(frozen=True, slots=True)
class Matter:
    """What is practised, and for how long if nobody resolves it."""

    kind: Kind
    severity: Severity
    lasting_ms: int
    reason: str


async def order_drill(
    store: Store,
    offices: Collection[str],
    officers: Iterable[Officer],
    matter: Matter,
    ordered_by: str,
    now_ms: int,
) -> str:
    """One alert for each officer, marked as a drill, through the whole chain; audited, told to the daemon.

    Gives the drill's id.  The officers are of ``offices``, at least one.
    """
    drill_id = f"d{secrets.token_hex(6)}"
    drills = [
        Drill(
            drill_id, officer.officer_id, officer.office_id, matter.kind, matter.severity, now_ms,
            now_ms + matter.lasting_ms, matter.reason,
        )
        for officer in officers
    ]  # fmt: skip
    async with jurisdiction(store, offices) as connection:
        for drill in drills:
            await connection.execute(query("drills.add"), _values(drill) | {"ordered_by": ordered_by})
        await connection.execute(query("decisions.tell"), ["answers", ""])
        detail = {
            "officers": [d.officer_id for d in drills], "kind": matter.kind.value, "reason": matter.reason,
        }  # fmt: skip
        await append(connection, now_ms, ordered_by, "drill.order", drill_id, detail)
    return drill_id


async def drill_report(store: Store, offices: Collection[str], drill_id: str) -> list[Row]:
    """What became of a drill, a row an officer: how many pages, and after how many seconds it was handed to a
    channel, acknowledged and resolved (None: not yet); empty for one outside the offices."""
    async with jurisdiction(store, offices) as connection:
        found = await rows(connection, "drills.report", drill_id=drill_id)
    return [{**row, **{f"{what}_after_s": _after_s(row, what) for what in _MEASURED}} for row in found]


async def list_drills(store: Store, offices: Collection[str], limit: int) -> list[Row]:
    """The newest drills of the offices: id, when, kind, how many officers, how many acknowledged."""
    async with jurisdiction(store, offices) as connection:
        return await rows(connection, "drills.newest", offices=list(offices), limit=limit)


_MEASURED = ("paged", "acknowledged", "resolved")


def _after_s(row: Row, what: str) -> float | None:
    at_ms = row[f"{what}_ms"]
    return None if at_ms is None else round((at_ms - row["at_ms"]) / 1_000, 3)


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
