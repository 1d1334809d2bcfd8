"""Places to stay in: who is outside, since when, how sure; groups, hours at both ends, many zones at once."""

from __future__ import annotations

import pytest
from precinct import NIGHT, Watch, at, cases, circle, clock, home, minute, square, times

from corrections_monitor.model.cases import Area, Circle, Corridor
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.telemetry import Source

WORKDAY = [{"days": "Mo-Fr", "from": "08:00", "to": "18:00"}]


def walk(
    seen: Watch, start: float, east_m: float, *, until_m: float, every: float = 1.0, mps: float = 1.4
) -> None:
    """Eastwards at walking speed, a fix each so many minutes."""
    t = start
    while east_m < until_m:
        seen.fix(t, east_m)
        t, east_m = t + every, east_m + mps * 60 * every


# -- opening ------------------------------------------------------------------------------------------
def test_far_outside_two_fixes_are_enough_and_the_first_dates_it() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    seen.stay(11, 12, 700)
    episode = seen.one(Kind.ZONE_EXIT)
    assert (times(episode)[0], minute(episode.detected_ms)) == (11, 12)
    assert episode.zone_id == "home"
    assert not episode.late


@pytest.mark.parametrize("acc", [8.0, 0.0, 0.001, 1.9])
def test_one_wild_fix_never_opens_anything_however_sure_it_claims_to_be(acc: float) -> None:
    seen = Watch(cases(home()))
    for k in range(200):
        seen.fix(k, 5_000 if k % 20 == 10 else 0, acc=acc)
    assert not seen.episodes(Kind.ZONE_EXIT)


def test_ten_fixes_in_ten_seconds_are_not_ten_witnesses() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    for k in range(10):
        seen.fix(11 + k / 600, 700 + k, acc=8)
    assert not seen.episodes(Kind.ZONE_EXIT)
    seen.fix(11.4, 700)
    assert minute(seen.one(Kind.ZONE_EXIT).detected_ms) == 11.4


def test_wild_fixes_that_contradict_each_other_are_not_two_witnesses() -> None:
    """Nobody gets from the one to the other; the one that is confirmed dates the exit."""
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    seen.fix(11, 2_500)
    seen.fix(11.2, -700)
    seen.stay(12, 19, 0)
    assert not seen.episodes(Kind.ZONE_EXIT)
    seen.fix(20, 9_000)
    seen.fix(20.2, 700)
    seen.fix(21, 700)
    episode = seen.one(Kind.ZONE_EXIT)
    assert times(episode)[0] == pytest.approx(20.2)
    assert len(episode.evidence["fixes"]) == 2


def test_near_the_border_it_takes_longer_than_far_from_it() -> None:
    delays = []
    for beyond in (400, 60, 5):
        seen = Watch(cases(home()))
        seen.stay(0, 10, 150)
        for k in range(11, 40):
            seen.fix(k, 200 + beyond + k % 3 / 10)
        delays.append(minute(seen.one(Kind.ZONE_EXIT).detected_ms) - 11)
    assert delays == sorted(delays)
    assert delays[0] == 1
    assert delays[-1] > 1


def test_indoors_with_half_a_kilometre_of_doubt_nothing_is_said() -> None:
    seen = Watch(cases(home()))
    for k in range(600):
        seen.fix(k, 500 + 13 * (k % 37), acc=500, src=Source.LBS)
    assert not seen.episodes(Kind.ZONE_EXIT)


@pytest.mark.parametrize("acc", [1e9, 5_000.0])
def test_an_accuracy_beyond_belief_makes_a_fix_worthless(acc: float) -> None:
    seen = Watch(cases(home()))
    for k in range(100):
        seen.fix(k, 20_000 + 100 * k, acc=acc)
    assert not seen.episodes(Kind.ZONE_EXIT)


def test_a_network_position_is_not_believed_when_it_claims_two_metres() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    for k in range(11, 60):
        seen.fix(k, 230 + k % 5, acc=2, src=Source.WIFI)
    assert not seen.episodes(Kind.ZONE_EXIT)


def test_drift_round_the_border_opens_nothing() -> None:
    seen = Watch(cases(home()))
    for k in range(300):
        seen.fix(k, 195 + (0, 9, -12, 6, -20, 8)[k % 6] + k / 1000, acc=15)
    assert not seen.episodes(Kind.ZONE_EXIT)


def test_the_crossing_is_dated_to_the_fix_that_lay_on_the_border() -> None:
    """The last fix before the run was within its doubt of the border: that is about when it was crossed."""
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    walk(seen, 11, 35, until_m=600)  # 203 m at minute 13: on the border, and no evidence by itself
    assert times(seen.one(Kind.ZONE_EXIT))[0] == 13


def test_a_fix_well_inside_before_the_run_does_not_date_it() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    walk(seen, 11, 20, until_m=600)  # 188 m at minute 13, 272 m at minute 14
    assert times(seen.one(Kind.ZONE_EXIT))[0] == 14


