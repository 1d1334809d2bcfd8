"""Places as an officer reads them."""

from __future__ import annotations

import numpy as np
import pytest

from corrections_monitor.geofence.place import (
    bearing_deg,
    compass,
    direction_text,
    distance_text,
    haversine_m,
)
from corrections_monitor.model.settings import Language

PANJIN = (122.070, 41.120)


@pytest.mark.parametrize(
    ("east", "north", "zh", "en"),
    [
        (0.0, 0.01, "北方向 1.1 公里", "1.1 km north"),
        (0.01, 0.0075, "东北方向 1.2 公里", "1.2 km north-east"),
        (0.004, 0.0, "东方向 340 米", "340 m east"),
        (-0.01, -0.0075, "西南方向 1.2 公里", "1.2 km south-west"),
        (0.0, -4.0, "南方向 445 公里", "445 km south"),
        (0.00001, 0.0, "此处", "here"),
    ],
)
def test_where_a_person_is_seen_from_home(east: float, north: float, zh: str, en: str) -> None:
    there = PANJIN[0] + east, PANJIN[1] + north
    assert direction_text(*PANJIN, *there) == zh
    assert direction_text(*PANJIN, *there, Language.EN) == en


@pytest.mark.parametrize(
    ("metres", "text"),
    [
        (7.4, "7 米"),
        (99.4, "99 米"),
        (354, "350 米"),
        (994, "990 米"),
        (996, "1.0 公里"),
        (99_960, "100 公里"),
    ],
)
def test_distances_carry_no_false_precision(metres: float, text: str) -> None:
    assert distance_text(metres) == text


@pytest.mark.parametrize(
    ("bearing", "wind"), [(0, "北"), (22.4, "北"), (22.6, "东北"), (337.6, "北"), (359.9, "北"), (270, "西")]
)
def test_the_nearest_of_eight_winds(bearing: float, wind: str) -> None:
    assert compass(bearing) == wind


def test_haversine_of_known_places_in_every_shape() -> None:
    # Beijing to Shanghai: 1,067 km (great circle).
    assert haversine_m(116.4074, 39.9042, 121.4737, 31.2304) == pytest.approx(1_067_300, abs=500)
    lon = np.array([121.4737, 116.4074])
    lat = np.array([31.2304, 39.9042])
    far = haversine_m(116.4074, 39.9042, lon, lat)
    assert far.shape == (2,)
    assert far[1] == 0
    assert bearing_deg(122.0, 41.0, 121.0, 41.0) == pytest.approx(270, abs=0.5)
