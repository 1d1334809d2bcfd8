"""``replay`` of a recording: messages a second on one core, the start of the program included.

    python -m benchmarks.replay [--quick]

A city of 5,000 people reports once a minute for an hour; everyone is at home.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.report import Row, report
from corrections_monitor import cases as case_folder
from simulators.load import devices_of

COMMAND = Path(sys.executable).with_name("corrections-monitor")
ZONE = ZoneInfo("Asia/Shanghai")


def record(cases: Path, path: Path, minutes: int) -> int:
    """Write the recording; how many messages it has."""
    devices = devices_of(case_folder.read(cases, ZONE))
    start = datetime.now(ZONE).replace(microsecond=0) - timedelta(hours=2)
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for minute in range(minutes):
            for number, device in enumerate(devices):
                at = start + timedelta(minutes=minute, milliseconds=number * 60_000 // len(devices))
                _, payload = device.message(int(at.timestamp() * 1_000) - 500, 1)
                row = {"at": at.isoformat(timespec="milliseconds"), "topic": device.topic.decode()}
                file.write(f'{json.dumps(row)[:-1]}, "payload": {payload.decode()}}}\n')
                count += 1
    return count


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="ten minutes instead of an hour")
    quick = parser.parse_args(argv).quick
    with tempfile.TemporaryDirectory(prefix="corrections-bench-") as made:
        cases, recording, out = Path(made) / "cases", Path(made) / "rec.ndjson", Path(made) / "out.ndjson"
        city = [sys.executable, "-m", "simulators", "city", str(cases), "--people", "5000"]
        subprocess.run(city, check=True, stdout=subprocess.DEVNULL)
        count = record(cases, recording, 10 if quick else 60)
        words = [
            str(COMMAND),
            "replay",
            "--cases",
            str(cases),
            "--input",
            str(recording),
            "--output",
            str(out),
        ]
        speeds = []
        for _ in range(3):
            before = os.times()
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
            after = os.times()
            used_s = (
                after.children_user - before.children_user + after.children_system - before.children_system
            )
            speeds.append(count / used_s)
    row = Row("replay", "messages/s", speeds, 50_000.0, extra={"messages": count})
    name = "replay-quick" if quick else "replay"
    report(name, [row], date=datetime.now(UTC).isoformat(timespec="seconds"), packages=("numpy", "msgspec"))


if __name__ == "__main__":
    main()
