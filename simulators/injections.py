"""Violations a device tells or shows: silence, tamper, interference, battery, missing numbers.

Each function gives what is done to the person's devices and what is then true.  A silence's truth is
only known once the messages are made (it begins with the last contact), so it is handed on as a
``Silence`` to be settled later.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from shapely.geometry import Point

from corrections_monitor.model.cases import Device, DeviceKind
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import DAY_MS, MINUTE_MS, SECOND_MS, Interval
from simulators.devices import Faults, silence_after_ms
from simulators.motion import ROAM_RADIUS_M
from simulators.truth import Truth
from simulators.violations import Scene

IMPOSSIBLE_MPS = 150.0  # 540 km/h: nothing on the ground


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence of some devices; ``fixes``: they speak, but without position."""

    kind: Kind
    device_ids: tuple[str, ...]
    planned: Interval
    fixes: bool = False


@dataclass(frozen=True)
class Injection:
    """What is done to a person's devices, and the truth of it."""

    faults: dict[str, Faults]
    truths: list[Truth] = field(default_factory=list)
    silence: Silence | None = None


def _when(scene: Scene, need_ms: int) -> int | None:
    """An instant in the span with room for so long a thing; quick: at once, a few seconds apart."""
    if scene.quick:
        return scene.span.from_ms + round(scene.rng.uniform(12, 20) * SECOND_MS)
    start, end = scene.span.from_ms + 15 * MINUTE_MS, scene.span.to_ms - need_ms - 15 * MINUTE_MS
    return start + int(scene.rng.integers(end - start)) if end > start else None


def _band(scene: Scene) -> Device | None:
    return next((d for d in scene.subject.devices if d.kind is DeviceKind.BAND), None)


def _true(scene: Scene, kind: Kind, from_ms: int, to_ms: int | None) -> Truth:
    return Truth(scene.subject.person_id, kind, None, from_ms, to_ms)


def _long_enough(scene: Scene) -> int:
    """A silence beyond doubt for the slowest of the person's devices."""
    slowest_s = max(d.report_every_s for d in scene.subject.devices)
    spare = 4 if scene.quick else float(scene.rng.uniform(10, 25))
    return silence_after_ms(slowest_s) + round(spare * MINUTE_MS)


def silence_device(scene: Scene) -> Injection | None:
    """All of the person's devices fall silent."""
    lasts_ms = _long_enough(scene)
    start = _when(scene, lasts_ms)
    if start is None:
        return None
    mute = Interval(start, start + lasts_ms)
    ids = tuple(d.device_id for d in scene.subject.devices)
    faults = {d: Faults(mute=(mute,), steady=True) for d in ids}
    return Injection(faults, silence=Silence(Kind.SILENCE_DEVICE, ids, mute))


def silence_position(scene: Scene) -> Injection | None:
    """All devices go on speaking, but give no position."""
    lasts_ms = _long_enough(scene)
    start = _when(scene, lasts_ms)
    if start is None:
        return None
    blind = Interval(start, start + lasts_ms)
    ids = tuple(d.device_id for d in scene.subject.devices)
    faults = {d: Faults(blind=(blind,), steady=True) for d in ids}
    return Injection(faults, silence=Silence(Kind.SILENCE_POSITION, ids, blind, fixes=True))


def silence_band(scene: Scene) -> Injection | None:
    """The band falls silent while another device of the person speaks."""
    band = _band(scene)
    lasts_ms = _long_enough(scene)
    start = _when(scene, lasts_ms)
    if band is None or start is None or len(scene.subject.devices) < 2:
        return None
    mute = Interval(start, start + lasts_ms)
    faults = {d.device_id: Faults(steady=True) for d in scene.subject.devices}
    faults[band.device_id] = Faults(mute=(mute,), steady=True)
    return Injection(faults, silence=Silence(Kind.SILENCE_BAND, (band.device_id,), mute))


def power_off(scene: Scene) -> Injection | None:
    """The only device is shut down in order, and is back before it counts as silent.

    Off for longer it would be silent too, first without position and then altogether: which of them
    holds when is not plain enough for a truth.
    """
    band = _band(scene)
    if band is None or len(scene.subject.devices) > 1:
        return None
    # Up to one interval may lie between the last fix and the shutdown, and one after the start.
    lasts_ms = silence_after_ms(band.report_every_s) - round(2.5 * band.report_every_s * SECOND_MS)
    start = _when(scene, lasts_ms)
    if start is None:
        return None
    mute = Interval(start + 1, start + lasts_ms)
    events = ((start, "power_off"), (start + lasts_ms, "power_on"))
    faults = {band.device_id: Faults(mute=(mute,), events=events, steady=True)}
    return Injection(faults, [_true(scene, Kind.POWER_OFF, start, start + lasts_ms)])


