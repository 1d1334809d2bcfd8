"""The demonstration city: a sound case folder, the same from the same seed, of any size."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import shapely

from corrections_monitor.cases import read
from corrections_monitor.model.cases import (
    Area,
    CaseSet,
    Category,
    Circle,
    DeviceKind,
    Level,
    Role,
    Supervision,
    Zone,
    ZoneKind,
)
from corrections_monitor.model.schedule import Calendar, spans
from corrections_monitor.model.times import DAY_MS, HOUR_MS, MINUTE_MS, parse_time
from simulators.__main__ import main
from simulators.city import ZONE, CityPlan, write_city
from simulators.geo import Plane
from simulators.places import Places, read_places

START_MS = parse_time("2026-11-24T10:00:40", ZONE)
METRES = Plane(41.0)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> CaseSet:
    folder = tmp_path_factory.mktemp("city")
    write_city(folder, CityPlan(START_MS))
    return read(folder, ZONE)


@pytest.fixture(scope="module")
def places(city: CaseSet) -> list[Places]:
    return list(read_places(city))


def outline(zone: Zone | None) -> shapely.Polygon:
    assert zone is not None
    assert isinstance(zone.shape, Area)
    ((shell, *holes),) = zone.shape.polygons
    return shapely.Polygon(shell, holes)


def metres_apart(a: tuple[float, float], b: tuple[float, float]) -> float:
    return shapely.Point(METRES.xy(*a)).distance(shapely.Point(METRES.xy(*b)))


def test_panjin_has_its_offices_and_officers(city: CaseSet) -> None:
    levels = Counter(office.level for office in city.offices.values())
    assert levels == {Level.CITY: 1, Level.COUNTY: 4, Level.STATION: 48}
    assert 115 <= len(city.officers) <= 130
    assert {officer.role for officer in city.officers.values()} == set(Role)
    staff = Counter((o.office_id, o.role) for o in city.officers.values())
    stations = [o.office_id for o in city.offices.values() if o.level is Level.STATION]
    assert all(staff[s, Role.CHIEF] >= 1 and staff[s, Role.OFFICER] >= 1 for s in stations)


def test_somebody_is_on_call_everywhere_for_a_month(city: CaseSet) -> None:
    moments = [START_MS + HOUR_MS * h for h in range(-24, 30 * 24, 7)]
    for office_id in city.offices:
        turns = [duty.span for duty in city.duty.values() if duty.office_id == office_id]
        assert all(any(turn.holds(t) for turn in turns) for t in moments), office_id
        assert all(sum(turn.holds(t) for turn in turns) == 1 for t in moments), office_id


def test_everyone_is_under_order_now_and_wears_a_band(city: CaseSet) -> None:
    supervised = [p for p in city.people.values() if not p.is_protected]
    assert len(supervised) == 600
    ordered = {o.person_id for o in city.orders.values() if o.span.holds(START_MS)}
    ordered_on = {o.person_id for o in city.orders.values() if o.span.holds(START_MS + 9 * DAY_MS)}
    banded = {
        d.person_id for d in city.devices.values() if d.kind is DeviceKind.BAND and d.span.holds(START_MS)
    }
    everyone = {p.person_id for p in supervised}
    assert ordered == ordered_on == banded == everyone
    assert any(o.extends for o in city.orders.values())
    assert len({o.ground for o in city.orders.values()}) == 5
    assert {p.category for p in supervised} == set(Category) - {Category.PROTECTED}


def test_the_protected_are_few_and_have_contact_rules_and_a_phone(city: CaseSet) -> None:
    protected = {p.person_id for p in city.people.values() if p.is_protected}
    assert len(protected) >= 3
    assert {rule.protected_id for rule in city.contacts.values()} == protected
    assert protected <= {d.person_id for d in city.devices.values()}


def test_home_and_work_obey_everything(city: CaseSet, places: list[Places]) -> None:
    assert len(places) == len(city.people)
    for person in places:
        county = outline(person.county)
        for spot in (person.home, person.work or person.home):
            assert county.contains(shapely.Point(spot)), person.person_id
            for zone in person.forbidden:
                assert metres_apart(spot, outline(zone).centroid.coords[0]) > 300, (
                    person.person_id,
                    zone.zone_id,
                )
        assert 80 <= person.home_radius_m <= 150
    for rule in city.contacts.values():
        near, kept = (
            next(p for p in places if p.person_id == i) for i in (rule.person_id, rule.protected_id)
        )
        assert metres_apart(near.home, kept.home) > 2 * rule.distance_m


def test_people_are_bound_in_many_ways(city: CaseSet, places: list[Places]) -> None:
    assert sum(p.curfew is not None for p in places) > 200
    assert sum(any(z.applies_to == p.person_id for z in p.forbidden) for p in places) > 100
    assert sum(len(p.devices) > 1 for p in places) > 100
    assert any(z.group for z in city.zones.values())
    assert any(leave.span.holds(START_MS) and leave.zone_ids for leave in city.leaves.values())
    assert any(not leave.zone_ids for leave in city.leaves.values())
    assert any(s.span.holds(START_MS) for s in city.suspensions.values())
    assert any(p.level is Supervision.STRICT for p in city.people.values())


def test_forbidden_places_are_a_hundred_to_three_hundred_metres_across(city: CaseSet) -> None:
    for zone in city.zones.values():
        if zone.kind is ZoneKind.EXCLUSION:
            assert isinstance(zone.shape, Area)
            corners = [METRES.xy(*position) for position in zone.shape.polygons[0][0]]
            across = 2 * shapely.minimum_bounding_radius(shapely.Polygon(corners))
            assert 95 <= across <= 305, zone.zone_id


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_city(tmp_path / name, CityPlan(START_MS, people=50, seed=seed))
    a, b, c = (
        {path.name: path.read_bytes() for path in sorted((tmp_path / name).iterdir())} for name in "abc"
    )
    assert a == b
    assert a["zones.geojson"] != c["zones.geojson"]


@pytest.mark.parametrize("people", [1, 2, 40, 3000])
@pytest.mark.parametrize("start", ["2026-02-28", "2026-05-31T23:59:59", "2027-12-31T12:00"])
def test_any_size_at_any_time_is_sound(tmp_path: Path, people: int, start: str) -> None:
    write_city(tmp_path, CityPlan(parse_time(start, ZONE), people=people, seed=people))

    cases = read(tmp_path, ZONE)

    assert sum(not p.is_protected for p in cases.people.values()) == people


def test_a_city_of_a_later_day_can_be_laid_over_an_earlier_one(tmp_path: Path) -> None:
    write_city(tmp_path / "monday", CityPlan(START_MS, people=120, quick=True))
    write_city(tmp_path / "tuesday", CityPlan(START_MS + DAY_MS, people=120, quick=True))
    monday, tuesday = read(tmp_path / "monday", ZONE), read(tmp_path / "tuesday", ZONE)

    both = read(tmp_path / "tuesday", ZONE, monday)

    assert both.devices == tuesday.devices
    assert both.zones == tuesday.zones
    assert len(both.duty) == len(tuesday.duty) + 53, "the one turn of each office that is over"


@pytest.mark.parametrize("second", [0, 14, 29, 30, 31, 45, 59])
def test_the_quick_city_reports_often_and_its_curfews_begin_at_once(tmp_path: Path, second: int) -> None:
    start_ms = parse_time(f"2026-11-24T16:03:{second:02d}", ZONE)
    write_city(tmp_path, CityPlan(start_ms, people=100, quick=True))

    cases = read(tmp_path, ZONE)

    assert {d.report_every_s for d in cases.devices.values()} == {10}
    calendar = Calendar(ZONE)
    curfews = [p.curfew for p in read_places(cases) if p.curfew is not None]
    assert len(curfews) > 15
    for curfew in curfews:
        begins = next(a for a, b in spans(curfew, calendar, start_ms) if b > start_ms)
        assert start_ms + MINUTE_MS // 2 <= begins <= start_ms + 3 * MINUTE_MS // 2
    assert any(p.level is Supervision.STRICT for p in cases.people.values())


def test_the_command_line_writes_a_city(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "a city"
    channels = "json://localhost/{officer}"
    arguments = [
        "city",
        str(folder),
        "--people",
        "20",
        "--seed",
        "3",
        "--start",
        "2026-11-24",
        "--channels",
        channels,
    ]

    assert main(arguments) == 0
    assert "20 people" in capsys.readouterr().out
    officers = read(folder, ZONE).officers
    assert officers["auditor"].channels == ("json://localhost/auditor",)


@pytest.mark.parametrize("wrong", [["--start", "soon"], ["--people", "0"], ["--seed", "-1"]])
def test_a_wrong_call_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str]
) -> None:
    assert main(["city", str(tmp_path / "city"), *wrong]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_homes_are_spread_over_the_whole_city(places: list[Places]) -> None:
    homes = {(round(p.home[0], 2), round(p.home[1], 2)) for p in places}
    assert len(homes) > 150


def test_a_home_zone_is_a_circle(city: CaseSet) -> None:
    homes = [zone for zone_id, zone in city.zones.items() if zone_id.startswith("home-P")]
    assert len(homes) == 600
    assert all(isinstance(home.shape, Circle) for home in homes)
