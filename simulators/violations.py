"""Violations of place, made on purpose: detours from home that break exactly one rule, plainly.

Each function gives a detour to splice into an obedient path, or None where the person's zones leave no
room for it.  Exits go at least 300 m beyond the border for at least 10 min; forbidden places are entered
for at least 5 min.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from shapely.geometry import LineString, Point
from shapely.geometry.base import BaseGeometry

from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import HOUR_MS, MINUTE_MS, Interval
from simulators.demands import Bound, Subject
from simulators.geo import Atlas, middle
from simulators.motion import Whereabouts
from simulators.paths import Path, PathBuilder, Position, travel_ms

BEYOND_M = 300.0
SLACK_MS = 20 * MINUTE_MS  # kept between a detour and hours that bind


@dataclass(frozen=True)
class Scene:
    """All that a detour is planned with.  ``quick``: it begins at once, next to where it happens."""

    subject: Subject
    where: Whereabouts
    runs: Sequence[Bound]
    span: Interval
    atlas: Atlas
    protected: dict[str, Position]  # homes of protected persons, metres of the plane
    rng: np.random.Generator
    quick: bool = False

    def dwell_ms(self) -> int:
        """How long the violation lasts at least."""
        return round(self.rng.uniform(6, 8) if self.quick else self.rng.uniform(12, 25)) * MINUTE_MS


def exit_zone(scene: Scene) -> Path | None:
    """Leave the union of a group that always holds, far and long enough to be beyond doubt."""
    groups = [g for g in scene.subject.groups if g.always]
    if not groups:
        return None
    group = groups[int(scene.rng.integers(len(groups)))]
    region = scene.atlas.union(group.always, scene.where.plane)
    depth_m = 500.0 if scene.quick else float(scene.rng.uniform(450, 1_500))
    for border in _border_points(region, scene.where.home, scene.rng):
        target = _beyond(scene.where.home, border, depth_m)
        if region.distance(Point(target)) >= BEYOND_M and _clear(scene, target):
            return _there_and_back(scene, target, _beyond(scene.where.home, border, -150.0))
    return None


def enter_zone(scene: Scene) -> Path | None:
    """Walk into a forbidden place that lies where the person may otherwise go."""
    zones = list(scene.subject.exclusions)
    scene.rng.shuffle(zones)
    zones.sort(key=lambda z: not z.schedule.always)
    standing = [scene.atlas.inner(d, scene.where.plane) for d in scene.subject.standing]
    for zone in zones:
        region = scene.atlas.union(frozenset({zone.zone_id}), scene.where.plane)
        spot = middle(region)
        target = (spot.x, spot.y)
        way = LineString([scene.where.home, target])
        others = scene.subject.forbidden - {zone.zone_id}
        blocked = others and scene.atlas.union(others, scene.where.plane, 50.0).intersects(way)
        if not blocked and all(s.contains(way) for s in standing) and way.length < 20_000:
            outside = way.difference(region)
            if not outside.is_empty and outside.geom_type == "LineString":
                edge = outside.coords[-1]
                return _there_and_back(scene, target, _beyond(scene.where.home, edge, -150.0))
    return None


def break_curfew(scene: Scene) -> Path | None:
    """Be out when the hours begin, or go out during them."""
    runs = list(scene.runs)
    if not scene.quick:
        scene.rng.shuffle(runs)
    for run in runs:
        demanded = [scene.atlas.union(d, scene.where.plane) for d in run.demands]
        home = scene.where.anchors[run.demands]
        spots = [
            p
            for p in scene.where.places
            if all(r.distance(Point(p)) >= BEYOND_M for r in demanded) and scene.where.reaches(home, p)
        ]
        if not spots or home != scene.where.home:
            continue
        spot = spots[int(scene.rng.integers(len(spots)))]
        if scene.quick:
            if run.from_ms > scene.span.from_ms + 3 * MINUTE_MS:
                continue
            builder = PathBuilder(scene.where.plane, scene.span.from_ms, spot)
            builder.stay(max(run.from_ms, scene.span.from_ms) + scene.dwell_ms(), indoor=False)
            builder.travel(home)
            return builder.path()
        out_at = _curfew_departure(scene, run, travel_ms(math.dist(home, spot)))
        if out_at is None:
            continue
        builder = PathBuilder(scene.where.plane, out_at, home)
        builder.travel(spot)
        builder.stay(max(builder.t_ms, run.from_ms) + scene.dwell_ms(), indoor=False)
        builder.travel(home)
        if builder.t_ms < min(run.to_ms, scene.span.to_ms) - MINUTE_MS:
            return builder.path()
    return None


def _curfew_departure(scene: Scene, run: Bound, way_ms: int) -> int | None:
    """An instant to leave home: before the hours so as to be out when they begin, or well within them."""
    early = run.from_ms - way_ms - 10 * MINUTE_MS
    earliest = scene.span.from_ms + 5 * MINUTE_MS
    if early >= earliest and scene.rng.random() < 0.5:
        return early
    start, end = max(run.from_ms + 10 * MINUTE_MS, earliest), min(run.to_ms, scene.span.to_ms)
    room_ms = end - start - 2 * way_ms - 30 * MINUTE_MS
    if room_ms > 0:
        return start + int(scene.rng.integers(room_ms))
    return early if early >= earliest else None


def overrun_leave(scene: Scene) -> Path | None:
    """Go away on leave and come back an hour or more after it is over."""
    for leave in scene.subject.leaves:
        # Not long before the end, so that the travel grace covers being outside what the leave names.
        out_at = max(scene.span.from_ms, leave.span.from_ms, leave.span.to_ms - 4 * HOUR_MS) + 5 * MINUTE_MS
        groups = [g for g in scene.subject.groups if g.always]
        if not groups or not out_at < leave.span.to_ms < scene.span.to_ms - 60 * MINUTE_MS:
            continue
        region = scene.atlas.union(groups[0].always, scene.where.plane)
        for border in _border_points(region, scene.where.home, scene.rng):
            target = _beyond(scene.where.home, border, 3_000.0)
            way_ms = travel_ms(math.dist(scene.where.home, target))
            in_time = out_at + way_ms < leave.span.to_ms - 10 * MINUTE_MS
            if not in_time or region.distance(Point(target)) < BEYOND_M or not _clear(scene, target):
                continue
            builder = PathBuilder(scene.where.plane, out_at, scene.where.home)
            builder.travel(target)
            builder.stay(leave.span.to_ms + scene.dwell_ms() + 20 * MINUTE_MS)
            builder.travel(scene.where.home)
            if builder.t_ms < scene.span.to_ms and not _overlaps(scene.runs, leave.span.to_ms, builder.t_ms):
                return builder.path()
    return None


def stray_on_leave(scene: Scene) -> Path | None:
    """On leave to named places, be elsewhere for longer than the travel grace of six hours."""
    for leave in scene.subject.leaves:
        groups = [g for g in scene.subject.groups if g.always]
        if not leave.zone_ids or not groups:
            continue
        named = scene.atlas.union(frozenset(leave.zone_ids), scene.where.plane)
        usual = scene.atlas.union(groups[0].always, scene.where.plane)
        out_at = max(scene.span.from_ms, leave.span.from_ms) + 5 * MINUTE_MS
        for border in _border_points(usual, scene.where.home, scene.rng):
            target = _beyond(scene.where.home, border, 3_000.0)
            far = min(usual.distance(Point(target)), named.distance(Point(target)))
            if far < BEYOND_M or not _clear(scene, target):
                continue
            builder = PathBuilder(scene.where.plane, out_at, scene.where.home)
            builder.travel(target)
            builder.stay(builder.t_ms + 7 * HOUR_MS)
            builder.travel(scene.where.home)
            if builder.t_ms < min(leave.span.to_ms, scene.span.to_ms):
                return builder.path()
    return None


def approach_protected(scene: Scene) -> Path | None:
    """Go to a protected person's home."""
    for protected_id, distance_m in scene.subject.avoids:
        target = scene.protected.get(protected_id)
        if target is None:
            continue
        start = _beyond(scene.where.home, target, -distance_m - 150.0)
        if all(
            scene.atlas.union(d, scene.where.plane).contains(LineString([scene.where.home, target]))
            for d in scene.subject.standing
        ) and _clear(scene, target):
            return _there_and_back(scene, target, start)
    return None


