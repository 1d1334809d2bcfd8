"""The geofence at the size of a nation: 700,000 persons, each with a county, a home and forbidden places.

    python -m benchmarks.geofence [--quick]

Counties are the real ones (2,891 polygons, 425,165 vertices; read from ``../shared/data``).  Homes lie
inside them; 50,000 forbidden places of 4–32 corners and 100 m – 2 km across are spread over them, and each
person is kept out of 0–5 of their own county.  A fix lies near home, or anywhere in the county (3 of 10).
A fix is judged against all zones of its person.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks import postgis
from benchmarks.report import Row, report
from corrections_monitor.geofence.index import ZoneIndex
from corrections_monitor.model.cases import Area, Circle, Shape

COUNTIES = Path(__file__).resolve().parents[2] / "shared/data/boundaries/cn_districts_tianditu.geojson.gz"
REACHES_M = (1_000.0, 2_000.0, 5_000.0)
TARGET_REACH_M = 2_000.0
TARGET_FIXES_PER_S = 2_000_000.0
PLACES = 50_000

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]


@dataclass(frozen=True)
class Batch:
    """Fixes of random persons as pairs with their zones; ``polygons`` is True where the zone is no circle."""

    fixes: int
    shape: I32
    lon: F64
    lat: F64
    polygons: NDArray[np.bool_]


class Nation:
    """Persons, their zones, and fixes drawn from a seed."""

    def __init__(self, persons: int, seed: int = 20260101) -> None:
        self._rng = np.random.default_rng(seed)
        with gzip.open(COUNTIES) as f:
            features = json.load(f)["features"]
        self.geometries = np.array([shapely.geometry.shape(f["geometry"]) for f in features], object)
        self.counties = len(self.geometries)
        self._box = shapely.bounds(self.geometries)
        self.county = self._rng.integers(0, len(self.geometries), persons)
        self.home_lon, self.home_lat = self.anywhere_in(self.county)
        self._place_county = np.sort(self._rng.integers(0, len(self.geometries), PLACES))
        places = self._places(*self.anywhere_in(self._place_county))
        self.geometries = np.concatenate([self.geometries, places])
        by_county = np.searchsorted(self._place_county, np.arange(self.counties + 1)) + self.counties
        self.places_of = [range(a, b) for a, b in pairwise(by_county.tolist())]
        self._kept_out_of = self._rng.integers(0, 6, persons)
        homes = zip(self.home_lon.tolist(), self.home_lat.tolist(), strict=True)
        self.shapes: list[Shape] = [*map(_area, self.geometries), *(Circle(x, y, 500.0) for x, y in homes)]

    def batch(self, fixes: int) -> Batch:
        """``fixes`` fixes of different persons, as pairs (zone, position)."""
        rng = self._rng
        person = rng.choice(len(self.county), fixes, replace=False)
        county = self.county[person]
        lon, lat = self.anywhere_in(county)
        home = rng.random(fixes) < 0.7
        lon[home] = self.home_lon[person[home]] + rng.normal(0, 0.0015, home.sum())
        lat[home] = self.home_lat[person[home]] + rng.normal(0, 0.0012, home.sum())
        first = np.searchsorted(self._place_county, county)
        there = np.searchsorted(self._place_county, county, side="right") - first
        places = np.where(there > 0, self._kept_out_of[person], 0)
        zones = 2 + places
        fix = np.repeat(np.arange(fixes), zones)
        begin = np.cumsum(zones) - zones
        picked = first[fix] + (rng.random(len(fix)) * there[fix]).astype(np.int64)
        shape = len(self._box) + np.minimum(picked, PLACES - 1)
        shape[begin] = county
        shape[begin + 1] = len(self.geometries) + person
        return Batch(fixes, shape.astype(np.int32), lon[fix], lat[fix], shape < len(self.geometries))

    def anywhere_in(self, county: NDArray[np.int64]) -> tuple[F64, F64]:
        lon, lat = np.empty(len(county)), np.empty(len(county))
        shapely.prepare(self.geometries)
        todo = np.argsort(county, kind="stable")
        while len(todo):
            west, south, east, north = self._box[county[todo]].T
            lon[todo], lat[todo] = self._rng.uniform(west, east), self._rng.uniform(south, north)
            todo = todo[~shapely.contains_xy(self.geometries[county[todo]], lon[todo], lat[todo])]
        return lon, lat

    def _places(self, lon: F64, lat: F64) -> NDArray[np.object_]:
        corners = self._rng.integers(4, 33, len(lon))
        of = np.repeat(np.arange(len(lon)), corners)
        nth = np.arange(len(of)) - np.repeat(np.cumsum(corners) - corners, corners)
        angle = (nth + self._rng.uniform(0, 0.9, len(of))) * 2 * np.pi / corners[of]
        radius = self._rng.uniform(0.5, 1, len(of)) * (10 ** self._rng.uniform(-3.3, -2, len(lon)))[of]
        x, y = lon[of] + 1.3 * radius * np.cos(angle), lat[of] + radius * np.sin(angle)
        rings = shapely.linearrings(x, y, indices=of)
        polygons: NDArray[np.object_] = shapely.polygons(rings)
        return polygons


def _area(geometry: Any) -> Area:
    return Area(
        tuple(
            tuple(
                tuple(map(tuple, shapely.get_coordinates(ring).tolist()))
                for ring in (p.exterior, *p.interiors)
            )
            for p in shapely.get_parts(geometry)
        )
    )


def timed(work: Callable[[], object], repeats: int) -> list[float]:
    """CPU seconds of each repeat, after one that warms up.  CPU time, because neighbours share the machine;
    all of it is one thread's."""
    work()
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return seconds


