"""What a clerk is told of a CSV file that is wrong: file, line, column, and what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from case_folders import SOUND, ZONE, told, told_with, with_row, write_folder

from corrections_monitor.cases import read
from corrections_monitor.model.cases import ContactRule

FIRST_NEW_LINE = {name: text.count("\n") + 1 for name, text in SOUND.items()}


@pytest.mark.parametrize(
    ("name", "row", "expected"),
    [
        ("offices.csv", "x,county,village,某所,,,", 'level: "village" is not one of city, county, station'),
        ("offices.csv", "x,county,station,,,,", "name: must not be empty"),
        (
            "offices.csv",
            "x,county,station,某所,,122.0,",
            "lat: lon and lat go together: give both or neither",
        ),
        (
            "offices.csv",
            "x,county,station,某所,,41,122",
            'lat: "122" is not a number of degrees from -90 to 90',
        ),
        ("offices.csv", "x,county,station,某所,,nan,41", 'lon: "nan" is not a number of degrees from -180'),
        ("offices.csv", "x,nowhere,station,某所,,,", 'parent_id: no such office "nowhere"'),
        ("offices.csv", "x,,station,某所,,,", "parent_id: must not be empty: a station belongs to a county"),
        ("offices.csv", "x,city,station,某所,,,", 'parent_id: a station belongs to a county, but "city" is'),
        ("offices.csv", "x,x,station,某所,,,", "parent_id: an office cannot be its own parent"),
        (
            "offices.csv",
            "x,city,city,某市,,,",
            "parent_id: a city bureau stands at the top and has no parent",
        ),
        ("offices.csv", "city,,city,某市,,,", "office_id: the same office_id stands on line 2 already"),
        ("offices.csv", "*,county,station,某所,,,", 'office_id: "*" cannot be an id'),
        ("officers.csv", "o9,x,某,officer,u,", 'office_id: no such office "x"'),
        (
            "officers.csv",
            "o9,city,某,boss,u,",
            'role: "boss" is not one of officer, chief, supervisor, admin, aud',
        ),
        ("officers.csv", "o9,city,某,officer,zhang,", 'username: "zhang" is the username of "o1" and "o9"'),
        ("officers.csv", "o/9,city,某,officer,u,", 'officer_id: "o/9" holds "/", which an id here cannot'),
        ("duty.csv", "city,o9,2026-01-01,", 'officer_id: no such officer "o9"'),
        (
            "duty.csv",
            "city,o1,2026-02-01,2026-01-01",
            'to: the end "2026-01-01" is not after the start "2026-02',
        ),
        ("holidays.csv", "2026-02-30,off", 'date: "2026-02-30" is not a date: expected YYYY-MM-DD'),
        ("holidays.csv", "2026-10-01,work", "date: the same date stands on line 2 already"),
        (
            "people.csv",
            "p9,某,theft,,station,o1,,",
            'category: "theft" is not one of control, probation, parole',
        ),
        ("people.csv", "p9,某,control,severe,station,o1,,", 'level: "severe" is not one of strict, normal'),
        ("people.csv", "p9,某,control,,x,o1,,", 'office_id: no such office "x"'),
        ("people.csv", "p9,某,control,,station,x,,", 'officer_id: no such officer "x"'),
        (
            "people.csv",
            "p9,某,control,,station,o1,soon,",
            'from: "soon" is not a time: expected ISO 8601 or epoch',
        ),
        (
            "people.csv",
            "p9,某,control,,station,o1,9999999999999999,",
            'from: "9999999999999999" is not a time',
        ),
        ("people.csv", "station,某,control,,station,o1,,", 'person_id: "station" is an office and a person'),
        (
            "people.csv",
            "p1,某,control,,station,o1,,",
            "person_id: the same person_id stands on line 2 already",
        ),
        ("people.csv", "p9,某,control", "row: has 3 fields where the header names 8"),
        (
            "people.csv",
            'p9,"某"人,control,,station,o1,,',
            "row: is not valid CSV: a closing quote is followed by",
        ),
        (
            "people.csv",
            'p9,"某,control,,station,o1,,',
            "row: is not valid CSV: a quoted field that starts here",
        ),
        ("people.csv", "p9,某\x00,control,,station,o1,,", 'name: "某�" holds a character that is not text'),
        (
            "people.csv",
            f"{'p' * 129},某,control,,station,o1,,",
            'person_id: "pppppppppppppppppppppppppppppppppppp',
        ),
        ("devices.csv", f"b9,band,{'p' * 129},,,", 'person_id: "ppp'),
        ("people.csv", "p9,control,,nowhere,o1,,", "row: has 7 fields where the header names 8"),
        ("devices.csv", "b9,watch,p1,,,", 'kind: "watch" is not one of band, phone, tracker'),
        ("devices.csv", "b9,band,x,,,", 'person_id: no such person "x"'),
        (
            "devices.csv",
            "b9,band,p1,0,,",
            'report_every_s: "0" is not a whole number of seconds from 1 to 86400',
        ),
        ("devices.csv", "b9,band,p1,1.5,,", 'report_every_s: "1.5" is not a whole number of seconds'),
        ("devices.csv", "b+9,band,p1,,,", 'device_id: "b+9" holds "+", which an id here cannot'),
        (
            "devices.csv",
            "b1,band,p1,,2026-01-01,",
            "device_id: the same device_id, from stands on line 2 already",
        ),
        (
            "devices.csv",
            "b1,band,v1,,2026-06-30T23:59,2026-06-30T23:59:30",
            'device_id: "b1" is bound to "p1" and "v1" at the same',
        ),
        ("orders.csv", "r9,x,29.1,局长,2026-01-01,2026-01-01,2026-01-02,", 'person_id: no such person "x"'),
        (
            "orders.csv",
            "r9,p1,29.6,局长,2026-01-01,2026-01-01,2026-01-02,",
            'ground: "29.6" is not one of 29.1, 29.2',
        ),
        ("orders.csv", "r9,p1,29.1,,2026-01-01,2026-01-01,2026-01-02,", "approved_by: must not be empty"),
        (
            "orders.csv",
            "r9,p1,29.1,局长,1/2/26,2026-01-01,2026-01-02,",
            'approved_on: "1/2/26" is not a date',
        ),
        (
            "orders.csv",
            "r9,p1,29.1,局长,2026-01-01,2026-01-01,,",
            "to: an order must say from when to when it runs",
        ),
        (
            "orders.csv",
            "r9,p1,29.1,局长,2026-01-01,,2026-01-02,",
            "from: an order must say from when to when",
        ),
        (
            "orders.csv",
            "r9,v1,29.1,局长,2026-01-01,2026-01-01,2026-01-02,",
            'person_id: "v1" is a protected person',
        ),
        ("orders.csv", "r9,p1,29.1,局长,2026-01-01,2026-07-17,2026-07-18,x", 'extends: no such order "x"'),
        (
            "orders.csv",
            "r9,p2,29.1,局长,2026-01-01,2026-07-17,2026-07-18,r2",
            'extends: "r2" is an order of another',
        ),
        (
            "orders.csv",
            "r9,p1,29.1,局长,2026-01-01,2026-07-17,2026-07-18,r9",
            "extends: an order cannot extend itself",
        ),
        (
            "orders.csv",
            "r9,p1,29.1,局长,2026-01-01,2026-01-15,2026-01-18,r1",
            'extends: an extension begins after "r1"',
        ),
        ("leaves.csv", "l9,x,,,o1,", 'person_id: no such person "x"'),
        ("leaves.csv", "l9,p1,,,,", "approved_by: must not be empty"),
        ("leaves.csv", "l9,p1,,,o1,home;moon", 'zone_ids: no such zone "moon"'),
        ("suspensions.csv", "p1,2026-04-01,,", "reason: must not be empty"),
        ("suspensions.csv", "x,,,住院", 'person_id: no such person "x"'),
        ("contacts.csv", "p2,v1,0", "distance_m: must be greater than 0"),
        ("contacts.csv", "p2,v1,1_0", 'distance_m: "1_0" is not a number of metres'),
        ("contacts.csv", "p2,p1,200", 'protected_id: "p1" is not a protected person'),
        (
            "contacts.csv",
            "v1,v1,200",
            'person_id: "v1" is a protected person: here stands who must keep away',
        ),
    ],
)
def test_a_faulty_row(tmp_path: Path, name: str, row: str, expected: str) -> None:
    messages = told_with(tmp_path, name, with_row(name, row))

    assert len(messages) == 1, messages
    assert messages[0].startswith(f"{name}:{FIRST_NEW_LINE[name]}: {expected}"), messages[0]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("people.csv", None, "people.csv:1: file: the required file is missing"),
        ("people.csv", "", "people.csv:1: file: is empty: the first line must name the columns"),
        ("people.csv", b"\xff\xfe\x00\xff\n", "people.csv:1: file: is neither UTF-8 nor GB18030 text"),
        (
            "people.csv",
            SOUND["people.csv"].encode() + b"\n\xff",
            "people.csv:6: file: is neither UTF-8 nor GB18",
        ),
        ("duty.csv", "office_id,from,to,who\n", "duty.csv:1: officer_id: the required column is missing"),
        ("holidays.csv", "date,kind,kind\n", "holidays.csv:1: kind: the column is named twice"),
        ("holidays.csv", "date,kind,\n", "holidays.csv:1: row: column 3 has no name"),
        ("holidays.csv", "date,kind,说明\n", "holidays.csv:1: 说明: unknown column"),
        (
            "holidays.csv",
            "date,kind\n2026-10-01,off,x\n",
            "holidays.csv:2: row: has 3 fields where the header names 2",
        ),
        ("holidays.csv", 'date,kind,"a\nb"\n', "holidays.csv:1: a�b: unknown column"),
        ("leave.csv", "", "leave.csv:1: file: unknown file: is leaves.csv meant?"),
    ],
)
def test_a_faulty_file(tmp_path: Path, name: str, content: str | bytes | None, expected: str) -> None:
    changes: dict[str, str | bytes | None] = {name: content}
    if name == "leave.csv":
        changes["leaves.csv"] = None

    assert told(write_folder(tmp_path, changes))[0].startswith(expected)


def test_what_refers_to_an_unreadable_file_is_not_blamed(tmp_path: Path) -> None:
    assert told_with(tmp_path, "people.csv", None) == ["people.csv:1: file: the required file is missing"]


def test_what_refers_to_a_faulty_row_is_not_blamed(tmp_path: Path) -> None:
    spoiled = SOUND["people.csv"].replace("p1,李四,probation", "p1,李四,theft")

    (message,) = told_with(tmp_path, "people.csv", spoiled)

    assert message.startswith("people.csv:2: category: ")


def test_a_missing_column_does_not_hide_other_faults(tmp_path: Path) -> None:
    rows = "person_id,category,office_id,officer_id,from,to\np1,probation,x,o1,,\np2,parole,station,o1,,\n"

    messages = told_with(tmp_path, "people.csv", rows + "v1,protected,station,o1,,\n")

    assert messages == [
        "people.csv:1: name: the required column is missing",
        'people.csv:2: office_id: no such office "x"',
    ]


def test_every_fault_is_told_at_once_sorted_by_file_and_line(tmp_path: Path) -> None:
    messages = told(
        write_folder(
            tmp_path,
            {
                "people.csv": with_row("people.csv", "p8,,theft,,x,y,soon,later").replace(
                    "station2", "nowhere"
                ),
                "leaves.csv": with_row("leaves.csv", "l9,p1,,,,moon"),
                "devices.csv": with_row("devices.csv", "b8,band,nobody,-1,,"),
                "zones.geojson": '{"type":"FeatureCollection",\n"features":[}',
            },
        )
    )

    assert [message.split(": ")[:2] for message in messages] == [
        ["devices.csv:5", "report_every_s"],
        ["devices.csv:5", "person_id"],
        ["leaves.csv:3", "approved_by"],
        ["people.csv:3", "office_id"],
        ["people.csv:5", "name"],
        ["people.csv:5", "category"],
        ["people.csv:5", "from"],
        ["people.csv:5", "to"],
        ["people.csv:5", "office_id"],
        ["people.csv:5", "officer_id"],
        ["zones.geojson:2", "file"],
    ]


def test_the_line_is_where_the_record_starts(tmp_path: Path) -> None:
    rows = 'date,kind\n"2026-10-01\n","off\n\n"\n2026-10-02,feast\n'

    (message,) = told_with(tmp_path, "holidays.csv", rows)

    assert message.startswith("holidays.csv:6: kind: ")


def test_a_message_is_one_line_whatever_the_field_holds(tmp_path: Path) -> None:
    (message,) = told_with(tmp_path, "holidays.csv", 'date,kind\n2026-10-01,"of\nf\x1b[31m"\n')

    assert message == 'holidays.csv:2: kind: "of�f�[31m" is not one of off, work'


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {"holidays.csv": None, "zones.geojson": None})
    (folder / "holidays.csv").mkdir()
    (folder / "zones.geojson").mkdir()

    assert told(folder)[:2] == ["holidays.csv:1: file: is not a file", "zones.geojson:1: file: is not a file"]


def test_no_folder(tmp_path: Path) -> None:
    assert told(tmp_path / "nowhere") == ["nowhere:1: file: there is no such folder"]


def test_a_quote_never_closed_in_a_long_file_is_one_fault(tmp_path: Path) -> None:
    rows = 'date,kind\n"2026-10-01,off\n' + "2026-10-02,off\n" * 20_000

    (message,) = told_with(tmp_path, "holidays.csv", rows)

    assert message.startswith("holidays.csv:2: row: is not valid CSV: a quoted field that starts here")


@pytest.mark.parametrize(
    ("bindings", "expected"),
    [
        (["p1,2026-01-01,2026-12-31", "p2,2026-02-01,2026-02-10", "p1,2026-02-05,2026-02-06"], [3, 4]),
        (["p1,2026-01-01,2026-02-28", "p2,2026-02-01,2026-12-31", "p2,2026-02-10,2026-02-11"], [3, 4]),
        (["p1,2026-01-01,2026-12-31", "p1,2026-02-01,2026-02-10", "p2,2026-03-05,2026-03-06"], [4]),
        (["p1,2026-01-01,2026-01-31", "p2,2026-02-01,2026-02-28", "p1,2026-03-01,"], []),
        (["p1,,2026-01-31T12:00", "p2,2026-01-31T12:00,"], []),
        (["p1,2026-03-01,", "p2,,"], [2]),
    ],
)
def test_a_device_is_worn_by_one_person_at_a_time(
    tmp_path: Path, bindings: list[str], expected: list[int]
) -> None:
    rows = "device_id,kind,person_id,from,to\n" + "".join(f"b1,band,{binding}\n" for binding in bindings)

    messages = told_with(tmp_path, "devices.csv", rows)

    assert [int(message.split(":")[1]) for message in messages] == expected
    assert all('device_id: "b1" is bound to' in message for message in messages)


def _without_rows(*keep: str) -> dict[str, str | bytes | None]:
    changes: dict[str, str | bytes | None] = {n: t.split("\n")[0] for n, t in SOUND.items() if n not in keep}
    return {**changes, "zones.geojson": None}


@pytest.mark.parametrize(
    ("name", "row", "expected"),
    [
        (
            "people.csv",
            "p1,李四,protected,,station,o1,,",
            'people.csv:2: category: "p1" is a protected person',
        ),
        (
            "people.csv",
            "v1,孙某,control,,station,o1,,",
            'people.csv:2: category: "v1" is not a protected person',
        ),
        (
            "offices.csv",
            "county,city,station,某所,,,",
            "offices.csv:2: parent_id: a station belongs to a county",
        ),
        (
            "offices.csv",
            "p1,county,station,某所,,,",
            'offices.csv:2: office_id: "p1" is an office and a person',
        ),
        ("officers.csv", "o7,city,某,officer,wang,", 'officers.csv:2: username: "wang" is the username of'),
        (
            "orders.csv",
            "r1,p2,29.1,局长,2026-01-01,2026-01-15,2026-04-15,",
            'orders.csv:2: order_id: "r1" is an',
        ),
        (
            "devices.csv",
            "b1,band,p2,,2026-06-01,2026-06-02",
            'devices.csv:2: device_id: "b1" is bound to "p1"',
        ),
    ],
)
def test_a_change_that_contradicts_what_is_known_is_told_at_the_change(
    tmp_path: Path, name: str, row: str, expected: str
) -> None:
    base = read(write_folder(tmp_path / "base"), ZONE)
    changes = _without_rows()
    changes[name] = SOUND[name].split("\n")[0] + f"\n{row}\n"

    messages = told(write_folder(tmp_path / "new", changes), base)

    assert any(message.startswith(expected) for message in messages), messages


def test_what_was_wrong_before_is_not_held_against_a_folder(tmp_path: Path) -> None:
    sound = read(write_folder(tmp_path / "base"), ZONE)
    wrong = replace(sound, contacts={("p1", "p2"): ContactRule("p1", "p2", 100.0)})

    assert told(write_folder(tmp_path / "new", _without_rows()), wrong) == []
