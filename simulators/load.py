"""``python -m simulators load``: how fast messages are taken, and whether any is lost.

Messages are offered at a steady rate over some connections (with ``--credentials`` each is one device's
own, and speaks only for it).  Latency runs from the instant a message was due, so that a receiver that
pushes back is not flattered.  What was stored is asked of the database or of the daemon's metrics.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
import time
import urllib.request
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from shapely import Polygon

from corrections_monitor import cases as case_folder
from corrections_monitor.clock import SystemClock
from corrections_monitor.model.cases import Area, CaseSet, Category, Circle, Corridor, Level, ZoneKind
from simulators import encode
from simulators.crowd import Crowd
from simulators.fleet import read_credentials
from simulators.ledger import Key
from simulators.mqtt import Server, parse_url
from simulators.recording import open_text

WAITING_MAX = 20_000  # unacknowledged messages per run; beyond, the receiver is waited for
DRAIN_S = 60.0
PATIENCE_S = 10.0
FIX_STEP_MS = 1  # between the fixes of one message
SRC = "gnss"
STORED_METRIC = re.compile(r"^corrections_fixes_stored_total(?:\{[^}]*\})?\s+([0-9.e+]+)", re.MULTILINE)


@dataclass(slots=True)
class LoadDevice:
    """One device: its topic, the text of its fix around the time, and the last time it gave."""

    device_id: str
    topic: bytes
    before: bytes
    after: bytes
    last_ms: int = 0
    seq: int | None = 0  # None: its messages bear no number

    def message(self, now_ms: int, fixes: int) -> tuple[int, bytes]:
        """The next message, of fixes a millisecond apart with times never given before; and the first
        of these times."""
        first_ms = max(now_ms - fixes * FIX_STEP_MS, self.last_ms + FIX_STEP_MS)
        self.last_ms = first_ms + (fixes - 1) * FIX_STEP_MS
        number = b""
        if self.seq is not None:
            self.seq += 1
            number = b'"seq":%d,' % self.seq
        body = b",".join(
            [b"%b%d%b" % (self.before, first_ms + i * FIX_STEP_MS, self.after) for i in range(fixes)]
        )
        return first_ms, b'{%b"fixes":[%b],"crs":"wgs84","bat":80}' % (number, body)


@dataclass
class Account:
    """What was offered and answered.  ``acked`` holds device number and first time, two by two."""

    sent: int = 0
    refused: int = 0
    offered_s: float = 0.0  # when the last message had been offered, monotonic
    latencies_s: array[float] = field(default_factory=lambda: array("f"))
    acked: array[int] = field(default_factory=lambda: array("q"))

    @property
    def acknowledged(self) -> int:
        """Messages acknowledged."""
        return len(self.acked) // 2

    def keys(self, devices: Sequence[LoadDevice], fixes: int) -> list[Key]:
        """The keys of every acknowledged fix."""
        pairs = zip(self.acked[::2], self.acked[1::2], strict=True)
        return [
            Key(devices[d].device_id, first_ms + i * FIX_STEP_MS, SRC)
            for d, first_ms in pairs
            for i in range(fixes)
        ]


Sent = tuple[float, int, int]
"""When it was due (monotonic), device number, first time."""


def offer(
    server: Server,
    devices: Sequence[LoadDevice],
    *,
    rate: float,
    duration_s: float,
    fixes: int,
    connections: int,
    passwords: Mapping[str, str] | None = None,
) -> Account:
    """Offer ``rate`` messages a second for a time, then wait until all are acknowledged (60 s at most).

    Raises OSError (TimeoutError) when not every connection can be opened.
    """
    account = Account()
    clock = SystemClock()

    def acked(sent: Sent, refused: bool) -> None:
        if refused:
            account.refused += 1
            return
        account.latencies_s.append(clock.monotonic_s() - sent[0])
        account.acked.extend(sent[1:])

    if passwords:
        logins = [(d.device_id, server.as_user(d.device_id, passwords[d.device_id])) for d in devices]
    else:
        logins = [(f"load-{i}", server) for i in range(connections)]
    crowd = Crowd[Sent](logins, acked)
    try:
        crowd.open(DRAIN_S)
        print(f"load: {crowd.connected} connected", file=sys.stderr, flush=True)
        start_s = clock.monotonic_s()
        while (spent_s := clock.monotonic_s() - start_s) < duration_s:
            due = int(spent_s * rate)
            now_ms = clock.wall_ms()
            while account.sent < due and crowd.unacknowledged < WAITING_MAX:
                number = account.sent % len(devices)
                device = devices[number]
                first_ms, payload = device.message(now_ms, fixes)
                sent: Sent = (start_s + account.sent / rate, number, first_ms)
                crowd.put(number % len(logins), sent, device.topic, payload)
                account.sent += 1
            crowd.turn()
        account.offered_s = clock.monotonic_s()
        while crowd.unacknowledged and clock.monotonic_s() - account.offered_s < DRAIN_S:
            crowd.turn()
        if crowd.unacknowledged:
            print("load: some messages were never acknowledged", file=sys.stderr)
    finally:
        crowd.close()
    return account


def devices_of(cases: CaseSet) -> list[LoadDevice]:
    """A sender for every device of the case folder, where its wearer is allowed to be: in the circle that
    is his own, else amid the area of the narrowest of his offices that has one.  Those of protected
    persons are left out: their fixes are judged and never stored."""
    made = {}
    places = dict[str, tuple[float, float]]()
    for zone in cases.zones.values():
        if zone.kind is ZoneKind.INCLUSION:
            places.setdefault(zone.applies_to, _middle(zone.shape))
    for number, device in enumerate(cases.devices.values()):
        person = cases.people[device.person_id]
        if person.category is Category.PROTECTED:
            continue
        offices = list(cases.offices_up(person.office_id))
        county = next((o.office_id for o in offices if o.level is Level.COUNTY), "county")
        owners = (person.person_id, *(o.office_id for o in offices))
        place = next((places[owner] for owner in owners if owner in places), None)
        made[device.device_id] = _device(device.device_id, county, number, place)
    return list(made.values())


def _middle(shape: Area | Circle | Corridor) -> tuple[float, float]:
    if isinstance(shape, Circle):
        return shape.lon, shape.lat
    if isinstance(shape, Corridor):
        return shape.line[0]
    largest = max((Polygon(shell, holes) for shell, *holes in shape.polygons), key=lambda p: p.area)
    inside = largest.representative_point()
    return inside.x, inside.y


def made_up(people: int) -> list[LoadDevice]:
    """So many devices named ``load-00000`` …: known to nobody, for measuring a broker."""
    return [_device(f"load-{i:05d}", "county", i) for i in range(people)]


def _device(device_id: str, county: str, number: int, place: tuple[float, float] | None = None) -> LoadDevice:
    lon, lat = place or (122.0 + number % 100 / 1_000, 41.0 + number // 100 % 100 / 1_000)
    text = encode.fix(0, lon, lat, 8.0, src=SRC)
    before, after = text.split('"t":0', 1)
    topic = encode.fix_topic(county, device_id)
    return LoadDevice(device_id, topic.encode(), f'{before}"t":'.encode(), after.encode())


def stored_in_database(url: str, since_ms: int) -> int:
    """Fixes in the database with times from then on."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM fixes WHERE t_ms >= %s", (since_ms,)).fetchone()
    assert row is not None
    return int(row[0])


