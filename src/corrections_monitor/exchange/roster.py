"""The roster comes in (名册交换): looked for on schedule, compared, applied, or held for a person.

The whole folder is applied or none of it.  One that would leave somebody unmonitored (``holes``) waits
until a person has confirmed exactly those holes; what has meanwhile become more waits again.  A faulty
folder changes nothing.  The same content is judged again only when the cases have changed since and it had
not been applied; so nothing is applied twice.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corrections_monitor.cases import CaseFaults, read_named
from corrections_monitor.clock import Clock
from corrections_monitor.config import Config, Roster
from corrections_monitor.exchange.holes import Hole, holes, with_initials
from corrections_monitor.exchange.parcel import Parcel, UnusableError, unpack
from corrections_monitor.exchange.plan import Plan, counts, in_words, plan
from corrections_monitor.exchange.source import NotNowError, Source, take_folder, take_remote
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.times import MINUTE_MS, format_time
from corrections_monitor.store import Store
from corrections_monitor.store.api_minors import guarded_ids
from corrections_monitor.store.exchanges import (
    Came,
    CasesMovedError,
    Change,
    apply,
    apply_confirmed,
    ask_again,
    confirmed,
    keep,
    newest,
    spoil,
    waiting,
)

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
RETRY_MS = 5 * MINUTE_MS  # after nothing could be taken, however far off the next turn is
FAULTS_KEPT_MAX = 1_000
FAULTS_LOGGED_MAX = 20
WORD = "roster"  # under which the last look is left for other processes

_JUDGED_AGAIN = frozenset({"pending", "faulty"})


@dataclass(frozen=True, slots=True)
class _Judged:
    faults: tuple[str, ...] = ()
    found: Plan | None = None
    holes: tuple[Hole, ...] = ()
    words: Mapping[str, Any] | None = None


class RosterDesk:
    """``run`` it as a task of the daemon in charge.  ``config`` gives the configuration as last read."""

    def __init__(self, store: Store, config: Callable[[], Config], clock: Clock, metrics: Metrics) -> None:
        self._store, self._config, self._clock, self._metrics = store, config, clock, metrics

    async def run(self) -> None:
        """Look every few seconds, until cancelled.  A database that is away is waited for."""
        while True:
            try:
                await self.look()
            except Exception as fault:
                log.warning("the roster waits: %s", type(fault).__name__)
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> str | None:
        """Apply what a person has confirmed; take the roster if it is due, and tell what became of it."""
        config = self._config()
        if config.roster.source is None:
            return None
        try:
            await self._confirmed(config)
            outcome = await self._taken(config)
        except CasesMovedError:
            return None  # others saved at that moment: at the next look
        self._metrics.roster_pending.set(await waiting(self._store))
        return outcome

    async def _taken(self, config: Config) -> str | None:
        roster, now_ms = config.roster, self._clock.wall_ms()
        last = await self._store.get_state(WORD)
        if last is not None and now_ms < int(last[0]["next_ms"]):
            return None
        outcome, details = await self._outcome(config, roster, now_ms)
        self._metrics.roster_exchanges.labels(outcome).inc()
        self._metrics.roster_faults.set(len(details) if outcome == "faulty" else 0)
        next_ms = roster.at.due_ms(now_ms, config.site.timezone)
        if outcome == "not-now":
            next_ms = min(next_ms, now_ms + RETRY_MS)
        word = {"outcome": outcome, "details": details[:FAULTS_KEPT_MAX], "next_ms": next_ms}
        await self._store.put_state(WORD, word, now_ms)
        _tell(outcome, details)
        return outcome

    async def _outcome(self, config: Config, roster: Roster, now_ms: int) -> tuple[str, list[str]]:
        source = source_of(roster)
        try:
            if source.is_remote:
                parcel = await take_remote(source)
            else:
                parcel = await asyncio.to_thread(take_folder, Path(source.place))
        except NotNowError as why:
            return "not-now", [str(why)]
        except UnusableError as why:
            return "faulty", [f"{source.place.rstrip('/').rpartition('/')[2]}:1: file: {why}"]
        return await self._received(config, source.place, parcel, now_ms)

    async def _received(
        self, config: Config, place: str, parcel: Parcel, now_ms: int
    ) -> tuple[str, list[str]]:
        last = await newest(self._store)
        cases, version = await self._store.load_cases()
        known = last is not None and bytes(last["digest"]) == parcel.digest
        if known and last and (last["state"] not in _JUDGED_AGAIN or last["base_version"] == version):
            return "unchanged", []
        judged = await asyncio.to_thread(
            judge, parcel.content, cases, config, now_ms, await guarded_ids(self._store)
        )
        came = Came(place, parcel.digest, version, judged.words or {}, shown(judged.holes, config),
                    list(judged.faults[:FAULTS_KEPT_MAX]))  # fmt: skip
        if judged.found is None:
            await keep(self._store, came, "faulty", now_ms)
            return "faulty", list(judged.faults)
        if judged.found.is_empty:
            await keep(self._store, came, "same", now_ms)
            return "same", []
        if judged.holes:
            await keep(self._store, came, "pending", now_ms, parcel.content)
            return "pending", [f"{hole.kind}: {hole.subject}" for hole in judged.holes]
        await apply(self._store, came, change_of(judged.found), now_ms)
        return "applied", []

    async def _confirmed(self, config: Config) -> None:
        row = await confirmed(self._store)
        if row is None:
            return
        now_ms = self._clock.wall_ms()
        cases, version = await self._store.load_cases()
        judged = await asyncio.to_thread(
            judge, bytes(row["content"]), cases, config, now_ms, await guarded_ids(self._store)
        )
        if judged.found is None or judged.words is None:
            await spoil(self._store, row["exchange_id"], list(judged.faults[:FAULTS_KEPT_MAX]))
            _tell("faulty", list(judged.faults))
            return
        seen = {(hole["kind"], hole["subject"], hole["to_ms"]) for hole in row["holes"]}
        if any(hole.matter not in seen for hole in judged.holes):
            more = shown(judged.holes, config)
            await ask_again(self._store, row["exchange_id"], more, judged.words, version)
            log.warning("the roster would by now leave others unmonitored than was confirmed: it waits again")
            return
        change = change_of(judged.found)
        await apply_confirmed(self._store, row, change, judged.words, now_ms, version)
        self._metrics.roster_exchanges.labels("applied").inc()
        log.info("the roster was applied as confirmed", extra={"exchange": row["exchange_id"]})


def source_of(roster: Roster) -> Source:
    """Where the configured roster comes from."""
    assert roster.source is not None
    return Source(roster.source, roster.ca, roster.certificate, roster.key, roster.authorization)


def judge(content: bytes, cases: CaseSet, config: Config, now_ms: int, guarded: frozenset[str]) -> _Judged:
    """A parcel against the cases in force; takes seconds for a nation's, so not on the loop."""
    zone, roster = config.site.timezone, config.roster
    with tempfile.TemporaryDirectory(prefix="roster-") as name:
        folder = Path(name)
        unpack(content, folder)
        try:
            merged, named = read_named(folder, zone, cases)
        except CaseFaults as wrong:
            return _Judged(tuple(map(str, wrong.faults)))
    found = plan(cases, merged, named, whole=roster.whole, now_ms=now_ms)
    torn = with_initials(holes(found, now_ms, roster.fewer_max), guarded)
    return _Judged((), found, torn, in_words(found, zone, guarded))


def change_of(found: Plan) -> Change:
    """What applying the plan writes."""
    return Change(found.after, found.withdrawn, counts(found))


def shown(found: tuple[Hole, ...], config: Config) -> list[dict[str, Any]]:
    """Holes as they are kept and shown."""
    zone = config.site.timezone
    return [
        {
            "kind": hole.kind.value,
            "subject": hole.subject,
            "name": hole.name,
            "from": format_time(hole.from_ms, zone),
            "to": format_time(hole.to_ms, zone),
            "to_ms": hole.to_ms,
            "before": hole.before,
            "after": hole.after,
        }
        for hole in found
    ]


def _tell(outcome: str, details: list[str]) -> None:
    """The log: ids, counts and places, no names."""
    level = logging.WARNING if outcome in ("faulty", "pending", "not-now") else logging.INFO
    if outcome != "unchanged":
        log.log(level, "roster: %s", outcome, extra={"details": len(details)})
    for line in details[:FAULTS_LOGGED_MAX]:
        log.log(level, "roster: %s", line)