def _told(kind: Kind, begins: str, ends: str | None) -> Callable[[Scene], Injection | None]:
    """Something the band says, and takes back after 10 to 20 min unless only a person can close it."""

    def inject(scene: Scene) -> Injection | None:
        band = _band(scene)
        lasts_ms = round(scene.rng.uniform(10, 20) * MINUTE_MS)
        start = _when(scene, lasts_ms)
        if band is None or start is None:
            return None
        end = start + lasts_ms if ends else None
        events = ((start, begins),) if ends is None or end is None else ((start, begins), (end, ends))
        return Injection({band.device_id: Faults(events=events)}, [_true(scene, kind, start, end)])

    return inject


def spoof(scene: Scene) -> Injection | None:
    """Every other fix comes from another place where the person may be, impossibly far for the time;
    where there is no such place, one position is repeated to the last digit for two hours."""
    device = scene.subject.devices[0]
    spot = _far_spot(scene, IMPOSSIBLE_MPS * device.report_every_s)
    lasts_ms = max(20 * MINUTE_MS, 8 * device.report_every_s * SECOND_MS) if spot else 120 * MINUTE_MS
    start = _when(scene, lasts_ms)
    bound = start is None or any(r.from_ms < start + lasts_ms and start < r.to_ms for r in scene.runs)
    if start is None or bound or len(scene.subject.devices) > 1:
        return None
    span = Interval(start, start + lasts_ms)
    faults = Faults(elsewhere=((span, *spot),)) if spot else Faults(frozen=(span,))
    return Injection({device.device_id: faults}, [_true(scene, Kind.SPOOFED, span.from_ms, span.to_ms)])


def _far_spot(scene: Scene, far_m: float) -> tuple[float, float] | None:
    """A place (lon, lat) that breaks no standing rule, at least so far from all the person's own."""
    plane, home = scene.where.plane, scene.where.home
    standing = [scene.atlas.inner(d, plane) for d in scene.subject.standing]
    forbidden = (
        scene.atlas.union(scene.subject.forbidden, plane, 200.0) if scene.subject.forbidden else Point()
    )
    for _ in range(100):
        turn = scene.rng.uniform(0, 2 * math.pi)
        reach = far_m + ROAM_RADIUS_M + scene.rng.uniform(0, far_m)
        spot = Point(home[0] + reach * math.cos(turn), home[1] + reach * math.sin(turn))
        if all(s.contains(spot) for s in standing) and not forbidden.contains(spot):
            return plane.lonlat(spot.x, spot.y)
    return None


def battery_low(scene: Scene) -> Injection | None:
    """The battery stands at 15 % until it is charged."""
    device = scene.subject.devices[0]
    start = _when(scene, 30 * MINUTE_MS)
    if start is None:
        return None
    span = Interval(start, start + 30 * MINUTE_MS)
    return Injection(
        {device.device_id: Faults(battery=((span, 15),))},
        [_true(scene, Kind.BATTERY_LOW, span.from_ms, span.to_ms)],
    )


def battery_critical(scene: Scene) -> Injection | None:
    """The battery goes from 15 % to 4 %, and is then charged."""
    device = scene.subject.devices[0]
    start = _when(scene, 60 * MINUTE_MS)
    if start is None:
        return None
    low, empty = start + 30 * MINUTE_MS, start + 60 * MINUTE_MS
    battery = ((Interval(start, low), 15), (Interval(low, empty), 4))
    return Injection(
        {device.device_id: Faults(battery=battery)},
        [
            _true(scene, Kind.BATTERY_LOW, start, empty),
            _true(scene, Kind.BATTERY_CRITICAL, low, empty),
        ],
    )


def gap(scene: Scene) -> Injection | None:
    """Three messages are lost for good, told by the numbers."""
    device = scene.subject.devices[0]
    start = _when(scene, 30 * MINUTE_MS)
    if start is None:
        return None
    faults = Faults(lost_numbers=((start, 3),), steady=True)
    return Injection({device.device_id: faults}, [_true(scene, Kind.DATA_GAP, start, start + DAY_MS)])


DEVICE_INJECTIONS: dict[Kind, Callable[[Scene], Injection | None]] = {
    Kind.SILENCE_DEVICE: silence_device,
    Kind.SILENCE_POSITION: silence_position,
    Kind.SILENCE_BAND: silence_band,
    Kind.STRAP_CUT: _told(Kind.STRAP_CUT, "strap_cut", None),
    Kind.STRAP_LOOSE: _told(Kind.STRAP_LOOSE, "strap_loose", "strap_ok"),
    Kind.CASE_OPEN: _told(Kind.CASE_OPEN, "case_open", None),
    Kind.POWER_OFF: power_off,
    Kind.SHIELDED: _told(Kind.SHIELDED, "shielded", "unshielded"),
    Kind.JAMMED: _told(Kind.JAMMED, "jammed", "unjammed"),
    Kind.SEPARATED: _told(Kind.SEPARATED, "separated", "rejoined"),
    Kind.SPOOFED: spoof,
    Kind.SOS: _told(Kind.SOS, "sos", None),
    Kind.BATTERY_LOW: battery_low,
    Kind.BATTERY_CRITICAL: battery_critical,
    Kind.DATA_GAP: gap,
}
