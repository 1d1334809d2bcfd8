"""A band that lies still through waking hours: separation inferred against the wearer's own pattern."""

from __future__ import annotations

import pytest
from precinct import Watch, band, cases, clock, home, minute, phone, span, suspension

from corrections_monitor.detection.snapshot import restore, snapshot
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.telemetry import BandEvent


def watch(*rows: object) -> Watch:
    return Watch(cases(home(), *rows))  # type: ignore[arg-type]


def move(seen: Watch, day: int, *stretches: tuple[str, str], device: str = "b1") -> None:
    """On one day the device lies still in these stretches, and speaks every hour."""
    turns = {clock(a, day): BandEvent.MOTIONLESS for a, _ in stretches}
    turns |= {clock(b, day): BandEvent.MOVING for _, b in stretches}
    for hour in range(24):
        turns.setdefault(clock(f"{hour:02d}:30", day), BandEvent.HEARTBEAT)
    for minutes in sorted(turns):
        seen.event(minutes, turns[minutes], device=device)


def speak(seen: Watch, start: float, end: float, device: str = "b1") -> None:
    for k in range(int(start), int(end), 4):
        seen.event(k, device=device)


DAILY = (("01:00", "06:50"), ("12:00", "13:00"))


def days_of(seen: Watch, count: int, device: str = "b1") -> None:
    for day in range(count):
        move(seen, day, *DAILY, device=device)


def test_a_band_left_at_home_is_separated_since_it_was_laid_down() -> None:
    seen = watch()
    days_of(seen, 4)
    seen.event(clock("08:00", 4), BandEvent.MOTIONLESS)
    speak(seen, clock("08:01", 4), clock("14:00", 4))
    episode = seen.one(Kind.SEPARATED)
    assert minute(episode.started_ms) == clock("08:00", 4)
    assert minute(episode.detected_ms) == clock("12:00", 4)  # four waking hours
    assert "未被移动" in episode.reason
    assert episode.ended_ms is None
    seen.event(clock("14:00", 4), BandEvent.MOVING)
    speak(seen, clock("14:01", 4), clock("14:29", 4))
    assert seen.one(Kind.SEPARATED).ended_ms is None
    speak(seen, clock("14:29", 4), clock("14:40", 4))
    assert minute(seen.one(Kind.SEPARATED).ended_ms) == clock("14:00", 4)


def test_the_hours_of_sleep_do_not_count() -> None:
    seen = watch()
    days_of(seen, 4)
    seen.event(clock("22:30", 4), BandEvent.MOTIONLESS)
    speak(seen, clock("22:31", 4), clock("10:58", 5))
    assert not seen.episodes(Kind.SEPARATED)
    speak(seen, clock("10:58", 5), clock("11:10", 5))
    assert minute(seen.one(Kind.SEPARATED).started_ms) == clock("22:30", 4)


def test_who_sleeps_by_day_is_left_to_sleep() -> None:
    seen = watch()
    for day in range(4):
        move(seen, day, ("08:00", "14:00"))
    seen.event(clock("08:00", 4), BandEvent.MOTIONLESS)
    speak(seen, clock("08:01", 4), clock("16:50", 4))
    assert not seen.episodes(Kind.SEPARATED)
    speak(seen, clock("16:50", 4), clock("17:10", 4))
    assert minute(seen.one(Kind.SEPARATED).detected_ms) == clock("17:00", 4)  # half as long again


@pytest.mark.parametrize("known", [0, 2])
def test_without_a_pattern_nothing_is_inferred(known: int) -> None:
    seen = watch()
    days_of(seen, known)
    seen.event(clock("08:00", known), BandEvent.MOTIONLESS)
    speak(seen, clock("08:01", known), clock("21:00", known))
    assert not seen.episodes(Kind.SEPARATED)


def test_a_phone_may_lie_on_a_table() -> None:
    seen = watch(phone())
    days_of(seen, 4, device="f1")
    seen.event(clock("08:00", 4), BandEvent.MOTIONLESS, device="f1")
    speak(seen, clock("08:01", 4), clock("20:00", 4), device="f1")
    assert not seen.episodes(Kind.SEPARATED)


def test_a_silent_band_says_nothing_until_it_speaks_again() -> None:
    seen = watch()
    days_of(seen, 4)
    seen.event(clock("08:00", 4), BandEvent.MOTIONLESS)
    seen.until(clock("15:00", 4))
    assert not seen.episodes(Kind.SEPARATED)
    seen.event(clock("15:01", 4))
    assert minute(seen.one(Kind.SEPARATED).detected_ms) == clock("15:01", 4)


def test_it_is_the_same_after_a_restart_and_judged_one_by_one() -> None:
    told = []
    for how in ("plain", "one by one", "restarted"):
        seen = watch()
        seen.engine = Watch(seen.cases, judge_everyone=how == "one by one").engine
        days_of(seen, 4)
        if how == "restarted":
            seen.engine = restore(snapshot(seen.engine), seen.cases, seen.calendar, seen.settings)
        seen.event(clock("08:00", 4), BandEvent.MOTIONLESS)
        speak(seen, clock("08:01", 4), clock("13:00", 4))
        told.append(seen.log(Kind.SEPARATED))
    assert told[0]
    assert told[0] == told[1] == told[2]


def test_the_band_beside_a_phone_is_judged_too() -> None:
    seen = watch(band(), phone())
    days_of(seen, 4)
    seen.event(clock("08:00", 4), BandEvent.MOTIONLESS)
    speak(seen, clock("08:01", 4), clock("13:00", 4))
    assert seen.one(Kind.SEPARATED).subject == "b1"


def test_lying_in_a_drawer_before_it_is_put_on_again_does_not_count() -> None:
    off, on = clock("08:00", 4), clock("20:00", 4)
    seen = watch(band(span=span(end=off)), band(span=span(start=on)))
    days_of(seen, 4)
    seen.event(clock("07:30", 4), BandEvent.MOTIONLESS)
    speak(seen, clock("07:31", 4), clock("08:00", 4))
    speak(seen, on, clock("08:58", 5))
    assert not seen.episodes(Kind.SEPARATED)
    speak(seen, clock("08:58", 5), clock("09:05", 5))
    assert minute(seen.one(Kind.SEPARATED).started_ms) == on  # two waking hours in the evening, two next day


def test_a_device_taken_off_for_good_is_no_longer_apart_from_anybody() -> None:
    off = clock("13:00", 4)
    seen = watch(band(span=span(end=off)), band("b2", span=span(start=off)))
    days_of(seen, 4)
    seen.event(clock("08:00", 4), BandEvent.MOTIONLESS)
    speak(seen, clock("08:01", 4), off)
    assert seen.one(Kind.SEPARATED).ended_ms is None
    speak(seen, off, clock("14:00", 4), device="b2")
    assert minute(seen.one(Kind.SEPARATED).ended_ms) <= off


def test_hours_in_hospital_do_not_count() -> None:
    out = clock("18:00", 4)
    seen = watch(suspension(clock("08:30", 4), out))
    days_of(seen, 4)
    seen.event(clock("08:00", 4), BandEvent.MOTIONLESS)
    speak(seen, clock("08:01", 4), clock("21:58", 4))
    assert not seen.episodes(Kind.SEPARATED)
    speak(seen, clock("21:58", 4), clock("22:06", 4))
    assert minute(seen.one(Kind.SEPARATED).started_ms) == out
