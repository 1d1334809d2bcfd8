"""Positions that contradict each other: spoofing and separation inferred, and what only looks so."""

from __future__ import annotations

import math

import numpy as np
import pytest
from precinct import T0, Point, Said, Watch, at, band, cases, home, minute, phone, place, square, times

from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.telemetry import BandEvent, Source

FAR_M = 20_000.0
ROOMY = home(shape=square(half_m=50_000))


def watch(*rows: object) -> Watch:
    return Watch(cases(ROOMY, *rows))  # type: ignore[arg-type]


def dither(k: int) -> float:
    """A receiver's usual restlessness, metres; never the same twice."""
    return 4 * math.sin(k * 1.7) + 0.01 * k


def alternate(seen: Watch, start: int, end: int, acc: float = 8.0) -> None:
    """Every other fix from another place."""
    for k in range(start, end):
        seen.fix(k, (FAR_M if (k - start) % 2 == 0 else 0.0) + dither(k), acc=acc)


def test_one_device_at_two_places_in_turn_is_spoofed_from_its_first_leap() -> None:
    seen = watch()
    for k in range(10):
        seen.fix(k, dither(k))
    alternate(seen, 10, 20)
    episode = seen.one(Kind.SPOOFED)
    assert minute(episode.started_ms) == 10
    assert minute(episode.detected_ms) == 12  # out, back and out again
    assert episode.subject == "b1"
    assert "20.0 公里" in episode.reason


@pytest.mark.parametrize("claims_m", [0.0, 1.0, 40.0])
def test_leaps_of_a_network_position_count_as_coarse_whatever_it_claims(claims_m: float) -> None:
    seen = watch()
    for k in range(9):
        far = k % 2 == 1
        source = Source.WIFI if far else Source.GNSS
        seen.fix(k, FAR_M * far + dither(k), acc=claims_m if far else 8.0, src=source)
    assert not seen.episodes(Kind.SPOOFED)
    seen.fix(9, FAR_M + dither(9), acc=claims_m, src=Source.WIFI)
    assert seen.one(Kind.SPOOFED)


def test_a_jump_from_one_place_to_another_far_away_is_spoofed_when_it_stays_there() -> None:
    seen = watch()
    for k in range(10):
        seen.fix(k, dither(k))
    for k in range(10, 30):
        seen.fix(k, FAR_M + dither(k))
    episode = seen.one(Kind.SPOOFED)
    assert (minute(episode.started_ms), minute(episode.detected_ms)) == (10, 12)
    assert "瞬间移动 19.9 公里" in episode.reason


@pytest.mark.parametrize(
    ("far_m", "acc", "every"), [(9_900, 8.0, 1.0), (FAR_M, 25.0, 1.0), (FAR_M, 8.0, 11.0)]
)
def test_a_shorter_or_a_coarser_or_a_slower_jump_is_not(far_m: float, acc: float, every: float) -> None:
    seen = watch(band(every_s=round(60 * every)))
    for k in range(20):
        seen.fix(k * every, (0 if k < 10 else far_m) + dither(k), acc=acc)
    assert not seen.episodes(Kind.SPOOFED)


def test_a_receiver_that_strays_for_some_seconds_has_not_jumped() -> None:
    seen = watch(band(every_s=10))
    for k in range(20):
        seen.fix(k, dither(k))
    for k, seconds in enumerate((10, 12, 15, 20)):
        seen.fix(19 + seconds / 60, FAR_M + dither(k))
    for k in range(20, 30):
        seen.fix(k, dither(k))
    assert not seen.episodes(Kind.SPOOFED)


def test_a_position_that_was_held_on_the_way_is_left_by_no_jump() -> None:
    seen = watch()
    for k in range(20):
        seen.fix(k, dither(min(k, 5)))
    for k in range(20, 40):
        seen.fix(k, 12_000 + dither(k))
    assert not seen.episodes(Kind.SPOOFED)


def test_it_ends_half_an_hour_after_the_last_leap_and_is_dated_to_it() -> None:
    seen = watch()
    seen.fix(9, 0)
    alternate(seen, 10, 20)
    for k in range(20, 60):
        seen.fix(k, dither(k))
    assert ("closed", 49.0, "spoofed") in seen.log(Kind.SPOOFED)
    assert times(seen.one(Kind.SPOOFED)) == (10, 19)


def test_a_wild_fix_now_and_then_is_not_spoofing() -> None:
    seen = watch()
    for k in range(120):
        wild = FAR_M * (1 + k / 100) if k % 7 == 3 else 0.0
        seen.fix(k, wild + dither(k), wild * ((k % 3) - 1))
    assert not seen.episodes(Kind.SPOOFED)


def test_an_aircraft_is_not_spoofing() -> None:
    seen = watch()
    for k in range(60):
        seen.fix(k, k * 60 * 240.0)
    assert not seen.episodes(Kind.SPOOFED)


@pytest.mark.parametrize(("acc", "after"), [(12.0, 2), (25.0, 4), (60.0, 8), (80.0, None)])
def test_the_coarser_the_fixes_the_longer_it_takes(acc: float, after: int | None) -> None:
    seen = watch()
    seen.fix(9, 0, acc=acc)
    alternate(seen, 10, 40, acc)
    found = seen.episodes(Kind.SPOOFED)
    assert [minute(e.detected_ms) - 10 for e in found] == ([] if after is None else [after])


def frozen(seen: Watch, start: int, end: int, *, claims_anew: bool = True, acc: float = 8.0) -> None:
    for k in range(start, end):
        seen.fix(k, 5.0, 5.0, acc=acc + 0.1 * (k % 9) if claims_anew else acc)


