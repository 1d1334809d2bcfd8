"""Bringing the state back: the last snapshot, and the journal judged again (docs/architecture.md)."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from corrections_monitor.clock import Clock
from corrections_monitor.config import Config
from corrections_monitor.detection.engine import PAST_CITIES, Engine
from corrections_monitor.detection.fit import KEEP_TOLD_MS
from corrections_monitor.detection.snapshot import restore, snapshot
from corrections_monitor.live.codec import Snapshot, read_entry, read_snapshot, snapshot_bytes
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.replay import calendar_of
from corrections_monitor.rules.book import AlertBook
from corrections_monitor.rules.commanding import Pursued, pursued
from corrections_monitor.store import Store

log = logging.getLogger(__name__)


@dataclass(slots=True)
class State:
    """What the daemon knows, after batch ``batch_no``, by the cases of ``cases_version``.

    ``past``: until when the versions before were in force.
    """

    engine: Engine
    book: AlertBook
    batch_no: int
    cases_version: int
    past: list[tuple[int, int]] = field(default_factory=list)
    pursued: dict[str, Pursued] = field(default_factory=dict)  # devices told to report faster

    def to_bytes(self) -> bytes:
        """The state as a snapshot row."""
        return snapshot_bytes(
            Snapshot(self.cases_version, snapshot(self.engine), self.book.snapshot(), self.past)
        )

    def follow(self, version: int, now_ms: int) -> None:
        """Another version of the cases is in force from ``now_ms`` on."""
        past = [*self.past, (now_ms, self.cases_version)][-PAST_CITIES:]
        self.past = [(until_ms, was) for until_ms, was in past if until_ms > now_ms - KEEP_TOLD_MS]
        self.cases_version = version


async def recover(store: Store, config: Config, clock: Clock) -> State:
    """The state as of the last commit; a new one, monitoring from now, where there is none.

    May raise whatever the database raises; then nothing has changed.
    """
    zone = config.site.timezone
    saved = await store.load_snapshot()
    if saved is None:
        cases, version = await store.load_cases()
        engine = Engine(cases, calendar_of(cases, zone), config.detection, clock.wall_ms())
        return State(engine, AlertBook(config.rules), 0, version)
    batch_no, body = saved
    state = await _restored(store, body, config, zone, batch_no)
    async for number, row in store.journal_since(batch_no):
        entry = read_entry(row)
        transitions = state.engine.step(entry.batch(), entry.now_ms, entry.resolved, entry.histories)
        # What follows was committed together with the row; only the state is wanted.
        state.book.advance(transitions, entry.answers, state.engine.cases, entry.now_ms, entry.drills)
        state.batch_no = number
    state.pursued = pursued(
        state.book.open_alerts(), state.engine.cases, config.commands, state.engine.now_ms
    )
    log.info("state recovered", extra={"snapshot": batch_no, "journal": state.batch_no - batch_no})
    return state


async def _restored(store: Store, body: bytes, config: Config, zone: ZoneInfo, batch_no: int) -> State:
    saved = read_snapshot(body)
    known: tuple[CaseSet, int] | None = None
    versions: list[CaseSet] = []
    # Fixes of before an edit may still come, and are judged by the cases of their time.
    for version in (*(version for _, version in saved.past), saved.cases_version):
        known = await store.load_cases_of(version, known), version
        versions.append(known[0])
    *past, cases = versions
    before = [
        (until_ms, was, calendar_of(was, zone)) for (until_ms, _), was in zip(saved.past, past, strict=True)
    ]
    engine = restore(saved.engine, cases, calendar_of(cases, zone), config.detection, before)
    book = AlertBook.restore(config.rules, saved.book)
    return State(engine, book, batch_no, saved.cases_version, saved.past)