def stored_by_metrics(url: str) -> int:
    """``corrections_fixes_stored_total`` as the daemon tells it."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the operator's own URL
        found = STORED_METRIC.search(answer.read().decode())
    return int(float(found[1])) if found else 0


def drain(
    stored: Callable[[], int], wanted: int, offered_s: float, patience_s: float = PATIENCE_S
) -> tuple[int, float]:
    """Wait until so many are stored, or no more have come for ``patience_s``; how many are, and how many
    seconds after ``offered_s``, when the last message was offered (monotonic)."""
    count, grew_s = stored(), time.monotonic()
    while count < wanted and time.monotonic() - grew_s < patience_s:
        time.sleep(0.25)
        now = stored()
        if now > count:
            count, grew_s = now, time.monotonic()
    return count, grew_s - offered_s


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = subparsers.add_parser("load", help="rate test: sent, acknowledged, stored, lost")
    parser.add_argument("--mqtt", required=True, metavar="URL")
    parser.add_argument("--rate", type=float, default=1_000.0, help="messages a second")
    parser.add_argument("--duration", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("--fixes-per-message", type=int, default=1)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument(
        "--no-seq",
        action="store_true",
        help="messages without numbers: a next run is no restart of all devices",
    )
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--cases", type=Path, metavar="DIR")
    who.add_argument("--people", type=int, default=600, help="made-up devices, for measuring a broker")
    parser.add_argument("--credentials", type=Path, metavar="CSV", help="one connection per device")
    parser.add_argument("--database-url", help="count what was stored here")
    parser.add_argument("--metrics", metavar="URL", help="or by the daemon's own count")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, metavar="SECONDS",
        help="how long nothing more must have been stored until the rest counts as lost",
    )  # fmt: skip
    parser.add_argument("--ledger", type=Path, help="write the keys of all acknowledged fixes")
    parser.add_argument("--timezone", default="Asia/Shanghai")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(called: argparse.Namespace) -> int:
    """Measure and print; exit status 1 when something acknowledged was not stored."""
    try:
        server = parse_url(called.mqtt)
        passwords = read_credentials(called.credentials) if called.credentials else None
        for name in ("rate", "duration", "fixes_per_message", "connections", "people"):
            if getattr(called, name) <= 0:
                raise ValueError(f"--{name.replace('_', '-')}: must be more than 0")
    except ValueError as error:
        print(f"load: {error}", file=sys.stderr)
        return 2
    try:
        devices = _devices(called)
    except case_folder.CaseFaults as faults:
        print(faults, file=sys.stderr)
        return 1
    if passwords is not None:
        devices = [d for d in devices if d.device_id in passwords][: called.connections]
    if called.no_seq:
        for device in devices:
            device.seq = None
    started_ms = SystemClock().wall_ms()
    stored: Callable[[], int] | None = None
    if called.database_url:
        stored = partial(stored_in_database, called.database_url, started_ms - 1_000)
    elif called.metrics:
        before = stored_by_metrics(called.metrics)
        stored = lambda: stored_by_metrics(called.metrics) - before  # noqa: E731
    try:
        account = offer(
            server,
            devices,
            rate=called.rate,
            duration_s=called.duration,
            fixes=called.fixes_per_message,
            connections=called.connections,
            passwords=passwords,
        )
    except OSError as error:
        print(f"load: {called.mqtt}: {error}", file=sys.stderr)
        return 1
    wanted = account.acknowledged * called.fixes_per_message
    drained = drain(stored, wanted, account.offered_s, called.patience) if stored else None
    if called.ledger:
        _write_ledger(called.ledger, account.keys(devices, called.fixes_per_message))
    result = summary(account, called.fixes_per_message, called.duration, drained)
    print(json.dumps(result) if called.json else "\n".join(f"{k:>24} {v}" for k, v in result.items()))
    return 1 if result["fixes_lost"] or account.sent != account.acknowledged + account.refused else 0


def _devices(called: argparse.Namespace) -> list[LoadDevice]:
    if called.cases is None:
        return made_up(called.people)
    return devices_of(case_folder.read(called.cases, ZoneInfo(called.timezone)))


def summary(
    account: Account, fixes: int, duration_s: float, drained: tuple[int, float] | None
) -> dict[str, float | None]:
    """Counts, achieved rate, and percentiles of the time from due to acknowledged, in milliseconds."""
    ordered = sorted(account.latencies_s)

    def percentile_ms(share: float) -> float | None:
        return round(ordered[math.ceil(share * len(ordered)) - 1] * 1_000, 1) if ordered else None

    acked = account.acknowledged
    return {
        "messages_sent": account.sent,
        "messages_acknowledged": acked,
        "messages_refused": account.refused,
        "fixes_acknowledged": acked * fixes,
        "fixes_stored": drained[0] if drained else None,
        "fixes_lost": max(0, acked * fixes - drained[0]) if drained else None,
        "drained_after_s": round(drained[1], 2) if drained else None,
        "messages_per_s": round(account.sent / duration_s, 1),
        "ack_p50_ms": percentile_ms(0.5),
        "ack_p99_ms": percentile_ms(0.99),
        "ack_max_ms": percentile_ms(1.0),
    }


def _write_ledger(path: Path, keys: Sequence[Key]) -> None:
    with open_text(path, "w") as file:
        for key in keys:
            file.write(json.dumps({"device_id": key.device_id, "t": key.t_ms, "src": key.what}) + "\n")
