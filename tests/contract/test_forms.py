"""CONTRACT §2: every form in which a fix may come is the same walk; the unusable spoils only itself."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from contract_town import HOME, Place, Recording, Story, columns, later, lonlat, read, seconds, town_with_home

Replay = Callable[..., Story]
Form = Callable[[datetime, Place], tuple[str, Any]]
AWAY = (1500.0, 0.0)
TOPIC = "cm/v1/211102/D-1/fix"


def fix(when: datetime, place: Place, **more: Any) -> dict[str, Any]:
    lon, lat = lonlat(place)
    return {"t": int(when.timestamp() * 1000), "lon": lon, "lat": lat} | more


def ours(change: Callable[[datetime, Place], dict[str, Any]]) -> Form:
    return lambda when, place: (TOPIC, {"fixes": [fix(when, place) | change(when, place)]})


def traccar(when: datetime, place: Place) -> tuple[str, Any]:
    lon, lat = lonlat(place)
    position = {
        "fixTime": when.isoformat(timespec="milliseconds"), "valid": True, "longitude": lon, "latitude": lat,
        "accuracy": 0.0, "speed": 2.5, "course": 90, "altitude": 3, "attributes": {"batteryLevel": 55},
    }  # fmt: skip
    return "traccar/positions", {"position": position, "device": {"id": 3, "name": "x", "uniqueId": "D-1"}}


def owntracks(when: datetime, place: Place) -> tuple[str, Any]:
    lon, lat = lonlat(place)
    location = {"_type": "location", "tst": int(when.timestamp()), "lon": lon, "lat": lat, "acc": 8, "vel": 3}
    return "owntracks/li/D-1", location | {"tid": "li", "batt": 55}


BAD: dict[str, Any] = {
    "NaN": {"t": 1, "lon": float("nan"), "lat": 41},
    "out of range": {"t": 1780279200001, "lon": 200, "lat": 41},
    "without t": {"lon": 122, "lat": 41},
    "no fix": 7,
    "negative accuracy": {"t": 1780279200001, "lon": 122, "lat": 41, "acc": -3},
}
FORMS: dict[str, Form] = {
    "t, lon, lat alone": ours(lambda when, place: {}),
    "everything": ours(lambda when, place: {"acc": 8.5, "spd": 1.2, "hdg": 90, "src": "gnss"}),
    "ISO with offset": ours(lambda when, place: {"t": when.isoformat()}),
    "ISO in UTC": ours(lambda w, p: {"t": f"{w - timedelta(hours=8):%Y-%m-%dT%H:%M:%S}Z"}),
    "ISO without offset": ours(lambda when, place: {"t": f"{when:%Y-%m-%dT%H:%M:%S}"}),
    "unknown fields": ours(lambda when, place: {"sats": 9, "alt": None}),
    "accuracy of nothing": ours(lambda when, place: {"acc": 0}),
    # A coarse position equal to the last digit is the old one heard again: this one looks anew each time.
    "by wifi": ours(lambda when, place: {"src": "wifi", "lat": lonlat(place)[1] + when.minute * 1e-6}),
    "another county": lambda when, place: ("cm/v1/999999/D-1/fix", {"fixes": [fix(when, place)]}),
    "seq, bat, crs": lambda w, p: (TOPIC, {"seq": w.minute, "bat": 83, "crs": "wgs84", "fixes": [fix(w, p)]}),
    "on a Chinese map": lambda w, p: (
        TOPIC,
        {"crs": "gcj02", "fixes": [fix(w, p, lon=lonlat(p)[0] + 0.00622, lat=lonlat(p)[1] + 0.00137)]},
    ),
    "OwnTracks": owntracks,
    "Traccar": traccar,
} | {
    f"beside a bad one: {name}": lambda w, p, bad=bad: (TOPIC, {"fixes": [bad, fix(w, p)]})
    for name, bad in BAD.items()
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_the_same_walk(replay: Replay, form: str) -> None:
    spoken = Recording()
    for minute in range(20):
        when = later(minute)
        spoken.send(*FORMS[form](when, HOME if minute < 10 else AWAY), when + timedelta(seconds=1))
    opened = replay(town_with_home(), spoken, "--ladder", "off").only
    assert (opened["event"], opened["kind"], opened["zone_id"]) == ("opened", "zone.exit", "home")
    assert seconds(opened["started_at"], later(10)) == 0
    assert seconds(opened["detected_at"], later(10)) <= 130


def test_many_fixes_in_one_message_in_any_order(replay: Replay) -> None:
    spoken = Recording()
    for start in range(0, 20, 5):
        fixes = [fix(later(start + i), HOME if start < 10 else AWAY) for i in (3, 0, 4, 1, 2)]
        spoken.send(TOPIC, {"fixes": fixes}, later(start + 4, 1))
    opened = replay(town_with_home(), spoken).of(event="opened").only
    assert (opened["kind"], seconds(opened["started_at"], later(10))) == ("zone.exit", 0)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (TOPIC, b"\xff\xfe not JSON"),
        (TOPIC, b"[1, 2]"),
        (TOPIC, b'{"fixes":[{"t":NaN,"lon":122,"lat":41}]}'),
        (TOPIC, b'{"fixes":[{"t":1780279200000,"lon":122,"lat":41}],"crs":"mars"}'),
        ("cm/v1/211102/unknown/fix", b'{"fixes":[{"t":1780279200000,"lon":122,"lat":41}]}'),
        ("cm/v1/211102/D-1/band", b'{"t":1780279200000,"ev":"exploded"}'),
        ("cm/v1/211102/D-1/band", b'{"fixes":[{"t":1780279200000,"lon":122,"lat":41}]}'),
        ("some/other/topic", b"x"),
        ("traccar/positions", b'{"position":{}}'),
        ("owntracks/li/D-1", b'{"_type":"waypoint","lat":1}'),
    ],
)
def test_the_unusable_is_never_in_the_way_of_others(replay: Replay, topic: str, payload: bytes) -> None:
    spoken = Recording()
    for minute in range(20):
        spoken.fix(later(minute), HOME if minute < 10 else AWAY)
        encoded = base64.b64encode(payload).decode()
        spoken.lines.append({"at": later(minute, 2).isoformat(), "topic": topic, "payload_b64": encoded})
    told = replay(town_with_home(), spoken, "--ladder", "off")
    assert told.told() == [("opened", "zone.exit")]


def test_fixes_far_ahead_of_our_clock_or_older_than_anything_kept_judge_nobody(replay: Replay) -> None:
    spoken = Recording()
    spoken.stay(later(0), later(20))
    for minute in range(5, 15):
        spoken.fix(later(minute + 6), AWAY, at=later(minute, 30))
        spoken.fix(later(minute - 200 * 24 * 60), AWAY, at=later(minute, 40))
    assert replay(town_with_home(), spoken) == []


def test_a_base_station_alone_says_little(replay: Replay) -> None:
    spoken = Recording()
    spoken.stay(later(0), later(10))
    spoken.stay(later(10), later(20), (700, 0), src="lbs", acc=None)
    assert replay(town_with_home(), spoken) == [], "500 m outside by a source that errs by 500 m"


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([1, 2, 3, 4, 7, 8, 9, 10], [("opened", 6)]),
        ([1, 2, 3, 4, 7, 5, 6, 8, 9], []),
        ([1, 2, 3, 4, 7, 8, 9, 5, 6], [("opened", 6), ("closed", 8)]),
        ([1, 2, 4, 5, 7, 8, 9, 10], [("opened", 4), ("opened", 6)]),
        ([10, 11, 12, 1, 2, 3, 4, 5], []),
        ([None, None, 7, None, 8, 9, 10], []),
    ],
    ids=["missing", "filled in time", "filled late", "two runs", "restart", "optional"],
)
def test_missing_numbers(replay: Replay, numbers: list[int | None], told: list[tuple[str, int]]) -> None:
    spoken = Recording()
    for minute, number in enumerate(numbers):
        spoken.fix(later(minute), **({} if number is None else {"seq": number}))
    gaps = replay(town_with_home(), spoken)
    assert {line["kind"] for line in gaps} <= {"data.gap"}
    assert [(line["event"], seconds(line["at"], later(0, 1)) / 60) for line in gaps] == told
    assert columns(gaps, "severity", "paged") == [("info", [])] * len(told)


def test_a_gap_is_given_up_after_a_day(replay: Replay) -> None:
    spoken = Recording()
    for minute, number in ((0, 1), (1, 3), (30 * 60, 4)):
        spoken.fix(later(minute), seq=number)
    gaps = replay(town_with_home(), spoken).of(kind="data.gap")
    assert gaps.told() == [("opened", "data.gap"), ("closed", "data.gap")]
    assert seconds(gaps[1]["at"], gaps[0]["at"]) <= 24 * 3600


# -- recordings --------------------------------------------------------------------------------------
def walk() -> Recording:
    spoken = Recording()
    spoken.stay(later(0), later(10))
    spoken.stay(later(10), later(20), AWAY)
    return spoken


def odd(change: str, text: str) -> bytes:
    lines = text.splitlines()
    if change == "CRLF and blank lines":
        return ("\r\n\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode()
    if change == "no newline at the end":
        return text.rstrip("\n").encode()
    rows = [json.loads(line) for line in lines]
    for row in rows:
        if change == "base64":
            row["payload_b64"] = base64.b64encode(json.dumps(row.pop("payload")).encode()).decode()
        elif change == "milliseconds":
            row["at"] = int(datetime.fromisoformat(row["at"]).timestamp() * 1000)
        elif change == "civil time":
            row["at"] = row["at"].removesuffix("+08:00")
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.mark.parametrize(
    "change", ["CRLF and blank lines", "no newline at the end", "base64", "milliseconds", "civil time", "gz"]
)
def test_odd_recordings_are_the_same_recording(cli: CommandLine, tmp_path: Path, change: str) -> None:
    cases = town_with_home().write(tmp_path / "cases")
    outputs = []
    for name, data in (("plain.ndjson", walk().text().encode()), ("odd", odd(change, walk().text()))):
        packed = change == "gz" and name == "odd"
        file = tmp_path / (name + ".gz" if packed else name)
        file.write_bytes(gzip.compress(data) if packed else data)
        output = tmp_path / (name + ".out")
        done = cli.monitor("replay", "--cases", cases, "--input", file, "--output", output)
        assert done.status == 0, done.err
        outputs.append(output.read_bytes())
    assert outputs[0] == outputs[1]
    assert len(read(tmp_path / "plain.ndjson.out").of(event="opened")) == 1


def test_the_output_has_the_fields_of_the_contract_in_order_and_is_the_same_again(
    replay: Replay, tmp_path: Path
) -> None:
    first = replay(town_with_home(), walk())
    text = (tmp_path / "episodes.ndjson").read_bytes()
    assert list(first[0]) == [
        "event", "at", "episode_id", "kind", "person_id", "zone_id", "started_at", "detected_at", "ended_at",
        "severity", "paged", "reason",
    ]  # fmt: skip
    for size in ("1", "3", "1000"):
        replay(town_with_home(), walk(), "--batch", size)
        assert (tmp_path / "episodes.ndjson").read_bytes() == text
    assert all(line["at"].endswith("+08:00") and line["reason"] for line in first)


def test_the_clock_ends_at_the_last_message_or_when_told(replay: Replay) -> None:
    assert replay(town_with_home(), Recording()) == []
    until = replay(town_with_home(), walk(), "--until", later(10, 30).isoformat())
    assert until == []
    longer = replay(town_with_home(), walk(), "--until", "2026-06-01 10:25", "--ladder", "off")
    assert longer.told() == [("opened", "zone.exit"), ("opened", "silence.device")]
    climbing = replay(town_with_home(), walk(), "--until", later(60).isoformat()).of(kind="zone.exit")
    assert columns(climbing, "event", "paged") == [
        ("opened", ["s-duty"]), ("updated", ["s-chief"]), ("updated", ["k-duty"]), ("updated", ["c-duty"]),
    ]  # fmt: skip
    assert [seconds(line["at"], climbing[0]["at"]) / 60 for line in climbing] == [0, 3, 8, 23]