# -- closing ------------------------------------------------------------------------------------------
def test_it_closes_when_it_is_sure_that_they_are_back_dated_to_the_first_fix_inside() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    seen.stay(11, 20, 700)
    seen.fix(21, 0)
    assert "zone.exit" in seen.open_kinds()
    seen.fix(22, 0)
    episode = seen.one(Kind.ZONE_EXIT)
    assert times(episode) == (11, 21)
    assert seen.log(Kind.ZONE_EXIT)[-1] == ("closed", 22, "zone.exit")
    assert episode.reason == "已返回规定区域"


def test_one_fix_inside_closes_nothing() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    for k in range(11, 60):
        seen.fix(k, 0 if k % 10 == 0 else 700 + k)
    assert len(seen.episodes(Kind.ZONE_EXIT)) == 1
    assert "zone.exit" in seen.open_kinds()


def test_a_second_exit_is_an_episode_of_its_own() -> None:
    seen = Watch(cases(home()))
    for k in range(3):
        seen.stay(20 * k, 20 * k + 9, 0)
        seen.stay(20 * k + 10, 20 * k + 19, 700)
    assert [times(e)[0] for e in seen.episodes(Kind.ZONE_EXIT)] == [10, 30, 50]
    assert len({e.episode_id for e in seen.episodes(Kind.ZONE_EXIT)}) == 3


# -- shapes and intervals -----------------------------------------------------------------------------
STREET = Corridor(((122.05, 41.12), (122.07, 41.12)), 400.0)


@pytest.mark.parametrize(
    "shape", [circle(radius_m=30), circle(radius_m=1_000), square(half_m=500), STREET, square(half_m=20_000)]
)
def test_every_shape_holds_those_inside_and_finds_those_outside(shape: Circle | Area | Corridor) -> None:
    seen = Watch(cases(home(shape=shape)))
    for k in range(60):
        seen.fix(k, -5 + k % 7, k % 5)
    assert not seen.episodes(Kind.ZONE_EXIT)
    for k in range(60, 70):
        seen.fix(k, 21_000 + k % 7)
    assert times(seen.one(Kind.ZONE_EXIT))[0] == 60


def test_a_buffer_widens_the_zone() -> None:
    plain, wider = Watch(cases(home())), Watch(cases(home(buffer_m=300.0)))
    for seen in (plain, wider):
        seen.stay(0, 10, 0)
        seen.stay(11, 20, 450)
    assert plain.episodes(Kind.ZONE_EXIT)
    assert not wider.episodes(Kind.ZONE_EXIT)


@pytest.mark.parametrize("every", [1 / 6, 0.5, 1, 5, 10, 30])
@pytest.mark.parametrize("beyond_m", [100, 400])
def test_found_within_two_intervals_and_ten_seconds_of_leaving(every: float, beyond_m: float) -> None:
    """The border is crossed right after a fix, so that the next one comes an interval later."""
    seen = Watch(cases(home()))
    for k in range(20):
        seen.fix(k * every, 0)
    left = 19 * every
    for k in range(20, 26):
        seen.fix(k * every, 200 + beyond_m + k % 3)
    episode = seen.one(Kind.ZONE_EXIT)
    assert minute(episode.detected_ms) - left <= 2 * every + 1 / 6
    assert minute(episode.started_ms) - left <= every + 1e-9


# -- groups -------------------------------------------------------------------------------------------
def test_inside_any_member_of_a_group_is_enough() -> None:
    seen = Watch(cases(home(group="day"), home("work", group="day", shape=circle(3_000))))
    seen.stay(0, 10, 0)
    seen.stay(11, 20, 3_000)
    assert not seen.episodes()
    seen.stay(21, 30, 2_000)
    episode = seen.one(Kind.ZONE_EXIT)
    assert (episode.subject, episode.zone_id) == ("day", "work")


def test_every_group_must_be_satisfied() -> None:
    seen = Watch(cases(home(), home("district", shape=square(half_m=5_000))))
    seen.stay(0, 10, 0)
    seen.stay(11, 20, 1_000)
    assert [e.subject for e in seen.episodes(Kind.ZONE_EXIT)] == ["home"]
    seen.stay(21, 30, 9_000)
    assert [e.subject for e in seen.episodes(Kind.ZONE_EXIT)] == ["home", "district"]


def test_a_group_with_a_member_that_always_holds_is_an_exit_at_any_hour() -> None:
    rows = home(group="day"), home("work", group="day", shape=circle(3_000), hours=WORKDAY)
    seen = Watch(cases(*rows))
    start = clock("10:00")
    seen.stay(start, start + 10, 3_000)
    assert not seen.episodes(Kind.ZONE_EXIT, Kind.CURFEW)
    seen.stay(start + 11, start + 20, 1_500)
    assert seen.one(Kind.ZONE_EXIT).subject == "day"


