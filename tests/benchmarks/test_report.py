"""A benchmark's table says what was promised and what was measured, and the same stands in its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import report as module
from benchmarks.report import Row, report


def test_a_missed_target_is_seen_at_once_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    rows = [
        Row("speed", "fixes/s", [3e6, 1e6, 2.5e6], 2e6, beside="the usual way", times=5.0),
        Row("step", "ms", [30.0], 25, at_most=True),
        Row("usual way", "fixes/s", [5e5]),
    ]
    path = report("sample", rows, date="2026-11-24T00:00:00+00:00", packages=("numpy", "no-such-package"))
    lines = capsys.readouterr().out.splitlines()
    assert "≥ 2,000,000" in lines[1]
    assert "2,500,000" in lines[1]
    assert "1,000,000 … 3,000,000" in lines[1]
    assert "5.0 × the usual way" in lines[1]
    assert lines[1].endswith("yes")
    assert lines[2].endswith("NO")
    kept = json.loads(path.read_text("utf-8"))
    assert [row["holds"] for row in kept["rows"]] == [True, False, None]
    assert kept["date"].startswith("2026-11-24")
    assert kept["machine"]["versions"]["numpy"]
    assert kept["machine"]["versions"]["no-such-package"] is None
