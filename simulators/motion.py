"""How people move: home, work and errands, day by day, in obedience to their orders.

An obedient path stays in the person's *roam* (well inside every zone that holds, well away from every
forbidden one) and is at the right *anchor* while scheduled zones hold.  What is not obedient is spliced
in by ``violations``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import LineString, Point
from shapely.geometry.base import BaseGeometry

from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.times import HOUR_MS, MINUTE_MS, Interval, from_ms, midnight_ms
from simulators.demands import Bound, Demand, Subject
from simulators.geo import Atlas, Plane, middle, plane_at, shape_centre
from simulators.paths import Path, PathBuilder, Position, travel_ms

FORBIDDEN_MARGIN_M = 200.0
ROAM_RADIUS_M = 8_000.0
HOME_SPREAD_M = 4_000.0
HOME_EARLY_MS = 15 * MINUTE_MS  # people are home this long before their hours begin


@dataclass(frozen=True)
class Whereabouts:
    """Where one person lives and may go.  Positions and geometry in metres of ``plane``."""

    plane: Plane
    home: Position
    anchors: Mapping[frozenset[Demand], Position]
    roam: BaseGeometry
    places: tuple[Position, ...]  # reachable from home in a straight line

    def reaches(self, start: Position, end: Position) -> bool:
        """Whether one can go straight from the one to the other without breaking a rule."""
        return bool(self.roam.contains(LineString([start, end]) if start != end else Point(start)))


@dataclass(frozen=True, slots=True)
class Hints:
    """What else is known of a person's places, lon, lat in degrees.

    ``near``: people without a zone of their own live about there (their office); ``home`` and ``work``
    are taken where the orders allow.
    """

    near: tuple[float, float] | None = None
    home: tuple[float, float] | None = None
    work: tuple[float, float] | None = None


def settle(
    subject: Subject, runs: Sequence[Bound], atlas: Atlas, hints: Hints, rng: np.random.Generator
) -> Whereabouts | None:
    """Find a home and places for a person; None when no place satisfies everything demanded."""
    plane = _plane_of(subject, hints.home or hints.near)
    allowed = _allowed(subject, atlas, plane)
    anchors = _anchors(subject, runs, atlas, plane, allowed)
    if anchors is None:
        return None
    home = next(iter(anchors.values())) if anchors else _home(allowed, plane, hints, rng)
    around = Point(home).buffer(ROAM_RADIUS_M, quad_segs=8)
    roam = around if allowed is None else shapely.clip_by_rect(allowed, *around.bounds)
    roam = roam.difference(_forbidden(subject, atlas, plane, FORBIDDEN_MARGIN_M))
    # A home beside a forbidden place still is a home; only the way from it must be clear.
    roam = roam.union(Point(home).buffer(1.0, quad_segs=2))
    shapely.prepare(roam)
    work = [plane.xy(*hints.work)] if hints.work else []
    where = Whereabouts(plane, home, anchors, roam, _places(home, roam, work, rng))
    return where if all(where.reaches(home, a) for a in anchors.values()) else None


def _anchors(
    subject: Subject, runs: Sequence[Bound], atlas: Atlas, plane: Plane, allowed: BaseGeometry | None
) -> dict[frozenset[Demand], Position] | None:
    """Where to be in each run, the home first: where most time is bound, and wherever else it will do."""
    held: dict[frozenset[Demand], int] = {}
    for run in runs:
        held[run.demands] = held.get(run.demands, 0) + run.to_ms - run.from_ms
    anchors: dict[frozenset[Demand], Position] = {}
    for demands in sorted(held, key=lambda d: (-held[d], sorted(map(sorted, d)))):
        region = _demanded(demands, atlas, plane)
        if allowed is not None:
            region = region.intersection(allowed)
        region = region.difference(_forbidden(subject, atlas, plane, FORBIDDEN_MARGIN_M / 4))
        if region.is_empty:
            return None
        home = next(iter(anchors.values()), None)
        if home is not None and region.contains(Point(home)):
            anchors[demands] = home
        else:
            point = middle(region)
            anchors[demands] = (point.x, point.y)
    return anchors


def _plane_of(subject: Subject, near: tuple[float, float] | None) -> Plane:
    own = [z for g in subject.groups for z in g.zones if not z.schedule.always]
    own = own or [z for g in subject.groups for z in g.zones]
    if own:
        return plane_at(shape_centre(own[0].shape)[1])
    return plane_at(near[1] if near else 41.0)


def _demanded(demands: frozenset[Demand], atlas: Atlas, plane: Plane) -> BaseGeometry:
    regions = [atlas.inner(d, plane) for d in sorted(demands, key=sorted)]
    region = regions[0]
    for other in regions[1:]:
        region = region.intersection(other)
    return region


def _allowed(subject: Subject, atlas: Atlas, plane: Plane) -> BaseGeometry | None:
    return _demanded(subject.standing, atlas, plane) if subject.standing else None


def _forbidden(subject: Subject, atlas: Atlas, plane: Plane, margin_m: float) -> BaseGeometry:
    return atlas.union(subject.forbidden, plane, margin_m) if subject.forbidden else Point()


def _home(allowed: BaseGeometry | None, plane: Plane, hints: Hints, rng: np.random.Generator) -> Position:
    """A home for one whom no hours bind to a place."""
    if hints.home and (allowed is None or allowed.contains(Point(plane.xy(*hints.home)))):
        return plane.xy(*hints.home)
    centre = Point(plane.xy(*hints.near)) if hints.near else (allowed or Point(0, 0)).centroid
    if allowed is None:
        return _scatter(centre, HOME_SPREAD_M, rng)
    if allowed.area > 4e6 and allowed.intersects(centre.buffer(HOME_SPREAD_M)):
        for _ in range(200):
            spot = _scatter(centre, HOME_SPREAD_M, rng)
            if allowed.contains(Point(spot)):
                return spot
    point = middle(allowed)
    return point.x, point.y


def _scatter(centre: Point, radius_m: float, rng: np.random.Generator) -> Position:
    r, turn = radius_m * math.sqrt(rng.random()), 2 * math.pi * rng.random()
    return centre.x + r * math.cos(turn), centre.y + r * math.sin(turn)


def _places(
    home: Position, roam: BaseGeometry, work: list[Position], rng: np.random.Generator
) -> tuple[Position, ...]:
    """Some places to go to, work first where it can be reached in a straight line."""
    radius_m = min(ROAM_RADIUS_M, 2 * math.sqrt(roam.area / math.pi))
    spots = np.array([*work, *(_scatter(Point(home), radius_m, rng) for _ in range(40))])
    lines = shapely.linestrings(np.stack([np.broadcast_to(home, spots.shape), spots], axis=1))
    return tuple((float(x), float(y)) for x, y in spots[shapely.contains(roam, lines)][:4])


def daily_path(
    where: Whereabouts,
    runs: Sequence[Bound],
    calendar: Calendar,
    span: Interval,
    rng: np.random.Generator,
    *,
    reserved: Interval | None = None,
    lively: bool = False,
) -> Path:
    """An obedient life over a span: at the anchors when bound, else home, work and errands.

    In the ``reserved`` interval no outing is made.  ``lively`` people go out at any hour, so that an
    onlooker sees movement whenever they look.
    """
    start = where.anchors[runs[0].demands] if runs and runs[0].from_ms <= span.from_ms else where.home
    builder = PathBuilder(where.plane, span.from_ms, start)
    wishes = _lively_wishes(where, span, rng) if lively else _wishes(where, calendar, span, rng)
    bounds = [*runs, Bound(span.to_ms, span.to_ms, frozenset())]
    free_from = span.from_ms
    for run in bounds:
        target = where.anchors.get(run.demands, where.home)
        leave_by = run.from_ms - HOME_EARLY_MS - travel_ms(math.dist(where.home, target))
        for wish in wishes:
            if free_from <= wish.start_ms and builder.t_ms <= wish.start_ms:
                _go_out(builder, where, wish, leave_by, reserved)
        if builder.at != target and run.to_ms > run.from_ms:
            builder.stay(leave_by)
            builder.travel(target)
        builder.stay(run.to_ms)
        if target != where.home and run.to_ms < span.to_ms:
            builder.travel(where.home)
        free_from = run.to_ms
    builder.stay(max(span.to_ms, builder.t_ms + 1))
    return builder.path()


@dataclass(frozen=True, slots=True)
class _Wish:
    start_ms: int
    stay_ms: int
    place: Position
    indoor: bool


def _go_out(
    builder: PathBuilder, where: Whereabouts, wish: _Wish, back_by_ms: int, reserved: Interval | None
) -> None:
    """Make the outing if it fits before the person must be back, shortened where it must be."""
    way_ms = travel_ms(math.dist(where.home, wish.place))
    stay_ms = min(wish.stay_ms, back_by_ms - wish.start_ms - 2 * way_ms)
    whole = Interval(wish.start_ms, wish.start_ms + 2 * way_ms + max(stay_ms, 1))
    if stay_ms < MINUTE_MS or builder.at != where.home or (reserved and reserved.overlaps(whole)):
        return
    builder.stay(wish.start_ms)
    builder.travel(wish.place)
    builder.stay(builder.t_ms + stay_ms, wish.indoor)
    builder.travel(where.home)


def _wishes(where: Whereabouts, calendar: Calendar, span: Interval, rng: np.random.Generator) -> list[_Wish]:
    """What a person would do, day by day: work on workdays, errands in between."""
    if not where.places:
        return []
    employed = rng.random() < 0.7
    wishes: list[_Wish] = []
    first = from_ms(span.from_ms, calendar.zone).date()
    for day in itertools.count():
        date = first.fromordinal(first.toordinal() + day)
        midnight = midnight_ms(date, calendar.zone)
        if midnight >= span.to_ms:
            break
        works = employed and date.weekday() < 5 and date not in calendar.off
        hours = (7.6, 18.6) if works else (9.0, 15.0, 18.5)
        for i, hour in enumerate(hours):
            at_work = works and i == 0
            if at_work or rng.random() < 0.6:
                stay_h = rng.uniform(7.5, 9.0) if at_work else rng.uniform(0.3, 1.5)
                start_ms = midnight + round((hour + rng.uniform(-0.7, 0.7)) * HOUR_MS)
                place = where.places[0] if at_work else where.places[int(rng.integers(len(where.places)))]
                wishes.append(_Wish(start_ms, round(stay_h * HOUR_MS), place, bool(rng.random() < 0.8)))
    return [w for w in wishes if w.start_ms >= span.from_ms]


def _lively_wishes(where: Whereabouts, span: Interval, rng: np.random.Generator) -> list[_Wish]:
    wishes: list[_Wish] = []
    t_ms = span.from_ms + round(rng.uniform(0, 20) * MINUTE_MS)
    while where.places and t_ms < span.to_ms:
        place = where.places[int(rng.integers(len(where.places)))]
        stay_ms = round(rng.uniform(2, 25) * MINUTE_MS)
        wishes.append(_Wish(t_ms, stay_ms, place, bool(rng.random() < 0.6)))
        t_ms += 2 * travel_ms(math.dist(where.home, place)) + stay_ms + round(rng.uniform(3, 40) * MINUTE_MS)
    return wishes
