"""Place: zone.exit, curfew, leave.overdue, leave.astray, zone.enter.

Belief says whether the person is beyond a slot; the law says whether that matters now.  An episode opens
at a fix that speaks against the person while the law holds and belief is beyond; it closes when belief
turns back or when the law stops holding, whichever is first.  Openings therefore never rest on an old
fix, and a curfew that begins with the person out opens at the first fix of its hours, dated to their
beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from corrections_monitor.detection.belief import Belief, Glimpse, Sighting, settle, weigh
from corrections_monitor.detection.city import City, SlotKind
from corrections_monitor.detection.evidence import GOOD_M
from corrections_monitor.detection.law import PersonLaw, Stretch, all_hold
from corrections_monitor.detection.ledger import Ledger
from corrections_monitor.detection.reasons import Reasons
from corrections_monitor.model.cases import Zone
from corrections_monitor.model.episodes import Episode, Kind, Transition
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.times import OPEN_END_MS, OPEN_START_MS

GROUP_KINDS = (Kind.ZONE_EXIT, Kind.CURFEW, Kind.LEAVE_OVERDUE)
PLACE_KINDS = (*GROUP_KINDS, Kind.LEAVE_ASTRAY, Kind.ZONE_ENTER)


_GROUP, _EXCLUSION, _LEAVE = SlotKind
_KINDS_OF = {_GROUP: GROUP_KINDS, _EXCLUSION: (Kind.ZONE_ENTER,), _LEAVE: (Kind.LEAVE_ASTRAY,)}


@dataclass(slots=True)
class Slot:
    """What is believed about one slot of a person, and until when its open episode's law holds."""

    belief: Belief = field(default_factory=Belief)
    until_ms: int = OPEN_END_MS


@dataclass(slots=True)
class Dropped:
    """What was believed of a slot until an edit did away with it; late fixes may be older than that."""

    until_ms: int
    name: str
    belief: Belief


@dataclass(frozen=True, slots=True)
class SlotFix:
    """One fix against one slot: the sighting, its log odds, and the nearest member zone."""

    sighting: Sighting
    odds: float
    zone: Zone


