"""False pages on real phones' noise, and what is found of violations put into it and into a varied town.

MobilityNet: phones lying still against 100 m around their place, and on trips against a county.  ODC:
people's own phones against their city, their home in the hours they kept, and a forbidden place near by.
In question is judgement about place, with separation and spoofing; heartbeats stand between.  Beside the
engine stand the usual rules (``usual_rules``) on the same fixes with the same law.  ``varied_town``: zones,
intervals and receivers that no threshold was fitted to, and every kind of violation; there too every night
is another seed.

Targets: at most 0.01 false pages a person-day and every violation found; on steady data (a clean receiver)
within two report intervals and 10 s of the beginning, or of the moment a threshold passes, and started_at
within one interval.  Needs ``../shared/data/trajectories`` for the real phones; ``--quick`` is MobilityNet
and one small town.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.report import Row, report
from benchmarks.usual_rules import Rule, judge
from benchmarks.varied_town import INTERVALS_S, KINDS, live, town
from corrections_monitor.detection.engine import Engine
from corrections_monitor.ingest.decode import decode
from corrections_monitor.ingest.message import Message
from corrections_monitor.model.alerts import Line
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.settings import DetectionSettings, RulesSettings
from corrections_monitor.model.telemetry import keep
from corrections_monitor.model.times import OPEN_END_MS, Interval, parse_time
from corrections_monitor.replay import calendar_of, first_step_only, replay
from simulators.episode_log import Found
from simulators.scoring import Yardstick, person_days, score, yardstick
from simulators.trace_injection import inject
from simulators.traces import load
from simulators.truth import Truth

DATA = Path(__file__).resolve().parents[2] / "shared/data/trajectories"
ZONE = ZoneInfo("Asia/Shanghai")
SETTINGS = DetectionSettings()
ENGINE = "the engine"
PLACE = (Kind.ZONE_EXIT, Kind.ZONE_ENTER, Kind.CURFEW, Kind.LEAVE_OVERDUE)
JUDGED = (*PLACE, Kind.LEAVE_ASTRAY, Kind.CONTACT_NEAR, Kind.SEPARATED, Kind.SPOOFED)
TOLD = (Kind.STRAP_CUT, Kind.SEPARATED, Kind.SILENCE_DEVICE, Kind.SILENCE_BAND, Kind.SPOOFED)
WALKS = dict.fromkeys(PLACE, 6)
SIGNS = dict.fromkeys(TOLD, 4)
FALSE_TARGET = 0.01
STEADY = "clean"
LATE, OFF = ("found after", "% of 2 intervals + 10 s"), ("started_at off", "% of an interval")
PART = {"part": True}  # a figure of which the sum or the worst is quoted


@dataclass
class Count:
    """What one way of judging made of all sets together."""

    false_pages: int = 0
    person_days: float = 0.0
    truths: int = 0
    found: int = 0

    def add(self, scored: dict[str, Any]) -> None:
        """Add one set's score."""
        self.false_pages += scored["false_pages"]
        self.person_days += scored["person_days"]
        self.truths += scored["total"]["truths"]
        self.found += scored["total"]["found"]

    @property
    def rate(self) -> float:
        return self.false_pages / self.person_days

    @property
    def recall(self) -> float:
        return 100.0 * self.found / max(self.truths, 1)

    def extra(self) -> dict[str, Any]:
        """The counts behind the figures."""
        return {"false_pages": self.false_pages, "person_days": self.person_days, "truths": self.truths}


@dataclass
class ByKind:
    """Of each kind: how many were put in and found; on steady data how late (per cent of two intervals and
    10 s) and how wrong started_at was (per cent of an interval), each found one."""

    put_in: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    late_pct: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    start_pct: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, scored: dict[str, Any], every_s: int | None) -> None:
        """Add a score; ``every_s`` where it is of steady data at one interval."""
        for kind, row in scored["kinds"].items():
            self.put_in[kind][0] += row["truths"]
            self.put_in[kind][1] += row["found"]
            if every_s is not None:
                self.late_pct[kind] += [100 * d / (2 * every_s + 10) for d in row["delays_s"]]
                self.start_pct[kind] += [100 * e / every_s for e in row["start_errors_s"]]


