"""Place: zone.exit, curfew, leave.overdue, leave.astray, zone.enter.

A story is one person's fixes taken in order of event time.  Belief says where the person is, the law says
whether that matters; an episode opens at a fix that speaks against the person while belief and law both
do, and closes when either turns, whichever is first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from corrections_monitor.detection.evidence import GOOD_M
from corrections_monitor.model.cases import Zone
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.times import OPEN_END_MS
from reference.belief import NEVER_SEEN, Belief, Fix, log_odds
from reference.book import Book, Entry, Says, Seen
from reference.law import Law
from reference.spans import last_end

SLOT_OF = {
    Kind.ZONE_EXIT: "group",
    Kind.CURFEW: "group",
    Kind.LEAVE_OVERDUE: "group",
    Kind.ZONE_ENTER: "exclusion",
    Kind.LEAVE_ASTRAY: "leave",
}


@dataclass
class Tale:
    """An episode as the story tells it; ``shown_ms``: event time of the fix that showed it."""

    kind: Kind
    subject: str
    zone_id: str
    started_ms: int
    shown_ms: int
    says: Says
    ended_ms: int | None = None

    @property
    def slot(self) -> str:
        """The slot it is about."""
        return f"{SLOT_OF[self.kind]}:{self.subject}"

    @property
    def times(self) -> tuple[Kind, str, int, int | None]:
        return self.kind, self.subject, self.started_ms, self.ended_ms

    def end(self, ended_ms: int) -> None:
        """It never ends before it started."""
        self.ended_ms = max(ended_ms, self.started_ms)


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


def _speaks(law: Law, slot: str, fix: Fix) -> tuple[float, Zone]:
    """How much a fix speaks for being beyond a slot, and the nearest zone; remembered, because stories are
    told again and again."""
    if (slot, fix) not in law.heard:
        zones = zones_of(law, slot, fix.t_ms)
        away, zone = min(((law.outside_m(z, fix.lon, fix.lat), z) for z in zones), key=lambda pair: pair[0])
        beyond_m = -away if slot.startswith("exclusion:") else away
        law.heard[slot, fix] = log_odds(beyond_m, fix.doubt_m), zone
    return law.heard[slot, fix]


Versions = Sequence[tuple[int, Law]]
"""The cases of a person: since when, and what they say, in order of time."""


@dataclass
class Story:
    """What a person's fixes have shown so far."""

    settings: DetectionSettings
    began_ms: int  # what was before monitoring began, nobody knows
    tales: list[Tale] = field(default_factory=list)
    beliefs: dict[str, Belief] = field(default_factory=dict)
    demanded_ms: dict[str, int] = field(default_factory=dict)  # per slot: when the law was last asked
    before: Fix = NEVER_SEEN  # the last fix
    version: int = 0  # of the cases by which the last fix was judged

    def take(self, versions: Versions, fix: Fix) -> None:
        """Take the next fix in order of event time."""
        self.pass_time(versions, fix.t_ms)
        law = versions[self.version][1]
        speaks: dict[str, tuple[float, Zone]] = {}
        for slot in slots(law):
            speaks[slot] = odds, zone = _speaks(law, slot, fix)
            belief = self.beliefs.setdefault(slot, Belief())
            turned = belief.hear(fix, odds, self.before, self.settings.evidence_gap_ms)
            if turned and self._on_border(law, slot, belief.before):
                belief.since_ms = belief.before.t_ms
            if slot.startswith("leave:"):
                continue
            tale = self._going_on(slot)
            if turned and not belief.beyond and tale is not None:
                tale.end(belief.since_ms)
            elif belief.beyond and odds > 0 and tale is None:
                self._may_open(versions, slot, belief, zone, fix)
        self._astray(law, speaks, fix)
        self.before = fix

    def _on_border(self, law: Law, slot: str, before: Fix) -> bool:
        """Whether the fix before those that show the crossing, a good one, lay on the very border: then the
        crossing was about then."""
        if before is NEVER_SEEN or before.doubt_m > GOOD_M:
            return False
        away = [law.outside_m(z, before.lon, before.lat) for z in zones_of(law, slot, before.t_ms)]
        return abs(min(away)) <= before.doubt_m

    def _going_on(self, slot: str) -> Tale | None:
        return next((t for t in self.tales if t.ended_ms is None and t.slot == slot), None)

    def _may_open(self, versions: Versions, slot: str, belief: Belief, zone: Zone, fix: Fix) -> None:
        law, t_ms = versions[self.version][1], fix.t_ms
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
        for number in range(self.version, 0, -1):  # edits never reach back
            edit_ms, before = versions[number][0], versions[number - 1][1]
            if started_ms < edit_ms and not (slot in slots(before) and before.demand(slot, edit_ms - 1)):
                started_ms = edit_ms
        self._tell(law, kind, slot, zone, started_ms, fix)

    def _tell(self, law: Law, kind: Kind, slot: str, zone: Zone, started_ms: int, fix: Fix) -> None:
        """``fix``: the one that shows it, after those that turned the belief."""
        self.demanded_ms[slot] = fix.t_ms
        before = [f for f in self.beliefs[slot].shown_by if f.t_ms != fix.t_ms]
        shown_by = tuple(self._seen(law, slot, f) for f in (*before, fix))
        metres = abs(shown_by[-1][-1])
        numbers: tuple[float | int, ...] = (metres,)
        if kind in (Kind.ZONE_EXIT, Kind.ZONE_ENTER, Kind.CURFEW):
            numbers += (fix.doubt_m,)
        if kind in (Kind.ZONE_EXIT, Kind.ZONE_ENTER):
            numbers += (len(shown_by),)
        says = Says(started_ms, numbers, shown_by)
        self.tales.append(Tale(kind, slot.partition(":")[2], zone.zone_id, started_ms, fix.t_ms, says))

    @staticmethod
    def _seen(law: Law, slot: str, fix: Fix) -> Seen:
        away_m = min(law.outside_m(z, fix.lon, fix.lat) for z in zones_of(law, slot, fix.t_ms))
        beyond_m = -away_m if slot.startswith("exclusion:") else away_m
        return fix.t_ms, fix.lon, fix.lat, fix.doubt_m, beyond_m

    def _fresh_ms(self, law: Law) -> int:
        slowest_s = max((b.report_every_s for b in law.bindings), default=60)
        return int(max(self.settings.silence_intervals * slowest_s * 1_000, self.settings.silence_min_ms))

    def _astray(self, law: Law, speaks: dict[str, tuple[float, Zone]], fix: Fix) -> None:
        """On leave with places named: outside both those and the usual ones, longer than the grace."""
        t_ms = fix.t_ms
        leave = law.leave_with_places(t_ms) if law.may_be_judged(t_ms) else None
        usual = [self.beliefs[s] for s in speaks if s.startswith("group:")]
        for slot, (odds, zone) in speaks.items():
            if not slot.startswith("leave:"):
                continue
            current = leave is not None and leave.leave_id == slot.removeprefix("leave:")
            tale = self._going_on(slot)
            beliefs = [self.beliefs[slot], *usual]
            if current and all(b.beyond for b in beliefs):
                assert leave is not None
                since_ms = max(leave.span.from_ms, *(b.since_ms for b in beliefs))
                if t_ms - since_ms >= self.settings.travel_grace_ms and odds > 0 and tale is None:
                    self._tell(law, Kind.LEAVE_ASTRAY, slot, zone, since_ms, fix)
            elif tale is not None:
                came = [b.since_ms for b in beliefs if not b.beyond and b.since_ms > tale.started_ms]
                tale.end(min(came) if current and came else t_ms)

    def pass_time(self, versions: Versions, now_ms: int) -> None:
        """Let the cases change that did up to ``now_ms``, and end what they stopped demanding."""
        while self.version + 1 < len(versions) and versions[self.version + 1][0] <= now_ms:
            edit_ms = versions[self.version + 1][0]
            self._end_of_law(versions[self.version][1], edit_ms)
            self.version += 1
            self._edit(versions[self.version][1], edit_ms)
        self._end_of_law(versions[self.version][1], now_ms)

    def _end_of_law(self, law: Law, now_ms: int) -> None:
        for tale in self.going_on():
            until_ms = self.until_ms(law, tale)
            if until_ms <= now_ms:
                tale.end(until_ms)

    def until_ms(self, law: Law, tale: Tale) -> int:
        """Until when the law demands what a tale is about."""
        demand = law.demand(tale.slot, self.demanded_ms[tale.slot])
        assert demand is not None
        return demand[1]

    def going_on(self) -> list[Tale]:
        return [t for t in self.tales if t.ended_ms is None]

    def _edit(self, law: Law, now_ms: int) -> None:
        """From ``now_ms`` on another version of the cases holds: is what is open still demanded?"""
        known = slots(law)
        for tale in self.going_on():
            if tale.slot in known and law.demand(tale.slot, now_ms) is not None:
                self.demanded_ms[tale.slot] = now_ms
            else:
                tale.end(now_ms)
        self.beliefs = {slot: b for slot, b in self.beliefs.items() if slot in known}

    def as_of(self, versions: Versions, now_ms: int) -> Story:
        """What is told when time has passed, up to ``now_ms``; itself it waits for the next fix."""
        later = replace(
            self,
            tales=[replace(t) for t in self.tales],
            beliefs={**self.beliefs},
            demanded_ms={**self.demanded_ms},
        )
        later.pass_time(versions, now_ms)
        return later