class Place:
    """Judges one person's slots, fix by fix in order of event time."""

    def __init__(
        self,
        city: City,
        settings: DetectionSettings,
        reasons: Reasons,
        watching_since_ms: int,
        past: Sequence[tuple[int, City]] = (),
    ) -> None:
        """``past``: the cities before this one, oldest first, and until when each was in force."""
        self._city = city
        self._past = past
        self._watching_since_ms = watching_since_ms
        self._settings = settings
        self._reasons = reasons

    # -- a fix ------------------------------------------------------------------------------------
    def see(
        self,
        out: list[Transition],
        ledger: Ledger,
        person: int,
        slots: dict[str, Slot],
        fixes: Sequence[tuple[int, SlotFix]],
        previous: Glimpse,
        at_ms: int,
    ) -> None:
        """Judge one fix against all slots of a person.

        ``fixes``: (slot number, SlotFix) for every slot; ``previous``: the person's fix before;
        ``at_ms``: when it arrived.
        """
        law = self._city.law(person)
        for number, fix in fixes:
            slot = slots.setdefault(self.key(number), Slot())
            t_ms = fix.sighting.t_ms
            self._end_of_law(out, ledger, law, number, slot, t_ms, at_ms)
            turned = weigh(slot.belief, fix.sighting, fix.odds, previous, self._settings.evidence_gap_ms)
            if turned and self._on_border(law, number, slot.belief.before_run):
                slot.belief.date_back()
            if turned and not slot.belief.beyond:
                self._back(out, ledger, number, slot, at_ms)
            elif slot.belief.beyond and fix.odds > 0:
                self._maybe_open(out, ledger, law, number, slot, fix, at_ms)
        self._astray(out, ledger, law, person, slots, fixes, at_ms)

    def _on_border(self, law: PersonLaw, number: int, fix: Glimpse) -> bool:
        """Whether a good fix lay no farther from the border than its doubt: the crossing was about then."""
        if fix.t_ms == OPEN_START_MS or fix.doubt_m > GOOD_M:
            return False
        away_m, _ = nearest(self._city, law, number, fix.t_ms, fix.lon, fix.lat)
        return abs(away_m) <= fix.doubt_m

    def key(self, slot: int) -> str:
        """A name for the slot that outlives the numbering of a city."""
        return f"{self._city.slot_kind[slot]}:{self._city.subjects[slot]}"

    def _maybe_open(
        self,
        out: list[Transition],
        ledger: Ledger,
        law: PersonLaw,
        number: int,
        slot: Slot,
        fix: SlotFix,
        at_ms: int,
    ) -> None:
        t_ms = fix.sighting.t_ms
        if self._city.kind(number) is _LEAVE or self._open_episode(ledger, number) is not None:
            return
        demand = self._demand(law, number, t_ms)
        if not demand.holds:
            return
        started = max(slot.belief.changed_ms, demand.from_ms)
        if demand.from_ms > slot.belief.changed_ms and t_ms - demand.from_ms > self._fresh_ms(law):
            # Nobody saw the person between the beginning of the hours and this fix.
            started = t_ms
        kind = self._kind(law, number, slot, t_ms)
        if kind is Kind.LEAVE_OVERDUE:
            started = max(demand.from_ms, law.last_leave_end(t_ms) or OPEN_START_MS)
        started = self._not_before_edit(law.person.person_id, number, started)
        slot.until_ms = demand.to_ms
        settle(slot.belief, started, t_ms)
        fix, run = self._in_full(law, number, slot, fix)
        ledger.open(
            out, at_ms, kind, self._city.subjects[number], started,
            self._sentence(kind, fix, started, len(run)),
            zone_id=fix.zone.zone_id,
            late=at_ms - t_ms > self._settings.late_ms,
            evidence=_evidence(run, slot.belief),
        )  # fmt: skip

    def _in_full(
        self, law: PersonLaw, number: int, slot: Slot, fix: SlotFix
    ) -> tuple[SlotFix, list[Sighting]]:
        """The fix that opens an episode and the run before it, with their true distances and the nearest
        zone: judging makes do with a bound."""
        here, zone = exactly(self._city, law, number, fix.sighting)
        before = [s for s in slot.belief.turn.run if s.t_ms != here.t_ms]
        run = [exactly(self._city, law, number, s)[0] for s in before]
        return replace(fix, sighting=here, zone=zone), [*run, here]

    def _not_before_edit(self, person_id: str, number: int, started_ms: int) -> int:
        """Edits never reach back: what the cases before an edit did not demand begins with the edit."""
        for i in reversed(range(len(self._past))):
            until_ms, city = self._past[i]
            if started_ms >= until_ms:
                break
            before = Place(city, self._settings, self._reasons, self._watching_since_ms)
            if not before.demanded(person_id, self.key(number), until_ms - 1):
                return until_ms
        return started_ms

    def demanded(self, person_id: str, key: str, t_ms: int) -> bool:
        """Whether this city demanded at ``t_ms`` what the slot named ``key`` stands for."""
        person = self._city.person_no.get(person_id)
        if person is None:
            return False
        law, slots = self._city.law(person), self._city.slots(person)
        return any(self.key(n) == key and self._demand(law, n, t_ms).holds for n in slots)

    def _kind(self, law: PersonLaw, number: int, slot: Slot, t_ms: int) -> Kind:
        if self._city.kind(number) is _EXCLUSION:
            return Kind.ZONE_ENTER
        back_ms = law.last_leave_end(t_ms)
        if back_ms is not None and max(slot.belief.turn.before.t_ms, self._watching_since_ms) < back_ms:
            return Kind.LEAVE_OVERDUE
        group = next(g for g in law.groups if g.subject == self._city.subjects[number])
        return Kind.ZONE_EXIT if group.is_always else Kind.CURFEW

    def _demand(self, law: PersonLaw, number: int, t_ms: int) -> Stretch:
        subject = self._city.subjects[number]
        if self._city.kind(number) is _LEAVE:
            span = next(v.span for v in law.leaves if v.leave_id == subject)
            return all_hold((law.judged(t_ms), Stretch(span.holds(t_ms), span.from_ms, span.to_ms)))
        if self._city.kind(number) is _EXCLUSION:
            return law.exclusion_demand(next(z for z in law.exclusions if z.zone_id == subject), t_ms)
        return law.group_demand(next(g for g in law.groups if g.subject == subject), t_ms)

    def _fresh_ms(self, law: PersonLaw) -> int:
        every = max((b.report_every_s for b in law.bindings), default=60) * 1_000
        return int(max(self._settings.silence_intervals * every, self._settings.silence_min_ms))

    # -- closing ----------------------------------------------------------------------------------
    def _back(self, out: list[Transition], ledger: Ledger, number: int, slot: Slot, at_ms: int) -> None:
        episode = self._open_episode(ledger, number)
        if episode is not None:
            reason = "outside-again" if episode.kind is Kind.ZONE_ENTER else "inside-again"
            ledger.close(
                out, at_ms, (episode.kind, episode.subject),
                slot.belief.changed_ms, self._reasons.say(reason),
            )  # fmt: skip
        slot.until_ms = OPEN_END_MS

    def _end_of_law(
        self,
        out: list[Transition],
        ledger: Ledger,
        law: PersonLaw,
        number: int,
        slot: Slot,
        t_ms: int,
        at_ms: int,
    ) -> None:
        """Close what the law stopped demanding before ``t_ms``."""
        while slot.until_ms <= t_ms:
            episode = self._open_episode(ledger, number)
            if episode is None:
                slot.until_ms = OPEN_END_MS
                return
            demand = self._demand(law, number, slot.until_ms)
            if demand.holds:  # the stretch was only known so far ahead
                slot.until_ms = demand.to_ms
                continue
            ledger.close(
                out, at_ms, (episode.kind, episode.subject), slot.until_ms,
                self._reasons.say(self._why_over(law, slot.until_ms)),
            )  # fmt: skip
            slot.until_ms = OPEN_END_MS

    def _why_over(self, law: PersonLaw, t_ms: int) -> str:
        if not law.judged(t_ms).holds:
            return law.why_not_judged(t_ms)
        if law.on_leave(t_ms).holds:
            return "leave-began"
        return "leave-over" if law.last_leave_end(t_ms) == t_ms else "hours-ended"

    def tick(
        self,
        out: list[Transition],
        ledger: Ledger,
        person: int,
        slots: dict[str, Slot],
        now_ms: int,
    ) -> None:
        """Close what ends with time alone.  Nothing opens without a fix, except leave.astray's grace."""
        law = self._city.law(person)
        for number in self._city.slots(person):
            slot = slots.get(self.key(number))
            if slot is not None:
                self._end_of_law(out, ledger, law, number, slot, now_ms, now_ms)

    def edit(
        self,
        out: list[Transition],
        ledger: Ledger,
        person: int,
        slots: dict[str, Slot],
        now_ms: int,
        at_ms: int,
    ) -> list[Dropped]:
        """These cases come into force at ``now_ms``: forget slots that are no more, close what they do not
        demand."""
        dropped = []
        law = self._city.law(person)
        present = {self.key(n): n for n in self._city.slots(person)}
        for name in list(slots):
            number = present.get(name)
            if number is None:
                subject = name.partition(":")[2]
                for key in [k for k in ledger.open_ones if k[1] == subject and k[0] in PLACE_KINDS]:
                    ledger.close(out, at_ms, key, now_ms, self._reasons.say("cases-changed"))
                dropped.append(Dropped(now_ms, name, slots.pop(name).belief))
            elif slots[name].until_ms < OPEN_END_MS:
                slots[name].until_ms = now_ms  # does the law still demand it?
                self._end_of_law(out, ledger, law, number, slots[name], now_ms, at_ms)
        return dropped

    def next_due_ms(self, slots: dict[str, Slot]) -> int:
        """When ``tick`` could next close something."""
        return min((s.until_ms for s in slots.values()), default=OPEN_END_MS)

    def quiet_until_ms(self, ledger: Ledger, person: int, number: int, slot: Slot, t_ms: int) -> int:
        """Until which event time a fix that agrees with the belief changes nothing."""
        belief = slot.belief
        if belief.score > 0:
            return OPEN_START_MS
        if not belief.beyond:
            return OPEN_END_MS
        if self._city.kind(number) is _LEAVE:
            subject = self._city.subjects[number]
            span = next(v.span for v in self._city.law(person).leaves if v.leave_id == subject)
            if ledger.is_open(Kind.LEAVE_ASTRAY, subject) or span.holds(t_ms):
                return OPEN_START_MS
            return span.from_ms if t_ms < span.from_ms else OPEN_END_MS
        if self._open_episode(ledger, number) is not None:
            return slot.until_ms
        demand = self._demand(self._city.law(person), number, t_ms)
        return OPEN_START_MS if demand.holds else demand.to_ms

    def is_open_since(self, ledger: Ledger, number: int, t_ms: int) -> bool:
        """Whether an episode of the slot is open that began at ``t_ms`` or before."""
        episode = self._open_episode(ledger, number)
        return episode is not None and episode.started_ms <= t_ms

    def _open_episode(self, ledger: Ledger, number: int) -> Episode | None:
        subject = self._city.subjects[number]
        for kind in _KINDS_OF[self._city.kind(number)]:
            found = ledger.open_ones.get((kind, subject))
            if found is not None:
                return found
        return None

    # -- leave with places named ------------------------------------------------------------------
    def _astray(
        self,
        out: list[Transition],
        ledger: Ledger,
        law: PersonLaw,
        person: int,
        slots: dict[str, Slot],
        fixes: Sequence[tuple[int, SlotFix]],
        at_ms: int,
    ) -> None:
        """leave.astray: outside the leave's places and every usual one for longer than the grace."""
        if not any(self._city.kind(number) is _LEAVE for number, _ in fixes):
            return
        t_ms = fixes[0][1].sighting.t_ms
        judged = law.judged(t_ms).holds
        leave_no = law.leave_with_zones(t_ms) if judged else None
        current = law.leaves[leave_no].leave_id if leave_no is not None else None
        usual_beyond = [slots[self.key(n)].belief for n, _ in fixes if self._city.kind(n) is _GROUP]
        for number, fix in fixes:
            if self._city.kind(number) is not _LEAVE:
                continue
            slot = slots[self.key(number)]
            subject = self._city.subjects[number]
            astray = subject == current and slot.belief.beyond and all(b.beyond for b in usual_beyond)
            if not astray:
                self._not_astray(
                    out, ledger, law, subject, current, [slot.belief, *usual_beyond], t_ms, at_ms
                )
                slot.until_ms = OPEN_END_MS
                continue
            leave = law.leaves[leave_no] if leave_no is not None else None
            assert leave is not None
            since = max(leave.span.from_ms, slot.belief.changed_ms, *(b.changed_ms for b in usual_beyond))
            is_open = ledger.is_open(Kind.LEAVE_ASTRAY, subject)
            if not is_open and t_ms - since >= self._settings.travel_grace_ms and fix.odds > 0:
                slot.until_ms = leave.span.to_ms
                settle(slot.belief, since, t_ms)
                fix, run = self._in_full(law, number, slot, fix)
                ledger.open(
                    out, at_ms, Kind.LEAVE_ASTRAY, subject, since,
                    self._sentence(Kind.LEAVE_ASTRAY, fix, since, len(run)),
                    zone_id=fix.zone.zone_id,
                    late=at_ms - t_ms > self._settings.late_ms,
                    evidence=_evidence(run, slot.belief),
                )  # fmt: skip

    def _not_astray(
        self,
        out: list[Transition],
        ledger: Ledger,
        law: PersonLaw,
        subject: str,
        current: str | None,
        beliefs: Sequence[Belief],
        t_ms: int,
        at_ms: int,
    ) -> None:
        episode = ledger.open_ones.get((Kind.LEAVE_ASTRAY, subject))
        if episode is None:
            return
        ended, reason = t_ms, self._why_leave_over(law, t_ms)
        if subject == current:
            came = [b.changed_ms for b in beliefs if not b.beyond and b.changed_ms > episode.started_ms]
            ended, reason = min(came, default=t_ms), "inside-again"
        ledger.close(out, at_ms, (Kind.LEAVE_ASTRAY, subject), ended, self._reasons.say(reason))

    def _why_leave_over(self, law: PersonLaw, t_ms: int) -> str:
        return "cases-changed" if law.judged(t_ms).holds else law.why_not_judged(t_ms)

    def _sentence(self, kind: Kind, fix: SlotFix, since_ms: int, count: int) -> str:
        return self._reasons.say(
            kind.value,
            since_ms=since_ms,
            zone=fix.zone.name,
            metres=round(abs(fix.sighting.beyond_m)),
            acc=round(fix.sighting.acc_m),
            count=count,
        )


