"""The people of the demonstration city, drawn from a seed: where they live and work, what binds them.

Arrays have one entry per person, so that 700,000 of them are drawn in seconds.  Positions are WGS-84
degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from simulators.geo import Plane, plane_at
from simulators.panjin import COUNTIES, TOWNS, outline

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

PLANE: Plane = plane_at(41.0)

STATION_MARGIN_M = 1_200.0  # a 司法所 lies this far inside its district
PERSON_MARGIN_M = 500.0  # homes and workplaces lie this far inside it
SITE_CLEARANCE_M = 450.0  # and this far from the middle of a forbidden site
SITES_PER_COUNTY = 3

_HOME_SPREAD_M = 1_300.0  # standard deviation from the station, each way
_WORK_SPREAD_M = 2_200.0  # and from home
_REDRAWS_MAX = 60
_STATION_TRIES = 400


@dataclass(frozen=True, slots=True)
class Ground:
    """The fixed places of the city: stations (by index in TOWNS) and forbidden sites by district."""

    station_x: Floats
    station_y: Floats
    sites: dict[str, Floats]  # county -> (SITES_PER_COUNTY, 2) metres of PLANE


@dataclass(frozen=True, slots=True)
class Population:
    """``x``, ``y``: metres of PLANE.  ``curfew``, ``town``, ``site``: indices; -1 is none."""

    town: Ints
    home_x: Floats
    home_y: Floats
    home_radius_m: Ints
    work_x: Floats
    work_y: Floats
    works: Bools
    curfew: Ints  # which of the city's curfew schedules
    day_bound: Bools  # bound to home or work in working hours
    forbidden: Floats  # (n, 2, 2) metres: up to two places forbidden to this person alone, NaN where none
    strict: Bools
    phone: Bools
    category: Ints
    order_age_days: Ints  # since the order in force began

    def __len__(self) -> int:
        return len(self.town)


def metres_of(county: str) -> BaseGeometry:
    """The district's outline in metres of PLANE."""
    scale = np.array([PLANE.metres_per_lon, PLANE.metres_per_lat])
    return shapely.transform(outline(county), lambda positions: positions * scale)


def draw_ground(rng: np.random.Generator) -> Ground:
    """Stations well apart from each other within their districts, and sites apart from the stations."""
    station_x, station_y = np.zeros(len(TOWNS)), np.zeros(len(TOWNS))
    sites: dict[str, Floats] = {}
    for county in COUNTIES:
        area = metres_of(county).buffer(-STATION_MARGIN_M)
        towns = [i for i, town in enumerate(TOWNS) if town.county == county]
        points = _apart(area, len(towns) + SITES_PER_COUNTY, rng)
        station_x[towns], station_y[towns] = points[: len(towns)].T
        sites[county] = points[len(towns) :]
    return Ground(station_x, station_y, sites)


def _apart(area: BaseGeometry, count: int, rng: np.random.Generator) -> Floats:
    """Points spread over an area: each the best of many by its distance to those before."""
    chosen = np.empty((0, 2))
    for _ in range(count):
        candidates = _within(area, _STATION_TRIES, rng)
        if len(chosen):
            gaps = np.linalg.norm(candidates[:, None, :] - chosen[None, :, :], axis=2).min(axis=1)
            candidates = candidates[[int(np.argmax(gaps))]]
        chosen = np.vstack([chosen, candidates[:1]])
    return chosen


def _within(area: BaseGeometry, count: int, rng: np.random.Generator) -> Floats:
    west, south, east, north = area.bounds
    found = np.empty((0, 2))
    while len(found) < count:
        drawn = rng.uniform((west, south), (east, north), size=(4 * count, 2))
        found = np.vstack([found, drawn[shapely.contains_xy(area, drawn[:, 0], drawn[:, 1])]])
    return found[:count]


def draw_population(
    count: int, ground: Ground, curfews: int, curfew_share: float, rng: np.random.Generator
) -> Population:
    """So many people.  ``curfews``: how many curfew schedules the city has."""
    weights = np.array([town.villages for town in TOWNS], dtype=np.float64)
    town = rng.choice(len(TOWNS), size=count, p=weights / weights.sum())
    home = _near(
        np.column_stack([ground.station_x[town], ground.station_y[town]]), _HOME_SPREAD_M, town, ground, rng
    )
    work = _near(home, _WORK_SPREAD_M, town, ground, rng)
    works = rng.random(count) < 0.7
    return Population(
        town=town,
        home_x=home[:, 0],
        home_y=home[:, 1],
        home_radius_m=rng.integers(80, 151, size=count),
        work_x=work[:, 0],
        work_y=work[:, 1],
        works=works,
        curfew=np.where(rng.random(count) < curfew_share, rng.integers(curfews, size=count), -1),
        day_bound=works & (rng.random(count) < 0.06),
        forbidden=_forbidden(home, np.where(works[:, None], work, home), town, rng),
        strict=rng.random(count) < 0.15,
        phone=rng.random(count) < 0.3,
        category=rng.choice(4, size=count, p=(0.03, 0.86, 0.07, 0.04)),
        order_age_days=rng.integers(3, 86, size=count),
    )


def _near(centres: Floats, spread_m: float, town: Ints, ground: Ground, rng: np.random.Generator) -> Floats:
    """A point near each centre, within the town's district and clear of its forbidden sites."""
    points = centres.copy()
    for county in COUNTIES:
        area = metres_of(county).buffer(-PERSON_MARGIN_M)
        shapely.prepare(area)
        of_county = np.array([t.county == county for t in TOWNS])
        waiting = np.flatnonzero(of_county[town])
        for _ in range(_REDRAWS_MAX):
            drawn = centres[waiting] + rng.normal(0.0, spread_m, size=(len(waiting), 2))
            gaps = np.linalg.norm(drawn[:, None, :] - ground.sites[county][None, :, :], axis=2).min(axis=1)
            good = shapely.contains_xy(area, drawn[:, 0], drawn[:, 1]) & (gaps > SITE_CLEARANCE_M)
            points[waiting[good]] = drawn[good]
            waiting = waiting[~good]
    # Whoever found no place in so many tries stays at the centre, which is a place that was found.
    return points


def _forbidden(home: Floats, work: Floats, town: Ints, rng: np.random.Generator) -> Floats:
    """For a quarter of the people one or two places near home, clear of home and work."""
    count = len(home)
    wanted = rng.choice(3, size=count, p=(0.75, 0.18, 0.07))
    places = np.full((count, 2, 2), np.nan)
    for county in COUNTIES:
        area = metres_of(county).buffer(-PERSON_MARGIN_M)
        shapely.prepare(area)
        of_county = np.array([t.county == county for t in TOWNS])[town]
        for nth in range(2):
            waiting = np.flatnonzero(of_county & (wanted > nth))
            for _ in range(_REDRAWS_MAX):
                angle = rng.uniform(0, 2 * np.pi, size=len(waiting))
                away_m = rng.uniform(700, 2_500, size=len(waiting))
                drawn = home[waiting] + away_m[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
                gaps = np.linalg.norm(drawn - work[waiting], axis=1)
                good = shapely.contains_xy(area, drawn[:, 0], drawn[:, 1]) & (gaps > SITE_CLEARANCE_M)
                places[waiting[good], nth] = drawn[good]
                waiting = waiting[~good]
    return places
