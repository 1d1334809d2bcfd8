"""The engine's state as bytes, and back.  What is derived from cases is not in it; the caller brings the
same cases again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from corrections_monitor.detection.city import City
from corrections_monitor.detection.clocks import Clock
from corrections_monitor.detection.engine import Engine
from corrections_monitor.detection.ledger import Ledger
from corrections_monitor.detection.outage import Outage
from corrections_monitor.detection.state import DEVICE_COLUMNS, PERSON_COLUMNS, Memory
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import Episode, Kind
from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.settings import DetectionSettings

FORMAT = 7
READS = (5, 6, 7)
"""The state only grows: a field that is added has a default, a column begins as in a new engine, and what is
not known is passed over.  Then the format stays, and the programs before and after read it too.  It rises
when that cannot be, and with it goes the way back (docs/operator-guide.md, Upgrading)."""
_TIMING_COLUMNS = ("due_ms", "other_due_ms", "floor_ms", "returned_ms", "watched", "pair_device")


class _Person(msgspec.Struct):
    """A ``Memory`` whose open episodes are a list: their keys are in them."""

    memory: Memory
    open_ones: list[Episode]


class _Outages(msgspec.Struct):
    open: dict[str, Outage]
    ledger: Ledger
    open_ones: list[Episode]


class _Body(msgspec.Struct):
    format: int
    started_ms: int
    sight_ms: int
    now_ms: int
    device_ids: list[str]
    person_ids: list[str]
    columns: dict[str, bytes]
    people: dict[str, _Person]
    outages: _Outages
    clocks: dict[str, Clock] = {}


def snapshot(engine: Engine) -> bytes:
    """All that the engine knows beyond its cases."""
    outages = engine.outages
    names = (*DEVICE_COLUMNS, *PERSON_COLUMNS, *_TIMING_COLUMNS)
    people = {}
    for person_id, memory in engine.memory.items():
        ledger = replace(memory.ledger, open_ones={})
        people[person_id] = _Person(replace(memory, ledger=ledger), list(memory.ledger.open_ones.values()))
    return msgspec.msgpack.encode(
        _Body(
            FORMAT,
            engine.started_ms,
            engine.sight_ms,
            engine.now_ms,
            engine.city.device_ids,
            engine.city.person_ids,
            {name: getattr(engine.columns, name).tobytes() for name in names},
            people,
            _Outages(
                outages.open, replace(outages.ledger, open_ones={}), list(outages.ledger.open_ones.values())
            ),
            engine.clocks,
        )
    )


def restore(
    body: bytes,
    cases: CaseSet,
    calendar: Calendar,
    settings: DetectionSettings,
    past: Sequence[tuple[int, CaseSet, Calendar]] = (),
) -> Engine:
    """The engine as it was.

    ``past``: the cases before these, oldest first, and until when each was in force; fixes of their time that
    come late are judged by them.
    Raises ValueError when the bytes are of another format or other cases.
    """
    saved = msgspec.msgpack.decode(body, type=_Body)
    if saved.format not in READS:
        raise ValueError(f"engine snapshot of format {saved.format}; this version reads {READS}")
    engine = Engine(cases, calendar, settings, saved.started_ms)
    if (saved.device_ids, saved.person_ids) != (engine.city.device_ids, engine.city.person_ids):
        raise ValueError("engine snapshot of other cases")
    cities: list[tuple[int, City]] = []
    for until_ms, was, then in past:
        cities.append((until_ms, City(was, then, cities[-1][1] if cities else engine.city)))
    engine.remember_past(cities)
    engine.sight_ms, engine.now_ms = saved.sight_ms, saved.now_ms
    for name, data in saved.columns.items():
        column: Any = getattr(engine.columns, name, None)
        if column is not None:
            column[:] = np.frombuffer(data, dtype=column.dtype)
    for person_id, person in saved.people.items():
        memory = person.memory
        memory.ledger.open_ones = {(Kind(e.kind), e.subject): e for e in person.open_ones}
        engine.memory[person_id] = memory
    engine.clocks = saved.clocks
    engine.outages.remember(engine.open_episodes(), engine.city)
    saved.outages.ledger.open_ones = {(Kind(e.kind), e.subject): e for e in saved.outages.open_ones}
    engine.outages.resume(saved.outages.open, saved.outages.ledger)
    engine.refresh_slots()
    return engine
