"""The clerk: takes messages one after another, asks about everyone concerned, keeps the books."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from precinct import Point, Said, Told

from corrections_monitor.model.cases import CaseSet, DeviceKind
from corrections_monitor.model.episodes import CLOSED_BY_A_PERSON, Kind
from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.telemetry import NO_BATTERY, NO_SEQ, BandEvent
from corrections_monitor.model.times import HOUR_MS, OPEN_END_MS, OPEN_START_MS
from reference import clocks, devices, losses, oddities, orders, pairs, places, silences, stillness
from reference.belief import Belief, Fix, doubt_m
from reference.book import Book, Entry, Line, Says
from reference.law import Law
from reference.outages import Outages

UNHEARD = (Kind.SILENCE_DEVICE, Kind.UNMONITORED)
OUTLASTS_THE_ORDER = (*devices.TAMPERS, Kind.ORDER_EXPIRING, Kind.ORDER_LAPSED)


@dataclass
class File:
    """All that is remembered of one person."""

    book: Book
    story: places.Story
    fitted: list[tuple[object, ...]] = field(default_factory=list)  # the tales the book is in step with
    fixes: list[Fix] = field(default_factory=list)
    devices: dict[str, devices.Device] = field(default_factory=lambda: defaultdict(devices.Device))
    doubts: oddities.Doubts = field(default_factory=oddities.Doubts)
    losses: losses.Losses = field(default_factory=losses.Losses)
    still: dict[str, stillness.Still] = field(default_factory=lambda: defaultdict(stillness.Still))
    pairs: dict[str, pairs.Pair] = field(default_factory=lambda: defaultdict(lambda: pairs.Pair(Belief())))
    returned_ms: int = 0  # when the last silence of all devices ended, or the first of them spoke
    next_ms: int = 0  # when anything about the person may next change by time alone


class Reference:
    """What must be found, given cases, messages in order of arrival, and time.

    ``began_ms``: when monitoring began.  ``told`` is everything told so far, and what its sentence must say.
    """

    def __init__(
        self, cases: CaseSet, calendar: Calendar, settings: DetectionSettings, began_ms: int
    ) -> None:
        self.settings = settings
        self.began_ms = began_ms
        self.deaf_until_ms = began_ms
        self.versions: list[tuple[int, CaseSet, Calendar]] = [(OPEN_START_MS, cases, calendar)]
        self._laws: dict[tuple[int, str], Law] = {}
        self.files: dict[str, File] = {}
        self.heard: dict[str, silences.Heard] = {}
        self.newest_ms: dict[str, int] = defaultdict(int)  # per device: newest event time in its messages
        self.numbers: dict[str, devices.Numbers] = defaultdict(devices.Numbers)
        self.clocks: dict[str, clocks.Clock] = defaultdict(clocks.Clock)
        self.tracks: dict[str, oddities.Track] = defaultdict(oddities.Track)
        self.battery: dict[str, int] = {}
        self.newest_fix: dict[str, Fix] = {}
        self.seen: set[tuple[str, int, int, bool]] = set()
        self.outages = Outages(settings, lambda person_id, t_ms: self.law(person_id).has_order(t_ms))
        self._enrol(began_ms)
        for row in cases.devices.values():
            if row.span.from_ms < began_ms:  # older than the start: counts as heard at the start
                self.heard[row.device_id].contact_ms = began_ms

    @property
    def cases(self) -> CaseSet:
        return self.versions[-1][1]

    @property
    def told(self) -> list[tuple[Line, Says]]:
        books = [f.book for f in self.files.values()] + [self.outages.book]
        return [line for book in books for line in book.told]

    def law(self, person_id: str, version: int = -1) -> Law:
        """What one version of the cases (by default the newest) says of a person."""
        version %= len(self.versions)
        key = version, person_id
        if key not in self._laws:
            _, cases, calendar = self.versions[version]
            self._laws[key] = Law(cases, calendar, person_id, self.began_ms)
        return self._laws[key]

    def _enrol(self, now_ms: int) -> None:
        for person_id in self.cases.people:
            if person_id not in self.files:
                book = Book(person_id)
                self.files[person_id] = File(book, places.Story(self.settings, self.began_ms))
        for row in self.cases.devices.values():
            self.heard.setdefault(row.device_id, silences.Heard(known_ms=now_ms))

    # -- what happens --------------------------------------------------------------------------------------
    def hear(self, message: Said) -> None:
        """Take the next message, after everything that was due before it."""
        if message.device_id not in self.heard:
            return
        self.pass_time(message.at_ms - 1)
        behind_ms, odd = 0, None
        if message.points or message.events or message.t_ms != message.at_ms:
            clock = self.clocks[message.device_id]
            behind_ms = clock.behind(message.at_ms, message.t_ms, self.settings)
            odd = clock.odd
            if odd is not None and odd[1] < 0 and self._is_our_clock(message.at_ms):
                odd = None
        message = message.later(behind_ms)
        points, told, is_new = self._what_is_new(message, behind_ms)
        if is_new:
            self._take(message, points, told, behind_ms, odd)

    def pass_time(self, now_ms: int) -> None:
        """Look at everybody at each instant up to ``now_ms`` at which something may change."""
        while True:
            dues = [f.next_ms for f in self.files.values()] + self.outages.next_ms()
            next_ms = min(dues)
            if next_ms > now_ms:
                return
            at_ms = max(next_ms, self.began_ms)
            for person_id in sorted(self.files):
                if self.files[person_id].next_ms <= at_ms:
                    self.look(person_id, at_ms)
            self.outages.look(at_ms)

    def amend(self, cases: CaseSet, calendar: Calendar, now_ms: int) -> None:
        """Edited cases come into force; edits never reach back."""
        self.pass_time(now_ms)
        self.versions.append((now_ms, cases, calendar))
        self._enrol(now_ms)
        for person_id, file in sorted(self.files.items()):
            law = self.law(person_id)
            if any(fix.t_ms >= now_ms for fix in file.fixes):  # a device whose clock is ahead
                file.story = places.told_anew(file.story, self._versions(person_id), file.fixes)
            set_ids = [rule.protected_id for rule in law.contacts]
            for entry in file.book.open_ones(Kind.CONTACT_NEAR):
                if entry.subject not in set_ids:
                    file.book.close(now_ms, entry, now_ms)
            for protected_id in [p for p in file.pairs if p not in set_ids]:
                del file.pairs[protected_id]
            file.next_ms = now_ms
        self.pass_time(now_ms)

    def resolve(self, person_id: str, now_ms: int) -> None:
        """An officer resolves a person's alerts."""
        self.pass_time(now_ms - 1)
        for entry in self.files[person_id].book.open_ones(*CLOSED_BY_A_PERSON):
            self.files[person_id].book.close(now_ms, entry, now_ms)
        self.pass_time(now_ms)

    def deaf(self, now_ms: int) -> None:
        """We ourselves could not hear before ``now_ms``."""
        self.deaf_until_ms = now_ms
        for file in self.files.values():
            file.next_ms = min(file.next_ms, now_ms)

    # -- one message ---------------------------------------------------------------------------------------
    def wearer(self, device_id: str, t_ms: int) -> str | None:
        rows = self.cases.devices.values()
        return next((r.person_id for r in rows if r.device_id == device_id and r.span.holds(t_ms)), None)

    def _lay_in_a_drawer(self, device_id: str, from_ms: int | None, to_ms: int) -> bool:
        """Whether nobody wore the device at some time since it was last heard of: where a binding ends and
        none goes on."""
        ends = [r.span.to_ms for r in self.cases.devices.values() if r.device_id == device_id]
        return any((from_ms or 0) <= end <= to_ms and self.wearer(device_id, end) is None for end in ends)

    def _may_be_kept(self, device_id: str, t_ms: int) -> bool:
        """No order in force: no location.  Protected persons consent."""
        person_id = self.wearer(device_id, t_ms)
        if person_id is None:
            return False
        return self.cases.people[person_id].is_protected or self.law(person_id).has_order(t_ms)

    def _what_is_new(self, message: Said, behind_ms: int) -> tuple[list[Point], list[Told], bool]:
        """The rows that may be kept and did not come before, by their times as sent; whether the message is
        more than a repeat."""
        device_id, kept, new = message.device_id, 0, list[tuple[bool, Point | Told]]()
        for row in (*message.points, *message.events):
            if not self._may_be_kept(device_id, row.t_ms):
                continue
            kept += 1
            is_fix = isinstance(row, Point)
            key = device_id, row.t_ms - behind_ms, int(row.src if isinstance(row, Point) else row.ev), is_fix
            if key not in self.seen:
                self.seen.add(key)
                new.append((is_fix, row))
        points = [row for _, row in new if isinstance(row, Point)]
        told = [row for _, row in new if isinstance(row, Told)]
        if not new:
            old = message.t_ms <= self.newest_ms[device_id]
            old |= message.seq != NO_SEQ and message.seq <= self.numbers[device_id].highest
            return [], [], not kept and not old
        return points, told, True

    def _take(
        self, message: Said, points: Sequence[Point], told: Sequence[Told], behind_ms: int,
        odd: tuple[int, int] | None,
    ) -> None:  # fmt: skip
        """Take a message by its times set right by ``behind_ms``; ``odd``: what no clock can do."""
        device_id, at_ms = message.device_id, message.at_ms
        person_id = self.wearer(device_id, at_ms)
        if person_id is None and not points and not told:
            return
        newest_ms = self.newest_ms[device_id]
        if person_id is not None:
            if not any(w.contact_ms for w in self._worn(person_id, at_ms)):
                self.files[person_id].returned_ms = at_ms  # the first word; a position is given its time
            heard_ms, self.heard[device_id].contact_ms = self.heard[device_id].contact_ms, at_ms
            book = self.files[person_id].book
            devices.is_on(book, device_id, message.t_ms, at_ms)
            if message.seq != NO_SEQ:
                wait_ms = self._wait_ms(device_id, at_ms)
                drawer = self._lay_in_a_drawer(device_id, heard_ms, at_ms)
                self.numbers[device_id].take(
                    book, message.seq, message.t_ms, newest_ms, wait_ms, at_ms, drawer
                )
            self._battery(person_id, device_id, message.percent, message.t_ms, newest_ms, at_ms)
            if message.percent != NO_BATTERY:
                self.battery[device_id] = message.percent
        self.newest_ms[device_id] = max(newest_ms, message.t_ms)
        concerned = {person_id} if person_id is not None else set()
        concerned |= {w for row in (*points, *told) if (w := self.wearer(device_id, row.t_ms)) is not None}
        for whose in concerned:
            self.files[whose].book.behind_ms = behind_ms
        if odd is not None and person_id is not None and not self.cases.people[person_id].is_protected:
            self._odd_clock(person_id, device_id, at_ms, *odd)
        for event in told:
            whose = self.wearer(device_id, event.t_ms)
            assert whose is not None
            file = self.files[whose]
            devices.hear_event(
                file.book, self.law(whose), file.devices[device_id], device_id, event.ev, event.percent,
                event.t_ms, at_ms, self.settings,
            )  # fmt: skip
            self._hear_of_moving(whose, device_id, event, at_ms)
            self._battery(whose, device_id, event.percent, event.t_ms, newest_ms, at_ms)
        late = set()
        for point in points:
            whose = self.wearer(device_id, point.t_ms)
            assert whose is not None
            if self._fix(whose, device_id, point, at_ms, whose == person_id):
                late.add(whose)
        for whose in late:
            file = self.files[whose]
            file.story = places.told_anew(file.story, self._versions(whose), file.fixes)
        for whose in sorted(concerned):
            self.look(whose, at_ms)

    def _battery(self, who: str, device_id: str, percent: int, t_ms: int, newest_ms: int, at_ms: int) -> None:
        """The newest message tells how full the battery is; an older one does not."""
        if percent != NO_BATTERY and t_ms >= newest_ms:
            file, law = self.files[who], self.law(who)
            device = file.devices[device_id]
            devices.hear_battery(file.book, law, device, device_id, percent, t_ms, at_ms, self.settings)

    def _is_our_clock(self, at_ms: int) -> bool:
        """Whether so many devices are far ahead at once that it must be we who are behind."""
        ahead = sum(clock.was_ahead(at_ms) for clock in self.clocks.values())
        devices = len({row.device_id for row in self.cases.devices.values()})
        return ahead >= max(self.settings.outage_people_min, self.settings.outage_share * devices)

    def _odd_clock(self, who: str, device_id: str, at_ms: int, since_ms: int, off_ms: int) -> None:
        now, file = Fix(at_ms, 0.0, 0.0, 0.0, 0.0, 0), self.files[who]
        tell = oddities.Tell(file.book, self.law(who), file.doubts, device_id, now, at_ms, self.settings)
        tell.odd(Kind.SPOOFED, since_ms, *([clocks.said(off_ms)] if off_ms else []))

    def _fix(self, who: str, device_id: str, point: Point, at_ms: int, is_wearers: bool) -> bool:
        """Take one fix; whether the person's story must be told anew."""
        file = self.files[who]
        fix = Fix(
            point.t_ms, point.lon, point.lat, doubt_m(point.acc_m, point.src), point.acc_m, int(point.src)
        )
        if is_wearers:
            self.heard[device_id].fix_ms = at_ms
        newest = self.newest_fix.get(who)
        in_turn = newest is None or fix.t_ms > newest.t_ms
        if newest is None or fix > newest:
            self.newest_fix[who] = fix
        if newest is None or fix.t_ms >= newest.t_ms:
            for rule in self.cases.contacts.values():
                if who in (rule.person_id, rule.protected_id):
                    its = self.files[rule.person_id]
                    pair = its.pairs[rule.protected_id]
                    pairs.compare(pair, rule, its.book, self.law, self.newest_fix, at_ms, self.settings)
        if self.cases.people[who].is_protected:
            return False
        losses.see(file.losses, device_id, fix)
        oddities.see(file.book, self.law(who), file.doubts, self.tracks, device_id, fix, at_ms, self.settings)
        file.fixes.append(fix)
        if in_turn:
            file.story.take(self._versions(who), fix)
        return not in_turn

    def _versions(self, who: str) -> places.Versions:
        return [
            (since_ms, self.law(who, i))
            for i, (since_ms, cases, _) in enumerate(self.versions)
            if who in cases.people
        ]

    # -- one person at one instant -------------------------------------------------------------------------
    def look(self, who: str, at_ms: int) -> None:
        """Ask everything about a person, and when to ask again."""
        file, law, settings = self.files[who], self.law(who), self.settings
        if law.person.is_protected:
            file.next_ms = 2**60
            return
        book = file.book
        story = file.story.as_of(self._versions(who), at_ms)
        if (told := [t.times for t in story.tales]) != file.fitted:
            places.fit(book, story.tales, at_ms, settings.late_ms)
            file.fitted = told
        book.behind_ms = 0
        if law.judged(at_ms) is None:
            for entry in book.open_ones():
                if entry.kind not in (*OUTLASTS_THE_ORDER, *places.SLOT_OF):
                    self._close_with_order(who, entry, law.not_judged_since(at_ms), at_ms)
        self._silence(who, at_ms)
        self._losses(who, at_ms)
        oddities.look(book, file.doubts, self._stillness(who, at_ms), at_ms, settings)
        for device_id, numbers in self.numbers.items():
            numbers.look(book, law, device_id, at_ms, settings)
        orders.look(book, law, at_ms, settings)
        edges = self._edges(who, law) + [self._odd_from(who, d, at_ms) for d in file.still]
        edges += [story.until_ms(law, tale) for tale in story.going_on()]
        file.next_ms = min((t for t in edges if t > at_ms), default=2**60)

    def _close_with_order(self, who: str, entry: Entry, ended_ms: int, at_ms: int) -> None:
        book = self.files[who].book
        book.close(at_ms, entry, ended_ms)
        if entry.kind is Kind.SILENCE_DEVICE:
            self.outages.back(self.cases, who, at_ms)

    def _silence(self, who: str, at_ms: int) -> None:
        file, law = self.files[who], self.law(who)
        was = file.book.open_ones(Kind.SILENCE_DEVICE)
        worn = self._worn(who, at_ms)

        def which(deaf_until_ms: int) -> silences.Found | None:
            return silences.which_silence(law, worn, at_ms, deaf_until_ms, file.returned_ms, self.settings)

        found = which(self.deaf_until_ms)
        present = file.book.open_ones(*silences.SILENCES)
        if found is None and present and worn and self.deaf_until_ms > self.began_ms:
            # Our own deafness ends no silence: it goes on while, had we heard, it would, or a wider one.
            still = which(OPEN_START_MS)
            if still is not None and present[0].kind in silences.COMES_WITH[still[0]]:
                found = present[0].kind, present[0].subject, present[0].started_ms
        if file.book.open_ones(*UNHEARD) and (found is None or found[0] not in UNHEARD):
            file.returned_ms = at_ms
            found = which(self.deaf_until_ms)
        silences.settle(file.book, law, found, at_ms)
        now = file.book.open_ones(Kind.SILENCE_DEVICE)
        if was and not now:
            self.outages.back(self.cases, who, at_ms)
        elif now and not was:
            self.outages.gone(self.cases, who, now[0].started_ms, at_ms)

    def _losses(self, who: str, at_ms: int) -> None:
        file, law = self.files[who], self.law(who)
        found = losses.look(file.losses, self._worn(who, at_ms), self.tracks, self.battery, at_ms)
        losses.refresh(file.losses, file.doubts, at_ms)
        for kind, device_id, since_ms, on_m in found:
            said = file.book.open_ones(Kind.SHIELDED, Kind.JAMMED, Kind.POWER_OFF)
            if not file.doubts.apart and all(e.subject != device_id for e in said):
                now = Fix(at_ms, 0.0, 0.0, 0.0, 0.0, 0)
                tell = oddities.Tell(file.book, law, file.doubts, device_id, now, at_ms, self.settings)
                tell.odd(kind, since_ms, self.battery[device_id], on_m)

    def _still_from(self, who: str, device_id: str, t_ms: int) -> int:
        """From when on it counts that the device lies still: worn by this person, and judged."""
        law = self.law(who)
        judged = law.judged(t_ms)
        worn = [b.span.from_ms for b in law.bound(t_ms) if b.device_id == device_id]
        return max(worn[0], judged[0]) if worn and judged is not None else OPEN_END_MS

    def _odd_from(self, who: str, device_id: str, t_ms: int) -> int:
        from_ms, still = self._still_from(who, device_id, t_ms), self.files[who].still[device_id]
        return still.odd_from_ms(from_ms, self.law(who).calendar) if from_ms < OPEN_END_MS else OPEN_END_MS

    def _hear_of_moving(self, who: str, device_id: str, event: Told, at_ms: int) -> None:
        kind = next(r.kind for r in self.cases.devices.values() if r.device_id == device_id)
        if event.ev not in (BandEvent.MOTIONLESS, BandEvent.MOVING) or kind is DeviceKind.PHONE:
            return
        file, from_ms = self.files[who], self._still_from(who, device_id, event.t_ms)
        still = file.still[device_id]
        still.hear(event.ev is BandEvent.MOTIONLESS, event.t_ms, from_ms, self.law(who).calendar)
        if still.since_ms is None:
            oddities.moves(file.doubts, event.t_ms, at_ms)

    def _stillness(self, who: str, at_ms: int) -> bool:
        """Whether a device lies still too long; told when it speaks, unless it is known to be apart."""
        oddities.forget(self.files[who].doubts)
        file, now = self.files[who], Fix(at_ms, 0.0, 0.0, 0.0, 0.0, 0)
        speaking = [w.device_id for w in self._worn(who, at_ms) if at_ms < w.contact_ms + w.patience_ms]
        lying = [d for d in file.still if self._odd_from(who, d, at_ms) <= at_ms]
        for device_id in lying:
            known = any(i.entry.kind is Kind.SEPARATED for i in file.doubts.inferred)
            if device_id in speaking and not known:
                since_ms = file.still[device_id].since_ms
                assert since_ms is not None
                since_ms = max(since_ms, self._still_from(who, device_id, at_ms))
                law = self.law(who)
                tell = oddities.Tell(file.book, law, file.doubts, device_id, now, at_ms, self.settings)
                tell.odd(Kind.SEPARATED, since_ms, (at_ms - since_ms) // HOUR_MS)
        return bool(lying)

    def _worn(self, who: str, at_ms: int) -> list[silences.Worn]:
        return silences.worn_by(self.law(who), self.heard, at_ms, self.settings)

    def _wait_ms(self, device_id: str, now_ms: int) -> int:
        """Two report intervals of a device."""
        rows = [r for r in self.cases.devices.values() if r.device_id == device_id]
        row = next(r for r in rows if r.span.holds(now_ms))
        return int(self.settings.gap_intervals * row.report_every_s * 1_000)

    def _edges(self, who: str, law: Law) -> list[int]:
        """Every instant at which an answer about a person may change."""
        file, settings = self.files[who], self.settings
        found = orders.edges(law, settings) + oddities.edges(file.doubts, settings)
        for binding in law.bindings:
            of = self.heard[binding.device_id]
            patience_ms = silences.patience_ms(binding.report_every_s, settings)
            begun = [
                of.contact_ms,
                of.fix_ms,
                self.deaf_until_ms,
                file.returned_ms,
                *(a for a, _ in law.judged_spans),
            ]
            found += [t + patience_ms for t in begun]
            starts = [binding.span.from_ms, of.known_ms, *(a for a, _ in law.judged_spans)]
            found += [t + settings.unheard_ms for t in starts]
        for hole in [h for numbers in self.numbers.values() for h in numbers.holes if h.book is file.book]:
            found += [hole.noticed_ms + hole.wait_ms, hole.noticed_ms + settings.gap_close_ms]
        return found
