"""The engine against the reference, and against itself: cut otherwise, row by row, killed and restored.

``verdict(world, seed)`` says what differs, if anything; ``shrunk`` makes the story behind it small enough to
read, and ``told`` prints it.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import sentences
from precinct import Said, amended, batch_of, coherent
from reference.book import Line, Says
from reference.clerk import Reference
from worlds import Deaf, Edit, Op, Resolve, World

from corrections_monitor.detection.engine import Engine, History, Resolved
from corrections_monitor.detection.snapshot import restore, snapshot
from corrections_monitor.live.codec import entry_bytes, read_entry
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import CLOSED_BY_A_PERSON, Transition
from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.telemetry import Batch, empty_batch, keep
from corrections_monitor.model.times import from_ms
from corrections_monitor.replay import Kept

DEATHS = 5  # about so many in a day


@dataclass
class Run:
    """An engine fed with a world; ``rng`` cuts its rows into batches, and kills it if ``mortal``."""

    world: World
    rng: random.Random
    most: int = 1  # messages in a batch
    judge_everyone: bool = False
    mortal: bool = False
    told: list[Transition] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cases, self.calendar = self.world.cases, self.world.calendar
        self.engine = Engine(
            self.cases, self.calendar, self.world.settings, self.world.began_ms,
            judge_everyone=self.judge_everyone,
        )  # fmt: skip
        self.past: list[tuple[int, CaseSet, Calendar]] = []
        self.kept = Kept()
        self.journal: list[bytes] = []
        self.saved = snapshot(self.engine)

    def transitions(self) -> list[Transition]:
        """All that the engine tells."""
        for number, (said, op) in enumerate(self._portions()):
            if said:
                following = op.at_ms if op is not None else self.world.end_ms
                last_ms = said[-1].at_ms
                self._batch(said, self.rng.choice([last_ms, max(last_ms, following - 1)]))
            elif isinstance(op, Edit):
                self._edit(op)
            elif isinstance(op, Resolve):
                self._resolve(op)
            elif isinstance(op, Deaf):
                self._step(empty_batch(), op.at_ms - 1)
                self.engine.deaf_until(op.at_ms)
                self._save()
            if self.mortal and self.rng.random() < DEATHS * self.most / (1 + len(self.world.ops)):
                self._die()
            if self.mortal and number % 7 == 0:
                self._save()
        self._step(empty_batch(), self.world.end_ms)
        return self.told

    def _portions(self) -> Iterator[tuple[list[Said], Op | None]]:
        """Batches with what comes after them, never cut inside a millisecond; and the other ops alone."""
        said: list[Said] = []
        most = self.rng.randint(1, self.most)
        for op in self.world.ops:
            if isinstance(op, Said):
                if len(said) >= most and op.at_ms != said[-1].at_ms:
                    yield said, op
                    said, most = [], self.rng.randint(1, self.most)
                said.append(op)
                continue
            if said:
                yield said, op
                said = []
            yield [], op
        if said:
            yield said, None

    def _batch(self, said: Sequence[Said], now_ms: int) -> None:
        batch = self.engine.set_right(batch_of(said, self.engine.city.device_no))
        batch = keep(batch, *self.engine.admit(batch), rest_is_known=False)
        batch = keep(batch, *self.kept.new(batch), rest_is_known=True)
        self._step(batch, now_ms, histories=self.kept.history(self.engine, batch))
        self.kept.remember(self.engine, batch)

    def _step(
        self, batch: Batch, now_ms: int, resolved: Sequence[Resolved] = (),
        histories: dict[str, History] | None = None,
    ) -> None:  # fmt: skip
        self.journal.append(entry_bytes(batch, now_ms, (), (), resolved, histories or {}))
        self.told += self.engine.step(batch, now_ms, resolved, histories)

    def _edit(self, op: Edit) -> None:
        self._step(empty_batch(), op.at_ms)
        self.told += amended(self.engine, self.kept, op.cases, op.calendar, op.at_ms)
        self.past.append((op.at_ms, self.cases, self.calendar))
        self.cases, self.calendar = op.cases, op.calendar
        self._save()

    def _resolve(self, op: Resolve) -> None:
        self._step(empty_batch(), op.at_ms - 1)
        names = [
            e.episode_id
            for e in self.engine.open_episodes()
            if e.person_id == op.person_id and e.kind in CLOSED_BY_A_PERSON
        ]
        self._step(empty_batch(), op.at_ms, [Resolved(op.at_ms, op.person_id, tuple(names))])

    def _save(self) -> None:
        self.saved, self.journal = snapshot(self.engine), []

    def _die(self) -> None:
        """Killed, and brought back from the last snapshot and the journal since."""
        before = state_of(self.engine)
        self.engine = restore(self.saved, self.cases, self.calendar, self.world.settings, self.past)
        self.engine._judge_everyone = self.judge_everyone
        for row in self.journal:
            entry = read_entry(row)
            self.engine.step(entry.batch(), entry.now_ms, entry.resolved, entry.histories)
        after = state_of(self.engine)
        for name, known in before.items():
            became = after.get(name, "nothing")
            assert known == became, f"killed, it forgot {name}: {_from_where_they_differ(known, became)}"


def _from_where_they_differ(one: str, other: str) -> str:
    same = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    start = max(0, same - 60)
    return f"{one[start:]} became {other[start:]}"


ENUM = re.compile(r"<\w+\.\w+: ([^>]*)>")  # which msgpack gives back as what it stands for
PROOFS = ("quiet_from_ms", "quiet_until_ms")
"""What ``quiet`` may pass over, as of the last look: two may differ and both be right."""


def state_of(engine: Engine) -> dict[str, str]:
    """All that an engine knows, by name, to compare."""
    known = {f"column {n}": repr(v.tolist()) for n, v in vars(engine.columns).items() if n not in PROOFS}
    known |= {f"memory of {who}": repr(memory) for who, memory in engine.memory.items()}
    known |= {f"clock of {device}": repr(clock) for device, clock in engine.clocks.items()}
    known |= {f"outage of {office}": repr(outage) for office, outage in engine.outages.open.items()}
    known["outages told"] = repr(engine.outages.ledger)
    known["memories, clocks"] = repr([sorted(engine.memory), sorted(engine.clocks)])
    known["times"] = repr([engine.started_ms, engine.sight_ms, engine.now_ms])
    known["past"] = repr([(until_ms, id(city.cases)) for until_ms, city in engine.past_cities])
    return {name: ENUM.sub(r"\1", text) for name, text in known.items()}


def judged_by_reference(world: World) -> list[tuple[Line, Says]]:
    """All that must be told, and what its sentences must say."""
    clerk = Reference(world.cases, world.calendar, world.settings, world.began_ms)
    for op in world.ops:
        if isinstance(op, Said):
            clerk.hear(op)
        elif isinstance(op, Edit):
            clerk.amend(op.cases, op.calendar, op.at_ms)
        elif isinstance(op, Resolve):
            clerk.resolve(op.person_id, op.at_ms)
        else:
            clerk.pass_time(op.at_ms - 1)
            clerk.deaf(op.at_ms)
    clerk.pass_time(world.end_ms)
    return sorted(clerk.told, key=lambda told: told[0])


def line(t: Transition) -> Line:
    """A transition of the engine in the reference's words: all but sentence and evidence."""
    e = t.episode
    ended_ms = -1 if e.ended_ms is None else e.ended_ms
    return (
        t.at_ms, e.person_id, str(e.kind), e.subject, str(t.change), e.zone_id or "", e.started_ms, ended_ms,
        e.late,
    )  # fmt: skip


