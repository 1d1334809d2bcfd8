"""What a page tells: an alert with its episodes, the names, the newest position and what lies around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from corrections_monitor.model.cases import Zone
from corrections_monitor.store.api_alerts import AlertRow
from corrections_monitor.store.api_rows import one, rows
from corrections_monitor.store.case_tables import CASE_TABLES, RawJson
from corrections_monitor.store.pool import EVERYTHING, Store
from corrections_monitor.store.queries import query

Connection = AsyncConnection[tuple[Any, ...]]

_ZONES = next(table for table in CASE_TABLES if table.name == "zones")


@dataclass(frozen=True, slots=True)
class AlertToTell:
    """An alert as every channel needs it; ``office_name`` is its office's id where it has no name.

    ``offices`` are its office and those above; ``zones`` are those that may say where somebody is;
    ``officers`` names those the alert speaks of, by id.
    """

    alert: AlertRow
    office_name: str
    offices: tuple[str, ...]
    zones: tuple[Zone, ...]
    officers: Mapping[str, str]


async def alert_to_tell(store: Store, alert_id: str) -> AlertToTell:
    """Read it as it is now, under the engine's role.  Raises LookupError when there is no such alert."""
    async with store.seeing(EVERYTHING) as connection:
        alert = await one(connection, "notices.alert", alert_id=alert_id)
        if alert is None:
            raise LookupError(f"no alert {alert_id}")
        spoken_of = [alert["acknowledged_by"], alert["resolved_by"], alert["round_why_who"]]
        officers = await rows(connection, "notices.officers", officer_ids=spoken_of)
        episodes = await rows(connection, "notices.episodes", alert_id=alert_id)
        position = await one(connection, "notices.newest_position", person_id=alert["person_id"])
        up = await rows(connection, "notices.offices_up", office_id=alert["office_id"])
        offices = tuple(row["office_id"] for row in up)
        zone_ids = [e["zone_id"] for e in episodes if e["zone_id"]]
        zones = await _zones(connection, alert["person_id"], offices, zone_ids) if position else ()
    return AlertToTell(
        AlertRow(alert, episodes, position),
        alert["office_name"] or alert["office_id"],
        offices,
        zones,
        {row["officer_id"]: row["name"] for row in officers},
    )


async def _zones(
    connection: Connection, person_id: str, offices: tuple[str, ...], zone_ids: list[str]
) -> tuple[Zone, ...]:
    columns = SQL(", ").join(map(Identifier, _ZONES.columns))
    async with connection.cursor(binary=True) as cursor:
        cursor.adapters.register_loader("jsonb", RawJson)
        await cursor.execute(
            SQL(query("notices.zones")).format(columns=columns),
            {"person_id": person_id, "offices": list(offices), "zone_ids": zone_ids},
        )
        return tuple([zone for _, zone in _ZONES.decode(await cursor.fetchall())])
