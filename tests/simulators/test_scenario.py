"""A scenario is the same for the same seed, obedient where nothing is injected, and its truth is true."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
import shapely
from shapely.geometry import Polygon
from sim_town import DISTRICT, START_MS, ZONE, town

from corrections_monitor import cases as case_folder
from corrections_monitor.model.cases import CaseSet, Circle
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import HOUR_MS, Interval, from_ms
from simulators.__main__ import main
from simulators.paths import Path as Track
from simulators.scenario import INJECTABLE, parse_wanted, rows_in_order
from simulators.violations import PLACE_DETOURS
from simulators.world import Life, Plan, World, build

SPAN = Interval(START_MS, START_MS + 24 * HOUR_MS)


@pytest.fixture(scope="module")
def cases() -> CaseSet:
    return town(50)


def make(cases: CaseSet, seed: int = 3, noise: str = "clean") -> World:
    return build(cases, Plan(SPAN, ZONE, seed, noise, parse_wanted("each=2")))


@pytest.fixture(scope="module")
def world(cases: CaseSet) -> World:
    return make(cases)


def metres(circle: Circle, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Great-circle distance to the centre, on a sphere: another road than the simulator's plane."""
    a, b = np.radians(lat), math.radians(circle.lat)
    haversine = (
        np.sin((a - b) / 2) ** 2 + np.cos(a) * math.cos(b) * np.sin(np.radians(lon - circle.lon) / 2) ** 2
    )
    return np.asarray(2 * 6_371_008.8 * np.arcsin(np.sqrt(haversine)))


def broken(cases: CaseSet, life: Life, path: Track, t: np.ndarray) -> dict[str, np.ndarray]:
    """Zone id → at which instants it is violated, leaves aside: asked of shapely in plain degrees."""
    lon, lat, _ = path.at(t)
    found = {"district": ~shapely.contains_xy(Polygon(DISTRICT), lon, lat)}
    for i in range(6):
        school = cases.zones[f"school{i}"]
        assert isinstance(school.shape, Circle)
        found[school.zone_id] = metres(school.shape, lon, lat) < school.shape.radius_m
    home = cases.zones.get(f"home-{life.subject.person_id}")
    if home is not None and isinstance(home.shape, Circle):
        hour = np.array([from_ms(int(x), ZONE).hour for x in t])
        found[home.zone_id] = ((hour >= 21) | (hour < 6)) & (
            metres(home.shape, lon, lat) > home.shape.radius_m
        )
    return found


def test_whoever_was_not_told_to_violate_obeys(cases: CaseSet, world: World) -> None:
    t = np.arange(SPAN.from_ms, SPAN.to_ms, 20_000)
    obedient = [
        v for v in world.lives if v.injected not in PLACE_DETOURS and not v.subject.person.is_protected
    ]
    assert len(obedient) > 30
    for life in obedient:
        assert not any(v.any() for v in broken(cases, life, life.path, t).values()), life.subject.person_id


def test_people_always_on_the_move_obey_as_well(cases: CaseSet) -> None:
    world = build(cases, Plan(SPAN, ZONE, 5, "clean", lively=True))
    t = np.arange(SPAN.from_ms, SPAN.to_ms, 20_000)
    for life in (v for v in world.lives if not v.subject.person.is_protected):
        assert not any(v.any() for v in broken(cases, life, life.path, t).values()), life.subject.person_id


def test_people_keep_well_away_from_forbidden_places(cases: CaseSet, world: World) -> None:
    schools = [z.shape for z in cases.zones.values() if z.zone_id.startswith("school")]
    for life in world.lives:
        if life.injected not in PLACE_DETOURS and not life.subject.person.is_protected:
            home = life.where.plane.lonlat(*life.where.home)
            lon, lat, _ = life.path.at(np.arange(SPAN.from_ms, SPAN.to_ms, 20_000))
            away = np.hypot(lon - home[0], lat - home[1]) > 1e-6
            for school in schools:
                assert isinstance(school, Circle)
                near = metres(school, lon[away], lat[away])
                assert near.min(initial=1e9) > school.radius_m + 40


def test_people_do_move(world: World) -> None:
    far = [np.ptp(v.path.lat) > 0.002 or np.ptp(v.path.lon) > 0.002 for v in world.lives]
    assert sum(far) > 0.7 * len(far)