def lines(told: Sequence[Transition]) -> list[Line]:
    """All of them, in order."""
    return sorted(map(line, told))


def exactly(told: Sequence[Transition]) -> str:
    """Everything that was told, to the last digit, as a hash."""
    return hashlib.sha256("\n".join(words(told)).encode()).hexdigest()


def words(told: Sequence[Transition]) -> list[str]:
    """Everything that was told, in its order, with sentences and evidence."""
    return [f"{t.change}|{t.at_ms}|{t.episode}|{sorted(t.episode.evidence.items())}" for t in told]


def runs(world: World, seed: int) -> dict[str, Run]:
    """The engine in two ways that must make no difference: as it is, and cut otherwise, killed and restored
    again and again; every other time the latter row by row, without any proof that rows are harmless."""
    rng = random.Random(seed)
    most, other = rng.choice([2, 10, 60, 100_000]), rng.choice([1, 5, 5, 30, 30, 60])
    row_by_row = rng.random() < 0.5
    killed = Run(world, random.Random(seed + 2), most=other, judge_everyone=row_by_row, mortal=True)
    return {
        "by columns": Run(world, random.Random(seed + 1), most=most),
        "row by row, killed" if row_by_row else "cut otherwise, killed": killed,
    }


@dataclass(frozen=True)
class Verdict:
    """What differs (empty: nothing), and the hash of what the engine told."""

    differs: str
    missing: tuple[Line | str, ...]  # the reference has them, the engine has not
    surplus: tuple[Line | str, ...]
    digest: str
    count: Counter[str]


