"""Matching episodes with the truth, and counting.

An episode matches a truth of the same person and kind when their intervals overlap, give or take one
report interval of the person, and the zone is the truth's, where it names one (any member of the zone's
group will do: which of them is nearest at the border is chance).  Each truth needs an episode of its own
(recall); an episode that matches no truth is false (precision).  Delay is from the truth's beginning, or
where a kind has a threshold (silence, data.gap, leave.astray, spoofed: so many fixes must contradict each
other) from the moment it passes, but never from before the recording.  The error of started_at is taken
against the truth's beginning, likewise.  False pages are the times that a false episode made an alert page
anew (it was opened, or its severity rose); further steps of the same ladder are not counted.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import DAY_MS, MINUTE_MS, OPEN_END_MS, Interval
from simulators.devices import SILENCE_MIN_MS, silence_after_ms
from simulators.episode_log import Found
from simulators.truth import TRAVEL_GRACE_MS, Truth

GAP_INTERVALS = 2  # CONTRACT §2, data.gap
SPOOFED_FIXES, SPOOFED_MIN_MS = 5, 3 * MINUTE_MS  # docs/detection.md
SILENCES = (Kind.SILENCE_DEVICE, Kind.SILENCE_POSITION, Kind.SILENCE_BAND)


@dataclass
class Tally:
    """The score of one kind."""

    truths: int = 0
    found: int = 0
    episodes: int = 0
    false: int = 0
    delays_s: list[float] = field(default_factory=list)
    start_errors_s: list[float] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """As JSON; a share of nothing is null."""
        return {
            "truths": self.truths,
            "found": self.found,
            "recall": self.found / self.truths if self.truths else None,
            "episodes": self.episodes,
            "false": self.false,
            "precision": 1 - self.false / self.episodes if self.episodes else None,
            "delay_s": _spread(self.delays_s),
            "start_error_s": _spread(self.start_errors_s),
            "delays_s": self.delays_s,
            "start_errors_s": self.start_errors_s,
        }


@dataclass(frozen=True)
class Yardstick:
    """What the case folder says about matching: intervals and groups."""

    report_s: dict[str, int]  # person_id → slowest device's interval
    group: dict[str, str]  # zone_id → name of what is compared together
    silence_min_ms: int

    def tolerance_ms(self, person_id: str) -> int:
        """One report interval of the person."""
        return self.report_s.get(person_id, 60) * 1_000

    def matches(self, truth: Truth, episode: Found) -> bool:
        """Whether the episode may stand for the truth (person and kind are known to agree)."""
        slack = self.tolerance_ms(truth.person_id)
        end = OPEN_END_MS if truth.to_ms is None else truth.to_ms
        if episode.from_ms > end + slack or episode.to_ms < truth.from_ms - slack:
            return False
        return truth.zone_id is None or self._subject(truth.zone_id) == self._subject(episode.zone_id)

    def _subject(self, zone_id: str | None) -> str | None:
        return self.group.get(zone_id, zone_id) if zone_id else None

    def due_ms(self, truth: Truth, span: Interval) -> int:
        """The moment from which a detection is counted as late."""
        after_ms = 0
        report_s = self.report_s.get(truth.person_id, 60)
        if truth.kind in SILENCES:
            after_ms = silence_after_ms(report_s, self.silence_min_ms)
        elif truth.kind == Kind.DATA_GAP:
            after_ms = GAP_INTERVALS * report_s * 1_000
        elif truth.kind == Kind.LEAVE_ASTRAY:
            after_ms = TRAVEL_GRACE_MS
        elif truth.kind == Kind.SPOOFED:
            after_ms = max((SPOOFED_FIXES - 1) * report_s * 1_000, SPOOFED_MIN_MS)
        return max(truth.from_ms + after_ms, span.from_ms)


def yardstick(cases: CaseSet, silence_min_ms: int = SILENCE_MIN_MS) -> Yardstick:
    """Read intervals and groups from the cases."""
    report_s: dict[str, int] = {}
    for device in cases.devices.values():
        report_s[device.person_id] = max(report_s.get(device.person_id, 0), device.report_every_s)
    group = {z.zone_id: f"group {z.group}" for z in cases.zones.values() if z.group is not None}
    return Yardstick(report_s, group, silence_min_ms)


def score(
    truths: Sequence[Truth], episodes: Sequence[Found], rule: Yardstick, span: Interval, person_days: float
) -> dict[str, Any]:
    """Match and count.  The result is JSON: ``kinds``, ``total``, false pages, and what was missed."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    missed: list[Truth] = []
    false: list[Found] = []
    by_key: dict[tuple[str, str], tuple[list[Truth], list[Found]]] = defaultdict(lambda: ([], []))
    for truth in truths:
        by_key[(truth.person_id, truth.kind)][0].append(truth)
    for episode in episodes:
        by_key[(episode.person_id, episode.kind)][1].append(episode)
    for (_, kind), (wanted, got) in sorted(by_key.items()):
        tally = tallies[kind]
        partner = _assign(wanted, got, rule)
        tally.truths += len(wanted)
        tally.episodes += len(got)
        tally.found += len(partner)
        tally.delays_s += [
            (got[e].detected_ms - rule.due_ms(wanted[t], span)) / 1_000 for t, e in partner.items()
        ]
        tally.start_errors_s += [
            abs(got[e].from_ms - max(wanted[t].from_ms, span.from_ms)) / 1_000
            for t, e in partner.items()
            if got[e].from_ms >= span.from_ms
        ]
        missed += [t for i, t in enumerate(wanted) if i not in partner]
        wrong = [e for e in got if not any(rule.matches(t, e) for t in wanted)]
        tally.false += len(wrong)
        false += wrong
    total = Tally()
    for tally in tallies.values():
        total.truths += tally.truths
        total.found += tally.found
        total.episodes += tally.episodes
        total.false += tally.false
        total.delays_s += tally.delays_s
        total.start_errors_s += tally.start_errors_s
    pages = sum(e.pagings for e in false)
    return {
        "kinds": {kind: tally.row() for kind, tally in sorted(tallies.items())},
        "total": total.row(),
        "person_days": person_days,
        "false_pages": pages,
        "false_pages_per_person_day": pages / person_days if person_days else None,
        "missed": [_told(t.person_id, t.kind, t.zone_id, t.from_ms, t.to_ms) for t in missed],
        "false": [_told(e.person_id, e.kind, e.zone_id, e.from_ms, e.to_ms) for e in false],
    }


