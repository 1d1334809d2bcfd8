"""Place: zone.exit, curfew, leave.overdue, leave.astray, zone.enter.

A story is one person's fixes taken in order of event time.  Belief says where the person is, the law says
whether that matters; an episode opens at a fix that speaks against the person while belief and law both
do, and closes when either turns, whichever is first.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from corrections_monitor.detection.evidence import GOOD_M
from corrections_monitor.model.cases import Zone
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.settings import DetectionSettings
from reference.belief import NEVER_SEEN, Belief, Fix, doubt_m, log_odds
from reference.book import Book, Entry
from reference.law import Law
from reference.spans import last_end

SLOT_OF = {
    Kind.ZONE_EXIT: "group",
    Kind.CURFEW: "group",
    Kind.LEAVE_OVERDUE: "group",
    Kind.ZONE_ENTER: "exclusion",
    Kind.LEAVE_ASTRAY: "leave",
}


def slot_of(entry: Entry) -> str:
    """The slot an episode of place is about."""
    return f"{SLOT_OF[entry.kind]}:{entry.subject}"


def zones_of(law: Law, slot: str, t_ms: int) -> list[Zone]:
    """The zones a slot is compared with at an instant."""
    kind, _, name = slot.partition(":")
    if kind == "group":
        return law.compared(name, t_ms)
    return [law.exclusions[name]] if kind == "exclusion" else law.leave_zones[name]


def slots(law: Law) -> list[str]:
    """All that a person's place is compared with."""
    return [
        *(f"group:{g}" for g in law.groups),
        *(f"exclusion:{z}" for z in law.exclusions),
        *(f"leave:{v.leave_id}" for v in law.leaves if v.zone_ids),
    ]


