"""CONTRACT §1: what a case folder may hold, and how every fault of it is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine, Result
from contract_town import Recording, Town, later, lonlat, square, town_with_home

Change = Callable[[Town], Any]
PEOPLE = "person_id,name,category,office_id,officer_id,from,to\n"


@pytest.fixture
def check(cli: CommandLine, tmp_path: Path) -> Callable[..., Result]:
    """``check(change, files)``: a sound folder, changed as a town and then file by file."""

    def run(change: Change = lambda town: None, files: dict[str, str | bytes] | None = None) -> Result:
        town = town_with_home()
        change(town)
        folder = town.write(tmp_path / "cases")
        for name, text in (files or {}).items():
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return cli.monitor("check", folder)

    return run


def order(town: Town, **row: str) -> None:
    fields = {"ground": "29.1", "approved_by": "局长", "approved_on": "2026-05-01", "person_id": "P-1"}
    town.add("orders.csv", **fields | {"order_id": "O-2"} | row)


def test_a_sound_folder(check: Callable[..., Result]) -> None:
    result = check()
    assert (result.status, result.out) == (0, "")


SOUND: dict[str, tuple[Change, dict[str, str | bytes]]] = {
    "BOM, CRLF, no level": (
        lambda t: None,
        {"people.csv": "\ufeff" + (PEOPLE + "P-1,张,probation,S,own,2026-01-01,\n").replace("\n", "\r\n")},
    ),
    "GB18030": (
        lambda t: None,
        {"people.csv": (PEOPLE + "P-1,张三丰𠮷,probation,S,own,2026-01-01,\n").encode("gb18030")},
    ),
    "blank lines": (lambda t: None, {"people.csv": PEOPLE + "\nP-1,张,probation,S,own,2026-01-01,\n\n"}),
    "columns in another order": (
        lambda t: None,
        {
            "people.csv": "to,from,officer_id,office_id,category,name,person_id\n"
            ",2026-01-01,own,S,control,张,P-1\n"
        },
    ),
    "no zones": (lambda t: t.zones.clear(), {}),
    "three months to the same day": (lambda t: order(t, **{"from": "2026-08-01", "to": "2026-11-01"}), {}),
    "three months on, end of month": (lambda t: order(t, **{"from": "2026-11-30", "to": "2027-02-28"}), {}),
    "an extension": (
        lambda t: order(t, extends="O-1", **{"from": "2026-08-01", "to": "2026-10-31"}),
        {},
    ),
    "a device handed on": (
        lambda t: (
            t.files["devices.csv"][0].update({"to": "2026-05-31"}),
            t.person("P-2", device=None),
            t.device("D-1", "P-2", **{"from": "2026-06-01"}),
        ),
        {},
    ),
    "a protected person with a device and no order": (
        lambda t: t.person("P-2", category="protected", order=False),
        {},
    ),
    "circle and corridor": (
        lambda t: (
            t.zone("c", {"type": "Point", "coordinates": lonlat((0, 0))}, radius_m=100, buffer_m=20),
            t.zone(
                "l",
                {"type": "LineString", "coordinates": [lonlat((0, 0)), lonlat((900, 0))]},
                width_m=50,
                schedule=[{"days": "Sa-Mo,PH", "from": "22:00", "to": "24:00"}],
            ),
        ),
        {},
    ),
    "applies to an office, to all, to nobody": (
        lambda t: [t.zone(f"z{i}", square(99), applies_to=who) for i, who in enumerate(("K", "*", ""))],
        {},
    ),
    "instants with, without offset, in milliseconds, open": (
        lambda t: [
            t.add("suspensions.csv", person_id="P-1", reason="住院", **{"from": start, "to": end})
            for start, end in (
                ("2026-05-01T08:00:00+08:00", "2026-05-01T09:00:00Z"),
                ("2026-06-01 08:00", "2026-06-01T09:00:30"),
                ("1780300800000", "1780387200000"),
                ("2026-07-01", ""),
            )
        ],
        {},
    ),
}


@pytest.mark.parametrize("name", SOUND)
def test_sound(check: Callable[..., Result], name: str) -> None:
    change, files = SOUND[name]
    if name.startswith("a protected"):
        change = lambda t: t.person("P-2", category="protected", order=False)  # noqa: E731
    result = check(change, files)
    assert result.status == 0, result.err


def bowtie() -> dict[str, Any]:
    ring = [lonlat(p) for p in ((0, 0), (900, 900), (900, 0), (0, 900), (0, 0))]
    return {"type": "Polygon", "coordinates": [ring]}


def window(days: str = "Mo-Fr", start: str = "22:00", end: str = "06:00") -> list[dict[str, str]]:
    return [{"days": days, "from": start, "to": end}]


FAULTY: dict[str, Change] = {
    "people.csv:3: person_id": lambda t: t.person("P-1", device=None, order=False),
    "people.csv:3: person_id ": lambda t: t.person("S", device=None),  # ids are unique across both
    "people.csv:2: category": lambda t: t.files["people.csv"][0].update(category="robber"),
    "people.csv:2: level": lambda t: t.files["people.csv"][0].update(level="hard"),
    "people.csv:2: office_id": lambda t: t.files["people.csv"][0].update(office_id="nowhere"),
    "people.csv:2: officer_id": lambda t: t.files["people.csv"][0].update(officer_id="nobody"),
    "people.csv:2: from": lambda t: t.files["people.csv"][0].update({"from": "2026-13-01"}),
    "people.csv:2: to": lambda t: t.files["people.csv"][0].update({"to": "2025-12-31"}),
    "offices.csv:5: level": lambda t: t.add("offices.csv", office_id="X", level="village", name="村"),
    "offices.csv:5: parent_id": lambda t: t.add(
        "offices.csv", office_id="X", parent_id="none", level="county", name="县"
    ),
    "offices.csv:5: office_id": lambda t: t.add("offices.csv", office_id="C", level="city", name="市"),
    "officers.csv:2: role": lambda t: t.files["officers.csv"][0].update(role="boss"),
    "officers.csv:2: office_id": lambda t: t.files["officers.csv"][0].update(office_id="none"),
    "duty.csv:2: officer_id": lambda t: t.files["duty.csv"][0].update(officer_id="none"),
    "duty.csv:2: to": lambda t: t.files["duty.csv"][0].update(to="2025-01-01"),
    "holidays.csv:2: kind": lambda t: t.add("holidays.csv", date="2026-10-01", kind="free"),
    "holidays.csv:2: date": lambda t: t.add("holidays.csv", date="2026-02-30", kind="off"),
    "devices.csv:2: kind": lambda t: t.files["devices.csv"][0].update(kind="watch"),
    "devices.csv:2: person_id": lambda t: t.files["devices.csv"][0].update(person_id="none"),
    "devices.csv:2: report_every_s": lambda t: t.files["devices.csv"][0].update(report_every_s="-5"),
    "orders.csv:2: ground": lambda t: t.files["orders.csv"][0].update(ground="29.6"),
    "orders.csv:2: to": lambda t: t.files["orders.csv"][0].update({"from": "2026-05-01", "to": "2026-08-02"}),
    "orders.csv:3: to": lambda t: order(t, **{"from": "2026-11-30", "to": "2027-03-01"}),
    "orders.csv:3: extends": lambda t: order(t, extends="none", **{"from": "2026-08-01", "to": "2026-09-01"}),
    "orders.csv:2: approved_by": lambda t: t.files["orders.csv"][0].update(approved_by=""),
    "leaves.csv:2: zone_ids": lambda t: t.add(
        "leaves.csv", leave_id="L", person_id="P-1", approved_by="x", zone_ids="home;none"
    ),
    "leaves.csv:2: person_id": lambda t: t.add(
        "leaves.csv", leave_id="L", person_id="none", approved_by="x", **{"from": "2026-06-01", "to": ""}
    ),
    "suspensions.csv:2: person_id": lambda t: t.add("suspensions.csv", person_id="none", reason="住院"),
    "contacts.csv:2: protected_id": lambda t: t.add(
        "contacts.csv", person_id="P-1", protected_id="P-1", distance_m="200"
    ),
    "zones.geojson:2: geometry": lambda t: t.zone("z", bowtie()),
    "zones.geojson:2: geometry ": lambda t: t.zone(
        "z", {"type": "Polygon", "coordinates": [square(9)["coordinates"][0][:-1]]}
    ),
    "zones.geojson:2: geometry  ": lambda t: t.zone("z", {"type": "Polygon", "coordinates": []}),
    "zones.geojson:2: geometry   ": lambda t: t.zone(
        "z", {"type": "Polygon", "coordinates": [[p[::-1] for p in square(900)["coordinates"][0]]]}
    ),
    "zones.geojson:2: radius_m": lambda t: t.zone("z", {"type": "Point", "coordinates": lonlat((0, 0))}),
    "zones.geojson:2: width_m": lambda t: t.zone(
        "z", {"type": "LineString", "coordinates": [lonlat((0, 0)), lonlat((9, 9))]}
    ),
    "zones.geojson:2: kind": lambda t: t.zone("z", square(9), kind="forbidden"),
    "zones.geojson:2: crs": lambda t: t.zone("z", square(9), crs="epsg:4326"),
    "zones.geojson:2: applies_to": lambda t: t.zone("z", square(9), applies_to="nobody"),
    "zones.geojson:2: schedule": lambda t: t.zone("z", square(9), schedule=window(days="Xx")),
    "zones.geojson:2: schedule ": lambda t: t.zone("z", square(9), schedule=window(start="25:00")),
    "zones.geojson:2: buffer_m": lambda t: t.zone("z", square(9), buffer_m=-1),
    "zones.geojson:2: colour": lambda t: t.zone("z", square(9), colour="red"),
    "zones.geojson:2: zone_id": lambda t: t.zone("home", square(9)),
}


def test_each_fault_alone_is_told_where_it_is(cli: CommandLine, tmp_path: Path) -> None:
    """All in one loop: some forty folders, each with one fault, each told in one line."""
    wrong = {}
    for number, (where, change) in enumerate(FAULTY.items()):
        town = town_with_home()
        change(town)
        result = cli.monitor("check", town.write(tmp_path / str(number)))
        told = [line.rpartition(where.strip() + ":")[1] for line in result.faults]
        if result.status != 1 or told != [where.strip() + ":"]:
            wrong[where] = result
    assert wrong == {}


def test_every_fault_at_once(check: Callable[..., Result]) -> None:
    """Of every file, and several of one row; what cannot be judged beside them is left out."""
    beside = ("people.csv:2: to", "contacts.csv:2", "leaves.csv:2: person_id", "holidays.csv:2: date")
    places = [w for w in FAULTY if ":2:" in w and not w.startswith(("zones", *beside))]

    def spoil(town: Town) -> None:
        for where in places:
            FAULTY[where](town)

    result = check(spoil)
    told = {": ".join(line.split(": ")[:2]) for line in result.faults}
    assert set(map(str.strip, places)) - told == set(), result.err


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        (
            "people.csv",
            PEOPLE.replace(",officer_id", "") + "P-1,x,probation,S,2026-01-01,\n",
            "people.csv:1: officer_id: ",
        ),
        (
            "people.csv",
            PEOPLE.replace("\n", ",age\n") + "P-1,x,probation,S,own,2026-01-01,,9\n",
            "people.csv:1: age: ",
        ),
        ("people.csv", PEOPLE + "P-1,x,probation,S,own,2026-01-01,,x\n", "people.csv:2: "),
        ("people.csv", "", "people.csv:1: "),
        ("zones.geojson", '{"type":"FeatureCollection","features":[', "zones.geojson:1: "),
        ("zones.geojson", '{"type":"Feature"}', "zones.geojson:1: "),
    ],
)
def test_a_file_that_is_none(check: Callable[..., Result], file: str, text: str, fault: str) -> None:
    result = check(files={file: text})
    assert result.status == 1
    assert [line.startswith(fault) for line in result.faults] == [True], result.err


def test_the_five_required_files(cli: CommandLine, tmp_path: Path) -> None:
    result = cli.monitor("check", tmp_path)
    assert {line.partition(".csv")[0] for line in result.faults} == {
        "offices", "officers", "people", "devices", "orders",
    }  # fmt: skip
    assert result.status == 1


@pytest.mark.parametrize("crs", ["gcj02", "bd09"])
def test_a_zone_drawn_on_a_chinese_map_stands_where_it_stands(replay: Callable[..., Any], crs: str) -> None:
    town = Town()
    town.person()
    shifted = {"gcj02": (0.00622, 0.00137), "bd09": (0.01272, 0.00706)}[crs]  # about, at 122.07 E 41.12 N
    lon, lat = lonlat((0, 0))
    town.zone(
        "z", {"type": "Point", "coordinates": [lon + shifted[0], lat + shifted[1]]}, radius_m=300, crs=crs
    )
    inside = Recording()
    inside.stay(later(0), later(10))
    told = replay(town, inside)
    assert told == [], "the device is in the circle once it is converted"
    town.zones[0]["properties"]["crs"] = "wgs84"
    assert [line["kind"] for line in replay(town, inside)][:1] == ["zone.exit"]
