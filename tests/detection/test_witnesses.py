"""Which fixes are witnesses of their own, and what is said of places very far away."""

from __future__ import annotations

from precinct import Point, Said, Told, Watch, at, band, cases, home, minute, phone, place, square

from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.telemetry import BandEvent, Source


def test_a_coarse_position_repeated_to_the_last_digit_never_opens_anything() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    for k in range(11, 200):
        seen.fix(k, 3_314, acc=1_222, src=Source.LBS)
    assert not seen.episodes(Kind.ZONE_EXIT)


def test_different_coarse_positions_do() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    for k in range(11, 60):
        seen.fix(k, 6_000 + 100 * k, acc=800, src=Source.LBS)
    assert seen.episodes(Kind.ZONE_EXIT)


def test_a_tracker_that_holds_its_position_outside_is_found_some_minutes_later() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    seen.stay(11, 30, 700)
    assert minute(seen.one(Kind.ZONE_EXIT).started_ms) == 11
    assert minute(seen.one(Kind.ZONE_EXIT).detected_ms) <= 13


def test_the_reason_tells_the_true_distance_however_far() -> None:
    seen = Watch(cases(home(shape=square())))
    for k in range(5):
        seen.fix(k, 80_000 + 10 * k)
    assert "798" in seen.one(Kind.ZONE_EXIT).reason
    (fix, *_) = seen.one(Kind.ZONE_EXIT).evidence["fixes"][-1:]
    assert fix["beyond_m"] > 79_000


def test_when_all_devices_die_together_the_band_is_not_blamed_alone() -> None:
    seen = Watch(cases(home(), band(every_s=60), phone(every_s=240)))
    for k in range(11):
        seen.fix(k, 0)
        if k % 4 == 2:
            seen.fix(k + 0.1, 0, device="f1")
    seen.until(60)
    assert not seen.episodes(Kind.SILENCE_BAND)
    assert minute(seen.one(Kind.SILENCE_DEVICE).started_ms) == 10.1


def test_the_band_is_blamed_as_soon_as_a_seldom_phone_speaks_without_it() -> None:
    seen = Watch(cases(home(), band(every_s=60), phone(every_s=600)))
    seen.stay(0, 10, 0)
    seen.fix(5, 0, device="f1")
    seen.until(15)
    assert not seen.episodes(Kind.SILENCE_BAND)
    seen.fix(15.5, 0, device="f1")
    assert minute(seen.one(Kind.SILENCE_BAND).started_ms) == 10
    assert minute(seen.one(Kind.SILENCE_BAND).detected_ms) == 15.5


def test_the_position_is_missed_to_the_moment_whatever_lies_in_one_batch() -> None:
    """The phone's patience of 15 min runs out a minute before the band's fix would be that old."""
    said = [Said(at(k), "b1", (Point(at(k), *place(0, 0)),)) for k in range(18)]
    said += [Said(at(k), "b1", events=(Told(at(k), BandEvent.HEARTBEAT),)) for k in range(18, 60)]
    said += [Said(at(16.5), "f1", (Point(at(16.5), *place(0, 0)),))]
    said += [Said(at(k + 0.7), "f1", sent_ms=at(k + 0.7)) for k in range(21, 60, 5)]
    said.sort(key=lambda s: s.at_ms)
    for size in (1, 7, 100):
        seen = Watch(cases(home(), band(every_s=60), phone(every_s=300)))
        for k in range(0, len(said), size):
            seen.hear(said[k : k + size], said[k : k + size][-1].at_ms)
        assert minute(seen.one(Kind.SILENCE_POSITION).detected_ms) == 31.5
