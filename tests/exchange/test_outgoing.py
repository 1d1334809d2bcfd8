"""Violations go out whole, changed ones again, and none is lost whatever dies in between."""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import small_city as city
from https_server import Platform

from corrections_monitor.config import Config, Outgoing, Receiver
from corrections_monitor.config_schema import FileFormat
from corrections_monitor.exchange import outgoing as outgoing_room
from corrections_monitor.exchange.outgoing import FOLDER, RETRY_FIRST_S, OutgoingDesk
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.alerts import Answer, Disposition
from corrections_monitor.model.times import HOUR_MS, MINUTE_MS
from corrections_monitor.model.timing import Timing
from corrections_monitor.rules.text import Naming
from corrections_monitor.store import Store
from corrections_monitor.store.answers import Given

SECRET = "a secret of two platforms"
HOOK = "webhook:platform"


class HandClock:
    def __init__(self) -> None:
        self.now_ms = city.NOW_MS

    def wall_ms(self) -> int:
        return self.now_ms

    def monotonic_s(self) -> float:
        return self.now_ms / 1_000


class World:
    """A desk with both sinks; ``next`` is their next turn."""

    def __init__(self, store: Store, url: str, folder: Path, platform: Platform) -> None:
        self.store, self.url, self.folder, self.platform = store, url, folder, platform
        self.clock, self.metrics = HandClock(), Metrics()
        receiver = Receiver("platform", platform.url + "/v", SECRET, platform.authority.file)
        self.config = replace(
            Config(),
            outgoing=Outgoing(
                folder, (FileFormat.CSV, FileFormat.JSON), Timing(None, 15 * MINUTE_MS), webhooks=(receiver,)
            ),
        )
        self.desk = self.born()

    def born(self) -> OutgoingDesk:
        """A desk that knows nothing but what the database does."""
        return OutgoingDesk(self.store, lambda: self.config, self.clock, self.metrics)

    async def next(self, sink: str) -> int:
        self.clock.now_ms += 15 * MINUTE_MS
        return await self.desk.look(self.config, sink)

    async def violate(self, *people: str, hours_ago: int = 1) -> list[str]:
        found = [city.violation(p, started_ms=city.NOW_MS - hours_ago * HOUR_MS) for p in people]
        async with self.store.transaction() as tx:
            await tx.write_alerts([alert for _, alert in found])
            await tx.write_lines([line for line, _ in found])
        return [line.episode.episode_id for line, _ in found]

    def files(self, kind: str) -> list[Path]:
        return sorted(self.folder.glob(f"violations-*.{kind}"))

    def given(self) -> list[str]:
        """The ids of all rows of all files, in order."""
        tables = [list(csv.DictReader(file.read_text("utf-8").splitlines())) for file in self.files("csv")]
        return [row["episode_id"] for table in tables for row in table]

    def posted(self) -> list[str]:
        return [v["episode_id"] for post in self.platform.posts for v in json.loads(post.body)["violations"]]


@pytest.fixture
async def world(store: Store, database_url: str, tmp_path: Path, platform: Platform) -> World:
    await store.save_cases(city.cases(), "test", city.NOW_MS - 30 * 24 * HOUR_MS)
    (tmp_path / "out").mkdir()
    return World(store, database_url, tmp_path / "out", platform)


async def test_files_hold_what_changed_since_the_last(world: World) -> None:
    first = await world.violate("p-a1", "p-b1")
    assert await world.desk.look(world.config, FOLDER) == 2
    assert sorted(world.given()) == sorted(first)
    assert await world.next(FOLDER) == 0
    assert len(world.files("csv")) == 1, "a file with nothing in it"
    second = await world.violate("p-a2")
    assert await world.next(FOLDER) == 1
    assert world.given()[2:] == second
    [row] = json.loads(world.files("json")[-1].read_text("utf-8"))["violations"]
    assert (row["person_id"], row["person_name"], row["kind"]) == ("p-a2", "姓名p-a2", "zone.exit")
    assert "evidence" not in row


async def test_before_its_time_nothing_is_written(world: World) -> None:
    await world.violate("p-a1")
    await world.desk.look(world.config, FOLDER)
    await world.violate("p-a2")
    world.clock.now_ms += 14 * MINUTE_MS
    assert await world.desk.look(world.config, FOLDER) == 0
    world.clock.now_ms += MINUTE_MS
    assert await world.desk.look(world.config, FOLDER) == 1


async def test_a_violation_whose_disposition_changes_goes_out_again(world: World) -> None:
    [episode] = await world.violate("p-a1")
    await world.desk.look(world.config, FOLDER)
    alert = city.violation("p-a1")[1]
    given = Given(
        Answer.RESOLVED,
        "chief-station-a1",
        world.clock.now_ms,
        "设备故障",
        disposition=Disposition.DEVICE_FAULT,
    )
    async with world.store.transaction() as tx:
        await tx.answer(alert.alert_id, given)
    assert await world.next(FOLDER) == 1
    assert world.given() == [episode, episode]
    [last] = csv.DictReader(world.files("csv")[-1].read_text("utf-8").splitlines())
    assert (last["state"], last["disposition"]) == ("resolved", "device_fault")