def verdict(world: World, seed: int, ways: Sequence[str] | None = None) -> Verdict:
    """Judge a world in every way."""
    try:
        return _verdict(world, seed, ways)
    except AssertionError as wrong:  # incoherent, or forgotten
        return Verdict(f"in itself: {wrong}", (), (), "", Counter())


def _verdict(world: World, seed: int, ways: Sequence[str] | None) -> Verdict:
    first: tuple[str, list[Transition]] | None = None
    for name, run in runs(world, seed).items():
        if ways is not None and name not in ways:
            continue
        told = run.transitions()
        coherent(told)
        if first is None:
            first = name, told
        elif lines(told) != lines(first[1]):
            one, other = Counter(lines(told)), Counter(lines(first[1]))
            missing, surplus = sorted((other - one).elements()), sorted((one - other).elements())
            return Verdict(f"{name} ≠ {first[0]}", tuple(missing), tuple(surplus), "", Counter())
        elif exactly(told) != exactly(first[1]):
            said, other_said = words(told), words(first[1])
            k = next(k for k, (a, b) in enumerate(zip(said, other_said, strict=True)) if a != b)
            return Verdict(f"{name} ≠ {first[0]} in words", (other_said[k],), (said[k],), "", Counter())
    assert first is not None
    told, expected = sorted(first[1], key=line), judged_by_reference(world)
    must, did = Counter(one for one, _ in expected), Counter(map(line, told))
    missing, surplus = sorted((must - did).elements()), sorted((did - must).elements())
    count = Counter(str(t.episode.kind) for t in told)
    if missing or surplus:
        return Verdict("engine ≠ reference", tuple(missing), tuple(surplus), exactly(first[1]), count)
    zone = world.calendar.zone
    for transition, (_, says) in zip(told, expected, strict=True):
        wrong = sentences.wrong(transition.change, transition.episode, says, zone)
        if wrong:
            return Verdict(
                "engine ≠ reference in words", (), (*line(transition), wrong), exactly(first[1]), count
            )
    return Verdict("", (), (), exactly(first[1]), count)


# -- making a story small ------------------------------------------------------------------------------------
CASE_ROWS = ("leaves", "suspensions", "contacts", "zones", "orders", "devices", "people")


def shrunk(world: World, fails: Callable[[World], bool]) -> World:
    """A smaller world that still fails: fewer persons, rows of cases, messages."""
    for who in sorted(world.cases.people):
        world = _if_fails(_without_person(world, who), world, fails)
    world = _fewer_ops(world, fails)
    for name in CASE_ROWS[:5]:
        for key in sorted({k for cases in _versions(world) for k in getattr(cases, name)}, key=str):
            world = _if_fails(_without_row(world, name, key), world, fails)
    return _fewer_ops(world, fails)


def _if_fails(smaller: World, world: World, fails: Callable[[World], bool]) -> World:
    try:
        return smaller if fails(smaller) else world
    except (KeyError, ValueError, StopIteration):
        return world


