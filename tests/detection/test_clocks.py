"""Device clocks that are off: set right within reason, a suspicion beyond, never a late upload's fault."""

from __future__ import annotations

import pytest
from precinct import (
    NIGHT,
    SHANGHAI,
    T0,
    Point,
    Said,
    Watch,
    at,
    band,
    batch_of,
    cases,
    clock,
    coherent,
    home,
    minute,
    order,
    person,
    place,
)

from corrections_monitor.detection.engine import Engine
from corrections_monitor.detection.snapshot import restore, snapshot
from corrections_monitor.live.codec import entry_bytes, read_entry
from corrections_monitor.model.episodes import Episode, Kind
from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.times import HOUR_MS, MINUTE_MS, SECOND_MS

JITTER_S = (0.4, 3.1, 0.7, 6.0, 1.2, 0.5, 2.2)


def tell(seen: Watch, start: float, end: float, east_m: float, off: float, device: str = "b1") -> None:
    """A fix a minute from one place by a clock that is off by so many minutes, half a second to six on its
    way."""
    for k in range(round(start), round(end)):
        arrival_ms = at(k) + round(JITTER_S[k % len(JITTER_S)] * SECOND_MS)
        seen.hear([Said(arrival_ms, device, (Point(at(k + off), *place(east_m, 0)),))], arrival_ms)


def upload(seen: Watch, at_minute: float, times: list[float], east_m: float, every_s: float) -> None:
    """What was kept goes up, a message each."""
    for n, t in enumerate(times):
        arrival_ms = at(at_minute) + round(n * every_s * SECOND_MS)
        seen.hear([Said(arrival_ms, "b1", (Point(at(t), *place(east_m, 0)),))], arrival_ms)


@pytest.mark.parametrize("off", [-25.0, -12.0, -2.0, 0.7, 4.5])
def test_a_walk_out_is_dated_as_if_the_clock_were_right(off: float) -> None:
    seen = Watch(cases(home()))
    tell(seen, 0, 80, 0, off)
    tell(seen, 80, 100, 900, off)
    tell(seen, 100, 120, 0, off)
    episode = seen.one(Kind.ZONE_EXIT)
    assert 79 <= minute(episode.started_ms) <= 80.5
    assert 99 <= minute(episode.ended_ms) <= 100.5
    assert minute(episode.detected_ms) <= 82.5
    assert not episode.late
    assert seen.episodes() == [episode]
    coherent(seen.told)


def test_the_reason_says_that_the_clock_was_set_right() -> None:
    seen = Watch(cases(home()))
    tell(seen, 0, 80, 0, -12)
    told = _opened(seen, Kind.ZONE_EXIT, lambda: tell(seen, 80, 90, 900, -12))
    assert told.reason.endswith("设备时钟慢 12 分，已校正")
    right = Watch(cases(home()))
    tell(right, 0, 20, 0, 0)
    assert "时钟" not in _opened(right, Kind.ZONE_EXIT, lambda: tell(right, 20, 30, 900, 0)).reason


def test_hours_are_those_of_the_right_time() -> None:
    """Home at 21:56; by a clock four minutes fast that would be within the hours."""
    seen = Watch(cases(home(hours=NIGHT)), began_ms=at(clock("21:00")))
    tell(seen, clock("21:00"), clock("21:57"), 900, 4)
    tell(seen, clock("21:57"), clock("22:30"), 0, 4)
    assert seen.episodes() == []


def test_a_clock_that_is_put_right_is_believed_at_once_when_it_was_slow() -> None:
    seen = Watch(cases(home()))
    tell(seen, 0, 80, 0, -20)
    assert seen.engine.clocks_off() == (1, 0)
    tell(seen, 80, 81, 0, 0)
    assert seen.engine.clocks_off() == (0, 0)
    tell(seen, 81, 100, 900, 0)
    assert 80 <= minute(seen.one(Kind.ZONE_EXIT).started_ms) <= 81.5


def test_a_clock_that_is_put_right_is_believed_in_minutes_when_it_was_fast() -> None:
    seen = Watch(cases(home()))
    tell(seen, 0, 20, 0, 3)
    assert seen.engine.clocks_off() == (1, 0)
    tell(seen, 20, 27, 0, 0)
    assert seen.engine.clocks_off() == (0, 0)


@pytest.mark.parametrize("every_s", [0.05, 1.0, 20.0, 50.0, 59.0])
@pytest.mark.parametrize("newest_first", [False, True])
def test_what_was_kept_for_lack_of_reach_has_its_own_times(every_s: float, newest_first: bool) -> None:
    """Two hours out of reach, within them forty minutes out: whatever the order and pace of the upload."""
    seen = Watch(cases(home()))
    tell(seen, 0, 60, 0, 0)
    kept = [(float(t), 900.0 if 100 <= t < 140 else 0.0) for t in range(60, 180)]
    for n, (t, east_m) in enumerate(reversed(kept) if newest_first else kept):
        arrival_ms = at(180) + round(n * every_s * SECOND_MS)
        seen.hear([Said(arrival_ms, "b1", (Point(at(t), *place(east_m, 0)),))], arrival_ms)
        assert seen.engine.clocks_off() == (0, 0)
    episode = seen.one(Kind.ZONE_EXIT)
    assert (99, 139) <= (minute(episode.started_ms), minute(episode.ended_ms)) <= (100, 140)
    assert seen.episodes(Kind.SPOOFED) == []
    assert "时钟" not in episode.reason


