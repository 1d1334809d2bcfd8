"""The whole way on one machine: load, broker, daemon and PostgreSQL (synchronous_commit on) together.

    python -m benchmarks.throughput [--quick]

A city of 20,000 people; everyone at home, each message QoS 1 and acknowledged after its commit.  What counts
is what was stored, over the time from the first message to the last commit.  Then 10,000 fixes a second with
straps cut among them: how long from the cut being sent until the officer's page arrives over MQTT.  At last
twice what it can take: what it costs in memory, how late it says it is, and that nothing is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiomqtt

from benchmarks.report import Row, report
from benchmarks.whole import HERE, Whole, peak_mib, whole
from corrections_monitor import cases as case_folder
from corrections_monitor.model.cases import CaseSet, Category, DeviceKind, Level
from simulators import encode

ZONE = ZoneInfo("Asia/Shanghai")
CUTS_PER_S = 5.0


def flood(
    w: Whole, cases: Path, rate: float, duration_s: float, fixes: int, devices: int = 0, *more: str
) -> dict[str, Any]:
    """One load; ``devices`` straight connections instead of the broker; ``more`` options of it."""
    options = ["--rate", str(rate), "--duration", str(duration_s), "--fixes-per-message", str(fixes), *more]
    options += ["--cases", str(cases), "--metrics", f"http://{HERE}:{w.run_port}/metrics"]
    if devices:
        logins = w.folder / "devices.csv"
        if not logins.exists():
            w.verb("credentials", "issue", "device", "--all-devices", str(logins))
            time.sleep(3)  # the daemon reads them
        options += ["--mqtt", f"mqtt://{HERE}:{w.device_port}"]
        options += ["--credentials", str(logins), "--connections", str(devices)]
    else:
        options += ["--mqtt", f"mqtt://{HERE}:{w.broker_port}", "--connections", "8"]
    told = w.load(*options)
    told["stored_per_s"] = told["fixes_stored"] / (duration_s + told["drained_after_s"])
    told["cpu_us"] = {k: round(v / told["messages_acknowledged"] * 1e6, 1) for k, v in told["cpu"].items()}
    print(json.dumps(told), flush=True)
    return told


async def cut_straps(w: Whole, cases: CaseSet, number: int) -> list[float]:
    """Cut so many straps, one after another; seconds until the first page of each."""
    nothing_detected = {s.person_id for s in cases.suspensions.values()}
    bands = [
        d for d in cases.devices.values()
        if d.kind is DeviceKind.BAND and cases.people[d.person_id].category is not Category.PROTECTED
        and d.person_id not in nothing_detected
    ][::7][:number]  # fmt: skip
    sent: dict[str, float] = {}
    waits: list[float] = []
    async with aiomqtt.Client(HERE, w.broker_port) as client:
        await client.subscribe("cm/v1/officers/+/page", qos=1)

        async def cut() -> None:
            for device in bands:
                office = cases.people[device.person_id].office_id
                county = next(o.office_id for o in cases.offices_up(office) if o.level is Level.COUNTY)
                payload = encode.band_payload(None, int(time.time() * 1_000), "strap_cut")
                sent[device.person_id] = time.monotonic()
                await client.publish(encode.band_topic(county, device.device_id), payload, qos=1)
                await asyncio.sleep(1 / CUTS_PER_S)

        task = asyncio.create_task(cut())
        try:
            async with asyncio.timeout(len(bands) / CUTS_PER_S + 15):
                async for message in client.messages:
                    person = json.loads(bytes(message.payload))["person_id"]
                    if person in sent:
                        waits.append(time.monotonic() - sent.pop(person))
                    if task.done() and not sent:
                        break
        except TimeoutError:
            if sent:
                print(f"throughput: {len(sent)} of {len(bands)} cuts were never paged", file=sys.stderr)
        await task
    return waits


def page_delays(w: Whole, folder: Path, duration_s: float) -> list[float]:
    """Milliseconds from cut to page at 10,000 fixes a second."""
    cases = case_folder.read(folder, ZONE)
    thread = threading.Thread(target=flood, args=(w, folder, 1_000.0, duration_s, 10))
    thread.start()
    time.sleep(3)
    waits = asyncio.run(cut_straps(w, cases, int((duration_s - 8) * CUTS_PER_S)))
    thread.join()
    return [wait * 1_000 for wait in waits]


@dataclass
class Overload:
    """What twice the bearable did: ``told`` by the load, the greatest lag the daemon spoke of, MiB more."""

    told: dict[str, Any]
    lag_s: float
    memory_mib: float


def overload(w: Whole, cases: Path, duration_s: float) -> Overload:
    """Twice as many messages of ten as are taken."""
    assert w.daemon is not None
    lags_s, over, before_mib = [0.0], threading.Event(), peak_mib(w.daemon.pid)

    def watch() -> None:
        while not over.wait(0.5):
            lags_s.append(w.metric("corrections_detection_lag_seconds"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    told = flood(w, cases, 22_000, duration_s, 10)
    over.set()
    watcher.join()
    return Overload(told, max(lags_s), peak_mib(w.daemon.pid) - before_mib)


def _party(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "lost": told["fixes_lost"],
        "cpu_us_per_message": told["cpu_us"],
        "ack_p99_ms": told["ack_p99_ms"],
    }


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3,000 people, 10 s each")
    quick = parser.parse_args(argv).quick
    people, duration_s = (3_000, 10.0) if quick else (20_000, 60.0)
    straight, crowd = (300, 1_000) if quick else (1_000, 10_000)
    with tempfile.TemporaryDirectory(prefix="corrections-bench-", ignore_cleanup_errors=True) as made:
        folder, cases = Path(made), Path(made) / "cases"
        city = [sys.executable, "-m", "simulators", "city", str(cases), "--people", str(people)]
        subprocess.run(city, check=True, stdout=subprocess.DEVNULL)
        with whole(folder, cases) as w:
            ready_s = w.start_daemon()
            flood(w, cases, 2_000, 5, 1)  # warm
            single = flood(w, cases, 24_000, duration_s, 1)
            tens = flood(w, cases, 11_000, duration_s / 2, 10)
            direct = flood(w, cases, 32_000, duration_s / 2, 1, straight)
            direct_tens = flood(w, cases, 13_000, duration_s / 2, 10, straight)
            crowded = flood(w, cases, 32_000, duration_s / 2, 1, crowd)
            delays = page_delays(w, cases, 20.0 if quick else 40.0)
            too_much = overload(w, cases, duration_s / 3)
            assert w.daemon is not None
            peak = peak_mib(w.daemon.pid)
    if not delays:
        print("throughput: no page arrived", file=sys.stderr)
        return 1
    rows = [
        Row("broker, one fix a message", "fixes/s", [single["stored_per_s"]], 20_000.0, extra=_party(single)),
        Row("broker, ten fixes a message", "fixes/s", [tens["stored_per_s"]], 100_000.0, extra=_party(tens)),
        Row(f"{straight:,} devices, one fix a message", "messages/s", [direct["stored_per_s"]], 30_000.0,
            extra=_party(direct)),
        Row(f"{straight:,} devices, ten fixes a message", "fixes/s", [direct_tens["stored_per_s"]], 120_000.0,
            extra=_party(direct_tens)),
        Row(f"{crowd:,} devices, one fix a message", "messages/s", [crowded["stored_per_s"]], 30_000.0,
            extra=_party(crowded)),
        Row("twice what it takes: fixes lost", "fixes", [too_much.told["fixes_lost"]], 0.0, at_most=True,
            extra=_party(too_much.told) | {"lag_s": too_much.lag_s}),
        Row("twice what it takes: worked off after", "s", [too_much.told["drained_after_s"]]),
        Row("twice what it takes: memory beyond", "MiB", [too_much.memory_mib], 200.0, at_most=True),
        Row("cut to page at 10,000 fixes/s, median", "ms", [statistics.median(delays)], 300.0, at_most=True,
            extra={"pages": len(delays)}),
        Row("cut to page at 10,000 fixes/s, p99", "ms", [_percentile(delays, 0.99)], 1_500.0, at_most=True),
        Row("daemon started to ready", "s", [ready_s]),
        Row("peak memory of the daemon", "MiB", [peak]),
    ]  # fmt: skip
    name = "throughput-quick" if quick else "throughput"
    report(name, rows, date=datetime.now(UTC).isoformat(timespec="seconds"), packages=("numpy", "psycopg"))
    floods = (single, tens, direct, direct_tens, crowded, too_much.told)
    lost = sum(told["fixes_lost"] for told in floods)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
