"""Distances are right to 0.5 % or 1 m, and inside is where GEOS says it is, on real and on odd shapes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from geodesic import (
    GEOD,
    area,
    counties,
    county_index,
    edge_distance,
    geometry,
    needs_boundaries,
    signed_distance,
    within_promise,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from corrections_monitor.geofence.index import ZoneIndex
from corrections_monitor.model.cases import Area, Circle, Corridor, Shape

PANJIN = (122.07, 41.12)


def ask(
    shapes: list[Shape], lon: object, lat: object, which: object = 0, reach_m: float = math.inf
) -> np.ndarray:
    lon, lat = np.atleast_1d(np.asarray(lon, float)), np.atleast_1d(np.asarray(lat, float))
    shape = np.broadcast_to(np.asarray(which, np.int32), lon.shape)
    return ZoneIndex(shapes).signed_distance(shape, lon, lat, reach_m)


def box(west: float, south: float, east: float, north: float) -> Area:
    return area(shapely.box(west, south, east, north))


# --- circles -------------------------------------------------------------------------------------------


@given(
    st.floats(73, 135),
    st.floats(18, 54),
    st.floats(1, 100_000),
    st.floats(0, 360),
    st.floats(0, 500_000),
)
def test_a_circle_is_a_circle_on_the_ellipsoid(
    lon: float, lat: float, radius_m: float, bearing: float, far_m: float
) -> None:
    x, y, _ = GEOD.fwd(lon, lat, bearing, far_m)
    ours = ask([Circle(lon, lat, radius_m)], x, y)
    assert within_promise(ours, np.array([far_m - radius_m])).all()


def test_a_metre_beside_the_rim_of_a_large_circle_is_on_the_right_side() -> None:
    for bearing in range(0, 360, 15):
        for off in (-1.0, 1.0):
            x, y, _ = GEOD.fwd(*PANJIN, bearing, 50_000 + off)
            assert ask([Circle(*PANJIN, 50_000)], x, y)[0] == pytest.approx(off, abs=0.1)


def test_a_circle_across_the_date_line_has_no_seam() -> None:
    assert ask([Circle(179.9995, 41.0, 500)], -179.9995, 41.0)[0] == pytest.approx(-416, abs=1)


# --- areas ---------------------------------------------------------------------------------------------


def test_inside_a_hole_is_outside_and_an_island_in_it_is_inside() -> None:
    lake = shapely.Polygon(
        [(122, 41), (122.1, 41), (122.1, 41.1), (122, 41.1)],
        [[(122.02, 41.02), (122.08, 41.02), (122.08, 41.08), (122.02, 41.08)]],
    )
    shape = area(shapely.MultiPolygon([lake, shapely.box(122.04, 41.04, 122.06, 41.06)]))
    lon, lat = [122.01, 122.03, 122.05, 121.99], [41.05] * 4
    inside = ask([shape], lon, lat) < 0
    assert inside.tolist() == [True, False, True, False]
    for x, y, ours in zip(lon, lat, ask([shape], lon, lat), strict=True):
        assert within_promise(ours, np.array(signed_distance(shape, x, y)))


def test_points_level_with_corners_and_edges_are_judged_right() -> None:
    # Every coordinate of points and corners comes from one small lattice, so that lines run through
    # corners and along edges all the time.
    star = shapely.Polygon([(0, 0), (2, 1), (4, 0), (3, 2), (4, 4), (2, 3), (0, 4), (1, 2)])
    steps = shapely.Polygon([(0, 0), (4, 0), (4, 1), (3, 1), (3, 2), (2, 2), (2, 3), (1, 3), (1, 4), (0, 4)])
    lon, lat = (a.ravel() / 2 for a in np.meshgrid(np.arange(-2, 11), np.arange(-2, 11)))
    for polygon in (star, steps, shapely.box(0, 0, 4, 4), shapely.box(0, 0, 4, 1)):
        placed = shapely.transform(polygon, lambda xy: np.array([122.0, 41.0]) + xy / 64)
        x, y = 122.0 + lon / 64, 41.0 + lat / 64
        off_rim = shapely.distance(shapely.boundary(placed), shapely.points(x, y)) > 1e-9
        ours = ask([area(placed)], x, y)
        assert ((ours < 0) == shapely.contains_xy(placed, x, y))[off_rim].all()
        assert np.abs(ours[~off_rim]).max() < 0.01


@st.composite
def stars(draw: st.DrawFn) -> Area:
    """A star-shaped polygon with 3–250 corners, 20 m to 200 km wide, anywhere in China, perhaps holed."""
    corners = draw(st.one_of(st.integers(3, 31), st.integers(32, 250)))
    size = 10 ** draw(st.floats(-4, 0))
    seed = draw(st.integers(0, 2**32 - 1))
    lon, lat = draw(st.floats(74, 134)), draw(st.floats(19, 53))
    rng = np.random.default_rng(seed)
    angle = (np.arange(corners) + rng.uniform(0, 0.8, corners)) * (2 * np.pi / corners)
    radius = rng.uniform(0.3, 1, corners) * size
    ring = np.column_stack([lon + radius * np.cos(angle), lat + radius * np.sin(angle)])
    hole = np.column_stack([lon + 0.3 * radius * np.cos(angle), lat + 0.3 * radius * np.sin(angle)])
    polygon = shapely.Polygon(ring, [hole] if draw(st.booleans()) else None)
    return area(polygon if polygon.is_valid else shapely.Polygon(ring))


@given(stars(), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_any_polygon_agrees_with_geos_and_with_geodesics(shape: Area, seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = geometry(shape)
    west, south, east, north = truth.bounds
    wide, high = east - west, north - south
    lon = rng.uniform(west - wide, east + wide, 200)
    lat = np.clip(rng.uniform(south - high, north + high, 200), 17, 55)
    ours = ask([shape], lon, lat)
    assert ((ours < 0) == shapely.contains_xy(truth, lon, lat))[np.abs(ours) > 0.01].all()
    for k in range(2):
        assert within_promise(ours[k], np.array(signed_distance(shape, lon[k], lat[k])))


@given(stars(), st.integers(0, 2**32 - 1), st.one_of(st.just(0.0), st.floats(0, 50_000)))
@settings(max_examples=100, deadline=None)
def test_a_reach_clips_what_is_farther_and_changes_nothing_else(
    shape: Area, seed: int, reach_m: float
) -> None:
    rng = np.random.default_rng(seed)
    west, south, east, north = geometry(shape).bounds
    lon, lat = rng.uniform(2 * west - east, 2 * east - west, 200), rng.uniform(south, north, 200)
    full, clipped = ask([shape], lon, lat), ask([shape], lon, lat, reach_m=reach_m)
    same = clipped == full
    assert (same | (clipped == np.copysign(reach_m, full))).all()
    assert (np.signbit(clipped) == np.signbit(full)).all()
    assert (np.abs(full[~same]) >= reach_m * 0.995).all()


@given(stars(), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_the_few_edges_of_a_cell_answer_as_all_edges_do(shape: Area, seed: int) -> None:
    # The same outline in two parts of which one is tiny and far away: another grid, the same answers.
    rng = np.random.default_rng(seed)
    west, south, east, north = geometry(shape).bounds
    speck = shapely.box(west - 3, south, west - 3 + 1e-6, south + 1e-6)
    twin = Area((*shape.polygons, *area(speck).polygons))
    lon, lat = rng.uniform(west, east, 1000), rng.uniform(south, north, 1000)
    near = np.abs(ask([twin], lon, lat)) < 30_000
    assert ask([twin], lon[near], lat[near]) == pytest.approx(ask([shape], lon[near], lat[near]), rel=1e-12)


@pytest.mark.parametrize("far_km", [400, 1_000, 2_500])
def test_far_beyond_any_reach_the_promise_still_holds(far_km: int) -> None:
    angle = np.linspace(0, 2 * np.pi, 41)
    ring = np.column_stack([PANJIN[0] + 0.4 * np.cos(angle), PANJIN[1] + 0.3 * np.sin(angle)])
    shape = area(shapely.Polygon(ring))
    for bearing in (200, 230, 260, 290):
        lon, lat, _ = GEOD.fwd(*PANJIN, bearing, far_km * 1000)
        assert within_promise(ask([shape], lon, lat), np.array(signed_distance(shape, lon, lat))).all()


# --- corridors -----------------------------------------------------------------------------------------


@given(st.integers(2, 80), st.floats(1, 20_000), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_corridor_is_all_within_half_its_width(points: int, width_m: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    line = np.cumsum(rng.normal(0, 0.02, (points, 2)), axis=0) + PANJIN
    shape = Corridor(tuple((x, y) for x, y in line), width_m)
    lon = rng.uniform(line[:, 0].min() - 0.05, line[:, 0].max() + 0.05, 4)
    lat = rng.uniform(line[:, 1].min() - 0.05, line[:, 1].max() + 0.05, 4)
    truth = np.array([signed_distance(shape, x, y) for x, y in zip(lon, lat, strict=True)])
    assert within_promise(ask([shape], lon, lat), truth).all()


def test_a_corridor_that_closes_on_itself_has_an_outside_in_the_middle() -> None:
    for points in (5, 60):  # asked edge by edge, and by the cells of a grid
        angle = np.linspace(0, 2 * np.pi, points)
        line = np.column_stack([122 + 0.1 * np.cos(angle), 41 + 0.07 * np.sin(angle)])
        ring = Corridor(tuple((x, y) for x, y in line), 500)
        assert ask([ring], 122, 41)[0] == pytest.approx(edge_distance(ring, 122, 41) - 250, rel=5e-3)


@pytest.mark.parametrize("points", [5, 200])
@pytest.mark.parametrize("reach_m", [0.0, 300.0, 5_000.0])
def test_a_reach_clips_corridors_at_their_rim_not_at_their_line(points: int, reach_m: float) -> None:
    angle = np.linspace(0, 1.9 * np.pi, points)
    line = np.column_stack([122 + 0.1 * np.cos(angle), 41 + 0.07 * np.sin(angle)])
    corridor = Corridor(tuple((x, y) for x, y in line), 6_000)
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(121.7, 122.3, 3000), rng.uniform(40.8, 41.2, 3000)
    full, clipped = ask([corridor], lon, lat), ask([corridor], lon, lat, reach_m=reach_m)
    assert {True, False} == set((full < 0).tolist())
    assert (np.signbit(clipped) == np.signbit(full)).all()
    within = np.abs(full) < reach_m
    assert (clipped[within] == full[within]).all()
    assert (np.abs(clipped[~within]) >= reach_m * 0.999).all()


# --- many at once --------------------------------------------------------------------------------------


def test_shapes_of_all_kinds_keep_their_numbers() -> None:
    shapes: list[Shape] = [
        box(122, 41, 122.1, 41.1),
        Circle(122.05, 41.05, 100),
        Corridor(((122, 41.05), (122.1, 41.05)), 1000),
        box(122.2, 41, 122.3, 41.1),
        Circle(0, 0, 100),
    ]
    answers = ask(shapes, [122.05] * 5, [41.05] * 5, [0, 1, 2, 3, 4])
    truth = [signed_distance(s, 122.05, 41.05) for s in shapes]
    assert within_promise(answers, np.array(truth)).all()
    assert (answers < 0).tolist() == [True, True, True, False, False]


def test_nothing_asked_and_nothing_stored_is_fine() -> None:
    assert ask([], [], []).shape == (0,)
    assert ask([Circle(*PANJIN, 10)], [], []).shape == (0,)


def test_a_shape_without_an_edge_is_refused() -> None:
    with pytest.raises(ValueError, match="shape 1 has no edge"):
        ZoneIndex([box(122, 41, 122.1, 41.1), Area(())])


def test_a_corridor_that_stands_still_is_a_circle() -> None:
    still = Corridor((PANJIN, PANJIN), 200)
    assert ask([still], PANJIN[0], PANJIN[1] + 0.01)[0] == pytest.approx(1110.7 - 100, abs=1)


def test_a_zone_is_stored_once_however_many_persons_it_has_and_a_circle_is_small() -> None:
    homes = [Circle(120 + k * 1e-5, 41.0, 300) for k in range(10_000)]
    assert ZoneIndex(homes).nbytes < 37 * len(homes)


def test_an_index_built_on_another_answers_like_one_built_alone() -> None:
    angle = np.linspace(0, 2 * np.pi, 100)
    round_ = Area(((tuple(zip(122 + 0.1 * np.cos(angle), 41 + 0.1 * np.sin(angle), strict=True)),),))
    first = ZoneIndex([round_, Circle(*PANJIN, 100)])
    moved: list[Shape] = [Circle(122, 41, 300), box(122, 41, 122.1, 41.1), round_]
    other: list[Shape] = [Circle(122, 41, 300), box(122, 41, 122.1, 41.1), Area(round_.polygons)]
    grown: list[Shape] = [round_, box(122, 41, 122.1, 41.1), Corridor(round_.polygons[0][0], 200)]
    rng = np.random.default_rng(5)
    for shapes in (moved, other, grown):
        which = rng.integers(0, 3, 500).astype(np.int32)
        lon, lat = rng.uniform(121.8, 122.2, 500), rng.uniform(40.8, 41.2, 500)
        built_on = ZoneIndex(shapes, previous=first).signed_distance(which, lon, lat)
        assert (built_on == ZoneIndex(shapes).signed_distance(which, lon, lat)).all()


# --- the real thing ------------------------------------------------------------------------------------


@needs_boundaries
def test_every_county_of_china_agrees_with_geos_on_inside() -> None:
    shapes = counties()
    truth = np.array([geometry(s) for s in shapes], object)
    rng = np.random.default_rng(20260101)
    which = np.repeat(np.arange(len(shapes), dtype=np.int32), 40)
    west, south, east, north = shapely.bounds(truth)[which].T
    lon = rng.uniform(west - 0.1 * (east - west), east + 0.1 * (east - west))
    lat = rng.uniform(south - 0.1 * (north - south), north + 0.1 * (north - south))
    index = county_index()
    inside = shapely.contains_xy(truth[which], lon, lat)
    for reach_m in (math.inf, 2_000.0):
        ours = index.signed_distance(which, lon, lat, reach_m)
        assert ((ours < 0) == inside)[np.abs(ours) > 0.01].all()


@needs_boundaries
def test_a_centimetre_beside_real_borders_is_on_the_right_side() -> None:
    shapes = counties()
    rng = np.random.default_rng(7)
    which = rng.integers(0, len(shapes), 20_000).astype(np.int32)
    lon, lat = np.empty(len(which)), np.empty(len(which))
    for k, s in enumerate(which):
        ring = shapes[s].polygons[0][0]
        at = rng.integers(0, len(ring) - 1)
        (ax, ay), (bx, by) = ring[at], ring[at + 1]
        t = rng.uniform()
        lon[k], lat[k] = ax + t * (bx - ax), ay + t * (by - ay)
    lon += rng.normal(0, 2e-7, len(which))  # about 2 cm
    lat += rng.normal(0, 2e-7, len(which))
    ours = county_index().signed_distance(which, lon, lat)
    truth = np.array([geometry(s) for s in shapes], object)
    inside = shapely.contains_xy(truth[which], lon, lat)
    assert np.abs(ours).max() < 1
    assert ((ours < 0) == inside)[np.abs(ours) > 0.01].all()


@needs_boundaries
def test_distances_to_real_borders_keep_the_promise_against_geodesics() -> None:
    shapes = counties()
    rng = np.random.default_rng(11)
    which = rng.choice(len(shapes), 60, replace=False).astype(np.int32)
    bounds = np.array([geometry(shapes[s]).bounds for s in which])
    wide = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1])
    lon = (bounds[:, 0] + bounds[:, 2]) / 2 + rng.normal(0, 0.7, len(which)) * wide
    lat = (bounds[:, 1] + bounds[:, 3]) / 2 + rng.normal(0, 0.7, len(which)) * wide
    ours = county_index().signed_distance(which, lon, lat)
    truth = np.array([signed_distance(shapes[s], x, y) for s, x, y in zip(which, lon, lat, strict=True)])
    assert within_promise(ours, truth).all()
