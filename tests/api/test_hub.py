"""Streams: everyone hears of their own offices, and a slow reader is ended, not buffered for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from corrections_monitor.api.hub import QUEUE_MAX, Change, Hub, Told


async def _listening(hub: Hub, *offices: str, locations: bool = True) -> AsyncIterator[Told | None]:
    """A subscription that is already in place (it is made by the first step of the iterator)."""
    changes = hub.subscribe(frozenset(offices), locations, heartbeat_s=0.01)
    assert await anext(changes) is None
    return changes


async def _next(changes: AsyncIterator[Told | None]) -> str:
    while True:
        change = await anext(changes)
        if change is not None:
            return change[1]


async def test_a_change_reaches_those_whose_office_it_is() -> None:
    hub = Hub()
    mine, theirs = await _listening(hub, "s1"), await _listening(hub, "s2")
    hub.publish(Change("alert", "s1", "first", "first"))
    hub.publish(Change("alert", "s2", "second", "second"))
    assert await _next(mine) == "first"
    assert await _next(theirs) == "second"


async def test_positions_do_not_reach_those_who_see_no_locations() -> None:
    hub = Hub()
    admin = await _listening(hub, "s1", locations=False)
    hub.publish(Change("position", "s1", "where", None))
    hub.publish(Change("alert", "s1", "what, where", "what"))
    assert await _next(admin) == "what"


async def test_a_reader_that_falls_behind_is_ended_and_forgotten() -> None:
    hub = Hub()
    slow = await _listening(hub, "s1")
    for n in range(QUEUE_MAX + 10):
        hub.publish(Change("alert", "s1", str(n), str(n)))
    assert len(hub) == 0
    async with asyncio.timeout(5):
        read = [change async for change in slow if change is not None]
    assert len(read) == QUEUE_MAX


async def test_closing_ends_every_stream() -> None:
    hub = Hub()
    open_one = await _listening(hub, "s1")
    hub.close()
    async with asyncio.timeout(5):
        assert [c async for c in open_one if c] == []
        assert [c async for c in hub.subscribe(frozenset({"s1"}), True, 0.01)] == []


async def test_a_reader_that_goes_away_is_forgotten() -> None:
    hub = Hub()
    changes = await _listening(hub, "s1")
    assert len(hub) == 1
    await changes.aclose()  # type: ignore[attr-defined]
    assert len(hub) == 0
