"""The engine: rows in order of arrival and the passing of time in, transitions out.

``step`` is the whole of it.  Persons whose rows ``quiet`` proves harmless are absorbed by columns; the
others are taken message by message, each after the deadlines that were due before it.  Then time passes
for everyone up to ``now_ms``.  Within one millisecond rows come first, then deadlines; a batch is never cut
inside a millisecond, so how rows are cut into batches changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from corrections_monitor.detection.against import compare
from corrections_monitor.detection.city import City
from corrections_monitor.detection.clocks import (
    Clock,
    Nonsense,
    Reading,
    delays,
    live_messages,
    read,
    set_right,
)
from corrections_monitor.detection.outage import Outages
from corrections_monitor.detection.person import Judge
from corrections_monitor.detection.plausibility import follow
from corrections_monitor.detection.quiet import Rows, Worn, absorb, loud_people, stirred
from corrections_monitor.detection.reasons import Reasons
from corrections_monitor.detection.retell import History
from corrections_monitor.detection.silence import NEVER_MS, patience_ms
from corrections_monitor.detection.state import Columns, Memory
from corrections_monitor.detection.steady import Steady
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import Episode, Transition
from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.telemetry import I32, I64, Batch, Bools, Presence
from corrections_monitor.model.times import OPEN_END_MS, OPEN_START_MS


@dataclass(frozen=True, slots=True)
class Resolved:
    """A person resolved an alert: these episodes of this person may close now (tamper, sos)."""

    at_ms: int
    person_id: str
    episode_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A person of whom earlier fixes are needed, because late ones may change what was judged: those from
    ``since_ms`` on, and the last one before."""

    person_id: str
    since_ms: int


