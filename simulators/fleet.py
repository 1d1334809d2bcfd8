"""``python -m simulators fleet``: the devices of a case folder, live, each on its own MQTT connection.

With ``--credentials`` every device logs in as itself, as the daemon's own endpoint wants it; without,
one connection to a broker carries all.  ``--quick`` is for onlookers: people are always on the move and
zone.exit, zone.enter, curfew, silence.device and strap.cut begin within the first minute.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import heapq
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import mqtt5

from corrections_monitor import cases as case_folder
from corrections_monitor.clock import Clock, SystemClock
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.times import DAY_MS, MINUTE_MS, SECOND_MS, Interval, format_time
from simulators import encode
from simulators.devices import SILENCE_MIN_MS, Feed, Row
from simulators.mqtt import Server, parse_url
from simulators.noise import NOISE
from simulators.recording import open_text
from simulators.scenario import parse_wanted
from simulators.sender import Sender
from simulators.truth import write_truth
from simulators.world import Plan, World, build

BLOCK_MS = 30 * SECOND_MS
PROGRESS_MS = 10 * SECOND_MS
TICK_S = 0.05
FEEDS_AT_ONCE = 20  # made between two looks at the sockets
SHARED = "fleet"
QUICK_SILENCE_MIN_MS = 45 * SECOND_MS  # the demonstration's silence threshold
QUICK_INJECT_MS = 40 * MINUTE_MS


@dataclass
class Fleet:
    """The senders of all devices, and what is still to be sent, by arrival time."""

    server: Server
    passwords: Mapping[str, str] | None
    clock: Clock
    senders: dict[str, Sender[None]] = field(default_factory=dict)
    sent: int = 0
    acknowledged: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self._due: list[Row] = []

    async def live(self, world: World, until_ms: int) -> None:
        """Send what the world's devices say, at its time, until the world ends or ``until_ms``."""
        feeds = [feed for life in world.lives for feed in life.feeds]
        end_ms = min(world.span.to_ms, until_ms)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(s.run()) for s in self._open(feeds)]
            tasks.append(group.create_task(self._tell()))
            made_ms = world.span.from_ms
            while (now_ms := self.clock.wall_ms()) < end_ms:
                if made_ms < min(now_ms + BLOCK_MS, end_ms):
                    block = Interval(made_ms, min(made_ms + BLOCK_MS, end_ms))
                    await self._make(feeds, block)
                    made_ms = block.to_ms
                self._send_due(self.clock.wall_ms())
                await asyncio.sleep(TICK_S)
            for task in tasks:
                task.cancel()

    def _open(self, feeds: Sequence[Feed]) -> list[Sender[None]]:
        if self.passwords is None:
            self.senders = {SHARED: Sender(self.server, "simulated-fleet", self._acked)}
            return list(self.senders.values())
        for feed in feeds:
            device_id = feed.device.device_id
            will = mqtt5.Will(
                encode.status_topic(feed.county, device_id),
                payload=encode.status_payload(False, self.clock.wall_ms()).encode(),
                qos=mqtt5.QoS.AT_LEAST_ONCE,
                retain=True,
            )
            server = self.server.as_user(device_id, self.passwords[device_id])
            self.senders[device_id] = Sender(server, device_id, self._acked, will=will)
        return list(self.senders.values())

    async def _make(self, feeds: Sequence[Feed], block: Interval) -> None:
        for i, feed in enumerate(feeds):
            for row in feed.block(block):
                heapq.heappush(self._due, row)
            if i % FEEDS_AT_ONCE == FEEDS_AT_ONCE - 1:
                self._send_due(self.clock.wall_ms())
                await asyncio.sleep(0)

    def _send_due(self, now_ms: int) -> None:
        while self._due and self._due[0].arrival_ms <= now_ms:
            row = heapq.heappop(self._due)
            name = SHARED if self.passwords is None else row.device_id
            self.senders[name].put(None, row.topic, row.payload)
            self.sent += 1

    def _acked(self, _key: None, refused: bool) -> None:
        self.refused += refused
        self.acknowledged += not refused

    async def _tell(self) -> None:
        """Say every now and then how it goes."""
        while True:
            await asyncio.sleep(PROGRESS_MS / 1_000)
            connected = sum(s.connected for s in self.senders.values())
            errors = [s.last_error for s in self.senders.values() if not s.connected and s.last_error]
            print(
                f"fleet: {connected} of {len(self.senders)} connected, {self.sent} sent, "
                f"{self.acknowledged} acknowledged, {self.refused} refused"
                + (f"; {errors[0]}" if errors else ""),
                flush=True,
            )


