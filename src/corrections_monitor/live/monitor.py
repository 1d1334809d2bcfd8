"""The loop of the daemon: take → decode → admit → store → judge → decide → commit → acknowledge.

Rule 1: whatever follows from a message is committed before the message is acknowledged.  A transaction
that fails throws the state away; it is read again from the last commit and the same messages are taken
again.  There is one writer: the journal's numbers refuse a second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from corrections_monitor.clock import SteadyClock
from corrections_monitor.config import Config
from corrections_monitor.detection.city import City
from corrections_monitor.detection.engine import History, Wanted
from corrections_monitor.ingest.decode import Decoded, decode
from corrections_monitor.ingest.inbox import Inbox, Intake
from corrections_monitor.ingest.message import Message
from corrections_monitor.ingest.quarantine import Reason, Reject
from corrections_monitor.ingest.topics import OWN_FORMATS, route
from corrections_monitor.live.again import SetAside
from corrections_monitor.live.codec import entry_bytes
from corrections_monitor.live.lasting import made_to_last
from corrections_monitor.live.recovery import State, recover
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.alerts import Answer
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.commands import Command
from corrections_monitor.model.episodes import Change, Kind, Severity
from corrections_monitor.model.telemetry import I32, Batch, Bools, Presence, empty_batch, keep
from corrections_monitor.model.times import OPEN_END_MS
from corrections_monitor.paging.channels import MQTT, Ways, addressed, page_topic
from corrections_monitor.replay import calendar_of, resolved_by
from corrections_monitor.rules.commanding import battery_commands, pursued, pursuit_commands
from corrections_monitor.rules.outcome import Outcome
from corrections_monitor.store import Store, Tx
from corrections_monitor.store.answers import Given, Via
from corrections_monitor.store.decisions import Entry as TimelineEntry
from corrections_monitor.store.journal import NotLeadingError
from corrections_monitor.watch.orders import StandingOrders, standing_orders

log = logging.getLogger(__name__)

SNAPSHOT_EVERY_MS = 60_000
RETRY_FIRST_S, RETRY_LAST_S = 0.2, 5.0
WORD_EVERY_S = 1.0  # how often the database is told how we stand, which also proves that it answers
DEAF_AFTER_S = (
    20.0  # a turn that took so long hung: meanwhile the ways in were full and nobody could be heard
)
BLIND_AFTER_S = 4.0  # without a proof for so long we are not fit to monitor
BLIND_BEHIND_S = 120.0  # nor when what is judged is so old: two of the usual report intervals


@dataclass(slots=True)
class Notices:
    """What other processes have told us to look at."""

    cases: bool = True
    answers: bool = True


class Monitor:
    """Owns engine and book.  ``run`` until cancelled; ``blind_reason`` says why it is not fit to monitor.

    ``ways``: which channels there are besides the officers' own addresses.
    """

    def __init__(
        self, store: Store, config: Config, clock: SteadyClock, inbox: Inbox, metrics: Metrics, ways: Ways
    ) -> None:
        self._store = store
        self._config = config
        self._clock = clock
        self._inbox = inbox
        self._metrics = metrics
        self._ways = ways
        self._state: State | None = None
        self._ahead = SetAside(store)
        self._trusted_ms = clock.wall_ms()  # since then we go by the clock as it is
        self._slow_ms = 0  # by how much it was found slow, until what follows is done
        self._snapshot_ms = 0
        self._leaving, self._left = False, asyncio.Event()
        self._seen_s: float | None = None
        self._told_s = -WORD_EVERY_S
        self._trouble = "starting"
        self.lag_s = 0.0  # how old what is judged is, beyond what devices take to send it
        self._next_config: Config | None = None
        self._numbered: tuple[City, I32] | None = None
        self._topics: dict[str, str] = {}  # under which devices last spoke through the broker
        self.notices = Notices()
        self.turned = asyncio.Event()  # set by every turn of the loop; the watchdog lives on it

    # -- how it stands ----------------------------------------------------------------------------
    def blind_reason(self) -> str | None:
        """Why nobody is being monitored; None when all is well."""
        if self._seen_s is None:
            return self._trouble
        silent_s = self._clock.monotonic_s() - self._seen_s
        if silent_s <= BLIND_AFTER_S:
            return None if self.lag_s <= BLIND_BEHIND_S else f"judging what is {self.lag_s:.0f} s old"
        return f"nothing committed for {silent_s:.0f} s" + (f": {self._trouble}" if self._trouble else "")

    def standing_orders(self, now_ms: int) -> Callable[[], StandingOrders] | None:
        """Whom to tell and whom to check by hand, should we go blind; None before the state is there."""
        state = self._state
        if state is None:
            return None
        heard_ms, gravest = state.engine.last_contacts(now_ms), dict[str, Severity]()
        for alert in state.book.open_alerts():
            gravest[alert.person_id] = max(alert.severity, gravest.get(alert.person_id, Severity.INFO))
        # What is known is taken down here; to make the lists of a nation of it takes seconds, elsewhere.
        return partial(standing_orders, state.engine.cases, heard_ms, gravest, now_ms)

    def reload(self, config: Config) -> None:
        """Take another configuration into force after the batch under way: thresholds, severities,
        ladders, bounds.  Addresses need a restart."""
        self._next_config = config

    async def leave(self) -> None:
        """End after the batch under way and save the state: what comes next may judge by other rules."""
        self._leaving = True
        await self._left.wait()

    # -- the loop ---------------------------------------------------------------------------------
    async def run(self) -> None:
        """Monitor until told to leave.  Raises NotLeadingError when another daemon has written."""
        wait_s = RETRY_FIRST_S
        while True:
            try:
                self._state = await self._begin()
                while self._next_config is None and not self._clock.proven_ms and not self._leaving:
                    began_s = self._clock.monotonic_s()
                    await self._turn(self._state)
                    wait_s = RETRY_FIRST_S
                    if self._clock.monotonic_s() - began_s > DEAF_AFTER_S:
                        await self._save(self._state)
                        self._state = await self._begin()
                await self._save(self._state)  # the journal before this was judged by the old thresholds
                if self._leaving:
                    return self._left.set()
                self._slow_ms = max(0, self._clock.proven_ms)
                self._clock.follow()
                if self._next_config is not None:
                    self._config, self._next_config = self._next_config, None
                    log.info("thresholds, severities and ladders as read again are in force")
                continue
            except NotLeadingError:
                raise
            except Exception as fault:  # whatever failed: nothing was acknowledged, read the state again
                self._trouble = f"{type(fault).__name__}: {_first_line(fault)}"
                log.error("a batch was not committed, trying again in %.1f s: %s", wait_s, self._trouble)
                self._metrics.commits_failed.inc()
                self.turned.set()  # it does not hang: to start it anew would mend nothing
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, RETRY_LAST_S)

    async def _begin(self) -> State:
        with made_to_last():
            state = await recover(self._store, self._config, self._clock)
            self._clock.not_before(state.engine.now_ms)
            # For as long as we were away nobody could be heard; patience starts anew, and that is on record.
            state.engine.deaf_until(max(self._clock.wall_ms(), state.engine.now_ms + 1))
            await self._save(state)
            self.notices = Notices()
        if self._slow_ms:
            self._inbox.not_before(self._clock.wall_ms())
            await self._ahead.put_again(self._inbox, self._trusted_ms, self._slow_ms, self._is_ahead(state))
            self._trusted_ms, self._slow_ms = self._clock.wall_ms(), 0
        return state

    def _is_ahead(self, state: State) -> Callable[[Message], bool]:
        def ahead(message: Message) -> bool:
            told = decode(
                [message], state.engine.city.device_no, self._config.site.timezone, self._config.detection
            )
            return any(reject.reason is Reason.FUTURE for reject in told.rejects)

        return ahead

    async def _save(self, state: State) -> None:
        body = state.to_bytes()
        async with self._store.transaction() as tx:
            await tx.save_snapshot(state.batch_no, body)
        self._snapshot_ms = self._clock.wall_ms()

    async def _turn(self, state: State) -> None:
        """One batch, or a moment in which none came."""
        settings = self._config.ingest
        intake = await self._inbox.take(settings.batch_max_messages, settings.batch_max_wait_ms / 1_000)
        try:
            await self._batch(state, intake)
        except BaseException:
            intake.retry()
            raise
        intake.ack()
        await self._ahead.clear()
        if self.notices.cases:
            self.notices.cases = False
            await self._amend(state, intake.now_ms)
        if self._clock.wall_ms() - self._snapshot_ms > SNAPSHOT_EVERY_MS:
            await self._save(state)
        await self._tell(state, intake.now_ms)
        self._seen_s, self._trouble = self._clock.monotonic_s(), ""
        self.turned.set()

    async def _batch(self, state: State, intake: Intake) -> None:
        engine, now_ms = state.engine, intake.now_ms
        if not intake.messages and not self.notices.answers:
            if min(engine.next_due_ms, state.book.next_due_ms or OPEN_END_MS) <= now_ms:
                await self._commit(state, None, now_ms)
            self.lag_s = 0.0
            self._metrics.detection_lag.set(0)
            return
        decoded = decode(
            intake.messages, engine.city.device_no, self._config.site.timezone, self._config.detection
        )
        await self._commit(state, (intake.messages, decoded), now_ms)
        for (source, outcome), count in decoded.counts.items():
            self._metrics.messages.labels(source, outcome).inc(count)
        if intake.messages:
            self._metrics.batch_size.observe(len(intake.messages))
            lag_ms = self._clock.wall_ms() - intake.messages[0].arrival_ms
            self._metrics.ingest_lag.observe(max(0, lag_ms) / 1_000)
        self._note_lag(intake, decoded)

    def _note_lag(self, intake: Intake, decoded: Decoded) -> None:
        """A full batch whose newest row is old: more is waiting, at the broker or in the devices."""
        told_ms, since_ms = decoded.batch.messages.t_ms, intake.now_ms
        if len(intake.messages) >= self._config.ingest.batch_max_messages and len(told_ms):
            since_ms = int(told_ms.max())
        self.lag_s = max(0.0, (self._clock.wall_ms() - since_ms) / 1_000)
        self._metrics.detection_lag.set(self.lag_s)

    async def _commit(
        self, state: State, given: tuple[Sequence[Message], Decoded] | None, now_ms: int
    ) -> None:
        """Store, judge and decide in one transaction."""
        number = state.batch_no + 1
        stored = 0
        self.notices.answers = False
        async with self._store.transaction() as tx:
            batch, histories, rejects = empty_batch(), dict[str, History](), list[Reject]()
            if given is not None:
                batch, histories, rejects, stored = await self._store_rows(tx, state, *given)
                await self._officers_answers(tx, given[1], now_ms)
                for reply in given[1].replies:
                    at_ms = min(reply.arrival_ms, now_ms)
                    await tx.command_answered(reply.device_id, reply.command_id, reply.done, at_ms)
                self._note_topics(*given, state)
            # Always, not only when told: no deadline fires over an answer that is already written.
            answers, drills = await tx.take_answers(number), await tx.take_drills(number)
            resolved = resolved_by(state.book, answers)
            began_s = self._clock.monotonic_s()
            transitions = state.engine.step(batch, now_ms, resolved, histories)
            outcome = state.book.advance(transitions, answers, state.engine.cases, now_ms, drills)
            self._metrics.engine_step.observe(self._clock.monotonic_s() - began_s)
            await self._write(tx, state, outcome)
            commands = self._commands(state, outcome, now_ms)
            if rejects:
                bounds = self._config.ingest
                await tx.insert_rejects(
                    rejects, max_rows=bounds.quarantine_max_rows, max_bytes=bounds.quarantine_max_bytes
                )
            await tx.append_journal(number, entry_bytes(batch, now_ms, answers, drills, resolved, histories))
            await tx.write_commands(commands)
        state.batch_no = number
        self._count(outcome, rejects, stored)

    def _commands(
        self, state: State, outcome: Outcome, now_ms: int, *, amended: bool = False
    ) -> list[Command]:
        """What the devices of the people concerned are told."""
        settings, cases = self._config.commands, state.engine.cases
        said = battery_commands(outcome.lines, cases, settings, self._config.site.language, now_ms)
        # Only what touches a critical alert, or another set of cases, can change who is pursued.
        if amended or any(alert.severity is Severity.CRITICAL for alert in outcome.alerts):
            after = pursued(state.book.open_alerts(), cases, settings, now_ms)
            said += pursuit_commands(state.pursued, after, cases, settings, now_ms)
            state.pursued = after
        return said

    def _note_topics(self, messages: Sequence[Message], decoded: Decoded, state: State) -> None:
        """A device listens where it speaks: under the county that its own topics name."""
        ids, devices = state.engine.city.device_ids, decoded.batch.messages.device.tolist()
        for device, raw in zip(devices, decoded.message_index.tolist(), strict=True):
            message = messages[raw]
            if message.login is None:  # on the own endpoint a device is found by its name alone
                self._topics[ids[device]] = message.topic

    def cases(self) -> CaseSet | None:
        """The cases in force; None before the state is there."""
        return None if self._state is None else self._state.engine.cases

    def county_of(self, device_id: str) -> str | None:
        """The county under which a device last spoke through the broker."""
        topic = self._topics.get(device_id, "")
        family, _ = route(topic)
        return topic.split("/")[2] if family in OWN_FORMATS else None

    async def _store_rows(
        self, tx: Tx, state: State, messages: Sequence[Message], decoded: Decoded
    ) -> tuple[Batch, dict[str, History], list[Reject], int]:
        """Store what may be kept and is new; return the batch for the engine and what was refused."""
        engine = state.engine
        whole = engine.set_right(decoded.batch)
        batch = keep(whole, *engine.admit(whole), rest_is_known=False)
        histories = await self._histories(tx, state, engine.wanted_history(batch))
        numbers = await self._device_numbers(engine.city)
        device = batch.messages.device
        open_to_store = ~engine.is_protected(batch)
        kept = keep(batch, open_to_store, np.ones(len(batch.events), dtype=bool), rest_is_known=False)
        arrival_ms = batch.messages.arrival_ms
        assert whole.clocks is not None
        behind_ms = whole.clocks.behind_ms
        fixes_newer, events_newer = engine.newer(kept)
        of = kept.fixes.message
        fixes = await tx.insert_fixes(
            numbers[device[of]], kept.fixes, arrival_ms[of], fixes_newer, behind_ms[of]
        )
        of = kept.events.message
        events = await tx.insert_events(
            numbers[device[of]], kept.events, arrival_ms[of], events_newer, behind_ms[of]
        )
        new_fixes = np.ones(len(batch.fixes), dtype=bool)
        new_fixes[open_to_store] = fixes.new
        rejects = [self._lawful(state, r) for r in decoded.rejects]
        for conflict, rows in ((fixes.conflict, kept.fixes), (events.conflict, kept.events)):
            for message in rows.message[conflict]:
                raw = messages[int(decoded.message_index[message])]
                device_id = engine.city.device_ids[int(device[message])]
                reject = Reject(
                    Reason.CONFLICT,
                    device_id,
                    raw.topic,
                    raw.arrival_ms,
                    raw.payload,
                    "other content is stored",
                )
                rejects.append(self._lawful(state, reject))
        fresh = keep(batch, new_fixes, events.new, rest_is_known=True)
        await self._contacts(tx, state, messages, decoded, fresh)
        return fresh, histories, rejects, int(fixes.new.sum())

    async def _device_numbers(self, city: City) -> I32:
        """The stored numbers of a city's devices; asked once: no batch must cost what a nation does."""
        if self._numbered is None or self._numbered[0] is not city:
            self._numbered = city, await self._store.device_numbers(city.device_ids)
        return self._numbered[1]

    async def _contacts(
        self, tx: Tx, state: State, messages: Sequence[Message], decoded: Decoded, fresh: Batch
    ) -> None:
        """Of a message that left no row: device, topic and arrival, nothing else."""
        has_rows = np.zeros(len(fresh.messages), dtype=bool)
        has_rows[fresh.fixes.message], has_rows[fresh.events.message] = True, True
        bare = np.flatnonzero(~has_rows & (fresh.messages.presence == Presence.CONTACT))
        if len(bare):
            ids = state.engine.city.device_ids
            await tx.insert_contacts(
                fresh.messages.arrival_ms[bare].tolist(),
                [ids[int(d)] for d in fresh.messages.device[bare]],
                [messages[int(i)].topic for i in decoded.message_index[bare]],
            )

    async def _histories(self, tx: Tx, state: State, of: Sequence[Wanted]) -> dict[str, History]:
        """The stored fixes that are wanted."""
        engine = state.engine
        found: dict[str, History] = {}
        for wanted in of:
            person = engine.city.person_no[wanted.person_id]
            devices = sorted({b.device_id for b in engine.city.law(person).bindings})
            numbers = await self._store.device_numbers(devices)
            by_number = {int(n): engine.city.device_no[d] for n, d in zip(numbers, devices, strict=True)}
            margin_ms = max(engine.settings.clock_within_ms, engine.settings.future_tolerance_ms)
            rows = await tx.fixes_since(list(by_number), wanted.since_ms, margin_ms)
            found[wanted.person_id] = [
                (r.t_ms, r.lon, r.lat, r.acc_m, r.src)
                for r in rows
                if engine.city.person_at(by_number[r.device_no], r.t_ms) == person
            ]
        return found

    def _lawful(self, state: State, reject: Reject) -> Reject:
        """The reject without its payload unless an order is in force for who wears the device."""
        city = state.engine.city
        device = city.device_no.get(reject.device_id or "")
        if device is not None:
            person = city.person_at(device, reject.arrival_ms)
            if person >= 0 and not city.protected[person] and _has_order(state, person, reject.arrival_ms):
                return reject
        return Reject(reject.reason, reject.device_id, reject.topic, reject.arrival_ms, None, "")

    async def _officers_answers(self, tx: Tx, decoded: Decoded, now_ms: int) -> None:
        """Acknowledgements by MQTT: the same as by the API."""
        for ack in decoded.acks:
            if not await tx.may_answer(ack.alert_id, ack.officer_id):
                log.warning("an acknowledgement of an alert that is not the officer's to answer")
                continue
            at_ms = min(ack.arrival_ms, now_ms)
            given = Given(Answer.ACKNOWLEDGED, ack.officer_id, at_ms, ack.note, via=Via.MQTT)
            result = await tx.answer(ack.alert_id, given)
            if not result.won and result.by != ack.officer_id:
                await tx.tell_beaten(ack.alert_id, ack.officer_id, MQTT, page_topic(ack.officer_id), at_ms)

    async def _write(self, tx: Tx, state: State, outcome: Outcome) -> None:
        officers, failover_ms = state.engine.cases.officers, self._config.paging.failover_after_ms
        await tx.write_alerts(outcome.alerts)
        await tx.write_lines(outcome.lines)
        await tx.write_pages(
            [
                row
                for page in outcome.pages
                for row in addressed(page, officers[page.officer_id], self._ways, failover_ms)
            ]
        )
        await tx.write_timeline(
            [
                TimelineEntry(n.alert_id, n.at_ms, n.what.value, ",".join(n.who) or None, n.detail)
                for n in outcome.notes
            ]
        )

    async def _amend(self, state: State, now_ms: int) -> None:
        """Take edited cases into force, with a snapshot in the same transaction."""
        if await self._store.cases_version() == state.cases_version:
            return
        with made_to_last():
            await self._take_edits(state, now_ms)
        log.info(
            "cases changed", extra={"version": state.cases_version, "people": len(state.engine.cases.people)}
        )

    async def _take_edits(self, state: State, now_ms: int) -> None:
        cases, version = await self._store.load_cases(known=(state.engine.cases, state.cases_version))
        async with self._store.transaction() as tx:
            histories = await self._histories(tx, state, state.engine.wanted_by_edit(now_ms))
            calendar = calendar_of(cases, self._config.site.timezone)
            transitions = state.engine.amend(cases, calendar, now_ms, histories)
            outcome = state.book.advance(transitions, (), cases, now_ms)
            state.follow(version, now_ms)
            body = state.to_bytes()
            await self._write(tx, state, outcome)
            await tx.append_journal(state.batch_no + 1, b"")
            await tx.save_snapshot(state.batch_no + 1, body)
            await tx.write_commands(self._commands(state, outcome, now_ms, amended=True))
        state.batch_no += 1
        self._snapshot_ms = self._clock.wall_ms()
        self._count(outcome, [], 0)

    # -- figures ----------------------------------------------------------------------------------
    def _count(self, outcome: Outcome, rejects: Sequence[Reject], stored: int) -> None:
        metrics = self._metrics
        metrics.fixes_stored.inc(stored)
        for reject in rejects:
            metrics.quarantined.labels(reject.reason.value).inc()
        for line in outcome.lines:
            if line.change is Change.OPENED:
                kind = line.episode.kind.value
                metrics.episodes_opened.labels(kind).inc()
                late_ms = line.episode.detected_ms - line.episode.started_ms
                metrics.detection_latency.labels(kind).observe(max(0, late_ms) / 1_000)

    async def _tell(self, state: State, now_ms: int) -> None:
        """Now and then bring the gauges up to date and leave word in the database how we stand."""
        if self._clock.monotonic_s() - self._told_s < WORD_EVERY_S:
            return
        metrics, open_kinds = self._metrics, state.book.open_kinds()
        monitored, silent = state.engine.monitored(now_ms), state.engine.people_silent()
        metrics.people_monitored.set(monitored)
        metrics.people_silent.set(silent)
        for state_of, count in zip(("set_right", "beyond"), state.engine.clocks_off(), strict=True):
            metrics.device_clocks_off.labels(state_of).set(count)
        metrics.inbox_messages.set(len(self._inbox))
        for kind in Kind:
            metrics.episodes_open.labels(kind.value).set(open_kinds[kind])
        word = {
            "monitored": monitored,
            "silent": silent,
            "waiting_messages": len(self._inbox),
            "batch": state.batch_no,
            "open": {kind.value: count for kind, count in sorted(open_kinds.items())},
        }
        await self._store.put_state("monitor", word, self._clock.wall_ms())
        self._told_s = self._clock.monotonic_s()


def _has_order(state: State, person: int, t_ms: int) -> bool:
    answer: Bools = state.engine.city.permitted(np.array([person], np.int32), np.array([t_ms], np.int64))
    return bool(answer[0])


def _first_line(fault: BaseException) -> str:
    return (str(fault).strip().splitlines() or [""])[0]