def told_anew(story: Story, versions: Versions, fixes: Iterable[Fix]) -> Story:
    """The story from the first fix on, as if every fix had come in its turn."""
    anew = Story(story.settings, story.began_ms)
    for fix in sorted(fixes):
        anew.take(versions, fix)
    return anew


def fit(book: Book, tales: Sequence[Tale], at_ms: int, late_ms: int) -> None:
    """Bring the episodes of place that are known in step with the story as it is told now.

    A tale takes over the first known episode it shares an instant with, and those after it that are not the
    next tale's.  The first gets its start; the last its end.  What was closed is never reopened: if it is
    told to go on, the rest becomes an episode of its own.  What is told and was not known is opened, late if
    the fix that shows it is older than ``late_ms``; what was known open and is not told is withdrawn.
    """
    keys = sorted({e.key for e in book.entries if e.kind in SLOT_OF} | {(t.kind, t.subject) for t in tales})
    for key in keys:
        known = sorted((e for e in book.entries if e.key == key), key=lambda e: (e.started_ms, _end(e)))
        mine = sorted((t for t in tales if (t.kind, t.subject) == key), key=lambda t: t.started_ms)
        for tale, following in zip_longest(mine, mine[1:]):
            taken: list[Entry] = []
            for k in known:
                if _share(k, tale) and not (taken and following is not None and _share(k, following)):
                    taken.append(k)
            known = [k for k in known if k not in taken]
            _move(book, taken, tale, at_ms, late_ms)
        for left in known:
            if left.ended_ms is None:
                book.close(at_ms, left, left.started_ms)


