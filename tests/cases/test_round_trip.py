"""What is exported imports to the same, and exports of the same are the same bytes."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest
from case_folders import ZONE, write_folder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corrections_monitor.cases import read, write
from corrections_monitor.cases.rows import GROUNDS, KEYS, same_day_later
from corrections_monitor.model.cases import (
    Area,
    CaseSet,
    Category,
    Circle,
    ContactRule,
    Corridor,
    DayKind,
    Device,
    DeviceKind,
    Duty,
    Holiday,
    Leave,
    Level,
    Office,
    Officer,
    Order,
    Person,
    Role,
    Shape,
    Supervision,
    Suspension,
    Zone,
    ZoneKind,
)
from corrections_monitor.model.schedule import ALWAYS_HOLDS, Schedule, Window
from corrections_monitor.model.times import DAY_MS, OPEN_END_MS, OPEN_START_MS, Interval, midnight_ms

# Zones with midnight skipped by DST (São Paulo until 2018), half hours, and none of it.
TIME_ZONES = tuple(map(ZoneInfo, ("Asia/Shanghai", "America/Sao_Paulo", "Asia/Kathmandu", "Europe/Berlin")))

T = TypeVar("T")

_letters = st.characters(exclude_categories=("Cs", "Cc"), include_characters='\n\t",;')
text = st.text(_letters, min_size=1, max_size=12).map(str.strip).filter(bool)
ids = st.text(st.characters(categories=("L", "N", "P"), exclude_characters=";*/+#"), min_size=1, max_size=8)
lons = st.floats(74, 135)
lats = st.floats(4, 53)
metres = st.floats(0.001, 1e7)


@st.composite
def instants(draw: st.DrawFn, zone: ZoneInfo) -> int:
    if draw(st.booleans()):
        return midnight_ms(draw(st.dates(date(1901, 1, 1), date(2100, 1, 1))), zone)
    return draw(st.integers(midnight_ms(date(1901, 1, 1), zone), midnight_ms(date(2100, 1, 1), zone)))


@st.composite
def intervals(draw: st.DrawFn, zone: ZoneInfo) -> Interval:
    start = draw(st.one_of(st.just(OPEN_START_MS), instants(zone)))
    end = draw(st.one_of(st.just(OPEN_END_MS), instants(zone)))
    return Interval(start, end) if start < end else Interval(start, OPEN_END_MS)


windows = st.builds(
    lambda days, start, length: Window(days, start, start + length),
    st.integers(1, 255),
    st.integers(0, 1439),
    st.integers(1, 1440),
)
schedules = st.one_of(
    st.just(ALWAYS_HOLDS), st.lists(windows, min_size=1, max_size=3).map(lambda w: Schedule(tuple(w)))
)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    lon, lat = draw(lons), draw(lats)
    match draw(st.integers(0, 2)):
        case 0:
            return Circle(lon, lat, draw(metres))
        case 1:
            line = draw(st.lists(st.tuples(lons, lats), min_size=2, max_size=5, unique=True))
            return Corridor(tuple(line), draw(metres))
        case _:
            boxes = [_box(lon + 2 * i, lat, 1.0) for i in range(draw(st.integers(1, 3)))]
            holes = [_box(lon + 0.25, lat + 0.25, 0.5)] if draw(st.booleans()) else []
            return Area(((boxes[0], *holes), *((box,) for box in boxes[1:])))


def _box(west: float, south: float, size: float) -> tuple[tuple[float, float], ...]:
    east, north = west + size, south + size
    return ((west, south), (east, south), (east, north), (west, north), (west, south))


@st.composite
def zones(draw: st.DrawFn, targets: list[str]) -> Zone:
    kind = draw(st.sampled_from(ZoneKind))
    return Zone(
        zone_id=draw(ids),
        name=draw(text),
        kind=kind,
        applies_to=draw(st.sampled_from(["", "*", *targets])),
        shape=draw(shapes()),
        group=draw(st.none() | ids) if kind is ZoneKind.INCLUSION else None,
        schedule=draw(schedules),
        buffer_m=draw(st.just(0.0) | metres),
    )


@st.composite
def orders(draw: st.DrawFn, people: list[str], zone: ZoneInfo) -> Order:
    first = draw(st.dates(date(1902, 1, 1), date(2100, 1, 1)))
    latest = midnight_ms(same_day_later(first, 3) + timedelta(days=1), zone)
    start = midnight_ms(first, zone)
    return Order(
        order_id=draw(ids),
        person_id=draw(st.sampled_from(people)),
        ground=draw(st.sampled_from(GROUNDS)),
        approved_by=draw(text),
        approved_on=first,
        span=Interval(start, draw(st.sampled_from([latest, start + DAY_MS // 2 + 7, start + 1]))),
    )


@st.composite
def case_sets(draw: st.DrawFn, zone: ZoneInfo) -> CaseSet:
    """Sound sets of cases: two people, one protected, with everything that may hang on them."""

    def keyed(table: str, strategy: st.SearchStrategy[T], at_most: int = 3) -> dict[object, T]:
        key: Callable[[T], object] = KEYS[table]
        return {key(row): row for row in draw(st.lists(strategy, max_size=at_most))}

    named = draw(st.lists(ids, min_size=6, max_size=6, unique=True))
    city, county, station, *persons = named
    protected = persons[2]
    offices = {
        city: Office(city, None, Level.CITY, draw(text)),
        county: Office(
            county, city, Level.COUNTY, draw(text), draw(st.just("") | ids), draw(lons), draw(lats)
        ),
        station: Office(station, county, Level.STATION, draw(text)),
    }
    places, one_of = st.sampled_from(named[:3]), st.sampled_from
    officer_id = draw(ids)
    channel_lists = st.lists(ids, max_size=2).map(tuple)
    officer = Officer(
        officer_id, draw(places), draw(text), draw(one_of(Role)), draw(ids), draw(channel_lists)
    )
    kinds = [
        *(one_of([c for c in Category if c is not Category.PROTECTED]) for _ in range(2)),
        st.just(Category.PROTECTED),
    ]
    people = {
        person_id: Person(
            person_id,
            draw(text),
            draw(kind),
            draw(places),
            officer_id,
            draw(intervals(zone)),
            draw(one_of(Supervision)),
        )
        for person_id, kind in zip(persons, kinds, strict=True)
    }
    bound = st.builds(
        Device, ids, one_of(DeviceKind), one_of(persons), st.integers(1, 86_400), intervals(zone)
    )
    devices = keyed("devices", bound)
    drawn_zones = keyed("zones", zones(named))
    refuges = [z.zone_id for z in drawn_zones.values() if z.kind is ZoneKind.INCLUSION]
    lists = st.lists(one_of(refuges), max_size=2).map(tuple) if refuges else st.just(())
    watched = one_of(persons[:2])
    return CaseSet(
        offices=offices,
        officers={officer_id: officer},
        duty=keyed("duty", st.builds(Duty, places, st.just(officer_id), intervals(zone))),
        holidays=keyed("holidays", st.builds(Holiday, st.dates(), one_of(DayKind))),
        people=people,
        devices={key: d for key, d in devices.items() if _is_alone(d, devices.values())},
        orders=keyed("orders", orders(persons[:2], zone)),
        zones=drawn_zones,
        leaves=keyed("leaves", st.builds(Leave, ids, watched, intervals(zone), text, lists)),
        suspensions=keyed("suspensions", st.builds(Suspension, watched, intervals(zone), text)),
        contacts=keyed("contacts", st.builds(ContactRule, watched, st.just(protected), metres)),
    )


def _is_alone(device: Device, devices: Iterable[Device]) -> bool:
    return sum(other.device_id == device.device_id for other in devices) == 1


@pytest.mark.parametrize("zone", TIME_ZONES, ids=str)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_what_is_written_is_read_back(zone: ZoneInfo, data: st.DataObject) -> None:
    cases = data.draw(case_sets(zone))
    with tempfile.TemporaryDirectory() as folder:
        write(cases, Path(folder), zone)
        assert read(Path(folder), zone) == cases


def test_exports_of_the_same_are_the_same_bytes_whatever_the_order(tmp_path: Path) -> None:
    cases = read(write_folder(tmp_path / "in"), ZONE)
    upside_down = CaseSet(
        **{name: dict(reversed(list(getattr(cases, name).items()))) for name in cases.__dataclass_fields__}
    )

    write(cases, tmp_path / "a", ZONE)
    write(upside_down, tmp_path / "b", ZONE)

    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) == 11
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)


def test_an_export_reads_as_a_clerk_writes(tmp_path: Path) -> None:
    write(read(write_folder(tmp_path / "in"), ZONE), tmp_path / "out", ZONE)

    orders = (tmp_path / "out" / "orders.csv").read_text(encoding="utf-8").splitlines()
    assert orders[1] == "r1,p1,29.1,县局局长,2026-01-14,2026-01-15,2026-04-15,"
    duty = (tmp_path / "out" / "duty.csv").read_text(encoding="utf-8").splitlines()
    assert duty[1] == "station,o1,2026-03-01T08:30:00.000+08:00,2026-03-02T08:30:00.000+08:00"
    zones = (tmp_path / "out" / "zones.geojson").read_text(encoding="utf-8").splitlines()
    assert len(zones) == 4, "one feature a line"


def test_an_export_over_an_older_one_leaves_nothing_of_it(tmp_path: Path) -> None:
    cases = read(write_folder(tmp_path / "in"), ZONE)
    write(cases, tmp_path / "out", ZONE)
    fewer = CaseSet(offices=cases.offices, officers=cases.officers)

    write(fewer, tmp_path / "out", ZONE)

    assert read(tmp_path / "out", ZONE) == fewer
    assert not list((tmp_path / "out").glob(".*"))


def test_tables_are_keyed_as_the_reader_keys_them(tmp_path: Path) -> None:
    cases = read(write_folder(tmp_path), ZONE)
    keyed = itertools.chain.from_iterable(
        ((KEYS[name](row), key) for key, row in getattr(cases, name).items()) for name in KEYS
    )
    assert all(wanted == key for wanted, key in keyed)
