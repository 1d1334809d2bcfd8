"""When blindness and sight are told, with time moved by hand."""

from __future__ import annotations

from pathlib import Path

from corrections_monitor.watch.blindness import Blindness, Marker, Word


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