def test_truth_of_place_is_where_the_path_is(cases: CaseSet, world: World) -> None:
    """Every instant told is a violation, every violation is told, to a few seconds at the borders."""
    slack = 5_000
    checked = 0
    for life in world.lives:
        if life.injected not in (Kind.ZONE_EXIT, Kind.ZONE_ENTER, Kind.CURFEW):
            continue
        t = np.arange(SPAN.from_ms, SPAN.to_ms, 1_000)
        for zone_id, bad in broken(cases, life, life.path, t).items():
            told = [x for x in life.truths if x.zone_id == zone_id]
            wide, narrow = np.zeros(len(t), bool), np.zeros(len(t), bool)
            for x in told:
                assert x.to_ms is not None
                wide |= (t >= x.from_ms - slack) & (t < x.to_ms + slack)
                narrow |= (t >= x.from_ms + slack) & (t < x.to_ms - slack)
                checked += 1
            assert not (bad & ~wide).any()
            assert bad[narrow].all()
    assert checked >= 6


def test_exits_go_far_and_long_enough(cases: CaseSet, world: World) -> None:
    for life in world.lives:
        for x in life.truths:
            if x.kind == Kind.ZONE_EXIT:
                assert x.to_ms is not None
                assert x.to_ms - x.from_ms >= 600_000
                lon, lat, _ = life.path.at(np.array([(x.from_ms + x.to_ms) // 2]))
                away_deg = Polygon(DISTRICT).distance(shapely.Point(lon[0], lat[0]))
                assert away_deg * 111_000 >= 300


def test_every_kind_found_somebody(world: World) -> None:
    assert {v.injected for v in world.lives} >= set(INJECTABLE)


def test_a_silenced_device_says_nothing_between_its_truth(cases: CaseSet) -> None:
    world = make(cases, noise="city")
    rows = list(rows_in_order(world))
    silent = [v for v in world.lives if v.injected is Kind.SILENCE_DEVICE]
    assert silent
    for life in silent:
        (truth,) = life.settled_truths()
        heard = [r.arrival_ms for r in rows if r.device_id in {d.device_id for d in life.subject.devices}]
        assert truth.from_ms in heard
        assert truth.to_ms in heard
        assert not any(truth.from_ms < at < (truth.to_ms or 0) for at in heard)


def test_nobody_falls_silent_by_chance(cases: CaseSet) -> None:
    """Gaps, losses and late uploads of the worst noise stay short of what the contract calls silence."""
    world = make(cases, noise="harsh")
    last: dict[str, int] = {}
    injected = {
        d.device_id
        for v in world.lives
        if v.injected and ("silence" in v.injected or v.injected is Kind.POWER_OFF)
        for d in v.subject.devices
    }
    for row in rows_in_order(world):
        gap_ms = row.arrival_ms - last.get(row.device_id, row.arrival_ms)
        assert gap_ms < 300_000 or row.device_id in injected, row
        last[row.device_id] = row.arrival_ms


def test_rows_arrive_in_order_and_batteries_are_charged(cases: CaseSet, world: World) -> None:
    low = {
        d.device_id for v in world.lives if v.injected and "battery" in v.injected for d in v.subject.devices
    }
    before = 0
    for row in rows_in_order(world):
        assert row.arrival_ms >= before
        before = row.arrival_ms
        payload = json.loads(row.payload)
        assert payload.get("bat", 100) > 20 or row.device_id in low


def run_scenario(folder: Path, out: Path, seed: int) -> str:
    call = [
        "scenario",
        "--cases",
        str(folder),
        "--output",
        str(out / "r.ndjson.gz"),
        "--truth",
        str(out / "t"),
    ]
    assert (
        main([*call, "--hours", "3", "--seed", str(seed), "--noise", "harsh", "--violations", "each=1"]) == 0
    )
    return hashlib.sha256((out / "r.ndjson.gz").read_bytes() + (out / "t").read_bytes()).hexdigest()


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    case_folder.write(town(20, hours=3), folder, ZONE)
    first = run_scenario(folder, tmp_path, 1)
    assert run_scenario(folder, tmp_path, 1) == first
    assert run_scenario(folder, tmp_path, 2) != first
    with gzip.open(tmp_path / "r.ndjson.gz", "rt") as file:
        line = json.loads(file.readline())
    assert set(line) == {"at", "topic", "payload"}


def test_a_wrong_wish_is_refused_with_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = [
        "scenario",
        "--cases",
        str(tmp_path),
        "--output",
        "x",
        "--truth",
        "y",
        "--violations",
        "zone.flee=1",
    ]
    assert main(call) == 2
    assert "zone.flee" in capsys.readouterr().err
