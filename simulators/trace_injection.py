"""Violations put into real traces: the track is displaced, rows are dropped, the band speaks.

While a person is certainly at a known place, part of the trace is replaced by fixes each minute along a
detour, each with an error and accuracy that the same phone (or, where it gave few, the others) really
had.  Truth is worked out from the detour as in ``truth``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Point

from corrections_monitor.model.cases import Leave
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.times import HOUR_MS, MINUTE_MS, Interval
from simulators import encode
from simulators.demands import Subject, bound_runs, subjects
from simulators.devices import Row
from simulators.geo import Atlas, plane_at
from simulators.injections import DEVICE_INJECTIONS, Injection, Silence
from simulators.motion import Whereabouts
from simulators.paths import Path
from simulators.trace_sets import COUNTY, F64, I64, Trace, TraceSet
from simulators.truth import Judge, Truth
from simulators.violations import PLACE_DETOURS, Scene
from simulators.world import plain, rng_of

REPORT_MS = MINUTE_MS
UPLOAD_MS = 500
AFTERWARDS_MS = 5 * MINUTE_MS  # fixes go on each minute for so long after the return
RESIDUAL_ACC_M = 65.0  # errors are borrowed from fixes at least as good as this
RESIDUALS_WANTED = 20
SPEAKS_EVERY_MS = 4 * MINUTE_MS  # often enough not to be silent itself
SPOOFED_MS = 20 * MINUTE_MS
SPOOFED_M = 30_000.0
SHOWN = (
    Kind.STRAP_CUT,
    Kind.STRAP_LOOSE,
    Kind.CASE_OPEN,
    Kind.SOS,
    Kind.SHIELDED,
    Kind.JAMMED,
    Kind.SEPARATED,
    Kind.SILENCE_DEVICE,
    Kind.SILENCE_BAND,
    Kind.SPOOFED,
)
WALKED = (Kind.ZONE_EXIT, Kind.ZONE_ENTER, Kind.CURFEW, Kind.LEAVE_OVERDUE)

Residuals = NDArray[np.float64]
"""(n, 3): metres east and north of the true place, accuracy claimed."""


def inject(traces: TraceSet, zone: ZoneInfo, wanted: Mapping[Kind, int], seed: int) -> list[Truth]:
    """Put what is wanted into the set, one violation a person at most; returns the truth of it.

    Kinds that real traces have no room for (SHOWN and WALKED have it) are passed over.
    """
    calendar = Calendar(zone)
    atlas = Atlas(traces.zones)
    everyone = {s.person_id: s for s in subjects(traces.cases())}
    rng = rng_of(seed, "lots")
    places = [(t, span) for t in traces.traces for span in t.at_home if t.home is not None]
    pooled = np.concatenate([residuals(t) for t, _ in places]) if places else np.zeros((0, 3))
    used: set[str] = set()
    truths: list[Truth] = []
    silences: list[tuple[str, Silence]] = []
    for kind in (k for k in (*WALKED, *SHOWN) for _ in range(wanted.get(k, 0))):
        for i in rng.permutation(len(places)):
            trace, span = places[i]
            if trace.person_id in used:
                continue
            scene = _scene(everyone[trace.person_id], trace, span, calendar, atlas, rng)
            if kind is Kind.SPOOFED:
                found = _spoof(traces, trace, span, pooled, rng)
            elif kind in SHOWN:
                injection = DEVICE_INJECTIONS[kind](scene)
                if kind is Kind.SILENCE_BAND and injection is not None and not _speaks(trace, injection):
                    injection = None
                found = None if injection is None else injection.truths
                if injection is not None:
                    _apply(traces, injection)
                    silences += [(trace.person_id, injection.silence)] if injection.silence else []
            else:
                found = _walk(traces, kind, scene, trace, Judge(atlas, calendar, {}), pooled)
            if found is not None:
                used.add(trace.person_id)
                truths += found
                break
    return truths + _settled(traces, silences)


def residuals(trace: Trace) -> Residuals:
    """The errors of the usable fixes taken at the known place."""
    assert trace.home is not None
    plane = plane_at(trace.home[1])
    there = np.zeros(len(trace.t_ms), bool)
    for span in trace.at_home:
        there |= (trace.t_ms >= span.from_ms) & (trace.t_ms < span.to_ms)
    there &= trace.acc_m <= RESIDUAL_ACC_M
    east = (trace.lon[there] - trace.home[0]) * plane.metres_per_lon
    north = (trace.lat[there] - trace.home[1]) * plane.metres_per_lat
    return np.column_stack([east, north, trace.acc_m[there]])


def _speaks(trace: Trace, injection: Injection) -> bool:
    """Whether the phone goes on reporting while the band is silent."""
    assert injection.silence is not None
    planned = injection.silence.planned
    heard = np.sort(trace.written_ms)
    heard = heard[(heard >= planned.from_ms) & (heard < planned.to_ms)]
    return bool(np.diff(np.r_[planned.from_ms, heard, planned.to_ms]).max() < SPEAKS_EVERY_MS)


def _scene(
    subject: Subject,
    trace: Trace,
    span: Interval,
    calendar: Calendar,
    atlas: Atlas,
    rng: np.random.Generator,
) -> Scene:
    assert trace.home is not None
    plane = plane_at(trace.home[1])
    home = plane.xy(*trace.home)
    bound = tuple(d for d in subject.devices if d.span.from_ms <= span.from_ms and span.to_ms <= d.span.to_ms)
    subject = replace(subject, devices=bound)
    runs = bound_runs(subject, calendar, span)
    turns = rng.uniform(0, 2 * np.pi, 12)
    reach = rng.uniform(700, 2_500, 12)
    places = tuple(
        (home[0] + float(r * np.cos(a)), home[1] + float(r * np.sin(a)))
        for a, r in zip(turns, reach, strict=True)
    )
    roam = Point(home).buffer(8_000.0)
    if subject.forbidden:
        roam = roam.difference(atlas.union(subject.forbidden, plane, 200.0))
    where = Whereabouts(plane, home, {r.demands: home for r in runs}, roam, places)
    return Scene(subject, where, runs, span, atlas, {}, rng)


def _walk(
    traces: TraceSet, kind: Kind, scene: Scene, trace: Trace, judge: Judge, pooled: Residuals
) -> list[Truth] | None:
    """Displace the track along a detour of the kind; None where there is no room for one."""
    if kind is Kind.LEAVE_OVERDUE:
        end_ms = scene.span.from_ms + 90 * MINUTE_MS
        leave_id = f"leave-{trace.person_id}"
        leave = Leave(leave_id, trace.person_id, Interval(end_ms - 3 * HOUR_MS, end_ms), "chief")
        scene = replace(scene, subject=replace(scene.subject, leaves=(leave,)))
    detour = PLACE_DETOURS[kind](scene)
    if detour is None or detour.t_ms[-1] + AFTERWARDS_MS > scene.span.to_ms:
        return None
    truths = judge.place(scene.subject, detour, scene.span, scene.where.plane)
    if not plain(kind, truths, quick=False):
        return None
    traces.leaves.update({v.leave_id: v for v in scene.subject.leaves})
    replaced = Interval(int(detour.t_ms[0]), int(detour.t_ms[-1]) + AFTERWARDS_MS)
    phone = f"phone-{trace.person_id}"
    traces.dropped.setdefault(phone, []).append(replaced)
    own = residuals(trace)
    traces.added += _fixes(phone, detour, replaced, own if len(own) >= RESIDUALS_WANTED else pooled)
    return truths


def _spoof(
    traces: TraceSet, trace: Trace, span: Interval, pooled: Residuals, rng: np.random.Generator
) -> list[Truth] | None:
    """A second phone under the same name tells, in turn with the first, of a place 30 km away."""
    room_ms = span.to_ms - span.from_ms - SPOOFED_MS
    if room_ms <= 0 or trace.home is None:
        return None
    start = span.from_ms + int(rng.integers(room_ms))
    replaced = Interval(start, start + SPOOFED_MS)
    phone = f"phone-{trace.person_id}"
    traces.dropped.setdefault(phone, []).append(replaced)
    t = np.arange(replaced.from_ms, replaced.to_ms, REPORT_MS)
    lon = (
        trace.home[0]
        + np.where(np.arange(len(t)) % 2 == 0, SPOOFED_M, 0.0) / plane_at(trace.home[1]).metres_per_lon
    )
    own = residuals(trace)
    errors = own if len(own) >= RESIDUALS_WANTED else pooled
    traces.added += _fixes_at(phone, t, lon, np.full(len(t), trace.home[1]), errors)
    return [Truth(trace.person_id, Kind.SPOOFED, None, replaced.from_ms, replaced.to_ms)]


def _fixes(phone: str, path: Path, span: Interval, errors: Residuals) -> list[Row]:
    t = np.arange(span.from_ms, span.to_ms, REPORT_MS)
    lon, lat, _ = path.at(t)
    return _fixes_at(phone, t, lon, lat, errors)


def _fixes_at(phone: str, t: I64, lon: F64, lat: F64, errors: Residuals) -> list[Row]:
    plane = plane_at(float(lat[0]))
    error = errors[np.arange(len(t)) % len(errors)]
    lon, lat = lon + error[:, 0] / plane.metres_per_lon, lat + error[:, 1] / plane.metres_per_lat
    topic = encode.fix_topic(COUNTY, phone)
    return [
        Row(at + UPLOAD_MS, phone, topic, encode.fix_payload(None, [encode.fix(at, x, y, acc)]))
        for at, x, y, acc in zip(t.tolist(), lon.tolist(), lat.tolist(), error[:, 2].tolist(), strict=True)
    ]


def _apply(traces: TraceSet, injection: Injection) -> None:
    for device_id, faults in injection.faults.items():
        traces.dropped.setdefault(device_id, []).extend(faults.mute)
        topic = encode.band_topic(COUNTY, device_id)
        for t_ms, ev in faults.events:
            row = Row(t_ms + UPLOAD_MS, device_id, topic, encode.band_payload(None, t_ms, ev))
            traces.added.append(row)


def _settled(traces: TraceSet, silences: list[tuple[str, Silence]]) -> list[Truth]:
    """Silences from the last arrival before to the first one after what was dropped."""
    if not silences:
        return []
    rows = traces.rows()
    truths = []
    for person_id, silence in silences:
        heard = np.array([r.arrival_ms for r in rows if r.device_id in silence.device_ids], np.int64)
        last = int(heard[heard < silence.planned.from_ms + UPLOAD_MS].max())
        after = heard[heard >= silence.planned.to_ms]
        truths.append(Truth(person_id, silence.kind, None, last, int(after.min()) if len(after) else None))
    return truths
