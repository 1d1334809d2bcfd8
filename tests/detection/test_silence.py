"""Silence: all of a person's devices, the position, the band; suspensions; people nobody hears of."""

from __future__ import annotations

import pytest
from precinct import (
    Point,
    Said,
    Told,
    Watch,
    at,
    band,
    cases,
    coherent,
    home,
    minute,
    order,
    person,
    phone,
    place,
    span,
    suspension,
    times,
)

from corrections_monitor.detection.engine import Resolved
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.telemetry import NO_SEQ, BandEvent

SILENCES = (Kind.SILENCE_DEVICE, Kind.SILENCE_BAND, Kind.SILENCE_POSITION, Kind.UNMONITORED)


def kinds(seen: Watch) -> list[Kind]:
    return [e.kind for e in seen.episodes(*SILENCES)]


# -- all devices --------------------------------------------------------------------------------------
@pytest.mark.parametrize(("every_s", "patience"), [(10, 5), (60, 5), (100, 5), (300, 15), (1_800, 90)])
def test_a_device_may_be_silent_for_three_of_its_intervals_and_five_minutes(
    every_s: int, patience: int
) -> None:
    seen = Watch(cases(home(), band(every_s=every_s)))
    seen.stay(0, 10, 0)
    seen.until(10 + patience - 0.001)
    assert not seen.episodes()
    seen.until(10 + patience)
    episode = seen.one(Kind.SILENCE_DEVICE)
    assert times(episode)[0] == 10
    assert minute(episode.detected_ms) == 10 + patience
    seen.fix(10 + patience + 7, 0)
    assert times(seen.one(Kind.SILENCE_DEVICE)) == (10, 10 + patience + 7)


def test_silence_counts_in_arrival_time_whatever_the_message_says_of_itself() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    for k in range(11, 60):
        seen.fix(k, 0, t=k - 8.5)  # a device that uploads minutes late is heard all the same
    assert not seen.episodes(Kind.SILENCE_DEVICE)


def test_all_devices_must_be_silent_each_for_its_own_patience() -> None:
    seen = Watch(cases(home(), band(every_s=60), phone(every_s=600)))
    seen.stay(0, 10, 0)
    seen.fix(9, 0, device="f1")
    seen.until(38.9)
    assert Kind.SILENCE_DEVICE not in kinds(seen)
    seen.until(39)
    assert times(seen.one(Kind.SILENCE_DEVICE))[0] == 10


def test_store_and_forward_after_hours_closes_the_silence_and_tells_what_happened_meanwhile() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    seen.until(199)
    points = [Point(at(k), *place(900 + k if 60 <= k < 120 else k / 10, 0)) for k in range(11, 200)]
    seen.hear([Said(at(200), "b1", tuple(reversed(points)))], at(200))
    assert times(seen.one(Kind.SILENCE_DEVICE)) == (10, 200)
    exit_ = seen.one(Kind.ZONE_EXIT)
    assert times(exit_) == (60, 120)
    assert exit_.late
    assert [w for w, *_ in seen.log(Kind.ZONE_EXIT)] == ["opened", "closed"]


def test_what_lasts_still_when_told_late_stays_open() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    seen.until(199)
    points = [Point(at(k), *place(900 + k if k >= 60 else k / 10, 0)) for k in range(11, 200)]
    seen.hear([Said(at(200), "b1", tuple(points))], at(200))
    assert times(seen.one(Kind.ZONE_EXIT))[0] == 60
    assert "zone.exit" in seen.open_kinds()
    assert seen.one(Kind.ZONE_EXIT).late


def test_a_repeated_message_is_no_contact() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    for k in range(11, 30):
        seen.fix(k, 0, t=10)
    assert times(seen.one(Kind.SILENCE_DEVICE))[0] == 10


def test_an_unusable_message_is_a_contact_unless_it_is_an_old_one() -> None:
    for seq, t, heard in ((11, 12, True), (5, 12, False), (NO_SEQ, 9, False), (NO_SEQ, 12, True)):
        seen = Watch(cases(home()))
        for k in range(11):
            seen.fix(k, 0, seq=k if seq != NO_SEQ else NO_SEQ)
        seen.hear([Said(at(14), "b1", seq=seq, sent_ms=at(t))], at(15.5))
        assert (Kind.SILENCE_DEVICE not in kinds(seen)) == heard


