"""The roster from the folder into force: shown, held, confirmed, applied once, told and audited."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from exchange_town import NOW_MS, SPAN, ZONE, HandClock, changed, deliver, town, without

from corrections_monitor import cases as case_folder
from corrections_monitor.config import Config, Roster
from corrections_monitor.exchange import roster as desk_room
from corrections_monitor.exchange.roster import RETRY_MS, RosterDesk
from corrections_monitor.exchange.source import MARK
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.cases import CaseSet, Circle, Person
from corrections_monitor.model.times import DAY_MS, HOUR_MS, MINUTE_MS, Interval
from corrections_monitor.model.timing import Timing
from corrections_monitor.store import EVERYTHING, Store
from corrections_monitor.store.exchanges import decide, list_exchanges, waiting


class World:
    """A desk over a store with the town in force; ``folder`` is where rosters are left."""

    def __init__(self, store: Store, url: str, folder: Path, **settings: Any) -> None:
        self.store, self.url, self.folder, self.clock, self.metrics = (
            store,
            url,
            folder,
            HandClock(),
            Metrics(),
        )
        roster = Roster(source=str(folder), at=Timing(None, 15 * MINUTE_MS), fewer_max=0.5, **settings)
        self.config = replace(Config(), roster=roster)
        self.desk = RosterDesk(store, lambda: self.config, self.clock, self.metrics)

    async def next(self) -> str | None:
        """The next turn on schedule."""
        self.clock.now_ms += 15 * MINUTE_MS
        return await self.desk.look()

    async def cases(self) -> CaseSet:
        return (await self.store.load_cases())[0]

    async def newest(self) -> dict[str, Any]:
        return (await list_exchanges(self.store, EVERYTHING, None, 1))[0]

    async def decide(self, *, confirm: bool = True) -> bool:
        row = await self.newest()
        return await decide(
            self.store, EVERYTHING, row["exchange_id"], confirm=confirm, actor="head", reason="核实",
            now_ms=self.clock.now_ms,
        )  # fmt: skip

    def audited(self) -> list[tuple[str, str, Any]]:
        with psycopg.connect(self.url) as connection:
            rows = "SELECT actor, action, detail FROM audit WHERE action LIKE 'roster.%' ORDER BY seq"
            return list(connection.execute(rows).fetchall())


@pytest.fixture
async def world(store: Store, database_url: str, tmp_path: Path) -> World:
    await store.save_cases(town(), "test", NOW_MS - 30 * DAY_MS)
    (tmp_path / "roster").mkdir()
    return World(store, database_url, tmp_path / "roster")


def harmless() -> CaseSet:
    return changed(town(), "people", "p1", name="张一")


def harmful() -> CaseSet:
    """Shortens an order, and says something harmless besides."""
    return changed(harmless(), "orders", "o-p1", span=Interval(SPAN.from_ms, NOW_MS + DAY_MS))


async def test_what_harms_nobody_is_applied_by_itself_and_once(world: World) -> None:
    deliver(harmless(), world.folder)
    assert await world.desk.look() == "applied"
    assert (await world.cases()).people["p1"].name == "张一"
    row = await world.newest()
    assert row["difference"]["people"]["changed"]["count"] == 1
    version = await world.store.cases_version()
    assert row["version"] == version
    assert await world.next() == "unchanged"
    deliver(harmless(), world.folder)  # once more the same, under new times
    assert await world.next() == "unchanged"
    assert await world.store.cases_version() == version
    assert [(actor, action) for actor, action, _ in world.audited()] == [("system", "roster.apply")]
    assert not (await world.store.audit.verify()).faults


async def test_an_edit_in_the_console_is_not_undone_by_the_same_roster(world: World) -> None:
    deliver(harmless(), world.folder)
    await world.desk.look()
    edited = changed(await world.cases(), "people", "p1", name="张一一")
    await world.store.save_cases(edited, "head", world.clock.now_ms)
    assert await world.next() == "unchanged"
    assert (await world.cases()).people["p1"].name == "张一一"


async def test_what_would_leave_somebody_unmonitored_waits_whole(world: World) -> None:
    deliver(harmful(), world.folder)
    before, version = await world.store.load_cases()
    assert await world.desk.look() == "pending"
    assert await world.next() == "unchanged"
    assert await world.store.load_cases() == (before, version)
    row = await world.newest()
    assert [(h["kind"], h["subject"], h["name"]) for h in row["holes"]] == [("order-shortened", "p1", "张p1")]
    assert world.metrics.roster_pending._value.get() == 1


async def test_once_a_person_confirms_it_is_applied(world: World) -> None:
    deliver(harmful(), world.folder)
    await world.desk.look()
    assert await world.decide()
    assert not await world.decide(), "decided twice"
    await world.desk.look()
    cases = await world.cases()
    assert cases.orders["o-p1"].span.to_ms == NOW_MS + DAY_MS
    assert cases.people["p1"].name == "张一"
    version = await world.store.cases_version()
    await world.desk.look()
    assert await world.next() == "unchanged"
    assert await world.store.cases_version() == version
    told = [(actor, action, detail.get("reason")) for actor, action, detail in world.audited()]
    assert told == [
        ("system", "roster.come", None),
        ("head", "roster.confirm", "核实"),
        ("system", "roster.apply", "核实"),
    ]
    assert world.audited()[-1][2]["confirmed_by"] == "head"
    assert world.metrics.roster_pending._value.get() == 0


async def test_what_is_refused_stays_out_until_its_content_changes(world: World) -> None:
    deliver(harmful(), world.folder)
    await world.desk.look()
    assert await world.decide(confirm=False)
    assert await world.next() == "unchanged"
    assert await world.cases() == town()
    deliver(harmless(), world.folder)
    assert await world.next() == "applied"


async def test_what_is_confirmed_holds_for_what_was_shown_and_no_more(world: World) -> None:
    """Between the showing and the applying somebody extended an order, which the roster would take back."""
    deliver(harmful(), world.folder)
    await world.desk.look()
    longer = Interval(SPAN.from_ms, SPAN.to_ms + DAY_MS)
    extended = changed(changed(town(), "orders", "o-p2", span=longer), "people", "p2", span=longer)
    await world.store.save_cases(extended, "head", world.clock.now_ms)
    await world.decide()
    await world.desk.look()
    assert (await world.cases()).orders["o-p2"].span.to_ms == SPAN.to_ms + DAY_MS
    row = await world.newest()
    assert row["state"] == "pending"
    assert {h["subject"] for h in row["holes"]} == {"p1", "p2"}
    await world.decide()
    await world.desk.look()
    assert (await world.newest())["state"] == "applied"


async def test_what_comes_later_overtakes_what_waits(world: World) -> None:
    deliver(harmful(), world.folder)
    await world.desk.look()
    deliver(harmless(), world.folder)
    assert await world.next() == "applied"
    assert await waiting(world.store) == 0
    with psycopg.connect(world.url) as connection:
        rows = connection.execute(
            "SELECT state, content IS NULL FROM exchanges ORDER BY exchange_id"
        ).fetchall()
    assert rows == [("superseded", True), ("applied", True)]


async def test_a_faulty_folder_changes_nothing_and_is_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    deliver(harmless(), world.folder)
    orders = world.folder / "orders.csv"
    orders.write_text(orders.read_text("utf-8").replace("29.2", "29.9", 1), "utf-8")
    (world.folder / MARK).write_text("again")
    with caplog.at_level(logging.INFO):
        assert await world.desk.look() == "faulty"
    assert await world.cases() == town()
    [fault] = (await world.newest())["faults"]
    assert fault.startswith("orders.csv:2: ground: ")
    assert fault in caplog.text
    word = await world.store.get_state("roster")
    assert word is not None
    assert word[0]["details"] == [fault]
    assert world.metrics.roster_faults._value.get() == 1
    deliver(harmless(), world.folder)
    assert await world.next() == "applied"


async def test_what_was_faulty_for_want_of_something_is_judged_again_once_that_is_there(world: World) -> None:
    more = replace(town().people["p1"], person_id="p9", office_id="station-2")
    deliver(replace(town(), people={**town().people, "p9": more}), world.folder)
    assert await world.desk.look() == "faulty"
    office = replace(town().offices["station"], office_id="station-2")
    await world.store.save_cases(
        replace(town(), offices={**town().offices, "station-2": office}), "head", world.clock.now_ms
    )
    assert await world.next() == "applied"


async def test_half_a_folder_is_left_until_it_is_whole(world: World) -> None:
    deliver(harmless(), world.folder)
    (world.folder / MARK).unlink()
    assert await world.desk.look() == "not-now"
    assert await world.desk.look() is None
    (world.folder / MARK).write_text("")
    world.clock.now_ms += RETRY_MS
    assert await world.desk.look() == "applied"


async def test_the_daily_time_is_kept_and_a_missed_one_is_made_up_for(world: World) -> None:
    world.config = replace(world.config, roster=replace(world.config.roster, at=Timing(3 * HOUR_MS)))
    deliver(town(), world.folder)
    assert await world.desk.look() == "same"  # the first look of a house: at once
    deliver(harmless(), world.folder)
    world.clock.now_ms = NOW_MS + 3 * HOUR_MS - 1
    assert await world.desk.look() is None
    world.clock.now_ms = NOW_MS + 5 * HOUR_MS  # nobody ran at three
    assert await world.desk.look() == "applied"
    assert await world.desk.look() is None


async def test_a_daemon_that_dies_in_between_applies_nothing_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: Any, **__: Any) -> None:
        raise OSError("power cut")

    deliver(harmless(), world.folder)
    with monkeypatch.context() as patch:
        patch.setattr(world.store, "put_state", dies)
        with pytest.raises(OSError, match="power cut"):
            await world.desk.look()
    version = await world.store.cases_version()
    again = RosterDesk(world.store, lambda: world.config, world.clock, world.metrics)
    assert await again.look() == "unchanged"
    assert await world.store.cases_version() == version

    async def dies_before_the_exchange(*_: Any, **__: Any) -> int:
        raise OSError("power cut")

    deliver(town(), world.folder)
    world.clock.now_ms += 15 * MINUTE_MS
    with monkeypatch.context() as patch:
        patch.setattr("corrections_monitor.store.exchanges._put", dies_before_the_exchange)
        with pytest.raises(OSError, match="power cut"):
            await again.look()
    assert await world.store.cases_version() == version, "half applied"
    assert await again.look() == "applied"


async def test_others_saving_at_the_same_moment_are_not_overwritten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(harmless(), world.folder)
    judge = desk_room.judge

    def meddle(*arguments: Any) -> Any:
        found = judge(*arguments)
        meddled.append(True)
        return found

    meddled: list[bool] = []
    monkeypatch.setattr(desk_room, "judge", meddle)
    load = world.store.load_cases

    async def load_then_others_save() -> Any:
        found = await load()
        if not meddled:
            await world.store.save_cases(changed(town(), "people", "p2", name="他改"), "x", NOW_MS)
        return found

    monkeypatch.setattr(world.store, "load_cases", load_then_others_save)
    assert await world.desk.look() is None
    monkeypatch.setattr(world.store, "load_cases", load)
    await world.desk.look()
    assert {p: row.name for p, row in (await world.cases()).people.items()}["p1"] == "张一"


async def test_an_export_of_what_is_in_force_is_the_same(world: World) -> None:
    case_folder.write((await world.cases()), world.folder, ZONE)
    (world.folder / MARK).write_text("")
    assert await world.desk.look() == "same"
    assert (await world.newest())["difference"] == {}


async def test_the_whole_roster_ends_what_it_no_longer_names_after_a_person_agreed(
    store: Store, database_url: str, tmp_path: Path
) -> None:
    await store.save_cases(town(), "test", NOW_MS - 30 * DAY_MS)
    (tmp_path / "roster").mkdir()
    world = World(store, database_url, tmp_path / "roster", whole=True)
    after = without(without(town(), "orders", "o-p1"), "devices", ("b-p1", SPAN.from_ms))
    deliver(without(after, "zones", "home"), world.folder)
    assert await world.desk.look() == "pending"
    await world.decide()
    await world.desk.look()
    cases = await world.cases()
    assert cases.orders["o-p1"].span.to_ms == cases.devices["b-p1", SPAN.from_ms].span.to_ms
    assert cases.orders["o-p1"].span.to_ms == world.clock.now_ms
    assert "home" not in cases.zones
    assert await world.next() == "unchanged"


async def test_of_a_minor_the_difference_tells_initials(world: World) -> None:
    with psycopg.connect(world.url) as connection:
        connection.execute("INSERT INTO guarded_minors VALUES ('p1', '{}', 'x', 'o1', 0)")
    deliver(harmful(), world.folder)
    assert await world.desk.look() == "pending"
    row = await world.newest()
    assert [hole["name"] for hole in row["holes"]] == ["张某某"]
    [person] = row["difference"]["people"]["changed"]["rows"]
    assert (person["name"], person["columns"]["name"]) == ("张某", ["张某某", "张某"])


async def test_no_source_is_no_exchange(world: World) -> None:
    world.config = Config()
    assert await world.desk.look() is None
    assert isinstance(town().zones["home"].shape, Circle)
    assert isinstance(town().people["p1"], Person)
