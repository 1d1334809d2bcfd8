"""What really happened, worked out from the noise-free path and the case folder by shapely alone.

Truth is not what an injector meant to do but what the path then did: every second of the path is asked
whether the person is where the orders say.  Format: CONTRACT §4, one JSON object a line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Point

from corrections_monitor.model.cases import Leave
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.times import HOUR_MS, Interval, format_time
from simulators.demands import Group, Subject, holding_spans
from simulators.geo import Atlas, Plane
from simulators.paths import Path, Position

STEP_MS = 1_000
TRAVEL_GRACE_MS = 6 * HOUR_MS  # CONTRACT §3, leave.astray

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, order=True)
class Truth:
    """One thing that really was so, from its first instant to its last (None: it never ended)."""

    person_id: str
    kind: str
    zone_id: str | None
    from_ms: int
    to_ms: int | None

    def line(self, zone: ZoneInfo) -> str:
        """The NDJSON line of CONTRACT §4, times as ISO 8601."""
        return json.dumps(
            {
                "person_id": self.person_id,
                "kind": self.kind,
                "zone_id": self.zone_id,
                "from": format_time(self.from_ms, zone),
                "to": format_time(self.to_ms, zone),
            },
            ensure_ascii=False,
        )


@dataclass(frozen=True)
class Judge:
    """Judges true paths by the orders.  ``protected`` are the protected persons' homes, lon, lat."""

    atlas: Atlas
    calendar: Calendar
    protected: Mapping[str, Position]

    def place(self, subject: Subject, path: Path, span: Interval, plane: Plane) -> list[Truth]:
        """Every violation of place within the span, true to a second."""
        t = np.arange(span.from_ms, span.to_ms, STEP_MS, dtype=np.int64)
        lon, lat, _ = path.at(t)
        x, y = lon * plane.metres_per_lon, lat * plane.metres_per_lat
        found: list[Truth] = []
        for group in subject.groups:
            found += self._group(subject, group, t, x, y, plane)
        for zone in subject.exclusions:
            holds = _mask(t, holding_spans(zone.schedule, self.calendar, span))
            inside = shapely.contains_xy(self.atlas.union(frozenset({zone.zone_id}), plane), x, y)
            found += _truths(subject, Kind.ZONE_ENTER, zone.zone_id, t, holds & inside)
        for protected_id, distance_m in subject.avoids:
            if protected_id in self.protected:
                other = plane.xy(*self.protected[protected_id])
                near = np.hypot(x - other[0], y - other[1]) < distance_m
                found += _truths(subject, Kind.CONTACT_NEAR, None, t, near)
        return sorted(found, key=lambda f: (f.from_ms, f.kind))

    def _group(self, subject: Subject, group: Group, t: I64, x: F64, y: F64, plane: Plane) -> list[Truth]:
        span = Interval(int(t[0]), int(t[-1]) + STEP_MS)
        holds = {z.zone_id: _mask(t, holding_spans(z.schedule, self.calendar, span)) for z in group.zones}
        regions = {z.zone_id: self.atlas.union(frozenset({z.zone_id}), plane) for z in group.zones}
        satisfied = np.zeros(len(t), bool)
        for zone_id, region in regions.items():
            satisfied |= holds[zone_id] & shapely.contains_xy(region, x, y)
        outside = np.logical_or.reduce(list(holds.values())) & ~satisfied
        away = np.logical_or.reduce([_mask(t, [_ends(v)]) for v in subject.leaves] + [np.zeros(len(t), bool)])
        found = []
        for start, end in _stretches(outside & ~away):
            here = Point(x[start], y[start])
            members = [z for z in group.zones if holds[z.zone_id][start]]
            nearest = min(members, key=lambda z: (regions[z.zone_id].distance(here), z.zone_id))
            always = any(z.schedule.always for z in members)
            kind = Kind.ZONE_EXIT if always else Kind.CURFEW
            if start and away[start - 1] and outside[start - 1]:
                kind = Kind.LEAVE_OVERDUE
            found.append(_truth(subject, kind, nearest.zone_id, t, start, end))
        for leave in subject.leaves:
            if leave.zone_ids:
                found += self._astray(subject, leave, t, x, y, outside, plane)
        return found

    def _astray(
        self, subject: Subject, leave: Leave, t: I64, x: F64, y: F64, outside: Bools, plane: Plane
    ) -> list[Truth]:
        named = shapely.contains_xy(self.atlas.union(frozenset(leave.zone_ids), plane), x, y)
        astray = _mask(t, [_ends(leave)]) & outside & ~named
        truths = _truths(subject, Kind.LEAVE_ASTRAY, None, t, astray)
        return [f for f in truths if f.to_ms is None or f.to_ms - f.from_ms > TRAVEL_GRACE_MS]


def _ends(leave: Leave) -> tuple[int, int]:
    return leave.span.from_ms, leave.span.to_ms


def _mask(t: I64, spans: Sequence[tuple[int, int]]) -> Bools:
    held = np.zeros(len(t), bool)
    for start, end in spans:
        held |= (t >= start) & (t < end)
    return held


def _stretches(flags: Bools) -> list[tuple[int, int]]:
    """The runs of set flags as (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _truths(subject: Subject, kind: Kind, zone_id: str | None, t: I64, flags: Bools) -> list[Truth]:
    return [_truth(subject, kind, zone_id, t, a, b) for a, b in _stretches(flags)]


def _truth(subject: Subject, kind: Kind, zone_id: str | None, t: I64, start: int, end: int) -> Truth:
    return Truth(subject.person_id, kind, zone_id, int(t[start]), int(t[end]) if end < len(t) else None)


def write_truth(truths: Iterable[Truth], zone: ZoneInfo) -> str:
    """All lines, in order of time."""
    ordered = sorted(truths, key=lambda f: (f.from_ms, f.person_id, f.kind, f.zone_id or ""))
    return "".join(f.line(zone) + "\n" for f in ordered)
