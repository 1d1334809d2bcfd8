"""Jurisdiction is held twice; here each hold stands alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import small_city as world

from corrections_monitor.store import Store
from corrections_monitor.store.api_alerts import Filter, alerts_by_id, list_alerts
from corrections_monitor.store.api_people import PeopleFilter, list_people
from corrections_monitor.store.api_rows import jurisdiction
from corrections_monitor.store.api_violations import list_violations

MINE = frozenset({"station-a1"})


async def _city(store: Store) -> list[str]:
    await store.save_cases(world.cases(), "test", world.NOW_MS)
    found = [world.violation(person) for person in world.PEOPLE]
    async with store.transaction() as tx:
        await tx.write_alerts([alert for _, alert in found])
        await tx.write_lines([line for line, _ in found])
    return [alert.alert_id for _, alert in found]


@pytest.fixture
async def unbound(database_url: str) -> AsyncIterator[Store]:
    """A store under the owner of the tables, whom row-level security does not bind."""
    opened = await Store.open(database_url, "owner")
    yield opened
    await opened.close()


async def test_the_queries_alone_keep_to_the_offices(unbound: Store) -> None:
    store = unbound
    alert_ids = await _city(store)
    alerts = await list_alerts(store, Filter(MINE), world.NOW_MS)
    assert {a.alert["person_id"] for a in alerts} == {"p-a1", "q-a1"}
    assert len(await alerts_by_id(store, MINE, alert_ids, world.NOW_MS)) == 2
    assert {e["person_id"] for e in await list_violations(store, Filter(MINE))} == {"p-a1", "q-a1"}
    people = await list_people(store, PeopleFilter(MINE), world.NOW_MS)
    assert {p.person["person_id"] for p in people} == {"p-a1", "q-a1", "guarded"}


async def test_the_database_alone_keeps_to_the_offices(store: Store, api_store: Store) -> None:
    """The API's role asks for every office, in a transaction that may see one."""
    await _city(store)
    for table in ("people", "alerts", "episodes", "orders", "devices", "leaves", "suspensions"):
        async with jurisdiction(api_store, MINE) as connection:
            cursor = await connection.execute(f"SELECT person_id FROM {table}")  # type: ignore[arg-type]
            seen = {row[0] for row in await cursor.fetchall()}
        assert {"p-a1", "q-a1"} <= seen <= {"p-a1", "q-a1", "guarded"}, table