PLACE_DETOURS: dict[Kind, Callable[[Scene], Path | None]] = {
    Kind.ZONE_EXIT: exit_zone,
    Kind.ZONE_ENTER: enter_zone,
    Kind.CURFEW: break_curfew,
    Kind.LEAVE_OVERDUE: overrun_leave,
    Kind.LEAVE_ASTRAY: stray_on_leave,
    Kind.CONTACT_NEAR: approach_protected,
}

SHORTEST_MS = {Kind.ZONE_ENTER: 5 * MINUTE_MS}
SHORTEST_OTHERWISE_MS = 10 * MINUTE_MS


def _there_and_back(scene: Scene, target: Position, doorstep: Position) -> Path | None:
    """Home, target, a stay, home: in hours that do not bind.  Quick: from the doorstep, at once."""
    dwell_ms = scene.dwell_ms()
    if scene.quick:
        builder = PathBuilder(scene.where.plane, scene.span.from_ms, doorstep)
        builder.travel(target, 15.0)
    else:
        way_ms = travel_ms(math.dist(scene.where.home, target))
        start_ms = free_instant(scene, 2 * way_ms + dwell_ms)
        if start_ms is None:
            return None
        builder = PathBuilder(scene.where.plane, start_ms, scene.where.home)
        builder.travel(target)
    builder.stay(builder.t_ms + dwell_ms, indoor=False)
    builder.travel(scene.where.home)
    return builder.path()