@dataclass
class Story:
    """What a person's fixes have shown so far; episodes go into ``book``."""

    book: Book
    settings: DetectionSettings
    began_ms: int  # what was before monitoring began, nobody knows
    always_late: bool = False
    beliefs: dict[str, Belief] = field(default_factory=dict)
    demanded_ms: dict[str, int] = field(default_factory=dict)  # per slot: when the law was last asked
    before: Fix = NEVER_SEEN  # the last fix

    def see(self, law: Law, fix: Fix, at_ms: int) -> None:
        """Take the next fix, which arrived at ``at_ms``."""
        self.pass_time(law, fix.t_ms, at_ms)
        doubt = doubt_m(fix.acc_m, fix.source)
        speaks: dict[str, tuple[float, Zone]] = {}
        for slot in slots(law):
            away, zone = min(
                ((law.outside_m(z, fix.lon, fix.lat), z) for z in zones_of(law, slot, fix.t_ms)),
                key=lambda pair: pair[0],
            )
            beyond_m = -away if slot.startswith("exclusion:") else away
            odds = log_odds(beyond_m, doubt)
            speaks[slot] = odds, zone
            belief = self.beliefs.setdefault(slot, Belief())
            turned = belief.hear(
                fix.t_ms, (fix.lon, fix.lat), doubt, odds, self.before, self.settings.evidence_gap_ms
            )
            if turned and self._on_border(law, slot, belief.before):
                belief.since_ms = belief.before.t_ms
            entry = self._open_entry(slot)
            if slot.startswith("leave:"):
                continue
            if turned and not belief.beyond and entry is not None:
                self.book.close(at_ms, entry, belief.since_ms)
            elif belief.beyond and odds > 0 and entry is None:
                self._may_open(law, slot, belief, zone, fix.t_ms, at_ms)
        self._astray(law, speaks, fix.t_ms, at_ms)
        self.before = fix

    def _on_border(self, law: Law, slot: str, before: Fix) -> bool:
        """Whether the fix before those that show the crossing, a good one, lay on the very border: then the
        crossing was about then."""
        doubt = doubt_m(before.acc_m, before.source)
        if before is NEVER_SEEN or doubt > GOOD_M:
            return False
        away = [law.outside_m(z, before.lon, before.lat) for z in zones_of(law, slot, before.t_ms)]
        return abs(min(away)) <= doubt

    def _open_entry(self, slot: str) -> Entry | None:
        return next((e for e in self.book.open_ones(*SLOT_OF) if slot_of(e) == slot), None)

    def _is_late(self, t_ms: int, at_ms: int) -> bool:
        return self.always_late or at_ms - t_ms > self.settings.late_ms

    def _may_open(self, law: Law, slot: str, belief: Belief, zone: Zone, t_ms: int, at_ms: int) -> None:
        demand = law.demand(slot, t_ms)
        if demand is None:
            return
        kind = Kind.ZONE_ENTER
        started_ms = max(belief.since_ms, demand[0])
        if demand[0] > belief.since_ms and t_ms - demand[0] > self._fresh_ms(law):
            started_ms = t_ms  # nobody saw the person between the beginning of the hours and this fix
        if slot.startswith("group:"):
            leave_end_ms = last_end(law.leave_spans, t_ms)
            if max(belief.last_other.t_ms, self.began_ms) < leave_end_ms:
                kind = Kind.LEAVE_OVERDUE  # not once seen inside since
                started_ms = max(demand[0], leave_end_ms)
            else:
                always = law.always_holds(slot.removeprefix("group:"))
                kind = Kind.ZONE_EXIT if always else Kind.CURFEW
        self.demanded_ms[slot] = t_ms
        name = slot.partition(":")[2]
        self.book.open(at_ms, kind, name, started_ms, zone_id=zone.zone_id, late=self._is_late(t_ms, at_ms))

    def _fresh_ms(self, law: Law) -> int:
        slowest_s = max((b.report_every_s for b in law.bindings), default=60)
        return int(max(self.settings.silence_intervals * slowest_s * 1_000, self.settings.silence_min_ms))

    def _astray(self, law: Law, speaks: dict[str, tuple[float, Zone]], t_ms: int, at_ms: int) -> None:
        """On leave with places named: outside both those and the usual ones, longer than the grace."""
        leave = law.leave_with_places(t_ms) if law.may_be_judged(t_ms) else None
        usual = [self.beliefs[s] for s in speaks if s.startswith("group:")]
        for slot, (odds, zone) in speaks.items():
            if not slot.startswith("leave:"):
                continue
            name = slot.removeprefix("leave:")
            current = leave is not None and leave.leave_id == name
            entry = self._open_entry(slot)
            beliefs = [self.beliefs[slot], *usual]
            if current and all(b.beyond for b in beliefs):
                assert leave is not None
                since_ms = max(leave.span.from_ms, *(b.since_ms for b in beliefs))
                if t_ms - since_ms >= self.settings.travel_grace_ms and odds > 0 and entry is None:
                    self.demanded_ms[slot] = t_ms
                    self.book.open(
                        at_ms, Kind.LEAVE_ASTRAY, name, since_ms,
                        zone_id=zone.zone_id, late=self._is_late(t_ms, at_ms),
                    )  # fmt: skip
            elif entry is not None:
                came = [b.since_ms for b in beliefs if not b.beyond and b.since_ms > entry.started_ms]
                self.book.close(at_ms, entry, min(came) if current and came else t_ms)

    def pass_time(self, law: Law, now_ms: int, at_ms: int) -> None:
        """Close what the law stopped demanding at or before ``now_ms``."""
        for entry in self.book.open_ones(*SLOT_OF):
            demand = law.demand(slot_of(entry), self.demanded_ms[slot_of(entry)])
            assert demand is not None
            if demand[1] <= now_ms:
                self.book.close(at_ms, entry, demand[1])

    def edit(self, law: Law, now_ms: int, at_ms: int) -> None:
        """From ``now_ms`` on another version of the cases holds: is what is open still demanded?"""
        known = slots(law)
        for entry in self.book.open_ones(*SLOT_OF):
            slot = slot_of(entry)
            if slot in known and law.demand(slot, now_ms) is not None:
                self.demanded_ms[slot] = now_ms
            else:
                self.book.close(at_ms, entry, now_ms)
        self.beliefs = {slot: b for slot, b in self.beliefs.items() if slot in known}