def read_credentials(path: Path) -> dict[str, str]:
    """username → password of a CSV written by ``credentials issue``.  Raises ValueError."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not {"username", "password"} <= set(reader.fieldnames or ()):
            raise ValueError(f"{path}:1: username, password: these columns are wanted")
        return {row["username"]: row["password"] for row in reader}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = subparsers.add_parser("fleet", help="devices live over MQTT")
    parser.add_argument("--cases", type=Path, required=True, metavar="DIR")
    parser.add_argument("--mqtt", required=True, metavar="URL", help="mqtt://[user:password@]host:port")
    parser.add_argument("--credentials", type=Path, metavar="CSV", help="one login and connection per device")
    parser.add_argument("--devices", type=int, metavar="N", help="at most so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--truth", type=Path, help="write what is injected")
    parser.add_argument("--violations", help="kind=n,…; each=n; none (default none)", default="none")
    parser.add_argument("--noise", choices=sorted(NOISE), default="city")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--for", dest="for_s", type=float, metavar="SECONDS")
    parser.add_argument("--timezone", default="Asia/Shanghai")
    parser.set_defaults(run=run)


def run(called: argparse.Namespace) -> int:
    """Drive the fleet until it is stopped or ``--for`` is over; returns the exit status."""
    try:
        zone = ZoneInfo(called.timezone)
        server = parse_url(called.mqtt)
        parse_wanted(called.violations)
        passwords = read_credentials(called.credentials) if called.credentials else None
    except (ValueError, ZoneInfoNotFoundError) as error:
        print(f"fleet: {error}", file=sys.stderr)
        return 2
    try:
        cases = case_folder.read(called.cases, zone)
    except case_folder.CaseFaults as faults:
        print(faults, file=sys.stderr)
        return 1
    missing = {d.device_id for d in cases.devices.values()} - set(passwords or ())
    if passwords is not None and missing:
        print(f"{called.credentials}: username: no row for {min(missing)}", file=sys.stderr)
        return 1
    asyncio.run(_drive(called, cases, zone, Fleet(server, passwords, SystemClock())))
    return 0


async def _drive(called: argparse.Namespace, cases: CaseSet, zone: ZoneInfo, fleet: Fleet) -> None:
    """One world after the other, a day each."""
    start_ms = fleet.clock.wall_ms()
    until_ms = start_ms + round(called.for_s * 1_000) if called.for_s else start_ms + 10_000 * DAY_MS
    day = 0
    while (now_ms := fleet.clock.wall_ms()) < until_ms:
        world = build(cases, _plan(called, zone, now_ms, first=day == 0))
        truths = world.truths()
        if called.truth:
            with open_text(called.truth, "w") as file:
                file.write(write_truth(truths, zone))
        devices = sum(len(life.feeds) for life in world.lives)
        print(f"fleet: {devices} devices of {len(world.lives)} people; to come:", flush=True)
        for truth in sorted(truths, key=lambda t: t.from_ms)[:20]:
            print(f"fleet: {format_time(truth.from_ms, zone)} {truth.kind} {truth.person_id}", flush=True)
        for kind, count in world.unplaced.items():
            print(f"fleet: {kind}: {count} found nobody it suits", file=sys.stderr, flush=True)
        await fleet.live(world, until_ms)
        day += 1


def _plan(called: argparse.Namespace, zone: ZoneInfo, now_ms: int, *, first: bool) -> Plan:
    span = Interval(now_ms, now_ms + DAY_MS)
    quick = called.quick
    return Plan(
        span,
        zone,
        called.seed,
        called.noise,
        parse_wanted(called.violations),
        inject=Interval(now_ms, now_ms + QUICK_INJECT_MS) if quick else None,
        quick=2 if quick and first else 0,
        lively=quick,
        silence_min_ms=QUICK_SILENCE_MIN_MS if quick else SILENCE_MIN_MS,
        max_devices=called.devices,
    )
