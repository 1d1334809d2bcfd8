"""Curfew: hours at home, however the person comes to be out in them; midnight, holidays, summer time."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from precinct import NIGHT, Watch, at, band, cases, circle, clock, forbidden, home, minute, order, span, times

from corrections_monitor.detection.snapshot import restore, snapshot
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.times import parse_time

TEN = clock("22:00")
SIX = clock("06:00", 1)


def out_at_night(*rows: object, start: float = 0.0, **more: object) -> Watch:
    return Watch(cases(home(hours=NIGHT), *rows), began_ms=at(start), **more)  # type: ignore[arg-type]


def test_leaving_during_the_hours_is_a_breach_from_then_on() -> None:
    seen = out_at_night(start=TEN)
    seen.stay(TEN, TEN + 60, 0)
    seen.stay(TEN + 61, TEN + 90, 900)
    episode = seen.one(Kind.CURFEW)
    assert (times(episode)[0], episode.zone_id) == (TEN + 61, "home")
    assert minute(episode.detected_ms) == TEN + 62


def test_whoever_is_already_out_is_in_breach_from_the_first_minute_of_the_hours() -> None:
    seen = out_at_night(start=TEN - 120)
    seen.stay(TEN - 120, TEN - 1, 5_000)
    assert not seen.episodes(Kind.CURFEW)
    seen.fix(TEN + 0.5, 5_000)
    episode = seen.one(Kind.CURFEW)
    assert times(episode)[0] == TEN
    assert minute(episode.detected_ms) == TEN + 0.5


@pytest.mark.parametrize("restarted_at", [TEN - 5, TEN - 0.1, TEN + 0.2])
def test_a_restart_around_the_beginning_of_the_hours_changes_nothing(restarted_at: float) -> None:
    logs = []
    for restarts in (False, True):
        seen = out_at_night(start=TEN - 60)
        seen.stay(TEN - 60, TEN - 6, 5_000)
        seen.until(restarted_at)
        if restarts:
            body = snapshot(seen.engine)
            seen.engine = restore(body, seen.cases, seen.calendar, seen.settings)
        seen.stay(TEN + 0.5, TEN + 10, 5_000)
        logs.append(seen.log())
    assert logs[0] == logs[1]
    assert ("opened", TEN + 0.5, "curfew") in logs[0]


def test_the_breach_ends_with_the_hours_though_nobody_came_home() -> None:
    seen = out_at_night(start=TEN)
    seen.stay(TEN, SIX + 10, 5_000)
    episode = seen.one(Kind.CURFEW)
    assert times(episode) == (TEN, SIX)
    assert episode.reason == "规定时段结束"
    assert seen.log(Kind.CURFEW)[-1] == ("closed", SIX, "curfew")


def test_the_hours_end_even_if_the_device_has_gone_silent() -> None:
    seen = out_at_night(start=TEN)
    seen.stay(TEN, TEN + 30, 5_000)
    seen.until(SIX + 60)
    assert times(seen.one(Kind.CURFEW))[1] == SIX
    assert seen.log(Kind.CURFEW)[-1] == ("closed", SIX, "curfew")


def test_every_night_is_an_episode_of_its_own() -> None:
    seen = out_at_night(start=TEN)
    seen.stay(TEN, clock("08:00", 3), 5_000, every=5)
    assert [times(e) for e in seen.episodes(Kind.CURFEW)] == [
        (clock("22:00", n), clock("06:00", n + 1)) for n in range(3)
    ]


def test_out_in_the_day_and_home_in_time_is_no_breach() -> None:
    seen = out_at_night()
    seen.stay(0, clock("07:00"), 0, every=5)
    seen.stay(clock("07:05"), TEN - 15, 5_000, every=5)
    seen.stay(TEN - 10, clock("07:00", 1), 0, every=5)
    assert not seen.episodes(Kind.CURFEW)


def test_the_last_known_place_alone_opens_nothing_when_the_hours_begin() -> None:
    """Silent from before the hours: nobody knows where they are; the silence is told, not a breach."""
    seen = out_at_night(start=TEN - 60)
    seen.stay(TEN - 60, TEN - 20, 5_000)
    seen.until(TEN + 120)
    assert not seen.episodes(Kind.CURFEW)
    seen.stay(TEN + 121, TEN + 125, 5_000)
    assert times(seen.one(Kind.CURFEW))[0] == TEN + 121


def test_a_window_past_midnight_belongs_to_the_day_on_which_it_starts() -> None:
    hours = [{"days": "Mo", "from": "22:00", "to": "06:00"}]
    seen = Watch(cases(home(hours=hours)))
    seen.stay(0, clock("12:00", 2), 5_000, every=5)
    assert [times(e) for e in seen.episodes(Kind.CURFEW)] == [(TEN, SIX)]


def test_hours_to_24_00_end_at_midnight() -> None:
    seen = Watch(cases(home(hours=[{"days": "Mo", "from": "20:00", "to": "24:00"}])))
    seen.stay(0, clock("03:00", 1), 5_000, every=5)
    assert times(seen.one(Kind.CURFEW)) == (clock("20:00"), clock("24:00"))


def test_two_windows_that_touch_are_one_stretch() -> None:
    hours = [
        {"days": "Mo-Su", "from": "20:00", "to": "24:00"},
        {"days": "Mo-Su", "from": "00:00", "to": "06:00"},
    ]
    seen = Watch(cases(home(hours=hours)), began_ms=at(clock("19:00")))
    seen.stay(clock("19:00"), clock("07:00", 1), 5_000, every=5)
    assert times(seen.one(Kind.CURFEW)) == (clock("20:00"), SIX)


@pytest.mark.parametrize(("off", "breaches"), [((), 0), ((date(2026, 3, 3),), 1)])
def test_hours_of_public_holidays(off: tuple[date, ...], breaches: int) -> None:
    """A Tuesday that is a holiday."""
    hours = [{"days": "PH", "from": "10:00", "to": "12:00"}]
    calendar = Calendar(ZoneInfo("Asia/Shanghai"), frozenset(off))
    seen = Watch(cases(home(hours=hours)), calendar=calendar)
    seen.stay(0, clock("20:00", 2), 5_000, every=5)
    assert [times(e) for e in seen.episodes(Kind.CURFEW)] == [
        (clock("10:00", 1), clock("12:00", 1))
    ] * breaches


@pytest.mark.parametrize(
    ("night", "begins", "ends"),
    [
        ("2026-03-28", "2026-03-28T21:00Z", "2026-03-29T04:00Z"),  # seven hours: the clocks go forward
        ("2026-10-24", "2026-10-24T20:00Z", "2026-10-25T05:00Z"),  # nine: they go back
    ],
)
def test_a_night_in_which_the_clocks_change(night: str, begins: str, ends: str) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    noon_ms = parse_time(f"{night}T12:00", berlin)
    calendar, first = Calendar(berlin), minute(noon_ms)
    rows = (
        order(span=span(first - 1440, first + 2880)),
        band(span=span(first - 1440, first + 2880)),
        home(hours=NIGHT),
    )
    seen = Watch(cases(*rows), calendar=calendar, began_ms=noon_ms)
    seen.stay(first, first + 1440, 5_000, every=5)
    assert times(seen.one(Kind.CURFEW)) == (
        minute(parse_time(begins, berlin)),
        minute(parse_time(ends, berlin)),
    )


# -- places to keep out of ----------------------------------------------------------------------------
def test_entering_a_forbidden_place_is_found_and_ends_when_left() -> None:
    seen = Watch(cases(forbidden()))
    seen.stay(0, 10, 0)
    seen.stay(11, 20, 1_000)
    seen.stay(21, 30, 0)
    episode = seen.one(Kind.ZONE_ENTER)
    assert times(episode) == (11, 21)
    assert minute(episode.detected_ms) == 12
    assert (episode.subject, episode.zone_id) == ("school", "school")
    assert episode.reason == "已离开禁止区域"


def test_a_forbidden_place_is_forbidden_in_its_hours_only() -> None:
    hours = [{"days": "Mo-Fr", "from": "07:00", "to": "17:00"}]
    seen = Watch(cases(forbidden(hours=hours)))
    seen.stay(0, clock("19:00"), 1_000, every=2)
    episode = seen.one(Kind.ZONE_ENTER)
    assert times(episode) == (clock("07:00"), clock("17:00"))
    assert minute(episode.detected_ms) == clock("07:00")


def test_passing_by_a_forbidden_place_is_no_entry() -> None:
    seen = Watch(cases(forbidden()))
    for k in range(60):
        seen.fix(k, 800 - 30 - k % 5, k)
    assert not seen.episodes(Kind.ZONE_ENTER)


def test_driving_through_with_a_single_fix_inside_opens_nothing() -> None:
    seen = Watch(cases(forbidden()))
    for k in range(10):
        seen.fix(k, -4_000 + 1_000 * k)
    assert not seen.episodes(Kind.ZONE_ENTER)


def test_two_forbidden_places_are_two_matters() -> None:
    seen = Watch(cases(forbidden(), forbidden("pub", shape=circle(1_100))))
    seen.stay(0, 10, 0)
    seen.stay(11, 20, 1_050)
    assert sorted(e.subject for e in seen.episodes(Kind.ZONE_ENTER)) == ["pub", "school"]
