"""``python -m simulators score``: what of the truth was found, how fast, and what was found in vain."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from corrections_monitor import cases as case_folder
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import Interval
from simulators.devices import SILENCE_MIN_MS
from simulators.episode_log import Unreadable, objects, read_episodes, read_truth, time_of
from simulators.scoring import person_days, score, yardstick
from simulators.truth import Truth

TIMELESS = (Kind.ORDER_EXPIRING, Kind.ORDER_LAPSED, Kind.UNMONITORED)  # may begin long before the recording


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = subparsers.add_parser("score", help="recall, precision, delay and false pages of a replay")
    parser.add_argument("--cases", type=Path, required=True, metavar="DIR")
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--episodes", type=Path, required=True)
    parser.add_argument(
        "--recording",
        type=Path,
        help="for its span; without it the span is from the first to the last instant of the other two files",
    )
    parser.add_argument("--kinds", metavar="KIND,…", help="leave all other kinds out of account")
    parser.add_argument("--silence-min-s", type=float, default=SILENCE_MIN_MS / 1_000)
    parser.add_argument("--timezone", default="Asia/Shanghai")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(called: argparse.Namespace) -> int:
    """Print the score; returns the exit status."""
    try:
        zone = ZoneInfo(called.timezone)
    except (ValueError, ZoneInfoNotFoundError):
        print(f"score: --timezone: {called.timezone!r} is no time zone", file=sys.stderr)
        return 2
    kinds: set[str] | None = set(called.kinds.split(",")) if called.kinds else None
    if unknown := (kinds or set()) - set(Kind):
        print(f"score: --kinds: {min(unknown)!r} is no kind of CONTRACT §3", file=sys.stderr)
        return 2
    try:
        cases = case_folder.read(called.cases, zone)
        truths = read_truth(called.truth, zone)
        episodes, instants = read_episodes(called.episodes, zone)
        span = _span_of(called.recording, zone) if called.recording else _span_seen(truths, instants)
    except (Unreadable, case_folder.CaseFaults) as error:
        print(error, file=sys.stderr)
        return 1
    if kinds is not None:
        truths = [t for t in truths if t.kind in kinds]
        episodes = [e for e in episodes if e.kind in kinds]
    rule = yardstick(cases, round(called.silence_min_s * 1_000))
    result = score(truths, episodes, rule, span, person_days(cases, span))
    print(json.dumps(result, ensure_ascii=False, indent=2) if called.json else table(result))
    return 0


def _span_of(recording: Path, zone: ZoneInfo) -> Interval:
    times = [time_of(row, "at", zone, where) for where, row in objects(recording)]
    if not times:
        raise Unreadable(f"{recording}:1: at: the recording is empty")
    return Interval(times[0], max(times[-1], times[0] + 1))


def _span_seen(truths: Sequence[Truth], instants: Sequence[int]) -> Interval:
    times = [*instants, *(t.from_ms for t in truths if t.kind not in TIMELESS)]
    return Interval(min(times, default=0), max(times, default=0) + 1)


def table(result: dict[str, Any]) -> str:
    """The score for people."""
    head = f"{'kind':18}{'truths':>7}{'found':>7}{'recall':>8}{'episodes':>9}{'false':>6}{'prec.':>8}"
    text = [head + f"{'p50 s':>9}{'p99 s':>9}{'start p99':>11}"]
    for kind, row in [*result["kinds"].items(), ("total", result["total"])]:
        delay, start = row["delay_s"], row["start_error_s"]
        text.append(
            f"{kind:18}{row['truths']:7}{row['found']:7}{_share(row['recall']):>8}{row['episodes']:9}"
            f"{row['false']:6}{_share(row['precision']):>8}{_seconds(delay['p50'])}{_seconds(delay['p99'])}"
            f"  {_seconds(start['p99'])}"
        )
    rate = result["false_pages_per_person_day"]
    text.append(
        f"false pages {result['false_pages']} in {result['person_days']:.2f} person-days"
        + ("" if rate is None else f" = {rate:.4f} per person-day")
    )
    return "\n".join(text)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _seconds(value: float | None) -> str:
    return f"{'-' if value is None else format(value, '.1f'):>9}"
