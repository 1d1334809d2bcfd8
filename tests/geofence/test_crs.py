"""Coordinate systems agree with what three independent libraries say, and inverses come back."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrections_monitor.geofence.crs import from_wgs84, to_wgs84
from corrections_monitor.geofence.place import haversine_m

VECTORS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "coord_vectors"
needs_vectors = pytest.mark.skipif(not VECTORS.is_dir(), reason=f"no coordinate vectors at {VECTORS}")
# The city table was asked of a map provider's service, which stands a constant 0.66 m (5.1e-6, 4.2e-6
# degrees) off the published polynomial that every library uses.
PROVIDER_M = 0.75


def columns(name: str) -> dict[str, list[str]]:
    with (VECTORS / name).open(encoding="utf-8-sig") as f:
        rows = list(csv.DictReader(f))
    return {key: [row[key] for row in rows] for key in rows[0]}


def pair(table: dict[str, list[str]], prefix: str) -> tuple[np.ndarray, np.ndarray]:
    return np.array(table[prefix + "_lon"], float), np.array(table[prefix + "_lat"], float)


@needs_vectors
@pytest.mark.parametrize(("crs", "prefix"), [("gcj02", "gcj"), ("bd09", "bd")])
def test_every_chinese_city_stands_where_the_published_table_puts_it(crs: str, prefix: str) -> None:
    table = columns("gcoord_china_cities.csv")
    wgs, shifted = pair(table, "wgs"), pair(table, prefix)
    assert haversine_m(*from_wgs84(*wgs, crs), *shifted).max() < PROVIDER_M
    assert haversine_m(*to_wgs84(*shifted, crs), *wgs).max() < PROVIDER_M


@needs_vectors
@pytest.mark.parametrize(
    ("crs", "prefixes"),
    [("gcj02", ("gcoord_gcj", "ct_gcj", "pr_gcj")), ("bd09", ("gcoord_bd", "pr_bd"))],
)
def test_three_libraries_agree_with_us_to_their_last_decimal_both_ways(
    crs: str, prefixes: tuple[str, ...]
) -> None:
    table = columns("wgs_gcj_bd_differential.csv")
    in_china = np.array(table["set"]) != "world"
    wgs = pair(table, "wgs")
    for prefix in prefixes:
        theirs = pair(table, prefix)
        assert np.abs(np.subtract(from_wgs84(*wgs, crs), theirs))[:, in_china].max() < 1e-9
        assert np.abs(np.subtract(to_wgs84(*theirs, crs), wgs))[:, in_china].max() < 1e-9


@needs_vectors
def test_the_world_outside_agrees_with_the_libraries_on_gcj02() -> None:
    table = columns("wgs_gcj_bd_differential.csv")
    assert (
        np.abs(np.subtract(from_wgs84(*pair(table, "wgs"), "gcj02"), pair(table, "gcoord_gcj"))).max() < 1e-9
    )


@needs_vectors
def test_known_answers_of_single_steps() -> None:
    table = columns("coordtransform_known_answers.csv")
    answers = {
        name: (float(a), float(b))
        for name, a, b in zip(table["func"], table["out_lon"], table["out_lat"], strict=True)
    }
    start = (116.404, 39.915)
    assert from_wgs84(*start, "gcj02") == pytest.approx(answers["wgs84togcj02"], abs=1e-12)
    assert from_wgs84(*to_wgs84(*start, "gcj02"), "bd09") == pytest.approx(answers["gcj02tobd09"], abs=1e-9)
    # The library's own inverses take one step only: near, but not the same.
    assert haversine_m(*to_wgs84(*start, "gcj02"), *answers["gcj02towgs84"]) < 5.0
    assert haversine_m(*from_wgs84(*to_wgs84(*start, "bd09"), "gcj02"), *answers["bd09togcj02"]) < 5.0


@given(st.floats(60, 150), st.floats(-5, 65), st.sampled_from(["wgs84", "gcj02", "bd09"]))
def test_there_and_back_is_the_same_place(lon: float, lat: float, crs: str) -> None:
    back = to_wgs84(*from_wgs84(lon, lat, crs), crs)
    ambiguous = crs != "wgs84" and any(
        abs(value - edge) < 0.03
        for value, edges in ((lon, (72.004, 137.8347)), (lat, (0.8293, 55.8271)))
        for edge in edges
    )
    # Just outside the box one place has two readings: its own, and that of a shifted place inside.
    if not ambiguous:
        assert back == pytest.approx((lon, lat), abs=1e-9)
    assert from_wgs84(*back, crs) == pytest.approx(from_wgs84(lon, lat, crs), abs=1e-9)


def test_a_place_just_inside_the_box_comes_back_although_its_shift_leads_out() -> None:
    lon, lat = 137.8346, 40.0
    assert from_wgs84(lon, lat, "gcj02")[0] > 137.8347
    assert to_wgs84(*from_wgs84(lon, lat, "gcj02"), "gcj02") == pytest.approx((lon, lat), abs=1e-9)


@pytest.mark.parametrize("crs", ["wgs84", "gcj02", "bd09"])
def test_nothing_moves_abroad(crs: str) -> None:
    assert from_wgs84(2.35, 48.85, crs) == (2.35, 48.85)
    assert to_wgs84(-122.4, 37.8, crs) == (-122.4, 37.8)


def test_arrays_keep_their_shape_and_are_not_written_to() -> None:
    lon, lat = np.full((3, 4), 122.07), np.full((3, 4), 41.12)
    for crs in ("wgs84", "gcj02", "bd09"):
        x, y = to_wgs84(lon, lat, crs)
        assert x.shape == y.shape == (3, 4)
        x[:] = 0
        assert (lon == 122.07).all()


def test_an_unknown_system_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'cgcs2000'.*wgs84, gcj02, bd09"):
        to_wgs84(122.0, 41.0, "cgcs2000")