def test_who_was_only_ever_under_way_may_stand_still() -> None:
    """A tracker that holds its position while standing has shown that only by standing."""
    seen = watch()
    for k in range(80):
        seen.fix(k, 300.0 * k)
    for k in range(80, 110):
        seen.fix(k, 300.0 * 80, acc=8.0 + 0.1 * (k % 9))
    assert not seen.episodes(Kind.SPOOFED)


@pytest.mark.parametrize(("acc", "after"), [(8.0, 4), (18.0, 10)])
def test_a_restless_receiver_that_freezes_to_the_last_digit_is_spoofed(acc: float, after: int) -> None:
    seen = watch()
    for k in range(80):
        seen.fix(k, dither(k))
    frozen(seen, 80, 110, acc=acc)
    episode = seen.one(Kind.SPOOFED)
    assert times(episode)[0] == 80
    assert minute(episode.detected_ms) == 80 + after


def test_an_old_position_sent_again_and_again_is_not_frozen() -> None:
    seen = watch()
    for k in range(80):
        seen.fix(k, dither(k))
    frozen(seen, 80, 300, claims_anew=False)
    assert not seen.episodes(Kind.SPOOFED)


def test_a_receiver_that_holds_its_position_while_standing_is_not_frozen() -> None:
    seen = watch()
    for k in range(400):
        seen.fix(k, dither(k // 5))  # five times the same, then on
    frozen(seen, 400, 600)
    assert not seen.episodes(Kind.SPOOFED)


def test_network_positions_repeat_themselves_without_being_frozen() -> None:
    seen = watch()
    for k in range(80):
        seen.fix(k, dither(k))
    for k in range(80, 200):
        seen.fix(k, 5.0, acc=40.0 + k % 9, src=Source.WIFI)
    assert not seen.episodes(Kind.SPOOFED)


def together(seen: Watch, start: int, end: int, band_m: float, phone_m: float) -> None:
    for k in range(start, end):
        seen.fix(k, band_m + dither(k))
        seen.fix(k + 0.5, phone_m + dither(k), device="f1")


def test_band_and_phone_far_apart_are_separated_once() -> None:
    seen = watch(band(), phone())
    together(seen, 0, 10, 0, 0)
    together(seen, 10, 30, 900, 0)
    together(seen, 30, 70, 0, 0)
    episode = seen.one(Kind.SEPARATED)
    assert 9.5 <= times(episode)[0] <= 11
    assert minute(episode.detected_ms) <= 14
    assert 29 <= times(episode)[1] <= 30.5


def test_a_drive_with_both_devices_is_no_separation() -> None:
    seen = watch(band(), phone())
    for k in range(40):
        seen.fix(k, k * 60 * 30.0)  # 108 km/h
        seen.fix(k + 0.5, (k + 0.5) * 60 * 30.0, device="f1")
    assert not seen.episodes(Kind.SEPARATED)


def test_wild_fixes_of_one_device_are_no_separation() -> None:
    seen = watch(band(), phone(every_s=300))
    for k in range(60):
        seen.fix(k, dither(k))
        if k % 5 == 0:
            seen.fix(k + 0.5, 100.0 * k if k in (30, 35) else 0.0, device="f1")
    assert not seen.episodes(Kind.SEPARATED)


def test_what_the_band_itself_declares_is_not_inferred_besides() -> None:
    seen = watch(band(), phone())
    together(seen, 0, 10, 0, 0)
    seen.event(10, BandEvent.SEPARATED)
    together(seen, 11, 30, 900, 0)
    assert [e.subject for e in seen.episodes(Kind.SEPARATED)] == ["b1"]


@pytest.mark.parametrize("seed", range(3))
def test_judging_everyone_row_by_row_gives_the_same(seed: int) -> None:
    """The columns pass over what is plausible; nothing may depend on it."""
    rng = np.random.default_rng(seed)
    logs = []
    plan = [(int(rng.integers(3)), float(rng.choice([0, 0, 900, FAR_M]))) for _ in range(200)]
    for everyone in (False, True):
        seen = Watch(cases(ROOMY, band(), phone()), judge_everyone=everyone)
        for k, (pause, east) in enumerate(plan):
            seen.fix(k + pause / 4, east + dither(k), device="f1" if k % 3 else "b1")
        seen.until(400)
        logs.append(seen.log())
    assert logs[0] == logs[1]


def test_a_batch_of_an_hour_is_judged_like_sixty_of_a_minute() -> None:

    said = [
        Said(
            at(k), "b1", (Point(at(k), *place((FAR_M if 20 <= k < 30 and k % 2 else 0.0) + dither(k), 0.0)),)
        )
        for k in range(60)
    ]
    one, many = watch(), watch()
    one.hear(said, at(60))
    for message in said:
        many.hear([message], message.at_ms)
    many.until(60)
    assert one.log() == many.log()
    assert one.one(Kind.SPOOFED).started_ms == T0 + 21 * 60_000


def test_a_network_position_between_coarse_ones_is_not_frozen() -> None:
    """A phone that knows itself only by its networks repeats the good one, with ever new accuracies."""
    seen = watch()
    for k in range(80):
        seen.fix(k, dither(k))
    for k in range(80, 160):
        seen.fix(k, 5.0, acc=19.0 + 0.1 * (k % 9))
        if k % 10 == 5:
            seen.fix(k + 0.5, dither(k) * 20, acc=400.0, src=Source.LBS)
    assert not seen.episodes(Kind.SPOOFED)