def exactly(city: City, law: PersonLaw, number: int, seen: Sighting) -> tuple[Sighting, Zone]:
    """The sighting with its true distance, and the nearest zone."""
    away_m, zone = nearest(city, law, number, seen.t_ms, seen.lon, seen.lat)
    beyond_m = -away_m if city.kind(number) is _EXCLUSION else away_m
    return replace(seen, beyond_m=beyond_m), zone


def nearest(city: City, law: PersonLaw, number: int, t_ms: int, lon: float, lat: float) -> tuple[float, Zone]:
    """The nearest member of a slot that holds at ``t_ms``, and how far outside it a position is."""
    zones = city.member_zone[city.member_ptr[number] : city.member_ptr[number + 1]]
    if city.kind(number) is _GROUP:
        group = next(g for g in law.groups if g.subject == city.subjects[number])
        zones = zones[list(law.holding_members(group, t_ms))]
    many = len(zones)
    away = city.index.signed_distance(zones, np.full(many, lon), np.full(many, lat))
    away = away - city.buffer_m[zones]
    best = int(np.argmin(away))
    return float(away[best]), city.zones[int(zones[best])]


def _evidence(run: Sequence[Sighting], belief: Belief) -> dict[str, object]:
    return {
        "fixes": [
            {
                "t": s.t_ms,
                "lon": round(s.lon, 7),
                "lat": round(s.lat, 7),
                "acc": round(s.acc_m, 1),
                "beyond_m": round(s.beyond_m, 1),
            }
            for s in run
        ],
        "score": round(belief.score, 2),
    }
