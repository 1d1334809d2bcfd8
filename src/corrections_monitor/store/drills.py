"""Drills (演练) as the daemon takes them; ordering and reading them is ``api_drills``."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from corrections_monitor.model.alerts import Drill
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.store.queries import query

Connection = AsyncConnection[tuple[Any, ...]]


class DrillWrites:
    """The part of a ``Tx`` that takes what was ordered."""

    _connection: Connection

    async def take_drills(self, batch_no: int) -> list[Drill]:
        """The drills not yet taken, in order, marked as taken by this batch."""
        cursor = await self._connection.execute(query("drills.take"), [batch_no])
        return [
            Drill(drill, officer, office, Kind(kind), Severity(severity), at_ms, ends_ms, reason)
            for drill, officer, office, kind, severity, at_ms, ends_ms, reason in await cursor.fetchall()
        ]
