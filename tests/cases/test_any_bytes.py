"""Whatever the bytes of a folder: it is read, or its faults are told; nothing else happens."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from case_folders import SOUND, SOUND_ZONES, collection, feature, told_with, write_folder
from hypothesis import example, given, settings
from hypothesis import strategies as st

FILES = {**SOUND, "zones.geojson": SOUND_ZONES}

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("Polygon"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


def check_told(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for message in told_with(Path(folder), name, content):
            file, line, rest = message.split(":", 2)
            assert file.endswith((".csv", ".geojson"))
            assert int(line) >= 1
            assert rest


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_damaged_files(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FILES)))
    content = FILES[name].encode(data.draw(st.sampled_from(["utf-8", "gb18030", "utf-16"])))
    at = data.draw(st.integers(0, len(content)))
    until = data.draw(st.integers(at, min(len(content), at + 20)))
    piece = data.draw(st.binary(max_size=6) | st.sampled_from([b'"', b"\x00", b"\n", b",", b"[", b"1e999"]))
    check_told(name, content[:at] + piece + content[until:])


@settings(max_examples=80, deadline=None)
@given(value=json_values, where=st.sampled_from(["geometry", "coordinates", "ring", "position"]))
@example(value=float("nan"), where="position")
def test_any_json_in_a_geometry(value: Any, where: str) -> None:
    ring = [[122.0, 41.0], value, [122.1, 41.1], [122.0, 41.0]]
    coordinates = {"coordinates": value, "ring": [value], "position": [ring]}.get(where)
    drawn = feature()
    drawn["geometry"] = value if where == "geometry" else {"type": "Polygon", "coordinates": coordinates}
    check_told("zones.geojson", collection(drawn).encode())


@settings(max_examples=80, deadline=None)
@given(
    properties=st.dictionaries(
        st.sampled_from([*feature()["properties"], "schedule", "crs", "group"]), json_values
    )
)
def test_any_json_in_properties(properties: dict[str, Any]) -> None:
    drawn = feature()
    drawn["properties"] |= properties
    check_told("zones.geojson", json.dumps({"type": "FeatureCollection", "features": [drawn]}).encode())


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "holidays.csv").chmod(0)
    try:
        (folder / "holidays.csv").read_bytes()
    except PermissionError:
        assert told_with(folder, "leave-it.txt", "") == [
            "holidays.csv:1: file: cannot be read: Permission denied"
        ]
    else:
        pytest.skip("this user may read everything")