async def test_what_a_daemon_catches_up_on_is_given_too(world: World) -> None:
    """It carries times long before the last turn: what counts is when it was committed."""
    await world.violate("p-a1")
    await world.desk.look(world.config, FOLDER)
    late = await world.violate("p-a2", hours_ago=240)
    assert await world.next(FOLDER) == 1
    assert world.given()[1:] == late


async def test_what_is_not_committed_yet_is_neither_given_nor_lost(world: World) -> None:
    async with await psycopg.AsyncConnection.connect(world.url) as slow:
        [episode] = await world.violate("p-a1")
        await slow.execute("UPDATE episodes SET reason = 'x' WHERE episode_id = %s", [episode])
        await world.violate("p-a2")  # begun later, committed before
        taken = await world.desk.look(world.config, FOLDER)
    taken += await world.next(FOLDER)
    assert taken == 3
    assert sorted(set(world.given())) == sorted([episode, *await world.violate("p-a2")])


async def test_a_daemon_killed_while_writing_leaves_no_half_file_and_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await world.violate("p-a1", "p-a2", "p-b1")

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    for place in ("replace", "fsync"):  # before and after the file is whole
        with monkeypatch.context() as patch:
            patch.setattr(outgoing_room.os, place, dies)
            with pytest.raises(KeyboardInterrupt):
                await world.desk.look(world.config, FOLDER)
        assert world.files("csv") == []
    with monkeypatch.context() as patch:  # the file is there, the note is not
        patch.setattr(outgoing_room, "note", dies)
        with pytest.raises(KeyboardInterrupt):
            await world.desk.look(world.config, FOLDER)
    world.clock.now_ms += 7 * MINUTE_MS
    world.desk = world.born()
    assert await world.desk.look(world.config, FOLDER) == 3
    assert len(world.files("csv")) == 1, "the same window under another name"
    assert sorted(world.given()) == sorted(ids)
    assert not list(world.folder.glob(".*"))


async def test_a_receiver_is_given_signed_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing_room, "PART_ROWS", 2)
    ids = await world.violate("p-a1", "p-a2", "p-b1")
    assert await world.desk.look(world.config, HOOK) == 3
    assert sorted(world.posted()) == sorted(ids)
    assert len(world.platform.posts) == 2
    for post in world.platform.posts:
        expected = hmac.new(SECRET.encode(), post.body, hashlib.sha256).hexdigest()
        assert post.headers["X-Corrections-Signature"] == f"sha256={expected}"
    assert len({post.headers["Idempotency-Key"] for post in world.platform.posts}) == 2


@pytest.mark.parametrize("refusal", [400, None])
async def test_what_is_refused_is_given_again_under_the_same_key(
    world: World, monkeypatch: pytest.MonkeyPatch, refusal: int | None
) -> None:
    """The second part is refused: the first is not given again, the second is, by a desk born anew."""
    monkeypatch.setattr(outgoing_room, "PART_ROWS", 2)
    ids = await world.violate("p-a1", "p-a2", "p-b1")
    world.platform.answer = lambda number: refusal if number == 2 else 200
    with pytest.raises(outgoing_room.NotTakenError):
        await world.desk.look(world.config, HOOK)
    world.desk = world.born()
    assert await world.desk.look(world.config, HOOK) == 3
    keys = [post.headers["Idempotency-Key"] for post in world.platform.posts]
    assert (len(keys), keys[1]) == (3, keys[2])
    assert sorted(set(world.posted())) == sorted(ids)


async def test_one_sink_that_fails_holds_up_no_other_and_is_asked_more_rarely(world: World) -> None:
    await world.violate("p-a1")
    world.platform.answer = lambda _number: 500
    tries: list[Callable[[], Any]] = []
    for _ in range(3):
        for sink in (FOLDER, HOOK):
            await world.desk._tried(world.config, sink)
        world.clock.now_ms += round(RETRY_FIRST_S * 1_000)
    assert len(world.given()) == 1
    assert len(world.platform.posts) == 2
    assert world.metrics.outgoing_failures.labels(HOOK)._value.get() == 2
    assert world.metrics.outgoing_oldest.labels(HOOK)._value.get() == RETRY_FIRST_S
    world.platform.answer = lambda _number: 200
    world.clock.now_ms += 60 * MINUTE_MS
    await world.desk._tried(world.config, HOOK)
    assert len(set(world.posted())) == 1
    assert world.metrics.outgoing_oldest.labels(HOOK)._value.get() == 0
    assert tries == []


async def test_names_leave_as_they_are_told_to(world: World) -> None:
    await world.violate("p-a1")
    world.config = replace(
        world.config, outgoing=replace(world.config.outgoing, personal_data=Naming.INITIALS)
    )
    await world.desk.look(world.config, FOLDER)
    assert "姓名" not in world.files("csv")[0].read_text("utf-8")


async def test_what_was_given_stands_in_the_audit_log(world: World) -> None:
    await world.violate("p-a1")
    await world.desk.look(world.config, FOLDER)
    with psycopg.connect(world.url) as connection:
        [(actor, target, detail)] = connection.execute(
            "SELECT actor, target, detail FROM audit WHERE action = 'violations.give'"
        ).fetchall()
    file = world.files("csv")[0]
    assert (actor, target, detail["rows"]) == ("system", "folder", 1)
    assert detail["files"][file.name] == hashlib.sha256(file.read_bytes()).hexdigest()
