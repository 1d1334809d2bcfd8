"""Commands to devices: written with what decided them, claimed, sent, answered (``0001_commands.sql``)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from corrections_monitor.model.commands import Cmd, Command, CommandState, Origin
from corrections_monitor.store.audit import append
from corrections_monitor.store.queries import query

Connection = AsyncConnection[tuple[Any, ...]]
CHANNEL = "commands"

_TOLD = {
    CommandState.DONE: "command-done",
    CommandState.FAILED: "command-failed",
    CommandState.EXPIRED: "command-expired",
}


@dataclass(frozen=True, slots=True)
class ClaimedCommand:
    """A command to be sent now; ``attempt`` counts from 1 and proves the claim when recording."""

    command_id: str
    attempt: int
    device_id: str
    county_id: str
    cmd: Cmd
    arg: int | str | None


async def put(connection: Connection, command: Command) -> bool:
    """Write one command with timeline, audit and word to the sender; False when it was there already."""
    cursor = await connection.execute(query("commands.put"), _row(command))
    if await cursor.fetchone() is None:
        return False
    if command.cmd is Cmd.SET_INTERVAL:
        await connection.execute(query("commands.supersede"), _row(command))
    detail = {"device": command.device_id, "cmd": command.cmd.value, "arg": command.arg}
    if command.alert_id is not None:
        who = command.issued_by if command.origin is Origin.OFFICER else None
        told = {**detail, "id": command.command_id, "origin": command.origin.value}
        await _note(connection, command.alert_id, command.issued_ms, "commanded", who, told)
    await connection.execute(query("decisions.tell"), [CHANNEL, ""])
    await append(
        connection, command.issued_ms, command.issued_by, "device.command", command.person_id,
        {**detail, "id": command.command_id, "origin": command.origin.value},
    )  # fmt: skip
    return True


class CommandWrites:
    """The part of a ``Tx`` that deals with commands."""

    _connection: Connection

    async def write_commands(self, commands: Sequence[Command]) -> None:
        """Put commands into their outbox, once per id; call it last (audit)."""
        for command in commands:
            await put(self._connection, command)

    async def command_answered(self, device_id: str, command_id: str, done: bool, at_ms: int) -> bool:
        """A device's answer; False when it is to nothing that waits for one."""
        state = CommandState.DONE if done else CommandState.FAILED
        cursor = await self._connection.execute(
            query("commands.answer"),
            {"command_id": command_id, "device_id": device_id, "state": state.value, "at_ms": at_ms},
        )
        row = await cursor.fetchone()
        if row is None:
            return False
        alert_id, cmd = row
        if alert_id is not None:
            detail = {"device": device_id, "cmd": cmd, "id": command_id}
            await _note(self._connection, alert_id, at_ms, _TOLD[state], None, detail)
        return True


class Commands:
    """Claim and record; each is a transaction of its own."""

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self._pool = pool

    async def claim(
        self, now_ms: int, limit: int, lease_ms: int, held: Collection[str] = ()
    ) -> list[ClaimedCommand]:
        """Up to ``limit`` due commands; those whose time has run out are marked so and left out.

        ``held`` are in hand already.
        """
        given = {"now_ms": now_ms, "limit": limit, "lease_ms": lease_ms, "held": list(held)}
        found = []
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query("commands.claim"), given)
            for state, name, attempt, device_id, county_id, cmd, arg, alert_id in await cursor.fetchall():
                if state == CommandState.CLAIMED:
                    found.append(ClaimedCommand(name, attempt, device_id, county_id, Cmd(cmd), arg))
                elif alert_id is not None:
                    detail = {"device": device_id, "cmd": cmd, "id": name}
                    what = _TOLD[CommandState.EXPIRED]
                    await _note(connection, alert_id, now_ms, what, None, detail)
        return found

    async def record(
        self, claimed: ClaimedCommand, handed: bool, at_ms: int, again_ms: int, error: str | None
    ) -> bool:
        """What came of the attempt; unless the device answers it is sent again at ``again_ms``.

        False when the claim had run out, or the device has answered meanwhile.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                query("commands.record"),
                {
                    "command_id": claimed.command_id,
                    "attempt": claimed.attempt,
                    "handed": handed,
                    "at_ms": at_ms,
                    "next_attempt_ms": again_ms,
                    "error": error,
                },
            )
        return cursor.rowcount == 1


def _row(command: Command) -> dict[str, Any]:
    return {
        "command_id": command.command_id,
        "person_id": command.person_id,
        "device_id": command.device_id,
        "county_id": command.county_id,
        "cmd": command.cmd.value,
        "arg": None if command.arg is None else Jsonb(command.arg),
        "issued_by": command.issued_by,
        "origin": command.origin.value,
        "alert_id": command.alert_id,
        "issued_ms": command.issued_ms,
        "expires_ms": command.expires_ms,
    }


async def _note(
    connection: Connection, alert_id: str, at_ms: int, what: str, who: str | None, detail: dict[str, Any]
) -> None:
    row = {"alert_id": alert_id, "at_ms": at_ms, "what": what, "who": who, "detail": Jsonb(detail)}
    await connection.execute(query("decisions.add_timeline"), row)
