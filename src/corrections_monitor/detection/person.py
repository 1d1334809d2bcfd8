"""One person at a time: the families asked in turn, for the rows and deadlines that may change something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from corrections_monitor.detection import loss
from corrections_monitor.detection.against import slot_fixes
from corrections_monitor.detection.band import Band, DeviceMemory
from corrections_monitor.detection.belief import NEVER_SEEN
from corrections_monitor.detection.fit import fit
from corrections_monitor.detection.law import PersonLaw
from corrections_monitor.detection.ledger import Ledger
from corrections_monitor.detection.near import Near
from corrections_monitor.detection.orders import judge_orders
from corrections_monitor.detection.place import PLACE_KINDS, Place
from corrections_monitor.detection.retell import Era, History, in_order, retell
from corrections_monitor.detection.sequence import Runs
from corrections_monitor.detection.sequence import Sequence as Numbers
from corrections_monitor.detection.silence import (
    NEVER_MS,
    SILENCE_KINDS,
    UNHEARD_KINDS,
    Finding,
    Silence,
    Worn,
    find_silence,
    is_as_wide,
    patience_ms,
    settle,
)
from corrections_monitor.detection.state import Memory
from corrections_monitor.detection.suspicion import OddFix, Suspicion
from corrections_monitor.model.episodes import CLOSED_BY_A_PERSON, Kind, Transition
from corrections_monitor.model.telemetry import NO_BATTERY, NO_SEQ, BandEvent
from corrections_monitor.model.times import OPEN_END_MS, OPEN_START_MS

if TYPE_CHECKING:
    from corrections_monitor.detection.engine import Engine, Resolved
    from corrections_monitor.detection.quiet import Rows

_OUTLASTS_THE_ORDER = frozenset(
    {Kind.STRAP_CUT, Kind.STRAP_LOOSE, Kind.CASE_OPEN, Kind.ORDER_EXPIRING, Kind.ORDER_LAPSED}
)


class Judge:
    """Judges rows and deadlines of single persons on the engine's state."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._city = engine.city
        self._columns = engine.columns
        self._settings = engine.settings
        self._reasons = engine.reasons
        self._band = Band(engine.settings, engine.reasons)
        self._numbers = Numbers(engine.settings, engine.reasons)
        past = engine.past_cities
        self._place = Place(engine.city, engine.settings, engine.reasons, engine.started_ms, past)
        self._suspicion = Suspicion(engine.settings, engine.reasons)
        self._late: dict[int, int] = {}  # by person: the oldest fix that came out of turn
        self._near = Near(engine.city, engine.columns, engine.settings, engine.reasons)

    # -- a batch ----------------------------------------------------------------------------------
    def begin(self, rows: Rows, histories: Mapping[str, History]) -> None:
        """Make the rows of a batch reachable by message."""
        self._rows = rows
        self._histories = {p: list(h) for p, h in histories.items()}
        count = np.arange(len(rows.batch.messages) + 1)
        self._fix_ptr = np.searchsorted(rows.batch.fixes.message, count)
        self._event_ptr = np.searchsorted(rows.batch.events.message, count)

    def end(self) -> None:
        """Let the batch go."""
        for person_id in self._histories:
            if person_id in self._engine.memory:
                self._engine.memory[person_id].story.thin()
        self._histories = {}

    def people_of(self, number: int) -> set[int]:
        """Everyone a message concerns: who wears the device now, and who wore it at its rows' times."""
        rows = self._rows
        people = {int(rows.message_person[number])}
        people |= {int(p) for p in rows.fix_person[self._fix_ptr[number] : self._fix_ptr[number + 1]]}
        people |= {int(p) for p in rows.event_person[self._event_ptr[number] : self._event_ptr[number + 1]]}
        people.discard(-1)
        return people

    def message(self, out: list[Transition], number: int, arrival_ms: int) -> None:
        """Judge one message with its rows."""
        rows, columns = self._rows, self._columns
        messages = rows.batch.messages
        device = int(messages.device[number])
        person = int(rows.message_person[number])
        t_ms, seq = int(messages.t_ms[number]), int(messages.seq[number])
        newest_ms = int(columns.t_ms[device])
        if not rows.has_rows[number] and self._is_old(device, t_ms, seq):
            return
        device_id = self._city.device_ids[device]
        # A fix or event from before this binding says nothing of the person who wears the device now.
        if person >= 0:
            memory = self._memory(person)
            if all(w.contact_ms == NEVER_MS for w in self._worn(person, arrival_ms)):
                memory.returned_ms = arrival_ms
            heard_ms = int(columns.contact_ms[device])
            columns.contact_ms[device] = arrival_ms
            self._band.contact(out, memory.ledger, device_id, t_ms, arrival_ms)
            self._number(out, person, device, seq, t_ms, heard_ms, arrival_ms)
            percent = int(messages.battery_pct[number])
            if percent != NO_BATTERY:
                columns.battery_pct[device] = percent
            if percent != NO_BATTERY and t_ms >= newest_ms:
                law, known = self._city.law(person), memory.devices.get(device_id)
                self._band.battery(out, memory.ledger, law, known, device_id, percent, t_ms, arrival_ms)
        columns.t_ms[device] = max(newest_ms, t_ms)
        self._clock(out, number, person, device_id, arrival_ms)
        for row in range(self._event_ptr[number], self._event_ptr[number + 1]):
            self._event(out, row, device_id, newest_ms, arrival_ms)
        for row in range(self._fix_ptr[number], self._fix_ptr[number + 1]):
            self._fix(out, row, device, arrival_ms)
        self._retell()
        for touched in sorted(self.people_of(number)):
            self._place_told(out, touched, arrival_ms)
            self._memory(touched).ledger.note = ""
            self.look(out, touched, arrival_ms, arrival_ms)

    def _clock(
        self, out: list[Transition], number: int, person: int, device_id: str, arrival_ms: int
    ) -> None:
        """What was set right is said in every reason; a clock beyond that is a suspicion."""
        clocks, nonsense = self._rows.batch.clocks, self._rows.nonsense.get(number)
        if clocks is not None and clocks.behind_ms[number]:
            note = self._reasons.clock("clock", int(clocks.behind_ms[number]))
            for touched in self.people_of(number):
                self._memory(touched).ledger.note = note
        if nonsense is not None and person >= 0 and not self._city.protected[person]:
            memory, law = self._memory(person), self._city.law(person)
            how = self._reasons.clock(nonsense.how, nonsense.off_ms)
            self._suspicion.infer(
                out, memory.ledger, law, memory.doubts, Kind.SPOOFED, device_id, arrival_ms,
                nonsense.since_ms, how, arrival_ms,
            )  # fmt: skip

    def _is_old(self, device: int, t_ms: int, seq: int) -> bool:
        """An unusable message is no contact when its time or number is one already passed."""
        old_seq = seq != NO_SEQ and seq <= self._columns.seq[device]
        return bool(old_seq or t_ms <= self._columns.t_ms[device])

    def _number(
        self,
        out: list[Transition],
        person: int,
        device: int,
        seq: int,
        t_ms: int,
        heard_ms: int,
        arrival_ms: int,
    ) -> None:
        if seq == NO_SEQ:
            return
        columns, device_id = self._columns, self._city.device_ids[device]
        missing = [  # whoever wears the device now: a number is missing to the person who wore it then
            (memory.ledger, memory.runs[device_id])
            for wearer in sorted({p for _, p in self._city.bindings.of(device)} - {person})
            if (memory := self._engine.memory.get(self._city.person_ids[wearer])) is not None
            and device_id in memory.runs
        ]
        memory = self._memory(person)
        runs = memory.runs.setdefault(device_id, Runs())
        interval_ms = self._interval_ms(device, arrival_ms)
        columns.seq[device] = self._numbers.take(
            out, [(memory.ledger, runs), *missing], device_id, seq, t_ms,
            int(columns.seq[device]), int(columns.t_ms[device]), interval_ms, arrival_ms,
            self._city.bindings.is_worn_throughout(device, heard_ms, arrival_ms),
        )  # fmt: skip
        if not runs.runs:
            del memory.runs[device_id]

    def _event(
        self, out: list[Transition], row: int, device_id: str, newest_ms: int, arrival_ms: int
    ) -> None:
        person = int(self._rows.event_person[row])
        if person < 0:
            return
        events, memory, law = self._rows.batch.events, self._memory(person), self._city.law(person)
        known = memory.devices.setdefault(device_id, DeviceMemory())
        event, t_ms = BandEvent(int(events.ev[row])), int(events.t_ms[row])
        percent = int(events.battery_pct[row])
        self._band.hear(out, memory.ledger, law, known, device_id, event, t_ms, percent, arrival_ms)
        device = self._city.bindings.of(self._city.device_no[device_id])[0][0]
        self._suspicion.hear(memory.doubts, law, device, event, t_ms, arrival_ms)
        if percent != NO_BATTERY and t_ms >= newest_ms:  # an older message does not tell how full it is now
            self._band.battery(out, memory.ledger, law, known, device_id, percent, t_ms, arrival_ms)

    def _fix(self, out: list[Transition], row: int, device: int, arrival_ms: int) -> None:
        rows, columns = self._rows, self._columns
        person = int(rows.fix_person[row])
        if person < 0:
            return
        fixes = rows.batch.fixes
        t_ms = int(fixes.t_ms[row])
        position = (
            float(fixes.lon[row]),
            float(fixes.lat[row]),
            float(fixes.acc_m[row]),
            int(fixes.src[row]),
        )
        if rows.message_person[rows.batch.fixes.message[row]] == person:
            columns.fix_ms[device] = arrival_ms
        previous, here = columns.newest(person), in_order((t_ms, *position))
        if here > (previous.t_ms, previous.lon, previous.lat, previous.doubt_m):
            columns.last_t_ms[person] = t_ms
            columns.last_lon[person], columns.last_lat[person] = position[:2]
            columns.last_doubt_m[person] = here[-1]
        self._near.see(out, person, t_ms, arrival_ms, self._memory)
        if self._city.protected[person]:
            return
        memory = self._memory(person)
        device_id = self._city.device_ids[device]
        loss.see(memory.doubts, device_id, t_ms, position[:2], here[-1], position[3])
        if rows.odd.any_odd[row] or rows.odd.together[row]:
            odd_fix = OddFix(device_id, t_ms, *position[:2], here[-1], rows.odd, row)
            law = self._city.law(person)
            self._suspicion.see(out, memory.ledger, law, memory.doubts, odd_fix, arrival_ms)
        history = self._histories.get(self._city.person_ids[person])
        if history is not None:
            history.append((t_ms, *position))
        story = memory.story
        is_in_turn = t_ms > previous.t_ms
        is_of_now = t_ms > story.since_ms and t_ms >= self._engine.edited_ms
        if is_in_turn and is_of_now and person not in self._late:
            compared = slot_fixes(self._city, person, t_ms, position, rows.against, row)
            self._place.see(story, person, compared, previous)
        elif (is_in_turn or history is not None) and story.remembers(t_ms):
            if history is None:  # after every fix known, before what time and edits did since
                retell(story, t_ms, [(t_ms, *position)], self._eras(person), previous)
            else:
                self._late[person] = min(t_ms, self._late.get(person, t_ms))

    def _retell(self) -> None:
        """Tell the stories again that this message's late fixes may have changed."""
        for person, from_ms in self._late.items():
            person_id = self._city.person_ids[person]
            history = sorted(set(self._histories[person_id]), key=in_order)
            retell(self._memory(person).story, from_ms, history, self._eras(person), NEVER_SEEN)
        self._late.clear()

    def _eras(self, person: int) -> list[Era]:
        """The cases by which a person's fixes are judged, in order of time."""
        person_id = self._city.person_ids[person]
        past = self._engine.past_cities
        found, from_ms = [], OPEN_START_MS
        for number, (until_ms, city) in enumerate(past):
            if person_id in city.person_no:
                place = Place(city, self._settings, self._reasons, self._engine.started_ms, past[:number])
                found.append(Era(from_ms, city, place, city.person_no[person_id]))
            from_ms = until_ms
        return [*found, Era(from_ms, self._city, self._place, person)]

    # -- time -------------------------------------------------------------------------------------
    def look(self, out: list[Transition], person: int, at_ms: int, heard_ms: int) -> None:
        """Ask every family what is true of a person at ``at_ms``, and when to ask again."""
        city, columns = self._city, self._columns
        if city.protected[person]:
            columns.due_ms[person] = OPEN_END_MS
            return
        law = city.law(person)
        memory = self._memory(person)
        ledger = memory.ledger
        self._place_told(out, person, at_ms)
        self._end_with_order(out, ledger, person, at_ms)
        finding = self._silence(person, law, memory, at_ms, heard_ms)
        settle(out, ledger, law, finding, at_ms, heard_ms, self._reasons)
        receivers = self._receivers(person, at_ms)
        self._lost(out, memory, law, receivers, at_ms)
        speaking = self._speaking(person, at_ms) if memory.doubts.still else ()
        self._suspicion.tick(out, ledger, law, memory.doubts, speaking, at_ms)
        odd_ms = self._suspicion.next_due_ms(memory.doubts, law, at_ms)
        dues = [self._place.next_due_ms(memory.story), odd_ms, loss.next_due_ms(receivers, at_ms)]
        for device_id, runs in list(memory.runs.items()):
            self._numbers.tick(out, ledger, law, runs, device_id, at_ms)
            dues.append(self._numbers.next_due_ms(runs))
            if not runs.runs:
                del memory.runs[device_id]
        dues.append(judge_orders(out, ledger, law, at_ms, self._settings, self._reasons))
        columns.other_due_ms[person] = min(dues)
        columns.due_ms[person] = min(*dues, finding.next_ms)
        columns.watched[person] = finding.waits or self._is_watched(person, memory, at_ms)
        if memory.is_blank:
            self._forget(person)
        self.refresh_slots(person, memory, at_ms)

    def _place_told(self, out: list[Transition], person: int, at_ms: int) -> None:
        """Let time pass in a person's story, and bring the ledger in step with it."""
        memory = self._memory(person)
        self._place.tick(memory.story, person, at_ms)
        fit(out, memory.ledger, memory.story, at_ms, self._settings.late_ms, self._reasons)

    def _silence(self, person: int, law: PersonLaw, memory: Memory, at_ms: int, heard_ms: int) -> Finding:
        worn, sight_ms = self._worn(person, at_ms), self._engine.sight_ms
        finding = find_silence(law, worn, at_ms, sight_ms, memory.returned_ms, self._settings)
        if finding.silence is None and worn and sight_ms > self._engine.started_ms:
            finding = self._still(law, worn, memory, finding, at_ms)
        was_unheard = bool(memory.ledger.of_kind(*UNHEARD_KINDS))
        if was_unheard and (finding.silence is None or finding.silence.kind not in UNHEARD_KINDS):
            memory.returned_ms = heard_ms
            finding = find_silence(law, worn, at_ms, sight_ms, heard_ms, self._settings)
        columns = self._columns
        judged = law.judged(at_ms)
        columns.floor_ms[person] = max(sight_ms, judged.from_ms if judged.holds else NEVER_MS)
        columns.returned_ms[person] = memory.returned_ms
        return finding

    def _still(
        self, law: PersonLaw, worn: Sequence[Worn], memory: Memory, finding: Finding, at_ms: int
    ) -> Finding:
        """Our own deafness ends no silence: it goes on while, had we heard, it would, or a wider one."""
        present = next(iter(memory.ledger.of_kind(*SILENCE_KINDS)), None)
        if present is None:
            return finding
        heard = find_silence(law, worn, at_ms, NEVER_MS, memory.returned_ms, self._settings)
        if heard.silence is None or not is_as_wide(heard.silence.kind, present.kind):
            return finding
        silence = Silence(present.kind, present.subject, present.started_ms, present.kind.value)
        return Finding(silence, min(finding.next_ms, heard.next_ms), finding.waits or heard.waits)

    def _end_with_order(self, out: list[Transition], ledger: Ledger, person: int, at_ms: int) -> None:
        """An order that ends, or a suspension that begins, closes what is open, tampers excepted."""
        judged = self._city.law(person).judged(at_ms)
        if judged.holds:
            return
        why = self._city.law(person).why_not_judged(at_ms)
        for kind, subject in list(ledger.open_ones):
            if kind not in _OUTLASTS_THE_ORDER and kind not in PLACE_KINDS:  # a story knows when it is over
                ledger.close(out, at_ms, (kind, subject), judged.from_ms, self._reasons.say(why))

    def _worn(self, person: int, at_ms: int) -> list[Worn]:
        columns, city = self._columns, self._city
        found = []
        for binding in city.law(person).bound(at_ms):
            device = city.device_no[binding.device_id]
            contact, fix = int(columns.contact_ms[device]), int(columns.fix_ms[device])
            from_ms = binding.span.from_ms
            # What the device said on somebody else's arm is not heard of this person.
            found.append(
                Worn(
                    binding.device_id,
                    binding.kind,
                    max(from_ms, int(columns.known_ms[device])),
                    binding.report_every_s * 1_000,
                    patience_ms(binding.report_every_s, self._settings),
                    contact if contact >= from_ms else NEVER_MS,
                    fix if fix >= from_ms else NEVER_MS,
                )
            )
        return found

    def _speaking(self, person: int, at_ms: int) -> list[str]:
        """The devices worn now that are not silent."""
        return [w.device_id for w in self._worn(person, at_ms) if at_ms < w.contact_ms + w.patience_ms]

    def _receivers(self, person: int, at_ms: int) -> list[loss.Receiver]:
        columns, device_no = self._columns, self._city.device_no
        return [
            loss.Receiver(
                w.device_id, w.kind, w.contact_ms, w.fix_ms, w.patience_ms,
                int(columns.good_ms[n]), int(columns.fine_ms[n]),
                float(columns.good_lon[n]), float(columns.good_lat[n]), int(columns.battery_pct[n]),
            )
            for w in self._worn(person, at_ms)
            for n in (device_no[w.device_id],)
        ]  # fmt: skip

    def _lost(
        self,
        out: list[Transition],
        memory: Memory,
        law: PersonLaw,
        receivers: list[loss.Receiver],
        at_ms: int,
    ) -> None:
        """What is lost outdoors; what once was stays so until it gives a position again."""
        ledger, doubts = memory.ledger, memory.doubts
        found = loss.look(doubts, receivers, at_ms)
        for inferred in doubts.inferred:
            if inferred.kind in loss.LOSS_KINDS and inferred.device_id in doubts.lost:
                inferred.last_ms = inferred.at_ms = at_ms
        for one in found:
            said = ledger.of_kind(*loss.LOSS_KINDS, Kind.POWER_OFF)
            if not doubts.apart_fixes and all(e.subject != one.device_id for e in said):
                how = self._reasons.say(
                    "how.lost", percent=one.battery_pct, other=one.other, metres=round(one.metres)
                )
                self._suspicion.infer(
                    out, ledger, law, doubts, one.kind, one.device_id, at_ms, one.since_ms, how, at_ms
                )

    def _is_watched(self, person: int, memory: Memory, at_ms: int) -> bool:
        """Whether any contact may change something that columns do not see."""
        busy = any(kind not in PLACE_KINDS for kind, _ in memory.ledger.open_ones if kind not in _STEADY)
        unsure = bool(memory.runs) or memory.doubts.apart_fixes > 0 or bool(memory.doubts.lost)
        unsure |= any(d.charging_pct is not None for d in memory.devices.values())
        unsure |= self._suspicion.waits(memory.doubts, self._city.law(person), at_ms)
        return busy or unsure or self._near.concerns(person)

    def refresh_slots(self, person: int, memory: Memory, at_ms: int) -> None:
        """Tell the columns which fixes of this person may be passed over."""
        columns, now = self._columns, memory.story.now
        columns.since_ms[person] = now.since_ms
        t_ms = max(int(columns.last_t_ms[person]), OPEN_START_MS)
        for number in self._city.slots(person):
            slot = now.slots.get(self._place.key(number))
            columns.beyond[number] = slot is not None and slot.belief.beyond
            columns.quiet_from_ms[number], columns.quiet_until_ms[number] = self._place.quiet_span(
                now, person, number, t_ms if t_ms > OPEN_START_MS else at_ms
            )

    def _interval_ms(self, device: int, t_ms: int) -> int:
        """The report interval of a device at an instant."""
        rows = [b for b, _ in self._city.bindings.of(device)]
        return next((b for b in rows if b.span.holds(t_ms)), rows[0]).report_every_s * 1_000

    def _memory(self, person: int) -> Memory:
        person_id = self._city.person_ids[person]
        memory = self._engine.memory.get(person_id)
        if memory is None:
            office = self._city.cases.people[person_id].office_id
            memory = self._engine.memory[person_id] = Memory(Ledger(person_id, office))
            self._columns.storied[person] = True
        return memory

    def _forget(self, person: int) -> None:
        """Let go of a memory in which nothing is: of a nation hardly anyone has a story."""
        del self._engine.memory[self._city.person_ids[person]]
        self._columns.storied[person] = False

    # -- answers and edits ------------------------------------------------------------------------
    def resolve(self, out: list[Transition], answer: Resolved, at_ms: int) -> None:
        """Close what only a person's resolution closes."""
        memory = self._engine.memory.get(answer.person_id)
        if memory is None:
            return
        for key, episode in list(memory.ledger.open_ones.items()):
            if episode.episode_id in answer.episode_ids and episode.kind in CLOSED_BY_A_PERSON:
                memory.ledger.close(out, at_ms, key, at_ms, self._reasons.say("resolved"))

    def amended(self, out: list[Transition], person_id: str, now_ms: int, history: History) -> None:
        """Bring a person's open episodes and slots in step with edited cases.

        ``history``: the fixes from ``now_ms`` on and the one before, where a device is ahead of our clock.
        """
        person = self._city.person_no.get(person_id)
        if person is None:
            return
        memory = self._memory(person)
        memory.ledger.move_office(self._city.cases.people[person_id].office_id)
        if history:
            retell(memory.story, now_ms, sorted(history, key=in_order), self._eras(person), NEVER_SEEN)
        else:
            self._place.edit(memory.story, person, now_ms)
        self._near.edit(out, memory, person, now_ms)

    def people_silent(self) -> int:
        return sum(bool(m.ledger.of_kind(*SILENCE_KINDS)) for m in self._engine.memory.values())


# Open episodes that a mere contact cannot change.
_STEADY = frozenset(
    {Kind.STRAP_CUT, Kind.STRAP_LOOSE, Kind.CASE_OPEN, Kind.SOS, Kind.ORDER_EXPIRING, Kind.ORDER_LAPSED}
)
