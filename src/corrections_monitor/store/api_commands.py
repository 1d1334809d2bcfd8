"""Commands as officers give them and read them again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from corrections_monitor.model.commands import Command
from corrections_monitor.store.api_rows import Row, jurisdiction, one, rows
from corrections_monitor.store.commands import put
from corrections_monitor.store.pool import Store

LISTED_MAX = 100


async def issue(store: Store, offices: Collection[str], commands: Sequence[Command]) -> list[Row]:
    """Write an officer's commands to one person, on the timeline of the person's gravest open alert unless
    one is named; returns that person's newest commands."""
    person_id = commands[0].person_id
    async with jurisdiction(store, offices) as connection:
        alert = await one(connection, "commands.open_alert_of", person_id=person_id)
        for command in commands:
            await put(connection, replace(command, alert_id=alert["alert_id"] if alert else None))
        return await rows(connection, "commands.of_person", person_id=person_id, limit=len(commands))


async def commands_of(store: Store, offices: Collection[str], person_id: str) -> list[Row]:
    """The newest commands to a person's devices, newest first; empty for one outside the offices."""
    async with jurisdiction(store, offices) as connection:
        return await rows(connection, "commands.of_person", person_id=person_id, limit=LISTED_MAX)
