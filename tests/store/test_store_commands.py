"""Commands to devices: one row each, every move of its life, held by one sender, answered by its device."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from corrections_monitor.model.alerts import Alert
from corrections_monitor.model.commands import (
    COMMAND_MOVES,
    Cmd,
    Command,
    CommandEvent,
    CommandState,
    Origin,
)
from corrections_monitor.store import Store

T0_MS = 1_764_000_000_000
LEASE_MS, EXPIRES_MS = 30_000, T0_MS + 3_600_000
LOCATE = Command(
    "c1", "p1", "d1", "k1", Cmd.LOCATE_NOW, None, "o1", Origin.OFFICER, None, T0_MS, EXPIRES_MS
)  # fmt: skip
SLOW = replace(LOCATE, command_id="slow", cmd=Cmd.SET_INTERVAL, arg=60)
FAST = replace(SLOW, command_id="fast", arg=10)

# How to bring a command from its beginning into every state.
WAYS: dict[CommandState, tuple[CommandEvent, ...]] = {
    CommandState.PENDING: (),
    CommandState.CLAIMED: (CommandEvent.CLAIM,),
    CommandState.SENT: (CommandEvent.CLAIM, CommandEvent.HANDED),
    CommandState.DONE: (CommandEvent.DID,),
    CommandState.FAILED: (CommandEvent.DID_NOT,),
    CommandState.EXPIRED: (CommandEvent.TIME_OUT,),
    CommandState.SUPERSEDED: (CommandEvent.SUPERSEDE,),
}


class Life:
    """One command in the database, and what can happen to it; time goes on by a minute with each."""

    def __init__(self, store: Store, url: str) -> None:
        self._store, self._url, self._now_ms = store, url, T0_MS
        self._held: Any = None

    async def happens(self, event: CommandEvent) -> None:
        self._now_ms += 60_000
        now_ms, commands = self._now_ms, self._store.commands
        match event:
            case CommandEvent.CLAIM:
                self._held = next(iter(await commands.claim(now_ms, 9, LEASE_MS)), self._held)
            case CommandEvent.HANDED | CommandEvent.NOT_HANDED:
                if self._held is not None:
                    handed = event is CommandEvent.HANDED
                    await commands.record(self._held, handed, now_ms, now_ms + 1, None)
            case CommandEvent.DID | CommandEvent.DID_NOT:
                async with self._store.transaction() as tx:
                    await tx.command_answered("d1", "slow", event is CommandEvent.DID, now_ms)
            case CommandEvent.TIME_OUT:
                await commands.claim(EXPIRES_MS, 9, LEASE_MS)
            case CommandEvent.SUPERSEDE:
                async with self._store.transaction() as tx:
                    await tx.write_commands([replace(FAST, issued_ms=EXPIRES_MS, expires_ms=EXPIRES_MS + 1)])

    def state(self) -> str:
        with psycopg.connect(self._url) as connection:
            row = connection.execute("SELECT state FROM commands WHERE command_id = 'slow'").fetchone()
        assert row is not None
        return str(row[0])


@pytest.mark.parametrize("state", list(CommandState))
async def test_every_move_and_every_other_changes_what_the_table_says(
    store: Store, database_url: str, state: CommandState
) -> None:
    for event in CommandEvent:
        with psycopg.connect(database_url) as connection:
            connection.execute("DELETE FROM commands")
        life = Life(store, database_url)
        async with store.transaction() as tx:
            await tx.write_commands([SLOW])
        for step in WAYS[state]:
            await life.happens(step)
        assert life.state() == state
        await life.happens(event)
        assert life.state() == COMMAND_MOVES[state].get(event, state), event


def test_every_state_has_its_moves_and_can_be_reached() -> None:
    assert set(COMMAND_MOVES) == set(WAYS) == set(CommandState)
    reached = set(itertools.chain.from_iterable(moves.values() for moves in COMMAND_MOVES.values()))
    assert reached == set(CommandState)


async def _put(store: Store, *commands: Command) -> None:
    async with store.transaction() as tx:
        await tx.write_commands(commands)


async def test_deciding_the_same_again_commands_nothing_twice(store: Store) -> None:
    await _put(store, LOCATE)
    await _put(store, replace(LOCATE, issued_ms=T0_MS + 5))
    assert len(await store.commands.claim(T0_MS + 9, 9, LEASE_MS)) == 1


async def test_two_senders_never_hold_the_same_command(store: Store) -> None:
    await _put(store, *(replace(LOCATE, command_id=f"c{n}") for n in range(20)))
    claims = await asyncio.gather(*(store.commands.claim(T0_MS, 5, LEASE_MS) for _ in range(6)))
    held = [c.command_id for claim in claims for c in claim]
    assert len(held) == len(set(held)) == 20


async def test_a_sender_whose_lease_ran_out_records_nothing(store: Store) -> None:
    await _put(store, LOCATE)
    (first,) = await store.commands.claim(T0_MS, 9, LEASE_MS)
    assert await store.commands.claim(T0_MS + LEASE_MS - 1, 9, LEASE_MS) == []
    (second,) = await store.commands.claim(T0_MS + LEASE_MS, 9, LEASE_MS)
    assert second.attempt == 2
    assert not await store.commands.record(first, True, T0_MS, T0_MS, None)
    assert await store.commands.record(second, True, T0_MS, T0_MS, None)


async def test_only_the_device_itself_answers_and_only_once(
    store: Store, alert: Alert, database_url: str
) -> None:
    async with store.transaction() as tx:
        await tx.write_alerts([alert])
        await tx.write_commands([replace(LOCATE, alert_id="a1")])
        assert not await tx.command_answered("d2", "c1", True, T0_MS + 1)
        assert await tx.command_answered("d1", "c1", True, T0_MS + 1)
        assert not await tx.command_answered("d1", "c1", False, T0_MS + 2)
        assert not await tx.command_answered("d1", "unknown", True, T0_MS + 2)
    with psycopg.connect(database_url) as connection:
        told = connection.execute("SELECT what, who FROM alert_timeline ORDER BY at_ms").fetchall()
        audit = connection.execute("SELECT actor, action FROM audit").fetchall()
    assert told == [("commanded", "o1"), ("command-done", None)]
    assert audit == [("o1", "device.command")]


async def test_what_ran_out_of_time_is_told_on_the_timeline_and_sent_no_more(
    store: Store, alert: Alert, database_url: str
) -> None:
    async with store.transaction() as tx:
        await tx.write_alerts([alert])
        await tx.write_commands([replace(LOCATE, alert_id="a1")])
    for _ in range(2):
        assert await store.commands.claim(EXPIRES_MS, 9, LEASE_MS) == []
    with psycopg.connect(database_url) as connection:
        told = connection.execute("SELECT what FROM alert_timeline ORDER BY at_ms").fetchall()
    assert told == [("commanded",), ("command-expired",)]