class Engine:
    """All that is known of everybody's whereabouts and devices.  Pure: time is only ever given.

    ``now_ms`` at construction is when monitoring began: bindings older than that count as heard then.
    ``judge_everyone`` switches the quiet proof off (for tests).
    """

    def __init__(
        self,
        cases: CaseSet,
        calendar: Calendar,
        settings: DetectionSettings,
        now_ms: int,
        *,
        judge_everyone: bool = False,
    ) -> None:
        self.settings = settings
        self.reasons = Reasons(settings.language, calendar.zone)
        self.started_ms = now_ms
        self.sight_ms = now_ms
        self.now_ms = now_ms - 1
        self.memory: dict[str, Memory] = {}
        self.clocks: dict[str, Clock] = {}  # of devices whose clock is not simply right
        self.past_cities: list[tuple[int, City]] = []
        self.outages = Outages(settings, self.reasons)
        self._judge_everyone = judge_everyone
        self._use(City(cases, calendar), now_ms, None)
        bindings = self.city.bindings
        self.columns.contact_ms[bindings.device[bindings.from_ms < now_ms]] = now_ms
        if not judge_everyone:
            self._look_ahead(np.arange(len(self.city.person_ids)))

    # -- cases ------------------------------------------------------------------------------------
    @property
    def cases(self) -> CaseSet:
        return self.city.cases

    def amend(
        self,
        cases: CaseSet,
        calendar: Calendar,
        now_ms: int,
        histories: Mapping[str, History] | None = None,
    ) -> list[Transition]:
        """Take edited cases into force at ``now_ms``; edits never reach back.

        ``histories``: for the persons of ``wanted_by_edit``.
        """
        out = self.step(None, now_ms)
        old_city, old = self.city, self.columns
        self.remember_past([*self.past_cities, (now_ms, old_city)])
        self._use(City(cases, calendar, old_city), now_ms, (old_city, old))
        self.outages.remember(self.open_episodes(), self.city)
        chunks = _Chunks()
        ahead = histories or {}
        for person_id in sorted({*self.memory, *ahead}):
            history = ahead.get(person_id, ())
            self._judge.amended(chunks.at(now_ms, 1, person_id), person_id, now_ms, history)
        self.columns.due_ms[:] = now_ms
        self.refresh_slots()
        self._pass_time(chunks, now_ms)
        return out + self.outages.follow(chunks.in_order(), self.city, now_ms)

    def remember_past(self, past: Sequence[tuple[int, City]]) -> None:
        """The cities before this one, oldest first, and until when each was in force."""
        self.past_cities[:] = past[-PAST_CITIES:]

    def _use(self, city: City, now_ms: int, before: tuple[City, Columns] | None) -> None:
        self.city: City = city
        self.columns = Columns(city)
        self.columns.known_ms[:] = now_ms
        if before is not None:
            self.columns.carry_over(before[1], before[0], city)
        self.columns.floor_ms[:] = self.sight_ms
        self.columns.due_ms[:] = now_ms
        self.columns.other_due_ms[:] = now_ms
        self._worn_at(now_ms)
        self._steady: Steady = Steady(city, self.settings)
        self._judge: Judge = Judge(self)

    def _worn_at(self, now_ms: int) -> None:
        """Who wears what now; to be asked anew when a binding begins or ends."""
        bindings = self.city.bindings
        row = bindings.at(now_ms)
        is_worn = (bindings.from_ms[row] <= now_ms) & (now_ms < bindings.to_ms[row])
        people = np.where(is_worn, bindings.person[row], -1).astype(np.int32)
        self.worn = Worn(people, len(self.city.person_ids))
        intervals_s, which = np.unique(bindings.every_s[row], return_inverse=True)
        patience = [patience_ms(every_s, self.settings) for every_s in intervals_s.tolist()]
        self.patience_ms = np.array(patience, dtype=np.int64)[which]
        bounds = np.concatenate((bindings.from_ms, bindings.to_ms))
        self.worn_until_ms = int(bounds[bounds > now_ms].min(initial=OPEN_END_MS))

    # -- time and rows ----------------------------------------------------------------------------
    def step(
        self,
        batch: Batch | None,
        now_ms: int,
        resolved: Sequence[Resolved] = (),
        histories: Mapping[str, History] | None = None,
    ) -> list[Transition]:
        """Judge a batch and let time pass to ``now_ms``; return what changed, in order of time.

        Rows of the batch are set right (``set_right``), admitted (``admit``) and new; their arrivals lie
        after the last step's ``now_ms`` and not after this one's.  ``histories``: for the persons of
        ``wanted_history``.
        """
        chunks = _Chunks()
        if batch is not None and len(batch.messages):
            self._pass_time(chunks, int(batch.messages.arrival_ms[0]) - 1)
            self._take(chunks, batch, histories or {})
        for answer in sorted(resolved, key=lambda r: r.at_ms):
            at_ms = min(max(answer.at_ms, self.now_ms + 1), now_ms)
            self._pass_time(chunks, at_ms - 1)
            self._judge.resolve(chunks.at(at_ms, 0, ""), answer, at_ms)
        self._pass_time(chunks, now_ms)
        self.now_ms = now_ms
        return self.outages.follow(chunks.in_order(), self.city, now_ms)

    def tie(self, batch: Batch) -> Rows:
        """Tie the rows of a batch to persons; compare its fixes with their zones and with each other."""
        city, messages, fixes, events = self.city, batch.messages, batch.fixes, batch.events
        message_person = city.people_at(messages.device, messages.arrival_ms)
        fix_person = city.people_at(messages.device[fixes.message], fixes.t_ms)
        event_person = city.people_at(messages.device[events.message], events.t_ms)
        has_rows = np.zeros(len(messages), dtype=bool)
        has_rows[fixes.message] = True
        has_rows[events.message] = True
        # Nobody's fixes are compared with nobody's zones: they never reach the engine (``admit``).
        against = compare(city, np.maximum(fix_person, 0), fixes.lon, fixes.lat, fixes.acc_m, fixes.src)
        watched = np.where(city.protected[fix_person], -1, fix_person).astype(np.int32)
        device = messages.device[fixes.message]
        odd = follow(self.columns, watched, device, fixes.t_ms, fixes.lon, fixes.lat, fixes.acc_m, fixes.src)
        nonsense = self._follow_clocks(batch)
        return Rows(batch, message_person, fix_person, event_person, has_rows, against, odd, nonsense)

    def _follow_clocks(self, batch: Batch) -> dict[int, Nonsense]:
        if batch.clocks is None:
            return {}
        delay_ms = batch.clocks.delay_ms
        reading = self._read_clocks(batch, delay_ms)
        live = live_messages(delay_ms)
        self.columns.live_ms[batch.messages.device[live]] = batch.messages.arrival_ms[live]
        for device_id, clock in reading.clocks.items():
            if clock is None:
                self.clocks.pop(device_id, None)
            else:
                self.clocks[device_id] = clock
        return reading.nonsense

    def _take(self, chunks: _Chunks, batch: Batch, histories: Mapping[str, History]) -> None:
        last_ms = int(batch.messages.arrival_ms[-1])
        if self.worn_until_ms <= last_ms:
            self._worn_at(last_ms)
        rows = self.tie(batch)
        if self._judge_everyone:
            loud = np.ones(len(self.city.person_ids), dtype=bool)
        else:
            loud = loud_people(rows, self.city, self.columns, self.settings, self.edited_ms)
        absorb(rows, ~loud, self.columns, self.patience_ms, self.worn)
        self._judge.begin(rows, histories)
        for number in np.flatnonzero(self._loud_messages(rows, loud)):
            self._message(chunks, rows, int(number))
        self._judge.end()

    def _loud_messages(self, rows: Rows, loud: Bools) -> Bools:
        """The messages of loud persons, and those with rows of a loud person."""
        known = np.append(loud, False)
        out = known[rows.message_person]
        out[rows.batch.fixes.message[known[rows.fix_person]]] = True
        out[rows.batch.events.message[known[rows.event_person]]] = True
        said: Bools = out & (rows.has_rows | (rows.batch.messages.presence == Presence.CONTACT))
        return said

    def _message(self, chunks: _Chunks, rows: Rows, number: int) -> None:
        arrival_ms = int(rows.batch.messages.arrival_ms[number])
        device, people = int(rows.batch.messages.device[number]), self._judge.people_of(number)
        if self.city.bindings.count[device] > 1:  # who wore it before must not hear what it says now
            people |= {person for _, person in self.city.bindings.of(device)}
        for person in people:
            while self.columns.due_ms[person] < arrival_ms:
                self._deadline(chunks, person)
        self._judge.message(chunks.at(arrival_ms, 0, number), number, arrival_ms)

    def _pass_time(self, chunks: _Chunks, now_ms: int) -> None:
        if self.worn_until_ms <= now_ms:
            self._worn_at(now_ms)
        due = self.columns.due_ms
        while True:
            people = np.flatnonzero(due <= now_ms)
            if not len(people):
                return
            if not self._judge_everyone:
                people = self._look_ahead(people)
            for person in people:
                self._deadline(chunks, int(person))

    def _look_ahead(self, people: I64) -> I64:
        """Say when to look next at those for whom columns can; return the others."""
        columns = self.columns
        at_ms = np.maximum(columns.due_ms[people], self.started_ms)
        due_ms, other_ms = self._steady.next_look(
            people, at_ms, columns, self.worn, self.patience_ms, self.sight_ms
        )
        steady = due_ms > at_ms
        columns.due_ms[people[steady]], columns.other_due_ms[people[steady]] = (
            due_ms[steady],
            other_ms[steady],
        )
        columns.watched[people[steady]] = False
        columns.floor_ms[people[steady]] = np.maximum(self.sight_ms, self.city.order_from[people[steady]])
        return people[~steady]

    def _deadline(self, chunks: _Chunks, person: int) -> None:
        at_ms = max(int(self.columns.due_ms[person]), self.started_ms)
        self._judge.look(chunks.at(at_ms, 1, self.city.person_ids[person]), person, at_ms, at_ms)
        if self.columns.due_ms[person] <= at_ms:
            self.columns.due_ms[person] = at_ms + 1

    # -- what callers may ask ---------------------------------------------------------------------
    def set_right(self, batch: Batch) -> Batch:
        """The batch with the event times of devices whose clocks are off set right; asked before anything
        else of a decoded batch."""
        delay_ms = delays(batch)
        return set_right(batch, delay_ms, self._read_clocks(batch, delay_ms).behind_ms)

    def _read_clocks(self, batch: Batch, delay_ms: I64) -> Reading:
        ids, live_ms = self.city.device_ids, self.columns.live_ms
        return read(self.clocks, live_ms, ids, batch.messages, delay_ms, self.settings)

    def clocks_off(self) -> tuple[int, int]:
        """How many devices' clocks are set right, and how many are off beyond that."""
        off_ms = [abs(c.behind_ms) for c in self.clocks.values() if c.behind_ms]
        beyond = sum(off > self.settings.clock_within_ms for off in off_ms)
        return len(off_ms) - beyond, beyond

    def admit(self, batch: Batch) -> tuple[Bools, Bools]:
        """Which fixes and events may be kept: those whose wearer has an order in force at their time."""
        device = batch.messages.device
        fix_device, event_device = device[batch.fixes.message], device[batch.events.message]
        fix_person = self.city.people_at(fix_device, batch.fixes.t_ms)
        event_person = self.city.people_at(event_device, batch.events.t_ms)
        return (
            self.city.permitted(fix_person, batch.fixes.t_ms),
            self.city.permitted(event_person, batch.events.t_ms),
        )

    def newer(self, batch: Batch) -> tuple[Bools, Bools]:
        """Which fixes and events are later than everything their device has told so far."""
        device = batch.messages.device
        told_ms = self.columns.t_ms
        return (
            batch.fixes.t_ms > told_ms[device[batch.fixes.message]],
            batch.events.t_ms > told_ms[device[batch.events.message]],
        )

    def is_protected(self, batch: Batch) -> Bools:
        """Which fixes are of protected persons: judged, never stored."""
        person = self.city.people_at(batch.messages.device[batch.fixes.message], batch.fixes.t_ms)
        return (person >= 0) & self.city.protected[np.maximum(person, 0)]

    def wanted_history(self, batch: Batch) -> list[Wanted]:
        """Persons with a fix older than one already judged, or than the last edit of the cases."""
        fixes = batch.fixes
        if not len(fixes):
            return []
        person = self.city.people_at(batch.messages.device[fixes.message], fixes.t_ms)
        order = np.argsort(person, kind="stable")
        person, t_ms = person[order], fixes.t_ms[order]
        mine = person >= 0
        person, t_ms = person[mine], t_ms[mine]
        if not len(person):
            return []
        starts = np.flatnonzero(np.concatenate(([True], person[1:] != person[:-1])))
        newest = self.columns.last_t_ms[person[starts]]
        oldest = np.minimum.reduceat(t_ms, starts)
        unsorted = np.concatenate((t_ms[1:] <= t_ms[:-1], [False]))
        unsorted[np.append(starts[1:], len(t_ms)) - 1] = False
        jumbled = np.logical_or.reduceat(unsorted, starts)
        late = np.flatnonzero(
            (oldest <= newest) & (newest > OPEN_START_MS) | jumbled | (oldest < self.edited_ms)
        )
        concerned = self._concerned(batch, person[starts[late]]) | (oldest[late] < self.edited_ms)
        return [
            self._wanted(self.city.person_ids[person[starts[i]]], int(oldest[i])) for i in late[concerned]
        ]

    def wanted_by_edit(self, now_ms: int) -> list[Wanted]:
        """Persons with a fix that is ahead of an edit at ``now_ms``, by a device whose clock is."""
        ahead = (self.columns.last_t_ms >= now_ms) & ~self.city.protected
        return [self._wanted(self.city.person_ids[person], now_ms) for person in np.flatnonzero(ahead)]

    def _wanted(self, person_id: str, t_ms: int) -> Wanted:
        memory = self.memory.get(person_id)
        return Wanted(person_id, memory.story.base_ms(t_ms) if memory is not None else t_ms)

    @property
    def edited_ms(self) -> int:
        """When the cases were last edited."""
        return self.past_cities[-1][0] if self.past_cities else OPEN_START_MS

    def _concerned(self, batch: Batch, people: I32) -> Bools:
        """Of persons (n,), in order, those whose late fixes may change what was judged (n,)."""
        fixes = batch.fixes
        person = self.city.people_at(batch.messages.device[fixes.message], fixes.t_ms)
        rows = np.flatnonzero(np.isin(person, people))
        pairs = compare(
            self.city, person[rows], fixes.lon[rows], fixes.lat[rows], fixes.acc_m[rows], fixes.src[rows]
        )
        moves = stirred(pairs, fixes.t_ms[rows], self.city, self.columns)
        return np.isin(people, person[rows[pairs.fix[moves]]])

    @property
    def next_due_ms(self) -> int:
        """When time alone next has to be looked at."""
        return int(self.columns.due_ms.min()) if self.columns.due_ms.size else OPEN_END_MS

    def open_episodes(self) -> list[Episode]:
        """Every open episode."""
        ledgers = [*(m.ledger for m in self.memory.values()), self.outages.ledger]
        return [e for ledger in ledgers for e in ledger.open_ones.values()]

    def people_silent(self) -> int:
        """How many persons have an open silence."""
        return self._judge.people_silent()

    def monitored(self, now_ms: int) -> int:
        """How many persons have an order in force now."""
        return self.city.monitored(np.arange(len(self.city.person_ids)), now_ms)

    def last_contacts(self, now_ms: int) -> dict[str, int]:
        """When each person's devices of now were last heard, by arrival; who never was is absent."""
        devices = np.arange(len(self.city.device_ids), dtype=np.int32)
        person = self.city.people_at(devices, np.full(len(devices), now_ms))
        heard_ms = self.columns.contact_ms
        found: dict[str, int] = {}
        for device in np.flatnonzero((person >= 0) & (heard_ms > NEVER_MS)):
            name = self.city.person_ids[int(person[device])]
            found[name] = max(int(heard_ms[device]), found.get(name, NEVER_MS))
        return found

    def deaf_until(self, now_ms: int) -> None:
        """We ourselves could not hear before ``now_ms``: patience with everyone starts anew."""
        self.sight_ms = now_ms
        self.columns.due_ms[:] = np.minimum(self.columns.due_ms, now_ms)
        np.maximum(self.columns.due_ms, self.now_ms + 1, out=self.columns.due_ms)
        np.maximum(self.columns.floor_ms, now_ms, out=self.columns.floor_ms)

    def refresh_slots(self) -> None:
        """Tell the columns anew which fixes may be passed over."""
        for person_id, memory in self.memory.items():
            person = self.city.person_no.get(person_id)
            if person is not None:
                self.columns.storied[person] = True
                self._judge.refresh_slots(person, memory, self.now_ms)


PAST_CITIES = 16  # versions of the cases by which late fixes are still judged


class _Chunks:
    """Transitions with the order they belong in: time, rows before deadlines, then row or person."""

    def __init__(self) -> None:
        self._chunks: list[tuple[tuple[int, int, str], list[Transition]]] = []

    def at(self, at_ms: int, phase: int, order: int | str) -> list[Transition]:
        """A list for what happens at this time; rows are phase 0, deadlines phase 1."""
        key = f"{order:012d}" if isinstance(order, int) else order
        out: list[Transition] = []
        self._chunks.append(((at_ms, phase, key), out))
        return out

    def in_order(self) -> list[Transition]:
        self._chunks.sort(key=lambda chunk: chunk[0])
        return [t for _, out in self._chunks for t in out]


__all__ = ["I32", "Engine", "History", "Resolved", "Wanted"]
