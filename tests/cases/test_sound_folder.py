"""What a sound folder gives, in whatever spelling, and how it is laid over what is known."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from case_folders import SOUND, SOUND_ZONES, ZONE, told, write_folder

from corrections_monitor.cases import CaseFaults, read
from corrections_monitor.model.cases import Circle, DayKind, Level, Supervision
from corrections_monitor.model.times import OPEN_END_MS, OPEN_START_MS, parse_time


def ms(text: str) -> int:
    return parse_time(text, ZONE)


def test_every_file_is_read(tmp_path: Path) -> None:
    cases = read(write_folder(tmp_path), ZONE)

    assert [office.office_id for office in cases.offices_up("station")] == ["station", "county", "city"]
    assert cases.offices["county"].level is Level.COUNTY
    assert (cases.offices["county"].lon, cases.offices["city"].lon) == (122.0, None)
    assert cases.officers["o1"].channels == ("mailto://a@b.c", "json://h")
    assert cases.duty["station", "o1", ms("2026-03-01T08:30")].span.to_ms == ms("2026-03-02T08:30")
    assert cases.holidays[date(2026, 10, 10)].kind is DayKind.WORK
    assert cases.people["p1"].level is Supervision.STRICT
    assert cases.people["p2"].level is Supervision.NORMAL
    assert cases.people["p2"].span.to_ms == OPEN_END_MS
    assert cases.devices["b1", ms("2026-01-01")].report_every_s == 30
    assert cases.devices["t1", OPEN_START_MS].report_every_s == 60
    assert cases.orders["r1"].span.to_ms == ms("2026-04-16"), "a bare date in `to` includes that day"
    assert cases.orders["r2"].extends == "r1"
    assert cases.leaves["l1"].zone_ids == ("home", "work")
    assert cases.suspensions["p1", ms("2026-03-01")].reason == "住院"
    assert cases.contacts["p1", "v1"].distance_m == 200
    assert cases.zones["work"].shape == Circle(122.2, 41.2, 150.0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_read_the_same(tmp_path: Path, encoding: str, line_end: str) -> None:
    files = {**SOUND, "zones.geojson": SOUND_ZONES}
    respelled = {n: t.replace("\n", line_end).encode(encoding) for n, t in files.items()}

    assert read(write_folder(tmp_path / "a", respelled), ZONE) == read(write_folder(tmp_path / "b"), ZONE)


def test_a_gb18030_word_that_happens_to_be_utf8_is_read_as_its_neighbours_are(tmp_path: Path) -> None:
    lookalike = "person_id,from,to,reason\np1,2026-03-01,,住院\n".encode("gb18030")
    assert lookalike.decode("utf-8").endswith("סԺ\n")
    gb18030 = {name: text.encode("gb18030") for name, text in SOUND.items()}

    among_gb18030 = read(write_folder(tmp_path / "a", {**gb18030, "suspensions.csv": lookalike}), ZONE)
    among_utf8 = read(write_folder(tmp_path / "b", {"suspensions.csv": lookalike}), ZONE)

    assert among_gb18030.suspensions["p1", ms("2026-03-01")].reason == "住院"
    assert among_utf8.suspensions["p1", ms("2026-03-01")].reason == "סԺ"


def test_columns_in_any_order_blanks_and_bare_commas_do_no_harm(tmp_path: Path) -> None:
    spelled = "kind , date\n\n off, 2026-10-01 \n,\n work,2026-10-10\n"

    assert read(write_folder(tmp_path, {"holidays.csv": spelled}), ZONE).holidays.keys() == {
        date(2026, 10, 1),
        date(2026, 10, 10),
    }


def test_optional_files_and_columns_may_be_absent(tmp_path: Path) -> None:
    optional = ("duty", "holidays", "leaves", "suspensions", "contacts")
    changes: dict[str, str | bytes | None] = {f"{name}.csv": None for name in optional}
    changes["devices.csv"] = "device_id,kind,person_id,from,to\nb1,band,p1,,\n"

    cases = read(write_folder(tmp_path, {**changes, "zones.geojson": None}), ZONE)

    assert (cases.leaves, cases.zones) == ({}, {})
    assert cases.devices["b1", OPEN_START_MS].report_every_s == 60


def test_rows_are_added_and_changed_and_absent_rows_stay(tmp_path: Path) -> None:
    base = read(write_folder(tmp_path / "base"), ZONE)
    changes: dict[str, str | bytes | None] = {name: SOUND[name].split("\n")[0] for name in SOUND}
    changes["people.csv"] = (
        "person_id,name,category,office_id,officer_id,from,to\n"
        "p1,李四,probation,station2,o1,2026-01-01,\n"
        "p9,新来,control,station,o2,2026-05-01,\n"
    )
    merged = read(write_folder(tmp_path / "new", {**changes, "zones.geojson": None}), ZONE, base)

    assert merged.people.keys() == {"p1", "p2", "v1", "p9"}
    assert merged.people["p1"].office_id == "station2"
    assert merged.orders == base.orders
    assert merged.zones == base.zones
    assert base.people["p1"].office_id == "station", "what was known before is left alone"


def test_nothing_is_loaded_when_anything_is_wrong(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {"holidays.csv": "date,kind\n2026-10-01,feast\n"})

    with pytest.raises(CaseFaults) as caught:
        read(folder, ZONE)
    (fault,) = caught.value.faults
    assert (fault.file, fault.line, fault.column) == ("holidays.csv", 2, "kind")


def test_a_sound_folder_has_no_faults(tmp_path: Path) -> None:
    assert told(write_folder(tmp_path)) == []
