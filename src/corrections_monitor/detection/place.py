"""Place: zone.exit, curfew, leave.overdue, leave.astray, zone.enter.

Belief says whether the person is beyond a slot; the law says whether that matters now.  An episode opens
at a fix that speaks against the person while the law holds and belief is beyond; it closes when belief
turns back or when the law stops holding, whichever is first.  Openings therefore never rest on an old
fix, and a curfew that begins with the person out opens at the first fix of its hours, dated to their
beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from corrections_monitor.detection.belief import Belief, Glimpse, Sighting, weigh
from corrections_monitor.detection.city import City
from corrections_monitor.detection.evidence import GOOD_M
from corrections_monitor.detection.law import PersonLaw, Stretch, all_hold
from corrections_monitor.detection.reasons import Reasons
from corrections_monitor.detection.slots import SlotKind
from corrections_monitor.detection.story import Chapter, Slot, Story, Told
from corrections_monitor.model.cases import Zone
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.times import OPEN_END_MS, OPEN_START_MS

GROUP_KINDS = (Kind.ZONE_EXIT, Kind.CURFEW, Kind.LEAVE_OVERDUE)
PLACE_KINDS = (*GROUP_KINDS, Kind.LEAVE_ASTRAY, Kind.ZONE_ENTER)


_GROUP, _EXCLUSION, _LEAVE = SlotKind
_UNSEEN = Slot()
NEVER_QUIET = OPEN_END_MS, OPEN_START_MS
_KINDS_OF = {_GROUP: GROUP_KINDS, _EXCLUSION: (Kind.ZONE_ENTER,), _LEAVE: (Kind.LEAVE_ASTRAY,)}


@dataclass(frozen=True, slots=True)
class SlotFix:
    """One fix against one slot: the sighting, its log odds, and the nearest member zone."""

    sighting: Sighting
    odds: float
    zone: Zone


class Place:
    """Judges one person's slots, fix by fix in order of event time, and writes the story."""

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
    def see(self, story: Story, person: int, fixes: Sequence[tuple[int, SlotFix]], previous: Glimpse) -> None:
        """Judge one fix against all slots of a person.

        ``fixes``: (slot number, SlotFix) for every slot; ``previous``: the person's fix before.
        """
        if not fixes:
            return
        t_ms = fixes[0][1].sighting.t_ms
        self.tick(story, person, t_ms)
        if not any(self._stirs(story.now, number, fix) for number, fix in fixes):
            return
        law, now = self._city.law(person), story.turn_to(t_ms)
        for number, fix in fixes:
            slot = now.slots.setdefault(self.key(number), Slot())
            belief = slot.belief
            turned = weigh(belief, fix.sighting, fix.odds, previous, self._settings.evidence_gap_ms)
            if turned and self._on_border(law, number, belief.last_other):
                belief.changed_ms = belief.last_other.t_ms
            if self._city.kind(number) is _LEAVE:
                continue
            if turned and not belief.beyond:
                self._back(now, number, slot)
            elif belief.beyond and fix.odds > 0:
                self._maybe_open(now, law, number, slot, fix)
        self._astray(now, law, fixes)

    def _stirs(self, now: Chapter, number: int, fix: SlotFix) -> bool:
        """Whether a fix may change what is believed or told of a slot."""
        slot = now.slots.get(self.key(number), _UNSEEN)
        belief = slot.belief
        if belief.score > 0 or (-fix.odds if belief.beyond else fix.odds) > 0:
            return True
        if not belief.beyond:
            return False
        return self._city.kind(number) is _LEAVE or (fix.odds > 0 and self._open(now, number) is None)

    def _on_border(self, law: PersonLaw, number: int, fix: Glimpse) -> bool:
        """Whether a good fix lay no farther from the border than its doubt: the crossing was about then."""
        if fix.t_ms == OPEN_START_MS or fix.doubt_m > GOOD_M:
            return False
        away_m, _ = nearest(self._city, law, number, fix.t_ms, fix.lon, fix.lat)
        return abs(away_m) <= fix.doubt_m

    def key(self, slot: int) -> str:
        """A name for the slot that outlives the numbering of a city."""
        return f"{int(self._city.slot_kind[slot])}:{self._city.subject(slot)}"

    def _maybe_open(self, now: Chapter, law: PersonLaw, number: int, slot: Slot, fix: SlotFix) -> None:
        t_ms, belief = fix.sighting.t_ms, slot.belief
        if self._open(now, number) is not None:
            return
        demand = self._demand(law, number, t_ms)
        if not demand.holds:
            return
        started = max(belief.changed_ms, demand.from_ms)
        if demand.from_ms > belief.changed_ms and t_ms - demand.from_ms > self._fresh_ms(law):
            # Nobody saw the person between the beginning of the hours and this fix.
            started = t_ms
        kind = self._kind(law, number, slot, t_ms)
        if kind is Kind.LEAVE_OVERDUE:
            started = max(demand.from_ms, law.last_leave_end(t_ms) or OPEN_START_MS)
        started = self._not_before_edit(law.person.person_id, number, started)
        slot.until_ms = demand.to_ms
        self._tell(now, law, number, slot, fix, kind, started)

    def _tell(
        self,
        now: Chapter,
        law: PersonLaw,
        number: int,
        slot: Slot,
        fix: SlotFix,
        kind: Kind,
        started_ms: int,
    ) -> None:
        """Open an episode, with what decided."""
        fix, run = self._in_full(law, number, slot, fix)
        now.told.append(
            Told(
                kind, self._city.subject(number), started_ms,
                shown_ms=fix.sighting.t_ms,
                zone_id=fix.zone.zone_id,
                reason=self._sentence(kind, fix, started_ms, len(run)),
                evidence=_evidence(run, slot.belief),
            )
        )  # fmt: skip

    def _in_full(
        self, law: PersonLaw, number: int, slot: Slot, fix: SlotFix
    ) -> tuple[SlotFix, list[Sighting]]:
        """The fix that opens an episode and the run before it, with their true distances and the nearest
        zone: judging makes do with a bound."""
        here, zone = exactly(self._city, law, number, fix.sighting)
        before = [s for s in slot.belief.shown_by if s.t_ms != here.t_ms]
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
        if back_ms is not None and max(slot.belief.last_other.t_ms, self._watching_since_ms) < back_ms:
            return Kind.LEAVE_OVERDUE
        group = next(g for g in law.groups if g.subject == self._city.subject(number))
        return Kind.ZONE_EXIT if group.is_always else Kind.CURFEW

    def _demand(self, law: PersonLaw, number: int, t_ms: int) -> Stretch:
        subject = self._city.subject(number)
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
    def _back(self, now: Chapter, number: int, slot: Slot) -> None:
        told = self._open(now, number)
        if told is not None:
            reason = "outside-again" if told.kind is Kind.ZONE_ENTER else "inside-again"
            now.end(told, slot.belief.changed_ms, self._reasons.say(reason))
        slot.until_ms = OPEN_END_MS

    def _end_of_law(self, now: Chapter, law: PersonLaw, number: int, slot: Slot) -> None:
        """Close what the law stopped demanding when the chapter began."""
        told = self._open(now, number)
        demand = self._demand(law, number, now.since_ms)
        if told is not None and demand.holds:  # the stretch was only known so far ahead
            slot.until_ms = demand.to_ms
            return
        if told is not None:
            now.end(told, now.since_ms, self._reasons.say(self._why_over(law, now.since_ms)))
        slot.until_ms = OPEN_END_MS

    def _why_over(self, law: PersonLaw, t_ms: int) -> str:
        if not law.judged(t_ms).holds:
            return law.why_not_judged(t_ms)
        if law.on_leave(t_ms).holds:
            return "leave-began"
        return "leave-over" if law.last_leave_end(t_ms) == t_ms else "hours-ended"

    def tick(self, story: Story, person: int, now_ms: int) -> None:
        """Close what ends with time alone, up to ``now_ms``.  Nothing opens without a fix."""
        while (due_ms := self.next_due_ms(story)) <= now_ms:
            now, law = story.turn_to(due_ms), self._city.law(person)
            for number in self._city.slots(person):
                slot = now.slots.get(self.key(number))
                if slot is not None and slot.until_ms <= due_ms:
                    self._end_of_law(now, law, number, slot)

    def edit(self, story: Story, person: int, now_ms: int) -> None:
        """These cases come into force at ``now_ms``: forget slots that are no more, close what they do not
        demand."""
        present = {self.key(n): n for n in self._city.slots(person)}
        gone = [name for name in story.now.slots if name not in present]
        asked = [name for name, slot in story.now.slots.items() if slot.until_ms < OPEN_END_MS]
        if not gone and not asked:
            return
        now, law = story.turn_to(now_ms), self._city.law(person)
        for name in gone:
            del now.slots[name]
            for told in [t for t in now.told if t.ended_ms is None and _slot_of(t) == name]:
                now.end(told, now_ms, self._reasons.say("cases-changed"))
        for name in asked:
            if name in present:
                self._end_of_law(now, law, present[name], now.slots[name])

    def next_due_ms(self, story: Story) -> int:
        """When ``tick`` could next close something."""
        return min((s.until_ms for s in story.now.slots.values()), default=OPEN_END_MS)

    def quiet_span(self, now: Chapter, person: int, number: int, t_ms: int) -> tuple[int, int]:
        """From and until which event time about ``t_ms``, within the chapter, a fix that agrees with the
        belief changes nothing."""
        slot = now.slots.get(self.key(number), _UNSEEN)
        if slot.belief.score > 0:
            return NEVER_QUIET
        if not slot.belief.beyond:
            return OPEN_START_MS, OPEN_END_MS
        law = self._city.law(person)
        if self._city.kind(number) is _LEAVE:
            subject = self._city.subject(number)
            span = next(v.span for v in law.leaves if v.leave_id == subject)
            if self._open(now, number) is not None or span.holds(t_ms):
                return NEVER_QUIET
            return (OPEN_START_MS, span.from_ms) if t_ms < span.from_ms else (span.to_ms, OPEN_END_MS)
        if self._open(now, number) is not None:
            return OPEN_START_MS, slot.until_ms
        demand = self._demand(law, number, t_ms)
        return NEVER_QUIET if demand.holds else (demand.from_ms, demand.to_ms)

    def _open(self, now: Chapter, number: int) -> Told | None:
        return now.going_on(_KINDS_OF[self._city.kind(number)], self._city.subject(number))

    # -- leave with places named ------------------------------------------------------------------
    def _astray(self, now: Chapter, law: PersonLaw, fixes: Sequence[tuple[int, SlotFix]]) -> None:
        """leave.astray: outside the leave's places and every usual one for longer than the grace."""
        if not any(self._city.kind(number) is _LEAVE for number, _ in fixes):
            return
        t_ms = fixes[0][1].sighting.t_ms
        leave_no = law.leave_with_zones(t_ms) if law.judged(t_ms).holds else None
        leave = law.leaves[leave_no] if leave_no is not None else None
        usual = [now.slots[self.key(n)].belief for n, _ in fixes if self._city.kind(n) is _GROUP]
        for number, fix in fixes:
            if self._city.kind(number) is not _LEAVE:
                continue
            slot = now.slots[self.key(number)]
            beliefs = [slot.belief, *usual]
            is_current = leave is not None and leave.leave_id == self._city.subject(number)
            told = self._open(now, number)
            if leave is not None and is_current and all(b.beyond for b in beliefs):
                since = max(leave.span.from_ms, *(b.changed_ms for b in beliefs))
                if told is None and t_ms - since >= self._settings.travel_grace_ms and fix.odds > 0:
                    slot.until_ms = self._demand(law, number, t_ms).to_ms
                    self._tell(now, law, number, slot, fix, Kind.LEAVE_ASTRAY, since)
            elif told is not None:
                ended, why = t_ms, self._why_leave_over(law, t_ms)
                if is_current:
                    came = [b.changed_ms for b in beliefs if not b.beyond and b.changed_ms > told.started_ms]
                    ended, why = min(came, default=t_ms), "inside-again"
                now.end(told, ended, self._reasons.say(why))
                slot.until_ms = OPEN_END_MS

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


def _slot_of(told: Told) -> str:
    """The name of the slot an episode is about."""
    kind = next(kind for kind, kinds in _KINDS_OF.items() if told.kind in kinds)
    return f"{int(kind)}:{told.subject}"


def exactly(city: City, law: PersonLaw, number: int, seen: Sighting) -> tuple[Sighting, Zone]:
    """The sighting with its true distance, and the nearest zone."""
    away_m, zone = nearest(city, law, number, seen.t_ms, seen.lon, seen.lat)
    beyond_m = -away_m if city.kind(number) is _EXCLUSION else away_m
    return replace(seen, beyond_m=beyond_m), zone


def nearest(city: City, law: PersonLaw, number: int, t_ms: int, lon: float, lat: float) -> tuple[float, Zone]:
    """The nearest member of a slot that holds at ``t_ms``, and how far outside it a position is."""
    zones = city.member_zone[city.member_ptr[number] : city.member_ptr[number + 1]]
    if city.kind(number) is _GROUP:
        zones = zones[list(law.holding(city.slot_zones(number), t_ms))]
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
