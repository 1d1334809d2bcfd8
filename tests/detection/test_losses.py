"""Shielded and jammed inferred: lost outdoors beyond doubt, and every ordinary loss that only looks so."""

from __future__ import annotations

import pytest
from precinct import Watch, band, cases, home, minute, phone, square, times

from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.telemetry import BandEvent, Source

LOST = (Kind.SHIELDED, Kind.JAMMED)


def walk(
    seen: Watch, start: int, end: int, *, with_band: bool = True, bat: int = 80, phone_acc: float = 6.0,
    band_acc: float = 6.0, from_m: float = 0.0, mps: float = 1.2, beats: bool = False,
) -> None:  # fmt: skip
    """Band and phone carried along, a fix of each a minute; ``beats``: the band's heartbeats alone."""
    for k in range(start, end):
        east_m = from_m + (k - start) * 60 * mps
        if with_band:
            seen.fix(k, east_m, percent=bat, acc=band_acc)
        if beats:
            seen.event(k + 0.2, BandEvent.HEARTBEAT)
        seen.fix(k + 0.5, east_m + 36 * mps, device="f1", acc=phone_acc, percent=bat)


def town(*devices: object) -> Watch:
    return Watch(cases(home(shape=square(half_m=50_000)), *(devices or (band(), phone()))))  # type: ignore[arg-type]


def test_a_band_that_falls_silent_while_its_wearer_walks_on_outdoors_is_shielded() -> None:
    seen = town()
    walk(seen, 0, 20)
    walk(seen, 20, 40, with_band=False, from_m=1_440)
    episode = seen.one(Kind.SHIELDED)
    assert minute(episode.started_ms) == 19
    assert minute(episode.detected_ms) <= 31
    assert "电量 80%" in episode.reason
    assert not seen.episodes(Kind.JAMMED)


def test_a_band_that_is_heard_but_sees_no_satellite_is_jammed() -> None:
    seen = town()
    walk(seen, 0, 20)
    walk(seen, 20, 40, with_band=False, beats=True, from_m=1_440)
    assert minute(seen.one(Kind.JAMMED).started_ms) == 19
    assert not seen.episodes(Kind.SHIELDED)


def test_it_lasts_until_half_an_hour_after_the_device_is_back() -> None:
    seen = town()
    walk(seen, 0, 20)
    walk(seen, 20, 90, with_band=False, from_m=1_440)
    assert minute(seen.one(Kind.SHIELDED).ended_ms) != minute(seen.one(Kind.SHIELDED).ended_ms)  # open: NaN
    walk(seen, 90, 125, from_m=6_480)
    assert times(seen.one(Kind.SHIELDED))[1] == pytest.approx(90, abs=1)


@pytest.mark.parametrize("bat", [20, -1])
def test_a_battery_that_is_low_or_unknown_is_reason_enough(bat: int) -> None:
    seen = town()
    walk(seen, 0, 20, bat=bat)
    walk(seen, 20, 60, with_band=False, from_m=1_440)
    assert not seen.episodes(*LOST)


def test_who_goes_in_loses_the_positions_of_both() -> None:
    """The phone knows itself by WiFi indoors, or not at all; the band is heard or not."""
    for beats in (False, True):
        seen = town()
        walk(seen, 0, 20)
        for k in range(20, 60):
            seen.fix(k + 0.5, 1_450, device="f1", acc=40.0, src=Source.WIFI)
            if beats:
                seen.event(k + 0.2, BandEvent.HEARTBEAT)
        assert not seen.episodes(*LOST)


def test_who_stands_at_a_window_or_doubtful_outdoors_proves_nothing() -> None:
    still, coarse = town(), town()
    walk(still, 0, 20)
    walk(still, 20, 60, with_band=False, from_m=1_400, mps=0.0)
    walk(coarse, 0, 20)
    walk(coarse, 20, 60, with_band=False, phone_acc=25.0, from_m=1_440)
    assert not still.episodes(*LOST)
    assert not coarse.episodes(*LOST)


def test_a_band_that_saw_little_before_is_not_missed() -> None:
    seen = town()
    walk(seen, 0, 20, band_acc=30.0)
    walk(seen, 20, 60, with_band=False, from_m=1_440)
    assert not seen.episodes(*LOST)


def test_a_phone_that_stops_or_a_lone_device_is_never_shielded() -> None:
    phones, lone = town(), town(band())
    walk(phones, 0, 20)
    for k in range(20, 60):
        phones.fix(k, 1_440 + (k - 20) * 72, percent=80)
    for k in range(20):
        lone.fix(k, k * 72, percent=80)
    lone.until(200)
    assert not phones.episodes(*LOST)
    assert not lone.episodes(*LOST)


def test_after_an_orderly_shutdown_nothing_is_inferred() -> None:
    seen = town()
    walk(seen, 0, 20)
    seen.event(19.7, BandEvent.POWER_OFF)
    walk(seen, 20, 60, with_band=False, from_m=1_440)
    assert not seen.episodes(*LOST)
