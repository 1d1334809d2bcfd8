"""What a roster would take out of supervision is found; what takes nobody out is not in the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from exchange_town import NOW_MS, PEOPLE, SPAN, ZONE, changed, town, without

from corrections_monitor import cases as case_folder
from corrections_monitor.exchange.holes import HoleKind, holes
from corrections_monitor.exchange.plan import Plan, counts, in_words, plan
from corrections_monitor.model.cases import (
    CaseSet,
    Category,
    Device,
    DeviceKind,
    Order,
    Person,
    Suspension,
    ZoneKind,
)
from corrections_monitor.model.times import DAY_MS, Interval

BAND = ("b-p1", SPAN.from_ms)
TOMORROW = NOW_MS + DAY_MS


def would(after: CaseSet, before: CaseSet | None = None) -> Plan:
    return plan(before or town(), after, {}, whole=False, now_ms=NOW_MS)


def torn(after: CaseSet, fewer_max: float = 1.0) -> list[tuple[str, str]]:
    return [(hole.kind.value, hole.subject) for hole in holes(would(after), NOW_MS, fewer_max)]


@pytest.mark.parametrize(
    ("table", "key", "columns", "hole"),
    [
        ("orders", "o-p1", {"span": Interval(SPAN.from_ms, TOMORROW)}, ("order-shortened", "p1")),
        ("orders", "o-p1", {"span": Interval(TOMORROW, SPAN.to_ms)}, ("order-shortened", "p1")),
        ("orders", "o-p1", {"person_id": "p2"}, ("order-shortened", "p1")),
        ("people", "p1", {"span": Interval(SPAN.from_ms, TOMORROW)}, ("order-shortened", "p1")),
        ("people", "p1", {"category": Category.PROTECTED}, ("order-shortened", "p1")),
        ("devices", BAND, {"span": Interval(SPAN.from_ms, NOW_MS)}, ("no-device", "p1")),
        ("devices", BAND, {"person_id": "p2"}, ("no-device", "p1")),
        ("devices", BAND, {"report_every_s": 86_400}, ("reports-rarer", "p1")),
        ("zones", "home", {"applies_to": "p2"}, ("zone-gone", "home")),
        ("zones", "home", {"applies_to": ""}, ("zone-gone", "home")),
        ("zones", "home", {"kind": ZoneKind.EXCLUSION}, ("zone-gone", "home")),
        ("contacts", ("p1", "v1"), {"distance_m": 100.0}, ("contact-gone", "p1:v1")),
        ("suspensions", ("p3", SPAN.from_ms), {"span": SPAN}, ("suspended", "p3")),
    ],
)
def test_whoever_would_be_left_unmonitored_is_named(
    table: str, key: object, columns: dict[str, Any], hole: tuple[str, str]
) -> None:
    assert torn(changed(town(), table, key, **columns)) == [hole]


@pytest.mark.parametrize(
    ("table", "key", "columns"),
    [
        ("orders", "o-p1", {"span": Interval(SPAN.from_ms, SPAN.to_ms + DAY_MS)}),
        ("orders", "o-p1", {"span": Interval(SPAN.from_ms + DAY_MS, SPAN.to_ms)}),  # of the past
        ("people", "p1", {"name": "张一"}),
        ("devices", BAND, {"report_every_s": 300}),
        ("zones", "home", {"name": "家"}),
        ("contacts", ("p1", "v1"), {"distance_m": 500.0}),
        ("leaves", "l1", {"approved_by": "局长"}),
    ],
)
def test_what_leaves_nobody_unmonitored_waits_for_nobody(
    table: str, key: object, columns: dict[str, Any]
) -> None:
    after = changed(town(), table, key, **columns)
    assert not would(after).is_empty
    assert torn(after) == []


def test_a_device_that_is_swapped_leaves_no_hole() -> None:
    after = changed(town(), "devices", BAND, span=Interval(SPAN.from_ms, NOW_MS))
    spare = Device("b-new", DeviceKind.BAND, "p1", 60, Interval(NOW_MS, SPAN.to_ms))
    devices = {**after.devices, ("b-new", NOW_MS): spare}
    assert torn(replace(after, devices=devices)) == []


def test_an_order_that_another_takes_up_leaves_no_hole() -> None:
    after = changed(town(), "orders", "o-p1", span=Interval(SPAN.from_ms, TOMORROW))
    more = replace(after.orders["o-p1"], order_id="o-2", span=Interval(TOMORROW, SPAN.to_ms))
    assert torn(replace(after, orders={**after.orders, "o-2": more})) == []


def test_whoever_ends_with_the_device_is_told_once() -> None:
    after = changed(town(), "orders", "o-p1", span=Interval(SPAN.from_ms, TOMORROW))
    after = changed(after, "devices", BAND, span=Interval(SPAN.from_ms, TOMORROW))
    assert torn(after) == [("order-shortened", "p1")]


def test_somebody_new_is_no_hole_even_without_a_device() -> None:
    """Nobody falls out of supervision by it; the daemon tells of it (漏管) as soon as it is in force."""
    person = Person("p4", "赵四", Category.PAROLE, "station", "o1", SPAN)
    order = Order("o-p4", "p4", "29.1", "局长", town().orders["o-p1"].approved_on, SPAN)
    found = town()
    after = replace(found, people={**found.people, "p4": person}, orders={**found.orders, "o-p4": order})
    assert torn(after) == []


def test_far_fewer_people_put_the_folder_itself_in_doubt() -> None:
    after = changed(town(), "orders", "o-p1", span=Interval(SPAN.from_ms, NOW_MS))
    assert torn(after, 0.5) == [("order-shortened", "p1")]
    [fewer] = [h for h in holes(would(after), NOW_MS, 0.1) if h.kind is HoleKind.FEWER]
    assert (fewer.before, fewer.after) == (3, 2)


def test_a_suspension_that_is_over_or_of_somebody_without_order_is_none() -> None:
    past = Suspension("p1", Interval(NOW_MS - 3 * DAY_MS, NOW_MS), "住院")
    assert torn(replace(town(), suspensions={**town().suspensions, ("p1", past.span.from_ms): past})) == []


# -- the whole roster ----------------------------------------------------------------------------------


def delivered(after: CaseSet, folder: Path, *, whole: bool) -> Plan:
    case_folder.write(after, folder, ZONE)
    merged, named = case_folder.read_named(folder, ZONE, town())
    return plan(town(), merged, named, whole=whole, now_ms=NOW_MS)


def test_what_a_part_does_not_name_stays(tmp_path: Path) -> None:
    fewer = without(without(town(), "orders", "o-p1"), "zones", "home")
    assert delivered(fewer, tmp_path, whole=False).is_empty


def test_what_the_whole_no_longer_names_ends_and_is_asked_about(tmp_path: Path) -> None:
    after = without(without(town(), "contacts", ("p1", "v1")), "people", "p1")
    for table, key in (("orders", "o-p1"), ("devices", BAND), ("zones", "home"), ("leaves", "l1")):
        after = without(after, table, key)
    found = delivered(after, tmp_path, whole=True)
    assert {t: n["gone"] for t, n in counts(found).items()} == {
        "people": 1, "devices": 1, "orders": 1, "zones": 1, "leaves": 1, "contacts": 1
    }  # fmt: skip
    assert found.after.people["p1"].span.to_ms == NOW_MS
    assert found.after.orders["o-p1"].span.to_ms == NOW_MS
    assert found.withdrawn["leaves"] == {"l1"}  # had not begun
    assert {(h.kind.value, h.subject) for h in holes(found, NOW_MS, 1.0)} == {
        ("order-shortened", "p1"), ("zone-gone", "home"), ("contact-gone", "p1:v1")
    }  # fmt: skip


def test_a_table_that_the_whole_does_not_bring_is_left_alone(tmp_path: Path) -> None:
    case_folder.write(town(), tmp_path, ZONE)
    (tmp_path / "zones.geojson").unlink()
    (tmp_path / "leaves.csv").unlink()
    merged, named = case_folder.read_named(tmp_path, ZONE, town())
    assert plan(town(), merged, named, whole=True, now_ms=NOW_MS).is_empty


@pytest.mark.parametrize("whole", [False, True])
def test_an_export_brings_no_difference(tmp_path: Path, whole: bool) -> None:
    assert delivered(town(), tmp_path, whole=whole).is_empty


def test_the_difference_says_who_and_what() -> None:
    after = changed(town(), "people", "p1", name="张一")
    after = changed(after, "zones", "home", shape=replace(after.zones["home"].shape, radius_m=300.0))
    told = in_words(would(after), ZONE)
    [row] = told["people"]["changed"]["rows"]
    assert (row["key"], row["name"], row["columns"]) == ("p1", "张一", {"name": ["张p1", "张一"]})
    [zone] = told["zones"]["changed"]["rows"]
    assert zone["columns"] == {"radius_m": ["200.0", "300.0"]}
    assert told.keys() == {"people", "zones"}
    assert len(PEOPLE) == 3