def differing(nation: Nation, index: ZoneIndex, batch: Batch) -> int:
    """Answers at any reach that contradict GEOS on inside, or the answer without a reach on distance."""
    full = index.signed_distance(batch.shape, batch.lon, batch.lat)
    p = batch.polygons
    inside = shapely.contains_xy(nation.geometries[batch.shape[p]], batch.lon[p], batch.lat[p])
    wrong = int((((full[p] < 0) != inside) & (np.abs(full[p]) > 0.01)).sum())
    for reach_m in REACHES_M:
        ours = index.signed_distance(batch.shape, batch.lon, batch.lat, reach_m)
        clipped = (np.abs(full) >= 0.999 * reach_m) & (ours == np.copysign(reach_m, full))
        wrong += int(((ours != full) & ~clipped).sum())
    return wrong


def usual_ways(nation: Nation, batch: Batch, repeats: int) -> list[Row]:
    """What one would otherwise have: inside or not, of polygons only, no distance."""
    p = batch.polygons
    shape, points = batch.shape[p], shapely.points(batch.lon[p], batch.lat[p])
    zones = nation.geometries[shape]
    for geometry in nation.geometries:
        shapely.destroy_prepared(geometry)
    plain = timed(lambda: shapely.contains_xy(zones, batch.lon[p], batch.lat[p]), repeats)
    edges = shapely.boundary(zones)
    distance = timed(lambda: shapely.distance(edges, points), 1)
    shapely.prepare(nation.geometries)
    prepared = timed(lambda: shapely.contains_xy(zones, batch.lon[p], batch.lat[p]), repeats)
    tree = shapely.STRtree(nation.geometries)
    first = np.flatnonzero(np.diff(batch.lon, prepend=np.nan) != 0)
    fixes = shapely.points(batch.lon[first], batch.lat[first])
    queried = timed(lambda: tree.query(fixes, predicate="intersects"), repeats)
    ways = {
        "shapely contains_xy, pair by pair": plain,
        "shapely contains_xy, prepared": prepared,
        "shapely STRtree, then intersects": queried,
        "shapely distance, pair by pair": distance,
    }
    rows = [Row(what, "fixes/s", [batch.fixes / s for s in seconds]) for what, seconds in ways.items()]
    rows += _geopandas(nation, batch, first, repeats)
    return rows + postgis.asked(nation.geometries, shape, points, fixes, repeats)


