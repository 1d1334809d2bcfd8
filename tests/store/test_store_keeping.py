"""What is no longer needed goes, and only that: after a term's end, never under a hold, always logged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import psycopg

from corrections_monitor.model.cases import (
    CaseSet,
    Category,
    Device,
    DeviceKind,
    Level,
    Office,
    Officer,
    Person,
    Role,
)
from corrections_monitor.model.telemetry import Fixes
from corrections_monitor.model.times import DAY_MS, Interval
from corrections_monitor.store import Store

NOW_MS = 1_764_000_000_000
ENDED_MS = NOW_MS - 40 * DAY_MS
KEEP_MS, AFTER_MS = 180 * DAY_MS, 30 * DAY_MS
Make = Callable[[Sequence[int]], Fixes]


async def _two_ended_one_not(store: Store, fixes: Make) -> None:
    """``gone`` and ``held`` ended forty days ago, ``stays`` did not; ``d-gone`` went on to ``stays``."""
    began_ms = NOW_MS - 100 * DAY_MS
    until = {"gone": ENDED_MS, "held": ENDED_MS, "stays": NOW_MS + DAY_MS}
    spans = {p: Interval(began_ms, end_ms) for p, end_ms in until.items()}
    people = {p: Person(p, p, Category.PROBATION, "s", "o", span) for p, span in spans.items()}
    bound = [Device(f"d-{p}", DeviceKind.BAND, p, 60, span) for p, span in spans.items()]
    bound.append(Device("d-gone", DeviceKind.BAND, "stays", 60, Interval(ENDED_MS, NOW_MS + DAY_MS)))
    cases = CaseSet(
        offices={"s": Office("s", None, Level.STATION, "s")},
        officers={"o": Officer("o", "s", "o", Role.OFFICER, "o")},
        people=people,
        devices={(d.device_id, d.span.from_ms): d for d in bound},
    )
    await store.save_cases(cases, "test", began_ms)
    for person in until:
        await _report(store, fixes, f"d-{person}", ENDED_MS - DAY_MS)
    await _report(store, fixes, "d-gone", ENDED_MS + DAY_MS)


async def _report(store: Store, fixes: Make, device_id: str, t_ms: int) -> None:
    numbers = await store.device_numbers([device_id])
    async with store.transaction() as tx:
        await tx.insert_fixes(numbers, fixes([t_ms]), np.array([t_ms]))


def _stored(url: str) -> list[tuple[str, int]]:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT device_id, t_ms FROM fixes JOIN device_numbers USING (device_no)")
        return sorted((device_id, (t_ms - ENDED_MS) // DAY_MS) for device_id, t_ms in found)


def _hold(url: str, person_id: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO legal_holds VALUES (%s, 'letter', 'o', 0)", [person_id])


async def test_after_the_term_positions_go_and_the_next_wearers_stay(
    store: Store, database_url: str, fixes: Make
) -> None:
    await _two_ended_one_not(store, fixes)
    assert (await store.maintenance.run(NOW_MS, KEEP_MS, 41 * DAY_MS)).people_erased == 0
    _hold(database_url, "held")
    assert (await store.maintenance.run(NOW_MS, KEEP_MS, AFTER_MS)).people_erased == 1
    assert _stored(database_url) == [("d-gone", 1), ("d-held", -1), ("d-stays", -1)]
    assert (await store.maintenance.run(NOW_MS, KEEP_MS, AFTER_MS)).people_erased == 0
    with psycopg.connect(database_url) as connection:
        logged = connection.execute(
            "SELECT actor, target, detail FROM audit WHERE action = 'telemetry.erase'"
        ).fetchall()
    assert logged == [("system", "gone", {"fixes": 1, "band_events": 0})]
    assert not (await store.audit.verify()).faults


async def test_a_hold_outlasts_the_retention_of_everybody_else(
    store: Store, database_url: str, fixes: Make
) -> None:
    await _two_ended_one_not(store, fixes)
    _hold(database_url, "held")
    later_ms = NOW_MS + 200 * DAY_MS
    await store.maintenance.run(later_ms, KEEP_MS, AFTER_MS)
    assert _stored(database_url) == [("d-held", -1)]
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM legal_holds")
    assert (await store.maintenance.run(later_ms, KEEP_MS, AFTER_MS)).partitions_dropped > 0
    assert _stored(database_url) == []
