"""``python -m simulators.traces``: real phones' traces as a case folder and a recording."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from corrections_monitor import cases as case_folder
from corrections_monitor.model.times import parse_time
from simulators.recording import lines, open_text
from simulators.scenario import parse_wanted
from simulators.trace_injection import inject
from simulators.trace_mobilitynet import mobilitynet
from simulators.trace_odc import odc
from simulators.trace_sets import TraceSet, moved
from simulators.truth import write_truth


def load(source: str, data: Path, start_ms: int, zone: ZoneInfo) -> TraceSet:
    """``mobilitynet`` or ``odc``, moved to begin in the week after ``start_ms``."""
    if source == "odc":
        local = ZoneInfo("America/Sao_Paulo")
        return moved(odc(data, local), start_ms, local, zone)
    return moved(mobilitynet(data), start_ms, ZoneInfo("America/Los_Angeles"), zone)


def main(arguments: list[str] | None = None) -> int:
    """Write a case folder, a recording and, with ``--violations``, its truth."""
    parser = argparse.ArgumentParser(prog="python -m simulators.traces")
    parser.add_argument("source", choices=("mobilitynet", "odc"))
    parser.add_argument("--data", type=Path, required=True, help="the folder of trajectories")
    parser.add_argument("--cases", type=Path, required=True, help="case folder to write")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--start", default="2026-01-05", help="the traces begin in the week after")
    parser.add_argument("--violations", default="none")
    parser.add_argument("--seed", type=int, default=1)
    called = parser.parse_args(arguments)
    zone = ZoneInfo("Asia/Shanghai")
    try:
        wanted = parse_wanted(called.violations)
        start_ms = parse_time(called.start, zone)
    except ValueError as error:
        print(f"traces: {error}", file=sys.stderr)
        return 2
    traces = load(called.source, called.data, start_ms, zone)
    truths = inject(traces, zone, wanted, called.seed)
    called.cases.mkdir(parents=True, exist_ok=True)
    case_folder.write(traces.cases(), called.cases, zone)
    rows = traces.rows()
    with open_text(called.output, "w") as output:
        output.writelines(lines(rows, zone))
    with open_text(called.truth, "w") as output:
        output.write(write_truth(truths, zone))
    print(f"{called.output}: {len(rows)} messages of {len(traces.traces)} people, {len(truths)} truths")
    return 0


if __name__ == "__main__":
    sys.exit(main())
