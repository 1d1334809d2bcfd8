"""What a device says of itself: tampers, interference, calls for help, battery, lost messages."""

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
    home,
    minute,
    order,
    person,
    place,
    span,
    suspension,
    times,
)

from corrections_monitor.detection.engine import Resolved
from corrections_monitor.detection.sequence import MAX_RUNS
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.telemetry import BandEvent


def listening() -> Watch:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    return seen


TOLD = {
    BandEvent.STRAP_CUT: Kind.STRAP_CUT,
    BandEvent.STRAP_LOOSE: Kind.STRAP_LOOSE,
    BandEvent.CASE_OPEN: Kind.CASE_OPEN,
    BandEvent.POWER_OFF: Kind.POWER_OFF,
    BandEvent.SHIELDED: Kind.SHIELDED,
    BandEvent.JAMMED: Kind.JAMMED,
    BandEvent.SEPARATED: Kind.SEPARATED,
    BandEvent.SOS: Kind.SOS,
    BandEvent.BATTERY_LOW: Kind.BATTERY_LOW,
    BandEvent.BATTERY_CRITICAL: Kind.BATTERY_CRITICAL,
}


@pytest.mark.parametrize(("event", "kind"), TOLD.items())
def test_what_is_told_is_open_at_once_from_when_it_happened(event: BandEvent, kind: Kind) -> None:
    seen = listening()
    seen.event(11, event, t=10.9)
    episode = seen.one(kind)
    assert (times(episode)[0], minute(episode.detected_ms), episode.subject) == (10.9, 11, "b1")
    assert "b1" in episode.reason


@pytest.mark.parametrize("event", [BandEvent.STRAP_CUT, BandEvent.CASE_OPEN, BandEvent.SOS])
def test_nothing_a_device_says_closes_a_tamper_or_a_call_for_help(event: BandEvent) -> None:
    seen = listening()
    seen.event(11, event)
    for k, ev in enumerate(e for e in BandEvent if e is not event):
        seen.event(12 + k, ev)
    seen.stay(40, 200, 0)
    kind = TOLD[event]
    assert kind in seen.open_kinds()
    (episode,) = [e for e in seen.engine.open_episodes() if e.kind is kind]
    answer = Resolved(at(201), "p1", (episode.episode_id,))
    seen.told += seen.engine.step(None, at(201), (answer,))
    assert times(seen.one(kind)) == (11, 201)


@pytest.mark.parametrize(
    ("begins", "ends", "kind"),
    [
        (BandEvent.STRAP_LOOSE, BandEvent.STRAP_OK, Kind.STRAP_LOOSE),
        (BandEvent.SHIELDED, BandEvent.UNSHIELDED, Kind.SHIELDED),
        (BandEvent.JAMMED, BandEvent.UNJAMMED, Kind.JAMMED),
        (BandEvent.SEPARATED, BandEvent.REJOINED, Kind.SEPARATED),
        (BandEvent.BATTERY_LOW, BandEvent.CHARGING, Kind.BATTERY_LOW),
    ],
)
def test_the_opposite_closes_what_it_is_the_opposite_of(
    begins: BandEvent, ends: BandEvent, kind: Kind
) -> None:
    seen = listening()
    seen.event(11, begins)
    seen.stay(12, 20, 0)
    assert str(kind) in seen.open_kinds()
    seen.event(21, ends)
    assert times(seen.one(kind)) == (11, 21)


def test_an_opposite_that_overtook_its_beginning_closes_it_all_the_same() -> None:
    seen = listening()
    seen.event(15, BandEvent.UNSHIELDED, t=14)
    seen.event(16, BandEvent.SHIELDED, t=12)
    episode = seen.one(Kind.SHIELDED)
    assert times(episode) == (12, 14)
    assert episode.late


def test_an_event_told_hours_late_is_marked_late_and_keeps_its_true_time() -> None:
    seen = listening()
    seen.event(300, BandEvent.STRAP_CUT, t=60)
    episode = seen.one(Kind.STRAP_CUT)
    assert times(episode)[0] == 60
    assert episode.late