def test_outside_its_hours_a_member_is_no_place_to_be() -> None:
    rows = home(group="day"), home("work", group="day", shape=circle(3_000), hours=WORKDAY)
    seen = Watch(cases(*rows))
    seen.stay(clock("17:30"), clock("18:10"), 3_000)
    episode = seen.one(Kind.ZONE_EXIT)
    assert (episode.zone_id, times(episode)[0]) == ("home", clock("18:00"))


def test_the_other_way_round_a_member_whose_hours_begin_ends_the_violation() -> None:
    rows = home(group="day"), home("work", group="day", shape=circle(3_000), hours=WORKDAY)
    seen = Watch(cases(*rows))
    seen.stay(clock("07:30"), clock("08:10"), 3_000)
    assert times(seen.one(Kind.ZONE_EXIT))[1] == clock("08:00")


def test_a_group_in_which_nothing_holds_demands_nothing() -> None:
    seen = Watch(cases(home(hours=NIGHT)))
    seen.stay(clock("10:00"), clock("11:00"), 5_000)
    assert not seen.episodes(Kind.ZONE_EXIT, Kind.CURFEW)


# -- whom a zone applies to ---------------------------------------------------------------------------
@pytest.mark.parametrize(("applies_to", "holds"), [("p1", 1), ("s1", 1), ("k1", 1), ("c1", 1), ("*", 1),
                                                   ("p2", 0), ("s2", 0), ("", 0)])  # fmt: skip
def test_a_zone_holds_for_whom_it_applies_to(applies_to: str, holds: int) -> None:
    rows = cases(home(applies_to=applies_to)) if applies_to != "p2" else cases(home(applies_to="s2"))
    seen = Watch(rows)
    seen.stay(0, 10, 0)
    seen.stay(11, 20, 700)
    assert len(seen.episodes(Kind.ZONE_EXIT)) == holds


# -- late and out of order ----------------------------------------------------------------------------
def test_an_upload_newest_first_tells_the_same_story() -> None:
    plan = (
        [(k, 0.0) for k in range(10)]
        + [(k, 700.0) for k in range(10, 40)]
        + [(k, 0.0) for k in range(40, 50)]
    )
    live, later = Watch(cases(home())), Watch(cases(home()))
    for k, east in plan:
        live.fix(k, east + k / 10)
    later.fix(0, 0)
    for i, (k, east) in enumerate(reversed(plan[1:])):
        later.fix(300 + i / 60, east + k / 10, t=k)
    assert (
        [times(e) for e in later.episodes(Kind.ZONE_EXIT)] == [times(live.one(Kind.ZONE_EXIT))] == [(10, 40)]
    )
    assert later.one(Kind.ZONE_EXIT).late


def test_a_late_fix_moves_the_start_and_says_so() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    seen.stay(15, 20, 700)
    assert times(seen.one(Kind.ZONE_EXIT))[0] == 15
    seen.fix(21, 710, t=12)
    assert times(seen.one(Kind.ZONE_EXIT))[0] == 12
    assert seen.log(Kind.ZONE_EXIT)[-1] == ("updated", 21, "zone.exit")


def test_a_late_fix_moves_the_end_even_after_closing() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    seen.stay(11, 15, 700)
    seen.stay(25, 30, 0)
    assert times(seen.one(Kind.ZONE_EXIT)) == (11, 25)
    for k in (16, 17, 18):
        seen.fix(31, 0, t=k)
    assert times(seen.one(Kind.ZONE_EXIT)) == (11, 16)
    assert seen.log(Kind.ZONE_EXIT)[-1][0] == "updated"


def test_late_fixes_withdraw_what_they_show_not_to_have_been() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    seen.fix(12, 700)
    seen.fix(15, 700)
    assert seen.one(Kind.ZONE_EXIT)
    for k, t in enumerate((12.5, 13, 13.5, 14, 14.5)):
        seen.fix(16 + k / 60, 0, t=t)
    seen.fix(17, 0)
    seen.fix(18, 0)
    assert "zone.exit" not in seen.open_kinds()


def test_a_repeated_message_changes_nothing() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    seen.fix(11, 700)
    for k in range(5):
        seen.fix(11.5 + k, 700, t=11)
    assert not seen.episodes(Kind.ZONE_EXIT)


# -- what is said -------------------------------------------------------------------------------------
def test_the_reason_says_where_how_far_how_sure_since_when_and_by_which_fixes() -> None:
    seen = Watch(cases(home()))
    seen.stay(0, 10, 0)
    seen.stay(11, 12, 700, acc=12)
    episode = seen.one(Kind.ZONE_EXIT)
    assert episode.reason == "03-02 00:11:00起越出““home””界外 500 米（定位误差约 12 米，2 个定位点一致）"
    fixes = episode.evidence["fixes"]
    assert [f["t"] for f in fixes] == [at(11), at(12)]
    assert [f["beyond_m"] for f in fixes] == [pytest.approx(500, abs=2)] * 2
    assert [f["acc"] for f in fixes] == [12, 12]