def told_anew(
    live: Story, fixes: Sequence[Fix], versions: Sequence[tuple[int, Law]], at_ms: int
) -> tuple[Story, list[Entry]]:
    """The story from the first fix on, as if every fix had come in its turn.

    ``versions``: (since when, law) in order of time.  Returns the story, to go on with, and its episodes.
    """
    sheet = Book(live.book.person_id)
    story = Story(sheet, live.settings, live.began_ms, always_late=True)
    number = 0

    def up_to(t_ms: int) -> None:
        nonlocal number
        while number + 1 < len(versions) and versions[number + 1][0] <= t_ms:
            edit_ms, law = versions[number + 1]
            story.pass_time(versions[number][1], edit_ms, at_ms)
            story.edit(law, edit_ms, at_ms)
            number += 1

    for fix in sorted(fixes):
        up_to(fix.t_ms)
        story.see(versions[number][1], fix, at_ms)
    up_to(at_ms)
    story.pass_time(versions[number][1], at_ms, at_ms)
    entries = copy.deepcopy(sheet.entries)
    story.book, story.always_late = live.book, False
    return story, entries


def fit(book: Book, told: Sequence[Entry], at_ms: int) -> None:
    """Bring the episodes of place that are known in step with the story as it is told now.

    A told episode takes over the first known one it shares an instant with, and those after it that are not
    the next told one's.  The first gets its start; the last its end.  What was closed is never reopened: if
    it is told to go on, the rest becomes an episode of its own.  What is told and was not known is opened
    late; what was known open and is not told is withdrawn.
    """
    keys = sorted({e.key for e in [*told, *book.entries] if e.kind in SLOT_OF})
    for key in keys:
        known = sorted((e for e in book.entries if e.key == key), key=lambda e: e.started_ms)
        mine = sorted((e for e in told if e.key == key), key=lambda e: e.started_ms)
        for tale, following in zip_longest(mine, mine[1:]):
            taken: list[Entry] = []
            for k in known:
                if _share(k, tale) and not (taken and following is not None and _share(k, following)):
                    taken.append(k)
            known = [k for k in known if k not in taken]
            _move(book, taken, tale, at_ms)
        for left in known:
            if left.ended_ms is None:
                book.close(at_ms, left, left.started_ms)


def _share(one: Entry, other: Entry) -> bool:
    ends_after: Callable[[Entry, int], bool] = lambda e, t: e.ended_ms is None or e.ended_ms >= t  # noqa: E731
    return ends_after(one, other.started_ms) and ends_after(other, one.started_ms)


def _move(book: Book, taken: Sequence[Entry], tale: Entry, at_ms: int) -> None:
    if not taken:
        new = book.open(at_ms, tale.kind, tale.subject, tale.started_ms, zone_id=tale.zone_id, late=True)
        if tale.ended_ms is not None:
            book.close(at_ms, new, tale.ended_ms)
        return
    first, last = taken[0], taken[-1]
    if last.ended_ms is None:
        book.move(at_ms, first, started_ms=tale.started_ms)
        if tale.ended_ms is not None:
            book.close(at_ms, last, tale.ended_ms)
    elif tale.ended_ms is None:
        book.move(at_ms, first, started_ms=tale.started_ms)
        book.open(at_ms, tale.kind, tale.subject, last.ended_ms, zone_id=tale.zone_id, late=True)
    elif first is last:
        book.move(at_ms, first, started_ms=tale.started_ms, ended_ms=tale.ended_ms)
    else:
        book.move(at_ms, first, started_ms=tale.started_ms)
        book.move(at_ms, last, ended_ms=tale.ended_ms)
