"""What a device sends: a feed of messages, block after block, from a path, a receiver and faults.

Reports stand on a grid of the device's own interval.  A report is a fix, or a sign of life where there is
no fix; absent ones were never made (no number is used up); buffered ones go up with a later report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corrections_monitor.model.cases import Device, DeviceKind
from corrections_monitor.model.times import DAY_MS, MINUTE_MS, Interval
from simulators import encode
from simulators.geo import plane_at
from simulators.noise import SOURCES, Noise, Receiver, no_longer_than, runs
from simulators.paths import Path

I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

SILENCE_MIN_MS = 5 * MINUTE_MS  # CONTRACT §3, silence.device


class Row(NamedTuple):
    """One message on its way: when it arrives, who sent it, what it says."""

    arrival_ms: int
    device_id: str
    topic: str
    payload: str


@dataclass(frozen=True, slots=True)
class Faults:
    """What is done to a device on purpose."""

    mute: tuple[Interval, ...] = ()  # says nothing
    blind: tuple[Interval, ...] = ()  # speaks, without fixes
    frozen: tuple[Interval, ...] = ()  # one position to the last digit
    elsewhere: tuple[tuple[Interval, float, float], ...] = ()  # every other fix from this lon, lat
    events: tuple[tuple[int, str], ...] = ()  # t_ms, ev
    battery: tuple[tuple[Interval, int], ...] = ()  # percent
    lost_numbers: tuple[tuple[int, int], ...] = ()  # from this instant, so many numbers are skipped
    steady: bool = False  # no gaps by chance


def silence_after_ms(interval_s: int, silence_min_ms: int = SILENCE_MIN_MS) -> int:
    """How long a device may say nothing: max(3 report intervals, 5 min), CONTRACT §3."""
    return max(3 * interval_s * 1_000, silence_min_ms)


@dataclass
class Feed:
    """One device's messages.  ``block`` must be called with adjoining spans."""

    device: Device
    county: str
    path: Path
    noise: Noise
    rng: np.random.Generator
    faults: Faults = field(default_factory=Faults)
    silence_min_ms: int = SILENCE_MIN_MS

    def __post_init__(self) -> None:
        self.interval_ms = self.device.report_every_s * 1_000
        self._phase_ms = int(self.rng.integers(self.interval_ms))
        self._battery_phase_ms = int(self.rng.integers(DAY_MS))
        self._receiver = Receiver(self.noise, self.device.report_every_s, self.rng)
        after_ms = silence_after_ms(self.device.report_every_s, self.silence_min_ms)
        self._longest_gap = max(0, int(0.7 * (after_ms / self.interval_ms - 1)))
        self._seq = int(self.rng.integers(1, 5_000))
        self._held: list[str] = []
        self._gap = 0
        self._dry = 0
        self._skipped = 0
        self._greeted = False
        self._stuck: dict[int, tuple[float, float]] = {}  # by the beginning of a span of ``frozen``
        self.contacts = _Contacts(self.faults.mute)
        self.fixes = _Contacts(self.faults.blind)

    def grid(self, t_ms: int) -> int:
        """The first report instant at or after ``t_ms``."""
        return t_ms + (self._phase_ms - t_ms) % self.interval_ms

    def block(self, span: Interval) -> list[Row]:
        """The messages made within the span, in order of sending (arrivals may be a little out of order)."""
        span = Interval(max(span.from_ms, self.device.span.from_ms), min(span.to_ms, self.device.span.to_ms))
        if span.to_ms <= span.from_ms:
            return []
        t = np.arange(self.grid(span.from_ms), span.to_ms, self.interval_ms, dtype=np.int64)
        t = t[~_within(t, self.faults.mute)]
        lon, lat, indoor = self.path.at(t)
        missing, buffered, dry = self._gaps(t, indoor)
        fixes = self._fixes(t, lon, lat, indoor)
        battery = self.battery_pct(t)
        low, high = self.noise.latency_ms
        latency = self.rng.integers(low, high, len(t))
        reports = [(int(t[i]), int(t[i] + latency[i]), i) for i in range(len(t)) if not missing[i]]
        events = [(at, at + low, ev) for at, ev in self.faults.events if span.holds(at)]
        rows: list[Row] = []
        for made_ms, arrival_ms, what in sorted(reports + events, key=lambda r: r[0]):  # type: ignore[operator]
            if isinstance(what, str):
                self._say(rows, made_ms, arrival_ms, what)
            elif buffered[what]:
                self._held.append(fixes[what])
            else:
                self._report(
                    rows, made_ms, arrival_ms, None if dry[what] else fixes[what], int(battery[what])
                )
        return rows

    def battery_pct(self, t_ms: I64) -> I64:
        """Percent: a day's drain from 95 to 35 and a charge, unless faults say otherwise."""
        age = ((t_ms - self._battery_phase_ms) % DAY_MS) / DAY_MS
        level = np.where(age < 0.9, 95 - 60 * age / 0.9, 35 + 60 * (age - 0.9) / 0.1).astype(np.int64)
        for span, percent in self.faults.battery:
            level[_within(t_ms, (span,))] = percent
        return level

    def _gaps(self, t: I64, indoor: Bools) -> tuple[Bools, Bools, Bools]:
        """Which reports are absent, which are held back, which have no fix; never long enough for silence."""
        n, noise, longest = len(t), self.noise, self._longest_gap
        absent = runs(self.rng, n, noise.absent, longest)
        buffered = runs(self.rng, n, noise.buffered, longest) & ~absent
        lost = runs(self.rng, n, noise.lost_indoor, longest) & indoor
        if self.faults.steady:
            absent[:], buffered[:], lost[:] = False, False, False
        quiet = no_longer_than(absent | buffered, longest, self._gap)
        dry = no_longer_than(quiet | lost, longest, self._dry)
        if n:
            self._gap, self._dry = _tail(quiet, self._gap), _tail(dry, self._dry)
        absent, buffered = absent & quiet & dry, buffered & quiet & dry
        return absent, buffered, (dry & lost) | _within(t, self.faults.blind)

    def _fixes(self, t: I64, lon: NDArray[np.float64], lat: NDArray[np.float64], indoor: Bools) -> list[str]:
        if not len(t):
            return []
        before_lon, before_lat, _ = self.path.at(t - 1_000)
        plane = plane_at(float(lat[0]))
        east = (lon - before_lon) * plane.metres_per_lon
        north = (lat - before_lat) * plane.metres_per_lat
        speed, heading = np.hypot(east, north), np.degrees(np.arctan2(east, north)) % 360
        measured = self._receiver.measure(indoor)
        lon, lat = lon.copy(), lat.copy()
        for span, other_lon, other_lat in self.faults.elsewhere:
            there = np.flatnonzero(_within(t, (span,)))[::2]
            lon[there], lat[there] = other_lon, other_lat
        lon += measured.east_m / plane.metres_per_lon
        lat += measured.north_m / plane.metres_per_lat
        for span in self.faults.frozen:
            stuck = np.flatnonzero(_within(t, (span,)))
            if len(stuck):
                first = float(lon[stuck[0]]), float(lat[stuck[0]])
                lon[stuck], lat[stuck] = self._stuck.setdefault(span.from_ms, first)
        columns = (t, lon, lat, measured.acc_m, speed, heading, measured.src)
        return [
            encode.fix(at, x, y, acc, spd, hdg if spd > 0.5 else None, SOURCES[src])
            for at, x, y, acc, spd, hdg, src in zip(*(c.tolist() for c in columns), strict=True)
        ]

    def _report(self, rows: list[Row], made_ms: int, arrival_ms: int, fix: str | None, bat: int) -> None:
        if not self._greeted:
            self._greeted = True
            topic = encode.status_topic(self.county, self.device.device_id)
            rows.append(Row(arrival_ms, self.device.device_id, topic, encode.status_payload(True, made_ms)))
        if fix is None:
            self._sign_of_life(rows, made_ms, arrival_ms, bat)
        else:
            held = [*self._held, fix]
            if self._held:
                self.rng.shuffle(held)
                self._held = []
            topic = encode.fix_topic(self.county, self.device.device_id)
            payload = encode.fix_payload(self._number(made_ms), held, bat)
            rows.append(Row(arrival_ms, self.device.device_id, topic, payload))
            self.fixes.saw(made_ms, arrival_ms)
        self.contacts.saw(made_ms, arrival_ms)
        if self.noise.repeated and self.rng.random() < self.noise.repeated:
            rows.append(rows[-1]._replace(arrival_ms=arrival_ms + int(self.rng.integers(500, 20_000))))

    def _sign_of_life(self, rows: list[Row], made_ms: int, arrival_ms: int, bat: int) -> None:
        if self.device.kind is DeviceKind.BAND:
            self._say(rows, made_ms, arrival_ms, "heartbeat", bat)
        else:
            topic = encode.status_topic(self.county, self.device.device_id)
            rows.append(Row(arrival_ms, self.device.device_id, topic, encode.status_payload(True, made_ms)))

    def _say(self, rows: list[Row], made_ms: int, arrival_ms: int, ev: str, bat: int | None = None) -> None:
        if bat is None:
            bat = int(self.battery_pct(np.array([made_ms]))[0])
        topic = encode.band_topic(self.county, self.device.device_id)
        payload = encode.band_payload(self._number(made_ms), made_ms, ev, bat)
        rows.append(Row(arrival_ms, self.device.device_id, topic, payload))
        self.contacts.saw(made_ms, arrival_ms)

    def _number(self, made_ms: int) -> int:
        if self.noise.restart and self.rng.random() < self.noise.restart and not self.faults.lost_numbers:
            self._seq = -1
        lost = self.faults.lost_numbers
        if self._skipped < len(lost) and made_ms >= lost[self._skipped][0]:
            self._seq += lost[self._skipped][1]
            self._skipped += 1
        self._seq += 1
        return self._seq


class _Contacts:
    """The last arrival made before each span of faults, and the first one made after it."""

    def __init__(self, spans: Sequence[Interval]) -> None:
        self._spans = spans
        self.last_ms: list[int | None] = [None] * len(spans)
        self.first_ms: list[int | None] = [None] * len(spans)

    def saw(self, made_ms: int, arrival_ms: int) -> None:
        for i, span in enumerate(self._spans):
            if made_ms < span.from_ms:
                self.last_ms[i] = max(arrival_ms, self.last_ms[i] or arrival_ms)
            elif made_ms >= span.to_ms:
                self.first_ms[i] = min(arrival_ms, self.first_ms[i] or arrival_ms)


def _within(t_ms: I64, spans: Sequence[Interval]) -> Bools:
    inside = np.zeros(len(t_ms), bool)
    for span in spans:
        inside |= (t_ms >= span.from_ms) & (t_ms < span.to_ms)
    return inside


def _tail(flags: Bools, before: int) -> int:
    """How many flags are set at the end, counting on from ``before`` when all are."""
    clear = np.flatnonzero(~flags)
    return before + len(flags) if not len(clear) else len(flags) - 1 - int(clear[-1])