def _assign(wanted: Sequence[Truth], got: Sequence[Found], rule: Yardstick) -> dict[int, int]:
    """Truth index → episode index, one to one and as many as can be; early detections are preferred."""
    order = sorted(range(len(got)), key=lambda e: got[e].detected_ms)
    choices = [[e for e in order if rule.matches(t, got[e])] for t in wanted]
    holder: dict[int, int] = {}

    def place(truth: int, tried: set[int]) -> bool:
        for episode in choices[truth]:
            if episode in tried:
                continue
            tried.add(episode)
            if episode not in holder or place(holder[episode], tried):
                holder[episode] = truth
                return True
        return False

    for truth in sorted(range(len(wanted)), key=lambda t: wanted[t].from_ms):
        place(truth, set())
    return {truth: episode for episode, truth in holder.items()}


def _told(person_id: str, kind: str, zone_id: str | None, from_ms: int, to_ms: int | None) -> dict[str, Any]:
    end = None if to_ms is None or to_ms >= OPEN_END_MS else to_ms
    return {"person_id": person_id, "kind": kind, "zone_id": zone_id, "from": from_ms, "to": end}


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    return {"p50": _percentile(values, 50), "p99": _percentile(values, 99)}


def _percentile(values: Sequence[float], share: int) -> float | None:
    """The smallest value that so many percent do not pass."""
    if not values:
        return None
    return sorted(values)[math.ceil(share / 100 * len(values)) - 1]


def person_days(cases: CaseSet, span: Interval) -> float:
    """Days under order within the span, over everyone with a device; overlapping orders count once."""
    bound = {d.person_id for d in cases.devices.values()}
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for order in cases.orders.values():
        if order.person_id in bound and order.span.overlaps(span):
            clipped = max(order.span.from_ms, span.from_ms), min(order.span.to_ms, span.to_ms)
            spans[order.person_id].append(clipped)
    total_ms = 0
    for pieces in spans.values():
        reached = span.from_ms
        for start, end in sorted(pieces):
            total_ms += max(0, end - max(start, reached))
            reached = max(reached, end)
    return total_ms / DAY_MS