def test_an_orderly_shutdown_lasts_until_the_device_speaks_again() -> None:
    seen = listening()
    seen.event(11, BandEvent.POWER_OFF)
    seen.until(13)
    assert "power.off" in seen.open_kinds()
    seen.fix(14, 0)
    assert times(seen.one(Kind.POWER_OFF)) == (11, 14)


# -- straps -------------------------------------------------------------------------------------------
def test_sixteen_strap_alerts_are_one_episode_with_a_count_and_the_proposal_to_refit() -> None:
    seen = listening()
    for k in range(16):
        seen.event(11 + 10 * k, BandEvent.STRAP_CUT)
        seen.fix(12 + 10 * k, 0)
    episode = seen.one(Kind.STRAP_CUT)
    assert times(episode)[0] == 11
    assert episode.reason == "设备 b1 一日内 16 次报告腕带异常，建议重新佩戴或更换设备"
    assert len([1 for change, *_ in seen.log(Kind.STRAP_CUT) if change == "updated"]) == 15


def test_loose_and_well_again_several_times_a_day_ends_in_the_same_proposal() -> None:
    seen = listening()
    for k in range(3):
        seen.event(60 * k + 11, BandEvent.STRAP_LOOSE)
        seen.event(60 * k + 20, BandEvent.STRAP_OK)
    reasons = [
        t.episode.reason for t in seen.told if t.change == "opened" and t.episode.kind is Kind.STRAP_LOOSE
    ]
    assert "重新佩戴" not in reasons[0]
    assert "3 次" in reasons[2]
    assert "重新佩戴" in reasons[2]


def test_strap_alerts_on_different_days_are_not_counted_together() -> None:
    seen = listening()
    for day in range(3):
        seen.event(1440 * day + 11, BandEvent.STRAP_LOOSE)
        seen.event(1440 * day + 20, BandEvent.STRAP_OK)
        seen.event(1440 * day + 30)
    reasons = [t.episode.reason for t in seen.told if t.episode.kind is Kind.STRAP_LOOSE]
    assert not any("重新佩戴" in r for r in reasons)


# -- battery ------------------------------------------------------------------------------------------
def test_the_battery_is_low_at_twenty_percent_and_critical_at_five() -> None:
    seen = listening()
    for k, percent in enumerate((30, 21, 20, 15, 6, 5, 3, 30)):
        seen.fix(11 + k, 0, percent=percent)
    assert times(seen.one(Kind.BATTERY_LOW)) == (13, 18)
    assert times(seen.one(Kind.BATTERY_CRITICAL)) == (16, 18)


def test_a_battery_told_in_band_events_counts_as_well() -> None:
    seen = listening()
    seen.event(11, percent=12)
    assert times(seen.one(Kind.BATTERY_LOW))[0] == 11
    seen.event(12, BandEvent.CHARGING, percent=12)
    assert times(seen.one(Kind.BATTERY_LOW))[1] == 12
    seen.fix(13, 0, percent=15)
    seen.fix(14, 0, percent=14)  # off the charger again
    assert [times(e)[0] for e in seen.episodes(Kind.BATTERY_LOW)] == [11, 14]


def test_charging_below_the_limit_does_not_alarm_again_at_every_report() -> None:
    seen = listening()
    seen.fix(11, 0, percent=12)
    seen.event(12, BandEvent.CHARGING, percent=12)
    for k in range(13, 20):
        seen.fix(k, 0, percent=12 + k - 13)
    assert len(seen.episodes(Kind.BATTERY_LOW)) == 1


# -- missing messages ---------------------------------------------------------------------------------
def test_missing_numbers_are_told_after_two_intervals_and_close_when_filled() -> None:
    seen = Watch(cases(home()))
    for k in (0, 1, 2, 6, 7, 8, 9):
        seen.fix(k, 0, seq=k)
    episode = seen.one(Kind.DATA_GAP)
    assert (times(episode)[0], minute(episode.detected_ms)) == (2, 8)
    assert "3–5" in episode.reason
    for k in (3, 4, 5):
        seen.fix(10 + k / 10, 0, t=k, seq=k)
    assert times(seen.one(Kind.DATA_GAP))[1] == 10.5