# -- position -----------------------------------------------------------------------------------------
def test_in_contact_without_a_position_is_another_silence() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    for k in range(11, 31):
        seen.event(k)
    episode = seen.one(Kind.SILENCE_POSITION)
    assert (times(episode)[0], minute(episode.detected_ms)) == (10, 15)
    assert kinds(seen) == [Kind.SILENCE_POSITION]
    seen.fix(31, 0)
    assert times(seen.one(Kind.SILENCE_POSITION)) == (10, 31)


def test_when_contact_goes_too_one_silence_takes_the_place_of_the_other() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    for k in range(11, 21):
        seen.event(k)
    seen.until(60)
    assert [e.kind for e in seen.engine.open_episodes()] == [Kind.SILENCE_DEVICE]
    assert times(seen.one(Kind.SILENCE_DEVICE))[0] == 20
    assert times(seen.one(Kind.SILENCE_POSITION))[1] == 25


# -- the band -----------------------------------------------------------------------------------------
def test_the_band_alone_is_missed_while_the_phone_speaks() -> None:
    seen = Watch(cases(home(), band(), phone()))
    for k in range(11):
        seen.fix(k, 0)
        seen.fix(k + 0.5, 0, device="f1")
    seen.stay(11, 30, 0, device="f1")
    episode = seen.one(Kind.SILENCE_BAND)
    assert (times(episode)[0], minute(episode.detected_ms), episode.subject) == (10, 15, "b1")
    seen.event(31)
    assert times(seen.one(Kind.SILENCE_BAND)) == (10, 31)


def test_after_a_silence_of_all_the_band_is_given_its_time_to_come_back() -> None:
    """The phone is heard a minute before the band: that is no silence of the band."""
    seen = Watch(cases(home(), band(), phone()))
    for k in (0, 1, 2):
        seen.fix(k, 0)
        seen.fix(k + 0.5, 0, device="f1")
    seen.fix(40, 0, device="f1")
    seen.until(40.9)
    seen.fix(41, 0)
    assert kinds(seen) == [Kind.SILENCE_DEVICE]


def test_a_band_that_does_not_come_back_is_told_once_its_time_is_over() -> None:
    seen = Watch(cases(home(), band(), phone()))
    for k in (0, 1, 2):
        seen.fix(k, 0)
        seen.fix(k + 0.5, 0, device="f1")
    for k in range(40, 60):
        seen.fix(k, 0, device="f1")
    episode = seen.one(Kind.SILENCE_BAND)
    assert (minute(episode.started_ms), minute(episode.detected_ms)) == (2, 45)


def test_a_band_that_only_sends_fixes_is_alive_and_the_phone_may_be_silent() -> None:
    seen = Watch(cases(home(), band(), phone()))
    for k in range(11):
        seen.fix(k, 0)
        seen.fix(k + 0.5, 0, device="f1")
    seen.stay(11, 100, 0)
    assert not seen.episodes(*SILENCES)


# -- when nothing is judged ---------------------------------------------------------------------------
def test_during_a_suspension_nothing_is_detected_and_patience_starts_anew_after_it() -> None:
    seen = Watch(cases(home(), suspension(30, 90)))
    seen.stay(0, 10, 0)
    seen.until(20)
    assert times(seen.one(Kind.SILENCE_DEVICE))[0] == 10
    seen.until(94.9)
    assert times(seen.one(Kind.SILENCE_DEVICE)) == (10, 30)
    assert seen.one(Kind.SILENCE_DEVICE).reason == "监管暂停（住院、羁押或设备维修）"
    seen.until(95)
    again = seen.episodes(Kind.SILENCE_DEVICE)[1]
    assert times(again)[0] == pytest.approx(10, abs=1e-3)  # the last contact still is what it was
    assert minute(again.detected_ms) == 95


