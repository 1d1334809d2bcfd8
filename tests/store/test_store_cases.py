"""Cases: what is saved comes back, edits never reach back, every change is told and audited."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from corrections_monitor.model.cases import CaseSet
from corrections_monitor.store import Store
from corrections_monitor.store.cases import CasesMovedError

T0_MS = 1_764_000_000_000


async def test_every_row_comes_back_as_it_was_saved(store: Store, city: CaseSet) -> None:
    counts = await store.save_cases(city, "import", T0_MS)
    loaded, version = await store.load_cases()
    assert loaded == city
    assert version == 1
    assert counts == {
        "offices": 5, "officers": 2, "duty": 1, "holidays": 1, "people": 3, "devices": 3, "orders": 1,
        "zones": 3, "leaves": 1, "suspensions": 1, "contacts": 1,
    }  # fmt: skip


async def test_saving_the_same_again_changes_nothing(store: Store, city: CaseSet) -> None:
    await store.save_cases(city, "import", T0_MS)
    assert await store.save_cases(city, "import", T0_MS + 1) == {}
    assert (await store.load_cases())[1] == 1
    assert (await store.audit.verify()).rows == 1


async def test_an_edit_writes_only_what_changed_and_leaves_history_readable(
    store: Store, city: CaseSet
) -> None:
    await store.save_cases(city, "import", T0_MS)
    moved = replace(city.people["p1"], office_id="s2")
    assert await store.save_cases(CaseSet(people={"p1": moved}), "o1", T0_MS + 10) == {"people": 1}
    now, _ = await store.load_cases()
    assert now.people["p1"] == moved
    assert now.people["p2"] == city.people["p2"]  # rows absent from the edit stay
    before, version = await store.load_cases(as_of_ms=T0_MS + 9)
    assert (before, version) == (city, 1)
    assert (await store.load_cases(as_of_ms=T0_MS - 1))[0] == CaseSet()


async def test_a_clock_set_back_does_not_make_history_overlap(
    store: Store, database_url: str, city: CaseSet
) -> None:
    await store.save_cases(city, "import", T0_MS)
    moved = replace(city.people["p1"], office_id="s2")
    await store.save_cases(CaseSet(people={"p1": moved}), "o1", T0_MS - 5000)
    # Every version has an instant of its own, so the earlier one can still be read.
    assert (await store.load_cases(as_of_ms=T0_MS))[0].people["p1"] == city.people["p1"]
    assert (await store.load_cases(as_of_ms=T0_MS + 1))[0].people["p1"] == moved
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT recorded_ms, superseded_ms FROM people WHERE person_id = 'p1' ORDER BY superseded_ms"
        ).fetchall()
    assert rows == [(T0_MS, T0_MS + 1), (T0_MS + 1, None)]


async def test_withdrawn_rows_end(store: Store, city: CaseSet) -> None:
    await store.save_cases(city, "import", T0_MS)
    counts = await store.save_cases(
        CaseSet(), "o1", T0_MS + 1, withdrawn={"duty": [("s1", "o1", T0_MS)], "zones": ["z3"]}
    )
    assert counts == {"duty": 1, "zones": 1}
    now, _ = await store.load_cases()
    assert not now.duty
    assert set(now.zones) == {"z1", "z2"}


async def test_an_edit_made_from_an_older_version_is_refused(store: Store, city: CaseSet) -> None:
    await store.save_cases(city, "import", T0_MS)
    leave = replace(city.leaves["l1"], approved_by="钱二")
    with pytest.raises(CasesMovedError):
        await store.save_cases(CaseSet(leaves={"l1": leave}), "o1", T0_MS + 1, base_version=0)
    await store.save_cases(CaseSet(leaves={"l1": leave}), "o1", T0_MS + 1, base_version=1)


async def test_saves_at_the_same_moment_queue_up(store: Store, city: CaseSet) -> None:
    await store.save_cases(city, "import", T0_MS)

    async def edit(n: int) -> None:
        person = replace(city.people["p1"], name=f"张{n}")
        await store.save_cases(CaseSet(people={"p1": person}), "o1", T0_MS + n)

    await asyncio.gather(*(edit(n) for n in range(1, 6)))
    assert (await store.load_cases())[1] == 6


async def test_the_daemon_hears_of_a_change_and_the_audit_knows_who(
    store: Store, api_store: Store, city: CaseSet, database_url: str
) -> None:
    told = store.listen("cases")
    assert await anext(told) == ("cases", "")
    await api_store.save_cases(replace(city, people={}), "o1", T0_MS)  # people are imported, not edited
    assert await asyncio.wait_for(anext(told), 5) == ("cases", "1")
    await told.aclose()  # type: ignore[attr-defined]
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT actor, action, detail->'orders' FROM audit").fetchone()
    assert row == ("o1", "cases.save", {"rows": 1, "keys": ["r1"]})


async def test_a_change_shows_at_once_wherever_it_is_read(
    store: Store, api_store: Store, city: CaseSet
) -> None:
    await store.save_cases(city, "import", T0_MS)
    assert (await api_store.load_cases())[0] == city


async def test_what_differs_from_an_earlier_version_is_read_alone(store: Store, city: CaseSet) -> None:
    known = await store.load_cases()
    assert known == (CaseSet(), 0)
    await store.save_cases(city, "import", T0_MS)
    known = [known, await store.load_cases(known=known)]
    edited = replace(city, people={p: replace(row, name=f"{row.name}!") for p, row in city.people.items()})
    await store.save_cases(edited, "edit", T0_MS + 1)
    known.append(await store.load_cases(known=known[-1]))
    gone = {"zones": list(city.zones)[:1], "devices": list(city.devices)[:1], "holidays": list(city.holidays)}
    await store.save_cases(CaseSet(), "edit", T0_MS + 2, withdrawn=gone)
    known.append(await store.load_cases(known=known[-1]))
    await store.save_cases(city, "edit", T0_MS + 3)
    known.append(await store.load_cases(known=known[-1]))
    assert [version for _, version in known] == [0, 1, 2, 3, 4]
    assert known[-1] == await store.load_cases()
    for before in known:
        for cases, version in known[known.index(before) :]:
            assert await store.load_cases_of(version, before) == cases == await store.load_cases_of(version)


def test_row_layout_covers_every_field(city: Any) -> None:
    """A field added to a dataclass without a column would be lost in silence; encoding must name it."""
    from corrections_monitor.store.case_tables import CASE_TABLES

    for table in CASE_TABLES:
        for key, row in getattr(city, table.attribute).items():
            values = [json.dumps(v.obj).encode() if isinstance(v, Jsonb) else v for v in table.encode(row)]
            assert list(table.decode([tuple(values)])) == [(key, row)]
        assert not list(table.decode([]))
