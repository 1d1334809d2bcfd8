"""``python -m simulators scenario``: a recording of a case folder's people, and the truth about it."""

from __future__ import annotations

import argparse
import heapq
import sys
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from corrections_monitor import cases as case_folder
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import HOUR_MS, OPEN_START_MS, Interval, parse_time
from simulators.case_truth import case_truths
from simulators.devices import Row
from simulators.injections import DEVICE_INJECTIONS
from simulators.noise import NOISE
from simulators.recording import lines, open_text
from simulators.truth import write_truth
from simulators.violations import PLACE_DETOURS
from simulators.world import Plan, World, build

INJECTABLE = (*PLACE_DETOURS, *DEVICE_INJECTIONS)
BLOCK_MS = HOUR_MS


def rows_in_order(world: World) -> Iterator[Row]:
    """Every message of the world's span in order of arrival, made hour by hour."""
    feeds = [feed for life in world.lives for feed in life.feeds]
    held: list[Row] = []
    for start in range(world.span.from_ms, world.span.to_ms, BLOCK_MS):
        end = min(start + BLOCK_MS, world.span.to_ms)
        for feed in feeds:
            held += feed.block(Interval(start, end))
        held.sort()
        ready = next((i for i, row in enumerate(held) if row.arrival_ms >= end), len(held))
        yield from held[:ready]
        del held[:ready]
    yield from held


def busiest_instant(cases: CaseSet) -> int | None:
    """The first instant at which the most orders are in force, on the hour; None without orders."""
    starts = sorted(o.span.from_ms for o in cases.orders.values() if o.span.from_ms > OPEN_START_MS)
    ends = [o.span.to_ms for o in cases.orders.values()]
    heapq.heapify(ends)
    best, best_count, count = None, 0, 0
    for start in starts:
        count += 1
        while ends and ends[0] <= start:
            heapq.heappop(ends)
            count -= 1
        if count > best_count:
            best, best_count = start, count
    return None if best is None else -(-best // HOUR_MS) * HOUR_MS


def parse_wanted(text: str) -> dict[Kind, int]:
    """Read ``zone.exit=3,curfew=2``, ``each=2`` or ``none``.  Raises ValueError naming the part."""
    wanted: dict[Kind, int] = {}
    for part in (p.strip() for p in text.split(",") if p.strip()):
        if part == "none":
            continue
        name, _, number = part.partition("=")
        if name != "each" and name not in INJECTABLE:
            raise ValueError(f"--violations: {name!r} is not each, none or one of {', '.join(INJECTABLE)}")
        if not number.isdigit():
            raise ValueError(f"--violations: {part!r} lacks its number, as in {name}=2")
        wanted.update({k: int(number) for k in (INJECTABLE if name == "each" else (Kind(name),))})
    return wanted


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = subparsers.add_parser("scenario", help="write a recording and its truth")
    parser.add_argument("--cases", type=Path, required=True, metavar="DIR")
    parser.add_argument("--output", type=Path, required=True, metavar="REC[.gz]")
    parser.add_argument("--truth", type=Path, required=True, metavar="TRUTH")
    parser.add_argument("--from", dest="start", metavar="TIME", help="default: when most orders are in force")
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--violations", default="each=2", help="kind=n,…; each=n; none (default each=2)")
    parser.add_argument("--noise", choices=sorted(NOISE), default="city")
    parser.add_argument("--timezone", default="Asia/Shanghai")
    parser.set_defaults(run=run)


def run(called: argparse.Namespace) -> int:
    """Write the recording and the truth; returns the exit status."""
    try:
        zone = ZoneInfo(called.timezone)
        wanted = parse_wanted(called.violations)
        start = parse_time(called.start, zone) if called.start else None
        if called.hours <= 0:
            raise ValueError("--hours: must be more than 0")
    except (ValueError, ZoneInfoNotFoundError) as error:
        print(f"scenario: {error}", file=sys.stderr)
        return 2
    try:
        cases = case_folder.read(called.cases, zone)
    except case_folder.CaseFaults as faults:
        print(faults, file=sys.stderr)
        return 1
    start = busiest_instant(cases) if start is None else start
    if start is None:
        print(f"{called.cases}/orders.csv: from: no order to choose a start by; give --from", file=sys.stderr)
        return 2
    span = Interval(start, start + round(called.hours * HOUR_MS))
    world = build(cases, Plan(span, zone, called.seed, called.noise, wanted))
    count, last_ms = 0, span.from_ms
    with open_text(called.output, "w") as output:
        for row in rows_in_order(world):
            output.writelines(lines((row,), zone))
            count, last_ms = count + 1, row.arrival_ms
    # What was sent within the span may arrive after it: the recording is as long as its last arrival says.
    truths = [*world.truths(), *case_truths(cases, Interval(start, max(last_ms + 1, span.to_ms)))]
    with open_text(called.truth, "w") as output:
        output.write(write_truth(truths, zone))
    print(f"{called.output}: {count} messages of {len(world.lives)} people")
    print(f"{called.truth}: {len(truths)} truths")
    for person_id in world.homeless:
        print(f"{called.cases}/zones.geojson: no place satisfies every zone of {person_id}", file=sys.stderr)
    for kind, missing in world.unplaced.items():
        print(f"--violations: {kind}: {missing} found nobody it suits", file=sys.stderr)
    return 0
