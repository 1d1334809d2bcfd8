"""Open Data Challenge 2017: 16 phones of real people, 108 person-days, late by up to 19.5 h.

Data: interscity/open-data-challenge-2017; columns as in the data folder's SOURCES.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from corrections_monitor.model.cases import Circle, Zone, ZoneKind
from corrections_monitor.model.schedule import Schedule, Window
from corrections_monitor.model.times import HOUR_MS, Interval, from_ms
from simulators.geo import plane_at
from simulators.trace_sets import (
    GOOD_M,
    UNSEEN_MS,
    Trace,
    TraceSet,
    hull,
    part_of,
    read_rows,
    stretches,
    trace_of,
)

F64 = NDArray[np.float64]

ROUGH_M = 150.0


def odc(data: Path, local: ZoneInfo) -> TraceSet:
    """Phones of real people against the city they moved in, a curfew at home in hours in which they were
    there, and a forbidden place near home where they never came."""
    by_user: dict[str, list[dict[str, object]]] = defaultdict(list)
    for row in read_rows(data / "odc2017_dev.ndjson.gz"):
        if row["k"] == "loc":
            by_user[str(row["u"])].append(row)
    made = TraceSet([], {})
    for user, rows in sorted(by_user.items()):
        fixes = trace_of(user, rows)
        seen = stretches(fixes.t_ms)
        good = fixes.acc_m <= GOOD_M
        if not seen or good.sum() < 50:
            continue
        home = _densest_at_night(fixes, good, local)
        away_m = _distance_m(fixes, home)
        at_home = _at_home(fixes, good, away_m, seen)
        made.traces.append(part_of(fixes, user, np.ones(len(good), bool), seen, home, at_home))
        # Journeys are often seen only roughly: the city takes in everything not quite vague.
        rough = fixes.acc_m <= ROUGH_M
        county = hull(fixes.lon[rough], fixes.lat[rough], 1_500.0)
        made.zones[f"city-{user}"] = Zone(f"city-{user}", user, ZoneKind.INCLUSION, user, county)
        hours = _kept_hours(at_home, seen, local)
        if hours.windows:
            made.zones[f"home-{user}"] = Zone(
                f"home-{user}", user, ZoneKind.INCLUSION, user, Circle(*home, 200.0), schedule=hours
            )
        spot = _never_visited(fixes, home)
        if spot is not None:
            made.zones[f"forbid-{user}"] = Zone(
                f"forbid-{user}", user, ZoneKind.EXCLUSION, user, Circle(*spot, 100.0)
            )
    return made


def _densest_at_night(fixes: Trace, good: NDArray[np.bool_], local: ZoneInfo) -> tuple[float, float]:
    """The middle of the fixes in the fullest 100 m cell between 22 and 6."""
    hour = np.array([from_ms(int(t), local).hour for t in fixes.t_ms])
    night = good & ((hour >= 22) | (hour < 6))
    chosen = night if night.any() else good
    cells = np.round(np.column_stack([fixes.lon, fixes.lat]) * 1_000).astype(np.int64)
    values, counts = np.unique(cells[chosen], axis=0, return_counts=True)
    fullest = chosen & (cells == values[counts.argmax()]).all(axis=1)
    return float(np.median(fixes.lon[fullest])), float(np.median(fixes.lat[fullest]))


def _distance_m(fixes: Trace, place: tuple[float, float]) -> F64:
    plane = plane_at(place[1])
    east = (fixes.lon - place[0]) * plane.metres_per_lon
    return np.asarray(np.hypot(east, (fixes.lat - place[1]) * plane.metres_per_lat))


def _at_home(
    fixes: Trace, good: NDArray[np.bool_], away_m: F64, seen: Iterable[Interval]
) -> tuple[Interval, ...]:
    """Spans of two hours and more in which every good fix is within 100 m of home, gaps under three."""
    order = np.argsort(fixes.t_ms[good], kind="stable")
    t, near = fixes.t_ms[good][order], away_m[good][order] < 100
    found: list[Interval] = []
    start = last = None
    for at, here in zip(t.tolist(), near.tolist(), strict=True):
        broken = last is not None and at - last >= UNSEEN_MS
        if start is not None and last is not None and (broken or not here):
            if last - start >= 2 * HOUR_MS:
                found.append(Interval(start, last))
            start = None
        if here:
            start, last = (at if start is None else start), at
    if start is not None and last is not None and last - start >= 2 * HOUR_MS:
        found.append(Interval(start, last))
    return tuple(f for f in found if any(s.from_ms <= f.from_ms and f.to_ms <= s.to_ms for s in seen))


def _kept_hours(at_home: tuple[Interval, ...], seen: tuple[Interval, ...], local: ZoneInfo) -> Schedule:
    """Per weekday, the whole hours in which the person was at home whenever watched."""
    home = {h for span in at_home for h in _hours_in(span, local, whole=True)}
    watched = {h for span in seen for h in _hours_in(span, local, whole=False)}
    broken = {(d.weekday(), hour) for d, hour in watched - home}
    kept = {(d.weekday(), hour) for d, hour in home} - broken
    return Schedule(tuple(Window(1 << day, hour * 60, hour * 60 + 60) for day, hour in sorted(kept)))


def _hours_in(span: Interval, local: ZoneInfo, *, whole: bool) -> Iterator[tuple[date, int]]:
    """The civil hours that lie in the span wholly, or touch it."""
    first = span.from_ms - span.from_ms % HOUR_MS
    for t in range(first, span.to_ms, HOUR_MS):
        if not whole or (t >= span.from_ms and t + HOUR_MS <= span.to_ms):
            moment = from_ms(t, local)
            yield moment.date(), moment.hour


def _never_visited(fixes: Trace, home: tuple[float, float]) -> tuple[float, float] | None:
    """A spot about a kilometre from home with no good fix within 400 m of it."""
    plane = plane_at(home[1])
    good = fixes.acc_m <= 200
    for turn in np.linspace(0, 2 * np.pi, 24, endpoint=False):
        spot = (
            home[0] + 1_000 * float(np.cos(turn)) / plane.metres_per_lon,
            home[1] + 1_000 * float(np.sin(turn)) / plane.metres_per_lat,
        )
        if (_distance_m(fixes, spot)[good] > 400).all():
            return spot
    return None