def by_engine(cases: CaseSet, messages: list[Message]) -> list[Found]:
    """What a replay finds and whom it pages first."""
    episodes: dict[str, Found] = {}
    rules = first_step_only(RulesSettings())
    for line in replay(cases, messages, ZONE, SETTINGS, rules):
        name = line.episode.episode_id
        episodes[name] = _found(line, episodes.get(name))
    return list(episodes.values())


def _found(line: Line, before: Found | None) -> Found:
    e = line.episode
    end_ms = OPEN_END_MS if e.ended_ms is None else e.ended_ms
    now = Found(e.kind, e.person_id, e.zone_id, e.started_ms, end_ms, e.detected_ms, int(line.severity))
    rises = bool(line.paged) and (before is None or now.severity > before.severity)
    return replace(now, pagings=(before.pagings if before else 0) + rises)


def by_rule(rule: Rule, cases: CaseSet, messages: list[Message]) -> list[Found]:
    """What a usual rule finds."""
    engine = Engine(cases, calendar_of(cases, ZONE), SETTINGS, messages[0].arrival_ms)
    batch = decode(messages, engine.city.device_no, ZONE, SETTINGS).batch
    batch = keep(batch, *engine.admit(batch), rest_is_known=False)
    return judge(rule, engine.city, batch)


def on_traces(
    source: str, counts: dict[str, Count], kinds: ByKind, wanted: dict[Kind, int], seed: int
) -> None:
    """Judge one set of real traces by every way, with what is ``wanted`` put in."""
    traces = load(source, DATA, parse_time("2026-01-05", ZONE), ZONE)
    truths = inject(traces, ZONE, wanted, seed)
    messages = [Message(r.topic, r.payload.encode(), r.arrival_ms, False, False, None) for r in traces.rows()]
    cases = traces.cases()
    span = Interval(messages[0].arrival_ms, messages[-1].arrival_ms)
    days, rule = person_days(cases, span), yardstick(cases)
    found = by_engine(cases, messages)
    in_question = [f for f in found if f.kind in JUDGED]
    counts[ENGINE].add(score([t for t in truths if t.kind in JUDGED], in_question, rule, span, days))
    kinds.add(score(truths, found, rule, span, days), None)
    walked = [t for t in truths if t.kind in PLACE]
    for way in Rule:
        counts[way].add(score(walked, by_rule(way, cases, messages), rule, span, days))


def in_town(noise: str, crowd: int, each: int, seed: int, kinds: ByKind) -> Count:
    """Judge a night of the varied town."""
    cases = town(crowd)
    messages, truths, _ = live(cases, noise, each, seed)
    span = Interval(messages[0].arrival_ms, messages[-1].arrival_ms)
    found, rule, count = by_engine(cases, messages), yardstick(cases), Count()
    count.add(score(truths, found, rule, span, person_days(cases, span)))
    for every_s in INTERVALS_S:
        kinds.add(_of_interval(truths, found, rule, span, every_s), every_s if noise == STEADY else None)
    return count


def _of_interval(
    truths: Sequence[Truth], found: Sequence[Found], rule: Yardstick, span: Interval, every_s: int
) -> dict[str, Any]:
    mine = {p for p, report_s in rule.report_s.items() if report_s == every_s}
    return score(
        [t for t in truths if t.person_id in mine], [f for f in found if f.person_id in mine], rule, span, 1.0
    )


