"""When blindness and sight are told, with time moved by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from corrections_monitor.watch.blindness import Blindness, Marker, Word
from corrections_monitor.watch.clocks import STEADY_S, ClockGuard


def told(blindness: Blindness, *seen: tuple[float, str | None]) -> list[tuple[float, Word]]:
    """What is told as the seconds pass: from each second given, this is what is seen."""
    out = []
    for (since, reason), until in zip(seen, [s for s, _ in seen[1:]] + [seen[-1][0] + 60], strict=True):
        for second in range(int(since), int(until)):
            word = blindness.observe(reason, float(second))
            if word is not None:
                out.append((float(second), word))
    return out


def test_blindness_is_told_once_it_has_lasted_and_sight_likewise() -> None:
    assert told(Blindness(10), (0, None), (5, "db"), (100, None)) == [(15.0, Word.BLIND), (110.0, Word.BACK)]


def test_a_restart_wakes_nobody() -> None:
    assert told(Blindness(10), (0, None), (5, "db"), (14, None)) == []


def test_flickering_is_one_blindness() -> None:
    flicker = [(20.0 + 8 * i, "db" if i % 2 else None) for i in range(10)]
    assert told(Blindness(10), (0, "db"), *flicker) == [(10.0, Word.BLIND)]


def test_who_finds_a_blindness_told_before_tells_only_its_end() -> None:
    assert told(Blindness(10, is_blind=True), (0, "db"), (60, None)) == [(70.0, Word.BACK)]


def test_of_two_who_notice_one_tells(tmp_path: Path) -> None:
    ours, theirs = Marker(tmp_path / "blind.json"), Marker(tmp_path / "blind.json")
    assert [ours.make(7, "db"), theirs.make(8, "db")] == [True, False]
    assert theirs.since_ms() == 7
    assert [theirs.take_away(), ours.take_away()] == [True, False]
    assert not ours.stands()


@pytest.mark.parametrize(
    ("jump_ms", "is_off"), [(0, False), (59_000, False), (61_000, True), (-61_000, True)]
)
def test_a_clock_that_jumps_by_more_than_a_minute_is_off(jump_ms: int, is_off: bool) -> None:
    guard = ClockGuard()
    assert guard.observe(1_000_000, 1_000.0) is None
    reason = guard.observe(1_001_000 + jump_ms, 1_001.0)
    assert (reason is not None) is is_off
    if reason is not None:
        assert reason == f"the clock jumped by {jump_ms / 1_000:+.0f} s"
        assert guard.observe(1_002_000, 1_002.0) is None  # set back


def test_a_clock_that_runs_evenly_after_a_jump_is_believed_again() -> None:
    guard = ClockGuard()
    guard.observe(0, 0.0)
    assert guard.observe(600_000, 1.0) is not None
    assert guard.observe(600_000 + 1_000 * (int(STEADY_S) - 1), STEADY_S) is not None
    assert guard.observe(600_000 + 1_000 * (int(STEADY_S) + 1), STEADY_S + 2) is None
