"""False pages on real phones' noise, and what is found of violations put into it.

MobilityNet: phones lying still against 100 m around their place, and on trips against a county.  ODC:
people's own phones against their city, their home in the hours they kept, and a forbidden place near by.
In question is judgement about place, with separation and spoofing; heartbeats stand between.  Beside the
engine stand the usual rules (``usual_rules``) on the same fixes with the same law.

Targets: at most 0.01 false pages a person-day and every violation found.  How long it took counts from the
crossing itself at one report a minute; the first fix beyond is often still within its own doubt.
Needs ``../shared/data/trajectories``; ``--quick`` is MobilityNet alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.report import Row, report
from benchmarks.usual_rules import Rule, judge
from corrections_monitor.detection.engine import Engine
from corrections_monitor.ingest.decode import decode
from corrections_monitor.ingest.message import Message
from corrections_monitor.model.alerts import Line
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.settings import DetectionSettings, RulesSettings
from corrections_monitor.model.telemetry import keep
from corrections_monitor.model.times import OPEN_END_MS, Interval, parse_time
from corrections_monitor.replay import calendar_of, first_step_only, replay
from simulators.episode_log import Found
from simulators.scoring import person_days, score, yardstick
from simulators.trace_injection import inject
from simulators.trace_sets import TraceSet
from simulators.traces import load
from simulators.truth import Truth

DATA = Path(__file__).resolve().parents[2] / "shared/data/trajectories"
ZONE = ZoneInfo("Asia/Shanghai")
SETTINGS = DetectionSettings()
ENGINE = "the engine"
PLACE = (Kind.ZONE_EXIT, Kind.ZONE_ENTER, Kind.CURFEW, Kind.LEAVE_OVERDUE)
JUDGED = (*PLACE, Kind.LEAVE_ASTRAY, Kind.CONTACT_NEAR, Kind.SEPARATED, Kind.SPOOFED)
INJECTED = dict.fromkeys(PLACE, 6)
FALSE_TARGET = 0.01


@dataclass
class Count:
    """What one way of judging made of all sets together."""

    false_pages: int = 0
    person_days: float = 0.0
    truths: int = 0
    found: int = 0
    delays_s: list[float] = field(default_factory=list)

    def add(self, scored: dict[str, Any]) -> None:
        """Add one set's score."""
        self.false_pages += scored["false_pages"]
        self.person_days += scored["person_days"]
        self.truths += scored["total"]["truths"]
        self.found += scored["total"]["found"]
        if scored["total"]["delay_s"]["p99"] is not None:
            self.delays_s.append(scored["total"]["delay_s"]["p99"])


def messages_of(traces: TraceSet) -> list[Message]:
    """The set's rows as they arrive."""
    return [Message(r.topic, r.payload.encode(), r.arrival_ms, False, False, None) for r in traces.rows()]


def by_engine(traces: TraceSet, messages: list[Message]) -> list[Found]:
    """What a replay finds and whom it pages first."""
    episodes: dict[str, Found] = {}
    rules = first_step_only(RulesSettings())
    for line in replay(traces.cases(), messages, ZONE, SETTINGS, rules):
        name = line.episode.episode_id
        episodes[name] = _found(line, episodes.get(name))
    return [f for f in episodes.values() if f.kind in JUDGED]


def _found(line: Line, before: Found | None) -> Found:
    e = line.episode
    end_ms = OPEN_END_MS if e.ended_ms is None else e.ended_ms
    now = Found(e.kind, e.person_id, e.zone_id, e.started_ms, end_ms, e.detected_ms, int(line.severity))
    rises = bool(line.paged) and (before is None or now.severity > before.severity)
    return replace(now, pagings=(before.pagings if before else 0) + rises)


def by_rule(rule: Rule, traces: TraceSet, messages: list[Message]) -> list[Found]:
    """What a usual rule finds."""
    cases = traces.cases()
    engine = Engine(cases, calendar_of(cases, ZONE), SETTINGS, messages[0].arrival_ms)
    batch = decode(messages, engine.city.device_no, ZONE, SETTINGS).batch
    batch = keep(batch, *engine.admit(batch), rest_is_known=False)
    return judge(rule, engine.city, batch)


def measure(source: str, counts: dict[str, Count], seed: int | None) -> None:
    """Judge one set by every way; ``seed`` puts violations in."""
    start_ms = parse_time("2026-01-05", ZONE)
    traces = load(source, DATA, start_ms, ZONE)
    truths: Sequence[Truth] = [] if seed is None else inject(traces, ZONE, INJECTED, seed)
    truths = [t for t in truths if t.kind in PLACE]
    messages = messages_of(traces)
    cases = traces.cases()
    span = Interval(messages[0].arrival_ms, messages[-1].arrival_ms)
    days = person_days(cases, span)
    for way in counts:
        found = by_engine(traces, messages) if way == ENGINE else by_rule(Rule(way), traces, messages)
        counts[way].add(score(truths, found, yardstick(cases), span, days))


def rows_of(counts: dict[str, Count]) -> list[Row]:
    """The table: the engine's figures first, the others beside."""
    ours = counts[ENGINE]
    rows = [
        Row("false pages", "per person-day", [_rate(ours)], FALSE_TARGET, at_most=True, extra=_extra(ours)),
        Row("violations found", "%", [_recall(ours)], 100.0),
        Row("found after, p99 (worst set)", "s", [max(ours.delays_s)]),
    ]
    for way, count in counts.items():
        if way != ENGINE:
            rows.append(Row(f"{way}: false pages", "per person-day", [_rate(count)], extra=_extra(count)))
            rows.append(Row(f"{way}: violations found", "%", [_recall(count)]))
    return rows


def _rate(count: Count) -> float:
    return count.false_pages / count.person_days


def _recall(count: Count) -> float:
    return 100.0 * count.found / max(count.truths, 1)


def _extra(count: Count) -> dict[str, Any]:
    return {"false_pages": count.false_pages, "person_days": count.person_days, "truths": count.truths}


def main(argv: list[str] | None = None) -> int:
    """0 when the engine's figures meet their targets; 0 too, with a word, where the traces are absent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="MobilityNet alone, one set of violations")
    quick = parser.parse_args(argv).quick
    if not DATA.is_dir():
        print(f"{DATA}: not there; the traces are not part of the project")
        return 0
    counts = {way: Count() for way in (ENGINE, *Rule)}
    for source in ("mobilitynet",) if quick else ("mobilitynet", "odc"):
        for seed in (None, 1) if quick else (None, 1, 2, 3):
            measure(source, counts, seed)
    rows = rows_of(counts)
    name = "false_pages-quick" if quick else "false_pages"
    report(name, rows, date=datetime.now(UTC).isoformat(timespec="seconds"), packages=("numpy", "shapely"))
    return 0 if all(row.holds in (None, True) for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