def _fewer_ops(world: World, fails: Callable[[World], bool]) -> World:
    size = max(len(world.ops) // 2, 1)
    while size:
        start = 0
        while start < len(world.ops):
            smaller = replace(world, ops=world.ops[:start] + world.ops[start + size :])
            kept = _if_fails(smaller, world, fails)
            if kept is world:
                start += size
            world = kept
        size //= 2
    return world


def _versions(world: World) -> list[CaseSet]:
    return [world.cases, *(op.cases for op in world.ops if isinstance(op, Edit))]


def _edited(world: World, change: Callable[[CaseSet], CaseSet]) -> World:
    ops = tuple(replace(op, cases=change(op.cases)) if isinstance(op, Edit) else op for op in world.ops)
    return replace(world, cases=change(world.cases), ops=ops)


def _without_row(world: World, name: str, key: Any) -> World:
    """The world itself where a leave names the zone."""
    if name == "zones" and any(key in v.zone_ids for c in _versions(world) for v in c.leaves.values()):
        return world

    def change(cases: CaseSet) -> CaseSet:
        return replace(cases, **{name: {k: r for k, r in getattr(cases, name).items() if k != key}})

    return _edited(world, change)


def _without_person(world: World, who: str) -> World:
    def change(cases: CaseSet) -> CaseSet:
        rows: dict[str, Any] = {}
        for name in CASE_ROWS:
            table = getattr(cases, name)
            rows[name] = {
                k: r
                for k, r in table.items()
                if who not in (getattr(r, "person_id", None), getattr(r, "protected_id", None))
                and getattr(r, "applies_to", None) != who
            }
        used = {z for v in rows["leaves"].values() for z in v.zone_ids}
        rows["zones"] |= {z: cases.zones[z] for z in used}
        return replace(cases, **rows)

    smaller = _edited(world, change)
    known = {d.device_id for cases in _versions(smaller) for d in cases.devices.values()}
    ops = [
        op
        for op in smaller.ops
        if not (isinstance(op, Said) and op.device_id not in known)
        and not (isinstance(op, Resolve) and op.person_id == who)
    ]
    return replace(smaller, ops=tuple(ops))


def told(world: World) -> Iterator[str]:
    """The story in lines to read."""

    def clock(t_ms: int | None) -> str:
        if t_ms is None:
            return "-"
        return f"{from_ms(t_ms, world.calendar.zone):%a %d %H:%M:%S.%f}"[:-3] if abs(t_ms) < 2**59 else "open"

    def rows(cases: CaseSet, before: CaseSet | None = None) -> Iterator[str]:
        for name in reversed(CASE_ROWS):
            old = getattr(before, name) if before is not None else {}
            for key, row in getattr(cases, name).items():
                if old.get(key) != row:
                    yield f"  {name}: {_brief(row, clock)}"
            yield from (f"  {name}: no longer {key}" for key in old if key not in getattr(cases, name))

    off = sorted(map(str, world.calendar.off))
    yield f"began {clock(world.began_ms)}, ends {clock(world.end_ms)}, off {off}"
    yield from rows(world.cases)
    before = world.cases
    for op in world.ops:
        if isinstance(op, Edit):
            yield f"{clock(op.at_ms)} edit"
            yield from rows(op.cases, before)
            before = op.cases
        else:
            yield f"{clock(op.at_ms)} {_brief(op, clock)}"


def _brief(row: Any, clock: Callable[[int | None], str]) -> str:
    parts = []
    for f in fields(row):
        value = getattr(row, f.name)
        if f.name == "span":
            value = f"{clock(value.from_ms)} … {clock(value.to_ms)}"
        elif f.name.endswith("t_ms"):
            value = clock(value)
        elif isinstance(value, tuple) and value and hasattr(value[0], "t_ms"):
            value = "; ".join(_brief(v, clock) for v in value)
        if f.name not in ("at_ms", "name", "officer_id", "approved_by", "approved_on", "ground", "reason"):
            parts.append(f"{f.name}={value}")
    return f"{type(row).__name__}({', '.join(parts)})"