def _geopandas(nation: Nation, batch: Batch, first: NDArray[np.int64], repeats: int) -> list[Row]:
    """A spatial join, where geopandas is installed (it is no dependency)."""
    try:
        import geopandas  # type: ignore[import-untyped]
    except ImportError:
        return []
    zones = geopandas.GeoDataFrame(geometry=nation.geometries)
    fixes = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(batch.lon[first], batch.lat[first]))
    seconds = timed(lambda: geopandas.sjoin(fixes, zones, predicate="within"), repeats)
    return [Row("geopandas sjoin", "fixes/s", [batch.fixes / s for s in seconds])]


def sharing(nation: Nation, index: ZoneIndex, repeats: int) -> list[Row]:
    """What one county costs that 10,000 persons share, in an index of its own and among all zones."""
    lon, lat = nation.anywhere_in(np.full(10_000, 7))
    alone = ZoneIndex([nation.shapes[7]])
    by_itself = timed(partial(alone.signed_distance, np.zeros(10_000, np.int32), lon, lat, 2_000.0), repeats)
    among_all = timed(
        partial(index.signed_distance, np.full(10_000, 7, np.int32), lon, lat, 2_000.0), repeats
    )
    return [
        Row("one county of 10,000 persons, alone", "ns/fix", [s * 1e5 for s in by_itself]),
        Row(f"the same county among {len(index):,} zones", "ns/fix", [s * 1e5 for s in among_all]),
    ]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="70,000 persons, few repeats")
    quick = parser.parse_args(argv).quick
    if not COUNTIES.is_file():
        print(f"geofence benchmark skipped: no county polygons at {COUNTIES}")
        return 0
    persons, fixes, repeats = (70_000, 20_000, 5) if quick else (700_000, 100_000, 15)
    nation = Nation(persons)
    start = time.process_time()
    index = ZoneIndex(nation.shapes)
    built = time.process_time() - start
    rebuilt = timed(partial(ZoneIndex, nation.shapes[:-1], previous=index), 1)
    batch = nation.batch(fixes)
    beside = usual_ways(nation, nation.batch(fixes // 5), 3)
    usual = max(beside, key=lambda row: row.median)
    rows = []
    for reach_m in (*REACHES_M, math.inf):
        seconds = timed(partial(index.signed_distance, batch.shape, batch.lon, batch.lat, reach_m), repeats)
        speed = [fixes / s for s in seconds]
        target = TARGET_FIXES_PER_S if reach_m == TARGET_REACH_M else None
        rows.append(
            Row(
                f"ZoneIndex, all zones of a person, reach {reach_m / 1000:g} km",
                "fixes/s",
                speed,
                target,
                beside="the best of below",
                times=statistics.median(speed) / usual.median,
            )
        )
    pairs = len(batch.shape) / fixes
    wrong = differing(nation, index, nation.batch(fixes))
    rows += beside
    rows += [
        Row(
            "answers that differ from exact",
            "answers",
            [wrong],
            0,
            at_most=True,
            extra={"zones_per_fix": pairs},
        ),
        Row(f"building the index of {len(index):,} zones", "s", [built], 10, at_most=True),
        Row("the same after an edit, grids lent", "s", rebuilt),
        Row("memory of the index", "MiB", [index.nbytes / 2**20]),
        *sharing(nation, index, repeats),
    ]
    name = "geofence-quick" if quick else "geofence"
    report(name, rows, date=datetime.now(UTC).isoformat(timespec="seconds"), packages=("numpy", "shapely"))
    return 0 if all(row.holds is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
