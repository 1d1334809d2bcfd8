"""What ``score`` makes of hand-written truths and episodes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sim_town import START_MS, ZONE, town

from corrections_monitor import cases as case_folder
from simulators.__main__ import main

MINUTE_MS = 60_000
PERSON = "p001"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cases")
    case_folder.write(town(4), path, ZONE)
    return path


def true(
    kind: str, start_min: float, end_min: float | None, zone: str | None = None, **other: Any
) -> dict[str, Any]:
    end = None if end_min is None else START_MS + round(end_min * MINUTE_MS)
    row = {
        "person_id": PERSON,
        "kind": kind,
        "zone_id": zone,
        "from": START_MS + round(start_min * MINUTE_MS),
    }
    return {**row, "to": end, **other}


def episode(
    kind: str,
    start_min: float,
    end_min: float | None,
    detected_min: float,
    zone: str | None = None,
    *,
    name: str = "e1",
    paged: Sequence[str] = (),
    severity: str = "critical",
    event: str = "opened",
    person: str = PERSON,
) -> dict[str, Any]:
    at = START_MS + round(detected_min * MINUTE_MS)
    return {
        "event": event,
        "at": at,
        "episode_id": name,
        "kind": kind,
        "person_id": person,
        "zone_id": zone,
        "started_at": START_MS + round(start_min * MINUTE_MS),
        "detected_at": at,
        "ended_at": None if end_min is None else START_MS + round(end_min * MINUTE_MS),
        "severity": severity,
        "paged": list(paged),
        "reason": "",
    }


@pytest.fixture
def scored(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(truths: list[dict[str, Any]], episodes: list[dict[str, Any]], *more: str) -> dict[str, Any]:
        truth, log = tmp_path / "truth.ndjson", tmp_path / "episodes.ndjson"
        truth.write_text("".join(json.dumps(t) + "\n" for t in truths))
        log.write_text("".join(json.dumps(e) + "\n" for e in episodes))
        recording = tmp_path / "rec.ndjson"
        ends = (START_MS, START_MS + 24 * 60 * MINUTE_MS)
        recording.write_text(
            "".join(json.dumps({"at": at, "topic": "x", "payload": {}}) + "\n" for at in ends)
        )
        call = ["score", "--cases", str(folder), "--truth", str(truth), "--episodes", str(log)]
        assert main([*call, "--recording", str(recording), "--json", *more]) == 0
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return run


def test_an_exit_found_two_minutes_late(scored: Any) -> None:
    result = scored(
        [true("zone.exit", 60, 80, "district")],
        [episode("zone.exit", 60.5, 80, 62, "district", paged=["o1"])],
    )
    row = result["kinds"]["zone.exit"]
    assert (row["recall"], row["precision"]) == (1.0, 1.0)
    assert row["delay_s"] == {"p50": 120.0, "p99": 120.0}
    assert result["false_pages"] == 0
    assert result["person_days"] == pytest.approx(4.0)


def test_an_episode_of_another_person_finds_nothing(scored: Any) -> None:
    result = scored(
        [true("zone.exit", 60, 80)], [episode("zone.exit", 60, 80, 62, person="p002", paged=["o1"])]
    )
    assert result["total"]["recall"] == 0
    assert result["total"]["precision"] == 0
    assert result["false_pages_per_person_day"] == pytest.approx(0.25)
    assert result["missed"][0]["person_id"] == PERSON
    assert result["false"][0]["person_id"] == "p002"


def test_the_zone_must_agree_where_the_truth_names_one(scored: Any) -> None:
    wrong = [episode("zone.enter", 60, 80, 62, "school2")]
    assert scored([true("zone.enter", 60, 80, "school1")], wrong)["total"]["found"] == 0
    assert scored([true("zone.enter", 60, 80)], wrong)["total"]["found"] == 1


def test_overlap_is_forgiven_one_report_interval(scored: Any) -> None:
    truth = [true("curfew", 60, 80)]
    assert scored(truth, [episode("curfew", 80.9, 90, 82)])["total"]["found"] == 1
    assert scored(truth, [episode("curfew", 81.1, 90, 82)])["total"]["found"] == 0


def test_each_truth_needs_an_episode_of_its_own(scored: Any) -> None:
    truths = [true("zone.exit", 60, 80), true("zone.exit", 90, 110)]
    one = scored(truths, [episode("zone.exit", 60, 110, 62)])
    assert (one["total"]["found"], one["total"]["false"]) == (1, 0)
    # The first detected overlaps both; it must be left to the truth that has no other.
    both = scored(
        truths,
        [episode("zone.exit", 75, 100, 61, name="wide"), episode("zone.exit", 60, 70, 62, name="first")],
    )
    assert both["total"]["found"] == 2


def test_a_silence_is_late_only_after_its_threshold(scored: Any) -> None:
    result = scored([true("silence.device", 60, 90)], [episode("silence.device", 60, 90, 65.5)])
    assert result["total"]["delay_s"]["p50"] == pytest.approx(30.0)


def test_an_episode_still_open_overlaps_everything_after_it(scored: Any) -> None:
    result = scored([true("strap.cut", 60, None)], [episode("strap.cut", 60, None, 60.1)])
    assert result["total"]["found"] == 1


def test_false_pagings_are_openings_and_rises_not_steps_of_the_ladder(scored: Any) -> None:
    told = [
        episode("silence.device", 60, None, 65, severity="minor"),
        episode("silence.device", 60, None, 90, severity="major", event="updated", paged=["o1"]),
        episode("silence.device", 60, None, 100, severity="major", event="updated", paged=["o2"]),
        episode("silence.device", 60, None, 240, severity="critical", event="updated", paged=["o1"]),
    ]
    result = scored([], told)
    assert result["false_pages"] == 2
    assert result["total"]["episodes"] == 1


def test_unknown_lines_are_passed_over(scored: Any) -> None:
    assert scored([], [{"event": "note", "text": "?"}])["total"]["episodes"] == 0


def test_a_broken_line_is_named(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth, log = tmp_path / "t", tmp_path / "e"
    truth.write_text('{"person_id":"p1","kind":"sos","from":"yesterday"}\n')
    log.write_text("")
    assert main(["score", "--cases", str(folder), "--truth", str(truth), "--episodes", str(log)]) == 1
    assert capsys.readouterr().err.startswith(f"{truth}:1: from: 'yesterday' is not a time")


def test_only_the_kinds_asked_for_are_counted(scored: Any) -> None:
    told = [episode("zone.exit", 60, 80, 62), episode("silence.position", 60, 80, 62, name="e2")]
    assert scored([], told, "--kinds", "zone.exit,curfew")["total"]["episodes"] == 1