def free_instant(scene: Scene, need_ms: int) -> int | None:
    """An instant after which nothing binds for so long; None when there is none in the span."""
    edges = [scene.span.from_ms - SLACK_MS + 5 * MINUTE_MS]
    for run in scene.runs:
        if run.from_ms < scene.span.to_ms and scene.span.from_ms < run.to_ms:
            edges += [max(run.from_ms, edges[0]), min(run.to_ms, scene.span.to_ms)]
    edges.append(scene.span.to_ms)
    slots = [
        (start + SLACK_MS, end - SLACK_MS - need_ms)
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if end - start > need_ms + 2 * SLACK_MS
    ]
    if not slots:
        return None
    start, end = slots[int(scene.rng.integers(len(slots)))]
    return start + int(scene.rng.integers(end - start))


def _border_points(region: BaseGeometry, home: Position, rng: np.random.Generator) -> list[Position]:
    """Some points of the border, the near ones first."""
    line = region.boundary
    points = [line.interpolate(line.project(Point(home)))]
    points += [line.interpolate(float(d)) for d in rng.uniform(0, line.length, 30)]
    return sorted(((p.x, p.y) for p in points), key=lambda p: math.dist(p, home))


def _beyond(start: Position, through: tuple[float, ...], by_m: float) -> Position:
    """The point so many metres past ``through`` as seen from ``start`` (before it when negative)."""
    length = math.dist(start, through[:2]) or 1.0
    share = (length + by_m) / length
    return start[0] + (through[0] - start[0]) * share, start[1] + (through[1] - start[1]) * share


def _clear(scene: Scene, target: Position) -> bool:
    """Whether the way to the target keeps off every forbidden place."""
    if not scene.subject.forbidden:
        return True
    forbidden = scene.atlas.union(scene.subject.forbidden, scene.where.plane, 100.0)
    return not forbidden.intersects(LineString([scene.where.home, target]))


def _overlaps(runs: Sequence[Bound], from_ms: int, to_ms: int) -> bool:
    return any(r.from_ms < to_ms + SLACK_MS and from_ms - SLACK_MS < r.to_ms for r in runs)