def test_numbers_that_only_came_in_another_order_are_no_gap() -> None:
    seen = Watch(cases(home()))
    for k in range(0, 40, 2):
        seen.fix(k, 0, t=k + 1, seq=k + 1)
        seen.fix(k + 0.5, 0, t=k, seq=k)
    seen.until(45)
    assert not seen.episodes(Kind.DATA_GAP)


def test_no_gap_is_told_of_who_is_in_hospital_by_then() -> None:
    seen = Watch(cases(home(), suspension(4, 60)))
    seen.fix(0, 0, seq=1)
    seen.fix(3, 0, seq=5)
    seen.until(20)
    assert not seen.episodes(Kind.DATA_GAP)


def test_a_gap_is_given_up_after_a_day() -> None:
    seen = Watch(cases(home()))
    seen.fix(0, 0, seq=0)
    seen.fix(3, 0, seq=3)
    for k in range(4, 1_460, 4):
        seen.fix(k, 0, seq=4 + (k - 4) // 4)
    assert times(seen.one(Kind.DATA_GAP)) == (0, 3 + 1440)


def test_a_restart_of_the_device_is_no_gap() -> None:
    seen = Watch(cases(home()))
    for k in range(10):
        seen.fix(k, 0, seq=500 + k)
    for k in range(10, 20):
        seen.fix(k, 0, seq=k - 10)
    assert not seen.episodes(Kind.DATA_GAP)


@pytest.mark.parametrize("judge_everyone", [False, True])
def test_what_is_missing_before_a_restart_is_told_and_what_is_missing_after_it_too(
    judge_everyone: bool,
) -> None:
    seen = Watch(cases(home()), judge_everyone=judge_everyone)
    for k, seq in enumerate([500, 501, 503, 0, 1, 2, 7, 8, 502, 9, 10]):
        seen.fix(k, 0, seq=seq)
    gaps = seen.episodes(Kind.DATA_GAP)
    assert [(e.subject, minute(e.started_ms), e.ended_ms and minute(e.ended_ms)) for e in gaps] == [
        ("b1:502-502", 1, 8),
        ("b1:3-6", 5, None),
    ]


def test_numbers_run_across_both_topics() -> None:
    seen = Watch(cases(home()))
    for k in range(0, 20, 2):
        seen.fix(k, 0, seq=k)
        seen.event(k + 1, seq=k + 1)
    assert not seen.episodes(Kind.DATA_GAP)


def test_a_hundred_lost_runs_are_bounded() -> None:
    seen = Watch(cases(home(), band(every_s=3_600)))
    said = [
        Said(at(k), "b1", (Point(at(k), *place(0, 0)),), (Told(at(k), BandEvent.HEARTBEAT),), seq=2 * k)
        for k in range(200)
    ]
    seen.hear(said, at(200))
    assert len(seen.engine.memory["p1"].runs["b1"].runs) == 64


def test_an_older_message_does_not_tell_how_full_the_battery_is() -> None:
    seen = listening()
    seen.event(12, percent=80)
    seen.event(13, t=11.5, percent=10)
    assert not seen.episodes(Kind.BATTERY_LOW)


def test_a_number_missing_when_the_device_changes_hands_is_filled_for_who_wore_it_then() -> None:
    end = 60 * 24
    seen = Watch(
        cases(
            home(applies_to="*"), person(), person("p2"), order(), order("p2"),
            band(span=span(-1440, 30)), band(person_id="p2", span=span(30, end)),
        )
    )  # fmt: skip
    seen.fix(1, 0, seq=1)
    seen.fix(2, 0, seq=4)
    seen.until(20)
    assert [e.person_id for e in seen.episodes(Kind.DATA_GAP)] == ["p1"]
    seen.fix(31, 0, seq=2)
    seen.fix(32, 0, seq=3)
    assert times(seen.one(Kind.DATA_GAP))[1] == 32


def test_gaps_given_up_for_newer_ones_are_closed() -> None:
    seen = listening()
    for k in range(MAX_RUNS + 8):
        seen.event(11 + 5 * k, seq=2 * k + 1)
    still_open = [e for e in seen.episodes(Kind.DATA_GAP) if e.ended_ms is None]
    assert len(still_open) <= MAX_RUNS