def trace_rows(counts: dict[str, Count], kinds: ByKind) -> list[Row]:
    """The engine's figures on real noise first, the others beside."""
    ours = counts[ENGINE]
    rate = ("per person-day", [ours.rate], FALSE_TARGET)
    rows = [
        Row("false pages", *rate, at_most=True, extra=ours.extra()),
        Row("violations found", "%", [ours.recall], 100.0),
        *_recall_rows("real noise", kinds),
    ]
    for way, count in counts.items():
        if way != ENGINE:
            rows.append(Row(f"{way}: false pages", "per person-day", [count.rate], extra=count.extra()))
            rows.append(Row(f"{way}: violations found", "%", [count.recall]))
    return rows


def _recall_rows(where: str, kinds: ByKind) -> list[Row]:
    return [
        Row(f"{where}, {kind}: found", "%", [100.0 * found / truths], 100.0, extra={**PART, "truths": truths})
        for kind, (truths, found) in sorted(kinds.put_in.items())
        if truths
    ]


def town_rows(noise: str, count: Count, kinds: ByKind) -> list[Row]:
    """What was found in a town, and on steady data how fast; of a bad receiver only how it stands."""
    bound = None if noise == "harsh" else FALSE_TARGET
    rows = [Row(f"{noise} town: false pages", "per person-day", [count.rate], bound, at_most=True)]
    if bound is None:
        return [*rows, Row(f"{noise} town: violations found", "%", [count.recall], extra=count.extra())]
    rows.append(Row(f"{noise} town: violations found", "%", [count.recall], 100.0, extra=count.extra()))
    rows += _recall_rows(f"{noise} town", kinds)
    return rows + (steady_rows(kinds) if noise == STEADY else [])


def steady_rows(kinds: ByKind) -> list[Row]:
    """How late and how wrong, by kind and at worst."""
    rows: list[Row] = []
    worst: list[Row] = []
    for (what, unit), by_kind in ((LATE, kinds.late_pct), (OFF, kinds.start_pct)):
        most = -math.inf
        for kind in sorted(k for k in by_kind if k in KINDS and by_kind[k]):
            p50, p99 = percentile(by_kind[kind], 50), percentile(by_kind[kind], 99)
            name, most = f"steady, {kind}: {what}", max(most, p99)
            rows.append(Row(f"{name}, p50", unit, [p50], extra=PART))
            rows.append(Row(f"{name}, p99", unit, [p99], 100.0, at_most=True, extra=PART))
        worst.append(Row(f"steady, worst kind: {what}, p99", unit, [most], 100.0, at_most=True))
    return worst + rows


def percentile(values: Sequence[float], share: int) -> float:
    """The smallest value that so many per cent do not pass."""
    return sorted(values)[math.ceil(share / 100 * len(values)) - 1]


def main(argv: list[str] | None = None) -> int:
    """0 when the engine's figures meet their targets; the real phones are left out where there are none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="MobilityNet and one small town")
    quick = parser.parse_args(argv).quick
    rows: list[Row] = []
    if DATA.is_dir():
        counts, kinds = {way: Count() for way in (ENGINE, *Rule)}, ByKind()
        rounds = [({}, 0), (WALKS, 1), (SIGNS, 2), (WALKS, 3), (SIGNS, 4)][: 3 if quick else 5]
        for source in ("mobilitynet",) if quick else ("mobilitynet", "odc"):
            for wanted, seed in rounds:
                on_traces(source, counts, kinds, wanted, seed)
        rows += trace_rows(counts, kinds)
    else:
        print(f"{DATA}: not there; the traces are not part of the project")
    for noise in (STEADY,) if quick else (STEADY, "city", "harsh"):
        kinds, count = ByKind(), Count()
        for seed in (11,) if quick else (11, 12, 13):
            night = in_town(noise, 2 if quick else 4, 10 if quick else 20, seed, kinds)
            count.false_pages += night.false_pages
            count.person_days += night.person_days
            count.truths += night.truths
            count.found += night.found
        rows += town_rows(noise, count, kinds)
    name = "false_pages-quick" if quick else "false_pages"
    report(name, rows, date=datetime.now(UTC).isoformat(timespec="seconds"), packages=("numpy", "shapely"))
    return 0 if all(row.holds in (None, True) for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
