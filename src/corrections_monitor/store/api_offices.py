"""Offices (机构): the tree, and how things stand at one of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from corrections_monitor.model.times import DAY_MS
from corrections_monitor.store.api_rows import Row, jurisdiction, one, rows
from corrections_monitor.store.pool import EVERYTHING, Store

STATISTICS_DAYS = 30  # how far back findings and steps with nobody are counted


@dataclass(frozen=True, slots=True)
class OfficeSummary:
    """The office, counts of people, unresolved alerts by state and severity, who is on duty; and since
    ``since_ms`` what was found of alerts, and which steps of ladders found nobody."""

    office: Row
    people: Row
    alerts: list[Row]
    on_duty: list[Row]
    since_ms: int
    findings: list[Row]
    steps_with_nobody: list[Row]


async def offices_below(store: Store, office_id: str) -> frozenset[str]:
    """The office and all below it; empty when there is no such office."""
    async with store.seeing(EVERYTHING) as connection:
        found = await rows(connection, "api_offices.below", office_id=office_id)
    return frozenset(row["office_id"] for row in found)


async def summarise(
    store: Store, office_id: str, offices: Collection[str], now_ms: int
) -> OfficeSummary | None:
    """How things stand at an office with all below it (``offices``); None when there is no such office."""
    async with jurisdiction(store, offices) as connection:
        office = await one(connection, "api_offices.office", office_id=office_id)
        since_ms = now_ms - STATISTICS_DAYS * DAY_MS
        values = {"offices": list(offices), "now_ms": now_ms}
        lately = {**values, "since_ms": since_ms}
        people = await one(connection, "api_offices.summary", **values)
        if office is None or people is None:
            return None
        return OfficeSummary(
            office,
            people,
            await rows(connection, "api_offices.alerts_standing", offices=list(offices)),
            await rows(connection, "api_offices.on_duty", **values),
            since_ms,
            await rows(connection, "api_offices.findings", **lately),
            await rows(connection, "api_offices.steps_with_nobody", **lately),
        )


async def load_of(
    store: Store, offices: Collection[str], since_ms: int, now_ms: int, zone: ZoneInfo
) -> list[Row]:
    """How many alerts each officer of the offices was told of on each civil day since then: office_id,
    officer_id, name, day, alerts; without days and officers that had none."""
    values = {"offices": list(offices), "since_ms": since_ms, "now_ms": now_ms, "zone": zone.key}
    async with jurisdiction(store, offices) as connection:
        return await rows(connection, "api_offices.load", **values)
