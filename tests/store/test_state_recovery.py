"""The engine's state brought back: what was judged, and by which cases what comes late will be."""

from __future__ import annotations

from dataclasses import replace

from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Config
from corrections_monitor.live.recovery import recover
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.times import DAY_MS, HOUR_MS
from corrections_monitor.replay import calendar_of
from corrections_monitor.store import Store


async def test_after_a_restart_late_fixes_are_still_judged_by_the_cases_of_their_time(
    store: Store, city: CaseSet
) -> None:
    config, clock = Config(), SystemClock()
    began_ms = clock.wall_ms()
    await store.save_cases(city, "test", began_ms)
    state = await recover(store, config, clock)
    edits_ms = [began_ms + HOUR_MS, began_ms + 2 * HOUR_MS, began_ms + 5 * DAY_MS]
    for number, at_ms in enumerate(edits_ms):
        person = next(iter(city.people.values()))
        edited = replace(
            city, people={**city.people, person.person_id: replace(person, name=f"name {number}")}
        )
        await store.save_cases(edited, "test", at_ms)
        cases, version = await store.load_cases()
        state.engine.amend(cases, calendar_of(cases, config.site.timezone), at_ms)
        state.follow(version, at_ms)
        async with store.transaction() as tx:
            await tx.append_journal(number + 1, b"")
            await tx.save_snapshot(number + 1, state.to_bytes())
        back = (await recover(store, config, clock)).engine
        known = state.engine.past_cities[-len(back.past_cities) :]
        assert [(at, c.cases) for at, c in back.past_cities] == [(at, c.cases) for at, c in known]
        # What is days ago is not told anew any more: those cases are let go.
        assert [at for at, _ in back.past_cities] == (edits_ms[: number + 1] if number < 2 else edits_ms[2:])


async def test_a_daemon_that_dies_between_an_edit_and_its_taking_force_starts_again(
    store: Store, city: CaseSet
) -> None:
    """The row that an edit closes lies elsewhere in its table afterwards."""
    config, clock = Config(), SystemClock()
    await store.save_cases(city, "test", clock.wall_ms())
    state = await recover(store, config, clock)
    async with store.transaction() as tx:
        await tx.append_journal(1, b"")
        await tx.save_snapshot(1, state.to_bytes())
    first = next(iter(state.engine.cases.people.values()))
    edited = replace(city, people={**city.people, first.person_id: replace(first, name="another")})
    await store.save_cases(edited, "test", clock.wall_ms() + 1)
    back = await recover(store, config, clock)
    assert back.cases_version == 1
    assert back.engine.cases == city
    assert [*back.engine.cases.people] != [*state.engine.cases.people], "the rows lie as they did"