def test_a_clock_hours_slow_is_not_set_right_but_told() -> None:
    seen = Watch(cases(home()))
    tell(seen, 0, 30, 0, 0)
    told = _opened(seen, Kind.SPOOFED, lambda: tell(seen, 30, 70, 0, -180))
    assert minute(told.detected_ms) <= 62
    assert minute(told.started_ms) == pytest.approx(30, abs=0.2)
    assert "时钟慢 3 小时" in told.reason
    assert seen.engine.clocks_off() == (0, 1)
    tell(seen, 70, 105, 0, 0)
    assert minute(seen.one(Kind.SPOOFED).ended_ms) == pytest.approx(69, abs=0.2)


def test_a_clock_hours_fast_is_told_though_nothing_of_it_can_be_used() -> None:
    seen = Watch(cases(home()))
    tell(seen, 0, 30, 0, 0)
    told = _opened(seen, Kind.SPOOFED, lambda: ahead(seen, 30, 40, "b1"))
    assert minute(told.detected_ms) <= 36
    assert "时钟快 8 小时" in told.reason


def ahead(seen: Watch, start: int, end: int, *devices: str) -> None:
    """A message a minute eight hours ahead, of which nothing is left when it comes to the engine."""
    for k in range(start, end):
        seen.hear([Said(at(k), d, sent_ms=at(k) + 8 * HOUR_MS) for d in devices], at(k))


def test_when_many_are_ahead_it_is_our_own_clock() -> None:
    people = [person(f"p{n}") for n in range(6)]
    worn = [band(f"b{n}", f"p{n}") for n in range(6)]
    seen = Watch(cases(*people, *worn, *(order(f"p{n}") for n in range(6))))
    ahead(seen, 0, 50, *(f"b{n}" for n in range(6)))
    assert seen.episodes(Kind.SPOOFED) == []


def test_whose_clock_is_wrong_does_not_hang_on_how_messages_are_cut_into_batches() -> None:
    """Three bands have been ahead for some minutes when a fifth is too, so that it must be our clock; only
    then the fourth has been for long enough to be told."""
    people, worn = [person(f"p{n}") for n in range(6)], [band(f"b{n}", f"p{n}") for n in range(6)]
    known = cases(*people, *worn, *(order(f"p{n}") for n in range(6)))
    said = [
        Said(at(k) + n, f"b{n}", sent_ms=at(k) + 8 * HOUR_MS)
        for k in range(8)
        for n in range(6)
        if n < 3 or (n == 3 and k >= 2) or k == 6
    ]
    one, whole = Watch(known), Watch(known)
    for message in said:
        one.hear([message], message.at_ms)
    whole.hear(said, said[-1].at_ms)
    assert len(one.episodes(Kind.SPOOFED)) == 3
    assert one.told == whole.told


def test_time_that_runs_backwards_is_told() -> None:
    seen = Watch(cases(home()))
    tell(seen, 0, 60, 0, 0)

    def backwards() -> None:
        for k in range(60, 80):
            seen.fix(k, 0, t=119.5 - k)

    assert "倒走" in _opened(seen, Kind.SPOOFED, backwards).reason


@pytest.mark.parametrize("off", [-15.0, 2.0, -200.0])
def test_batches_snapshots_and_the_quiet_proof_change_nothing(off: float) -> None:
    rows = []
    for k in range(150):
        t, east_m = at(k + (off if k >= 10 else 0)), 900.0 if 90 <= k < 120 else 0.0
        rows.append(Said(at(k) + k % 7 * 500, "b1", (Point(t, *place(east_m, 0)),)))
    every = Watch(cases(home()), judge_everyone=True)
    for row in rows:
        every.hear([row], row.at_ms)
    batched = Watch(cases(home()))
    for n in range(0, 150, 2):
        batched.hear(rows[n : n + 2], rows[n : n + 2][-1].at_ms)
        if n % 30 == 0:
            settings, calendar = DetectionSettings(), Calendar(SHANGHAI)
            batched.engine = restore(snapshot(batched.engine), batched.cases, calendar, settings)
    assert every.told == batched.told
    assert every.told


def test_a_journal_judged_again_knows_the_clocks() -> None:
    """What is right at the end hangs on what was measured in every batch before."""
    seen = Watch(cases(home()))
    again = Engine(seen.cases, Calendar(SHANGHAI), DetectionSettings(), T0)
    for k in range(60):
        said = Said(at(k), "b1", (Point(at(k - 15), *place(0, 0)),))
        batch = seen.engine.set_right(batch_of([said], seen.engine.city.device_no))
        row = read_entry(entry_bytes(batch, at(k), (), (), (), {}))
        seen.engine.step(batch, at(k))
        again.step(row.batch(), row.now_ms)
    assert seen.engine.clocks_off() == (1, 0)
    assert snapshot(seen.engine) == snapshot(again)


def _opened(seen: Watch, kind: Kind, act) -> Episode:  # type: ignore[no-untyped-def]
    """The episode of a kind as it was when it opened in the course of something."""
    before = len(seen.told)
    act()
    return next(t.episode for t in seen.told[before:] if t.episode.kind is kind)


assert T0 % MINUTE_MS == 0
