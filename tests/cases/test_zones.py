"""zones.geojson: what is read, and what a clerk is told of a zone that cannot be."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from case_folders import SQUARE, ZONE, collection, feature, point, told, told_with, write_folder

from corrections_monitor.cases import read
from corrections_monitor.model.cases import Area, Circle, Corridor, Zone, ZoneKind

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no external data at {DATA}")


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def zones_of(tmp_path: Path, *features: Any, **members: Any) -> dict[str, Zone]:
    changes: dict[str, str | bytes | None] = {
        "zones.geojson": collection(*features, **members),
        "leaves.csv": None,
    }
    return dict(read(write_folder(tmp_path, changes), ZONE).zones)


def faults_of(tmp_path: Path, *features: Any, **members: Any) -> list[str]:
    write_folder(tmp_path)
    (tmp_path / "leaves.csv").unlink()
    (tmp_path / "zones.geojson").write_text(collection(*features, **members), encoding="utf-8")
    return told(tmp_path)


def test_every_shape_is_read(tmp_path: Path) -> None:
    hole = [[122.04, 41.04], [122.06, 41.04], [122.05, 41.06], [122.04, 41.04]]
    far = [[[lon + 1, lat] for lon, lat in SQUARE]]
    line = {"type": "LineString", "coordinates": [[122, 41], [122.1, 41.2, 7.5]]}
    zones = zones_of(
        tmp_path,
        feature(polygon(SQUARE, hole), zone_id="a", buffer_m=20, group="g"),
        feature({"type": "MultiPolygon", "coordinates": [[SQUARE], far]}, zone_id="b", applies_to="station"),
        feature(point(122, 41), zone_id="c", radius_m=150, applies_to="*", kind="exclusion"),
        feature(line, zone_id="d", width_m=40.5, applies_to=""),
    )
    a, b, c, d = (zones[name] for name in "abcd")
    assert isinstance(a.shape, Area)
    assert [len(ring) for ring in a.shape.polygons[0]] == [5, 4]
    assert (a.buffer_m, a.group) == (20, "g")
    assert isinstance(b.shape, Area)
    assert len(b.shape.polygons) == 2
    assert c.shape == Circle(122.0, 41.0, 150.0)
    assert (c.kind, c.applies_to) == (ZoneKind.EXCLUSION, "*")
    assert d.shape == Corridor(((122.0, 41.0), (122.1, 41.2)), 40.5), "altitude is dropped"


def test_null_is_as_good_as_absent_and_foreign_members_are_let_be(tmp_path: Path) -> None:
    drawn = feature()
    drawn["properties"] |= {"group": None, "schedule": None, "buffer_m": None, "crs": None, "radius_m": None}
    drawn["id"], drawn["bbox"] = 7, [122, 41, 122.1, 41.1]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}

    zones = zones_of(tmp_path, drawn, crs=crs, name="zones")

    assert zones["home"].schedule.always


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"zone_id": None}, "zone_id: the required property is missing"),
        ({"zone_id": ""}, "zone_id: must not be empty"),
        ({"zone_id": 7}, 'zone_id: "7" is not text: write it in quotes'),
        ({"zone_id": "a;b"}, 'zone_id: "a;b" holds ";"'),
        ({"name": "a\x00"}, 'name: "a�" holds a character that is not text'),
        ({"name": "\ud800"}, 'name: "�" holds a character that is not text'),
        ({"kind": "forbidden"}, 'kind: "forbidden" is not one of inclusion, exclusion'),
        ({"applies_to": "nobody"}, 'applies_to: no such person or office "nobody"'),
        ({"colour": "red"}, "colour: unknown property"),
        ({"radius_m": 5}, "radius_m: does not belong to a Polygon"),
        ({"buffer_m": -1}, 'buffer_m: "-1" is not a number of metres'),
        ({"buffer_m": True}, 'buffer_m: "true" is not a number of metres'),
        ({"buffer_m": "20"}, 'buffer_m: "20" is not a number of metres'),
        ({"buffer_m": math.nan}, 'buffer_m: "NaN" is not a number of metres'),
        ({"crs": "utm"}, 'crs: "utm" is not one of wgs84, gcj02, bd09'),
        ({"kind": "exclusion", "group": "g"}, "group: an exclusion zone has no group"),
        ({"schedule": []}, "schedule: schedule must be null or a list of windows"),
        (
            {"schedule": [{"days": "Mo", "from": "25:00", "to": "06:00"}]},
            "schedule: '25:00' is not a time of day",
        ),
    ],
)
def test_a_faulty_property(tmp_path: Path, properties: dict[str, Any], expected: str) -> None:
    messages = faults_of(tmp_path, feature(zone_id="sound"), feature(**properties))

    assert len(messages) == 1, messages
    assert messages[0].startswith(f"zones.geojson:2: {expected}"), messages[0]


BOW_TIE = [[122.0, 41.0], [122.1, 41.1], [122.1, 41.0], [122.0, 41.1], [122.0, 41.0]]
SPECK = [[122.05, 41.05], [122.05, 41.05], [122.05, 41.05], [122.05, 41.05]]
OUTSIDE = [[123.0, 41.0], [123.1, 41.0], [123.1, 41.1], [123.0, 41.0]]


@pytest.mark.parametrize(
    ("geometry", "expected"),
    [
        (polygon(BOW_TIE), "the outline crosses itself near 122.050000, 41.050000"),
        (polygon(SPECK), "a ring has too few different positions near 122.050000, 41.050000"),
        (polygon([[122, 41], [122.1, 41], [122.2, 41], [122, 41]]), "the outline"),
        (polygon(SQUARE, OUTSIDE), "a hole lies outside its outline near 123.0"),
        (
            {"type": "MultiPolygon", "coordinates": [[SQUARE], [SQUARE]]},
            "the outline crosses itself near 122.",
        ),
        (
            polygon(SQUARE[:-1]),
            "ring 1 is not closed: its last position must repeat the first, 122.000000, 41",
        ),
        (polygon([*SQUARE[:2], SQUARE[0]]), "ring 1 has 3 positions: a closed ring has at least 4"),
        (
            polygon([[lat, lon] for lon, lat in SQUARE]),
            'ring 1: position 1 is "[41.0, 122.0]": longitude and l',
        ),
        (
            polygon([[40.1, 80.2], [40.2, 80.2], [40.2, 80.3], [40.1, 80.2]]),
            'ring 1: position 1 is "[40.1, 80',
        ),
        (
            polygon([[4e7, 4e6], *SQUARE]),
            'ring 1: position 1 is "[40000000.0, 4000000.0]": outside longitude',
        ),
        (
            polygon([*SQUARE[:2], [math.nan, 41], *SQUARE[2:]]),
            'ring 1: position 3 is "[NaN, 41]": longitude and',
        ),
        (
            polygon([*SQUARE[:2], [math.inf, 41], *SQUARE[2:]]),
            'ring 1: position 3 is "[Infinity, 41]": longi',
        ),
        (
            polygon([*SQUARE[:2], ["122", "41"], *SQUARE[2:]]),
            'ring 1: position 3 is "["122", "41"]": expected [',
        ),
        (
            polygon([*SQUARE[:2], [True, 41], *SQUARE[2:]]),
            'ring 1: position 3 is "[true, 41]": expected [longi',
        ),
        (polygon([*SQUARE[:2], [10**400, 41], *SQUARE[2:]]), 'ring 1: position 3 is "[1000'),
        (
            polygon([*SQUARE[:2], [122], *SQUARE[2:]]),
            'ring 1: position 3 is "[122]": expected [longitude, lat',
        ),
        (polygon(SQUARE, []), "ring 2 is empty: it has no positions"),
        (polygon(), "the Polygon is empty: it has no positions"),
        (
            {"type": "MultiPolygon", "coordinates": [[SQUARE], []]},
            "polygon 2, the polygon is empty: it has no",
        ),
        ({"type": "Polygon"}, "the Polygon is empty: it has no positions"),
        ({"type": "Polygon", "coordinates": 7}, "the Polygon is empty: it has no positions"),
        ({"type": "LineString", "coordinates": [[122, 41], [122, 41]]}, "the line has no length"),
        (
            {"type": "MultiPoint", "coordinates": [[122, 41]]},
            '"MultiPoint" is not a shape for a zone: expected',
        ),
        ({"type": "GeometryCollection", "geometries": []}, '"GeometryCollection" is not a shape for a zone'),
        ("POLYGON", '"null" is not a shape for a zone'),
    ],
)
def test_a_faulty_geometry(tmp_path: Path, geometry: Any, expected: str) -> None:
    wide = {"width_m": 10} if isinstance(geometry, dict) and geometry["type"] == "LineString" else {}

    messages = faults_of(tmp_path, feature(zone_id="sound"), feature(geometry, **wide))

    assert len(messages) == 1, messages
    assert messages[0].startswith(f"zones.geojson:2: geometry: {expected}"), messages[0]


def test_every_bad_ring_of_a_zone_is_told(tmp_path: Path) -> None:
    messages = faults_of(tmp_path, feature(polygon(SQUARE[:-1], [], SQUARE), colour="red"))

    assert [message.split(": ", 1)[1].split(" is ")[0] for message in messages] == [
        "colour: unknown property",
        "geometry: ring 1",
        "geometry: ring 2",
    ]


@pytest.mark.parametrize(
    ("geometry", "properties", "expected"),
    [
        (point(122, 41), {}, "radius_m: a Point needs it: a number of metres greater than 0"),
        (point(122, 41), {"radius_m": 0}, "radius_m: must be greater than 0"),
        (point(122, 41), {"radius_m": -5}, 'radius_m: "-5" is not a number of metres'),
        (point(122, 41), {"radius_m": 3e7}, 'radius_m: "30000000.0" is not a number of metres'),
        (point(122, 41), {"radius_m": 10**400}, 'radius_m: "1000'),
        (point(122, 41), {"radius_m": 5, "width_m": 5}, "width_m: does not belong to a Point"),
        (
            point(41, 122),
            {"radius_m": 5},
            'geometry: the point: position 1 is "[41, 122]": longitude and lat',
        ),
        (point(None, 41), {"radius_m": 5}, 'geometry: the point: position 1 is "[null, 41]": expected [long'),
        ({"type": "LineString", "coordinates": [[122, 41], [123, 41]]}, {}, "width_m: a LineString needs it"),
    ],
)
def test_a_faulty_size(tmp_path: Path, geometry: Any, properties: dict[str, Any], expected: str) -> None:
    (message,) = faults_of(tmp_path, feature(geometry, **properties))

    assert message.startswith(f"zones.geojson:1: {expected}"), message


def test_a_feature_without_geometry(tmp_path: Path) -> None:
    bare = feature()
    bare["geometry"] = None
    assert faults_of(tmp_path, bare) == ["zones.geojson:1: geometry: has no geometry (null)"]


@pytest.mark.parametrize("bad", [7, None, {"type": "Feature"}, {"type": "Feature", "properties": []}, SQUARE])
def test_what_is_no_feature(tmp_path: Path, bad: Any) -> None:
    assert faults_of(tmp_path, feature(), bad) == [
        "zones.geojson:2: file: is not a GeoJSON Feature with properties"
    ]


def test_a_zone_id_given_twice(tmp_path: Path) -> None:
    again = feature(polygon(BOW_TIE))
    assert faults_of(tmp_path, feature(), feature(zone_id="x"), again) == [
        "zones.geojson:3: geometry: the outline crosses itself near 122.050000, 41.050000",
        "zones.geojson:3: zone_id: the same zone_id stands at feature 1 already",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"type":"FeatureCollection",\n"features":[\n{]}', "3: file: is not JSON: "),
        ("", "1: file: is not JSON: "),
        ("[" * 100_000, "1: file: is not GeoJSON: nested too deeply"),
        (
            '{"type":"FeatureCollection","features":[' + "[" * 100_000,
            "1: file: is not GeoJSON: nested too deeply",
        ),
        ("[]", "1: file: is not a GeoJSON FeatureCollection"),
        ('{"type":"FeatureCollection"}', "1: file: is not a GeoJSON FeatureCollection"),
        (json.dumps(feature()), "1: file: is not a GeoJSON FeatureCollection"),
        (collection(type="Feature"), "1: file: is not a GeoJSON FeatureCollection"),
        (
            collection(crs={"properties": {"name": "EPSG:3857"}}),
            '1: crs: the file says its coordinates are "EP',
        ),
    ],
)
def test_a_faulty_collection(tmp_path: Path, text: str, expected: str) -> None:
    (message,) = [m for m in told_with(tmp_path, "zones.geojson", text) if m.startswith("zones")]

    assert message.startswith(f"zones.geojson:{expected}")


@pytest.mark.parametrize("number", ["1" * 5000, "1e999", "-1e999", "NaN"])
def test_a_number_too_large_for_any_computer_is_told_of(tmp_path: Path, number: str) -> None:
    text = collection(feature(buffer_m="?"), feature(zone_id="work")).replace('"?"', number)

    (message,) = told_with(tmp_path, "zones.geojson", text)

    assert message.startswith("zones.geojson:1: buffer_m: ")


def test_all_that_is_wrong_with_a_zone_is_told_at_once(tmp_path: Path) -> None:
    messages = faults_of(tmp_path, feature(polygon(BOW_TIE), kind="x", applies_to="nobody", buffer_m=-1))

    assert [message.split(": ")[1] for message in messages] == ["kind", "buffer_m", "geometry", "applies_to"]


def test_a_leave_leads_to_no_forbidden_place(tmp_path: Path) -> None:
    (message,) = told_with(
        tmp_path, "zones.geojson", collection(feature(kind="exclusion"), feature(zone_id="work"))
    )
    assert message.startswith('leaves.csv:2: zone_ids: "home" is an exclusion zone')


@needs_data
@pytest.mark.parametrize("crs", ["gcj02", "bd09"])
def test_known_places_come_out_in_wgs84(tmp_path: Path, crs: str) -> None:
    path = DATA / "coord_vectors" / "wgs_gcj_bd_differential.csv"
    known = np.genfromtxt(path, delimiter=",", names=True, max_rows=200)
    lon, lat = (f"gcoord_{crs[:-2]}_{axis}" for axis in ("lon", "lat"))
    drawn = [
        feature(point(row[lon], row[lat]), zone_id=f"z{i}", radius_m=100, crs=crs)
        for i, row in enumerate(known)
    ]
    zones = zones_of(tmp_path, *drawn)

    for i, row in enumerate(known):
        shape = zones[f"z{i}"].shape
        assert isinstance(shape, Circle)
        assert math.hypot(shape.lon - row["wgs_lon"], shape.lat - row["wgs_lat"]) < 1e-6  # 0.1 m


@needs_data
def test_real_outlines_that_cross_themselves_are_refused_with_the_place(tmp_path: Path) -> None:
    path = DATA / "boundaries" / "panjin_districts_datav2021_GCJ02.geojson"
    drawn = json.loads(path.read_text(encoding="utf-8"))["features"]

    messages = faults_of(
        tmp_path, *(feature(f["geometry"], zone_id=f"z{i}", crs="gcj02") for i, f in enumerate(drawn))
    )

    assert messages == [
        "zones.geojson:2: geometry: the outline crosses itself near 122.299740, 41.055112",
        "zones.geojson:3: geometry: the outline crosses itself near 122.305098, 41.077253",
        "zones.geojson:4: geometry: the outline crosses itself near 122.013697, 41.251028",
    ]


@needs_data
def test_the_real_districts_are_read(tmp_path: Path) -> None:
    path = DATA / "boundaries" / "panjin_districts_tianditu.geojson"
    drawn = json.loads(path.read_text(encoding="utf-8"))["features"]

    zones = zones_of(tmp_path, *(feature(f["geometry"], zone_id=f"z{i}") for i, f in enumerate(drawn)))

    assert len(zones) == 4