@pytest.mark.parametrize("days", [1, 3.9, 4.1, 9])
def test_a_silence_that_goes_on_after_hospital_is_a_new_episode_however_long_it_took(days: float) -> None:
    out = 30 + days * 1440
    seen = Watch(cases(home(), suspension(30, out)))
    seen.event(0, BandEvent.CASE_OPEN)
    seen.stay(0, 10, 0)
    seen.until(out - 10)
    tamper = next(e for e in seen.engine.open_episodes() if e.kind is Kind.CASE_OPEN)
    answer = Resolved(at(out - 9), "p1", (tamper.episode_id,))  # what is closed now makes the first forgotten
    seen.told += seen.engine.step(None, at(out - 9), (answer,))
    seen.until(out + 20)
    first, second = seen.episodes(Kind.SILENCE_DEVICE)
    assert minute(first.ended_ms) == 30
    assert minute(second.started_ms) == pytest.approx(10, abs=0.01)
    coherent(seen.told)


def test_a_suspension_closes_what_is_open_and_hides_what_would_open() -> None:
    seen = Watch(cases(home(), suspension(30, 90)))
    seen.stay(0, 10, 0)
    seen.stay(11, 80, 700)
    assert times(seen.one(Kind.ZONE_EXIT)) == (11, 30)
    seen.event(81, BandEvent.STRAP_CUT)
    assert not seen.episodes(Kind.STRAP_CUT)
    seen.stay(82, 95, 700)
    assert [times(e)[0] for e in seen.episodes(Kind.ZONE_EXIT)] == [11, 90]


def test_our_own_deafness_is_nobodys_silence() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    seen.engine.deaf_until(at(60))
    seen.until(64.9)
    assert not seen.episodes(*SILENCES)
    seen.until(65)
    assert times(seen.one(Kind.SILENCE_DEVICE))[0] == 10


# -- the census ---------------------------------------------------------------------------------------
def test_an_order_without_a_device_is_told_at_once_and_ends_when_one_is_bound() -> None:
    later = band(span=span(100, 1440 * 30))
    seen = Watch(cases(home(), later))
    seen.until(0)
    episode = seen.one(Kind.UNMONITORED)
    assert minute(episode.detected_ms) == 0
    seen.until(101)
    assert times(seen.one(Kind.UNMONITORED))[1] == 100
    assert seen.one(Kind.UNMONITORED).reason == "已绑定设备"


def test_bound_and_never_heard_is_told_after_a_day() -> None:
    seen = Watch(cases(home(), band(span=span(60, 1440 * 30)), order(span=span(60))))
    seen.until(60 + 1440 - 0.1)
    assert not seen.episodes()
    seen.until(60 + 1440)
    episode = seen.one(Kind.UNMONITORED)
    assert (times(episode)[0], episode.subject) == (60, "b1")
    seen.event(2_000)
    assert times(seen.one(Kind.UNMONITORED))[1] == 2_000


def test_an_older_binding_counts_as_heard_when_monitoring_begins() -> None:
    seen = Watch(cases(home()))
    seen.until(4.9)
    assert not seen.episodes()
    seen.until(5)
    assert times(seen.one(Kind.SILENCE_DEVICE))[0] == 0


def test_what_a_device_said_on_another_arm_is_not_heard_of_its_next_wearer() -> None:
    first, second = band(span=span(-1440, 100)), band(person_id="p2", span=span(100, 1440 * 30))
    rows = person(), person("p2"), order(span=span(-1440, 100)), order("p2", span=span(100)), first, second
    seen = Watch(cases(*rows))
    seen.stay(0, 99, 0)
    seen.until(100 + 1440)
    assert [(e.person_id, e.kind) for e in seen.episodes(*SILENCES)] == [("p2", Kind.UNMONITORED)]


def test_events_count_as_contacts_of_the_band() -> None:
    seen = Watch(cases(home()))
    said = [Said(at(k), "b1", events=(Told(at(k), BandEvent.HEARTBEAT),)) for k in range(30)]
    said += [Said(at(k + 0.5), "b1", (Point(at(k + 0.5), *place(0, 0)),)) for k in range(0, 30, 4)]
    seen.hear(sorted(said, key=lambda s: s.at_ms), at(30))
    assert not seen.episodes()


def test_our_own_deafness_ends_no_silence() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    seen.until(40)
    assert seen.one(Kind.SILENCE_DEVICE).ended_ms is None
    seen.engine.deaf_until(at(41))
    seen.until(43)
    assert seen.open_kinds() == ["silence.device"]