def _share(one: Entry, other: Tale) -> bool:
    return one.started_ms <= _end(other) and other.started_ms <= _end(one)


def _end(one: Entry | Tale) -> int:
    return OPEN_END_MS if one.ended_ms is None else one.ended_ms


def _open(book: Book, tale: Tale, started_ms: int, at_ms: int, late_ms: int) -> None:
    late = at_ms - tale.shown_ms > late_ms
    new = book.begin(
        at_ms, tale.kind, tale.subject, started_ms, zone_id=tale.zone_id, late=late, says=tale.says
    )
    if tale.ended_ms is not None:
        book.close(at_ms, new, tale.ended_ms)


def _move(book: Book, taken: Sequence[Entry], tale: Tale, at_ms: int, late_ms: int) -> None:
    if not taken:
        _open(book, tale, tale.started_ms, at_ms, late_ms)
        return
    first, last = taken[0], max(taken, key=_end)
    if last.ended_ms is None:
        book.move(at_ms, first, started_ms=tale.started_ms, says=tale.says)
        if tale.ended_ms is not None:
            book.close(at_ms, last, tale.ended_ms)
    elif tale.ended_ms is None:
        book.move(at_ms, first, started_ms=tale.started_ms, says=tale.says)
        _open(book, tale, last.ended_ms, at_ms, late_ms)
    elif first is last:
        book.move(at_ms, first, started_ms=tale.started_ms, ended_ms=tale.ended_ms)
    else:
        book.move(at_ms, first, started_ms=tale.started_ms, says=tale.says)
        book.move(at_ms, last, ended_ms=tale.ended_ms)
