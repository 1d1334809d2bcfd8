"""Orders: permission that runs out, devices left on without it, and what ends with it."""

from __future__ import annotations

import pytest
from precinct import Watch, at, band, cases, home, minute, order, span, times

from corrections_monitor.model.cases import Order
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.telemetry import BandEvent

DAY = 1440.0


def until_day(days: float, *more: Order) -> Watch:
    """An order that ends after so many days."""
    return Watch(cases(home(), order(span=span(-DAY, days * DAY)), *more))


def test_two_weeks_before_its_end_an_order_is_expiring_and_is_told_again_at_seven_and_one() -> None:
    seen = until_day(20)
    seen.until(21 * DAY)
    told = [t for t in seen.told if t.episode.kind is Kind.ORDER_EXPIRING]
    assert [(t.change, minute(t.at_ms) / DAY) for t in told] == [
        ("opened", 6), ("updated", 13), ("updated", 19), ("closed", 20),
    ]  # fmt: skip
    assert "不足 14 天" in told[0].episode.reason
    assert "不足 1 天" in told[2].episode.reason
    assert told[0].episode.subject == "o-p1"


def test_an_extension_in_force_is_no_reason_to_worry_about_the_first_order() -> None:
    longer = order(order_id="o2", span=span(20 * DAY, 60 * DAY))
    seen = Watch(cases(home(), order(span=span(-DAY, 20 * DAY)), longer))
    seen.until(30 * DAY)
    assert not seen.episodes(Kind.ORDER_EXPIRING)


def test_an_extension_made_meanwhile_closes_it() -> None:
    seen = until_day(10)
    seen.until(DAY)
    longer = order(order_id="o2", span=span(10 * DAY, 60 * DAY))
    seen.amend(cases(home(), order(span=span(-DAY, 10 * DAY)), longer), 2 * DAY)
    assert times(seen.one(Kind.ORDER_EXPIRING))[1] == 2 * DAY
    assert seen.one(Kind.ORDER_EXPIRING).reason == "决定已延长"


def test_an_order_over_with_the_device_still_on_is_lapsed_until_it_is_unbound() -> None:
    worn = band(span=span(-DAY, 12 * DAY))
    seen = Watch(cases(home(), order(span=span(-DAY, 10 * DAY)), worn))
    seen.until(20 * DAY)
    episode = seen.one(Kind.ORDER_LAPSED)
    assert times(episode) == (10 * DAY, 12 * DAY)
    assert "b1" in next(t.episode.reason for t in seen.told if t.episode.kind is Kind.ORDER_LAPSED)


def test_an_extension_that_comes_too_late_ends_the_lapse() -> None:
    seen = until_day(10)
    seen.until(11 * DAY)
    late = order(order_id="o2", span=span(11 * DAY, 60 * DAY))
    seen.amend(cases(home(), order(span=span(-DAY, 10 * DAY)), late), 11 * DAY)
    assert times(seen.one(Kind.ORDER_LAPSED)) == (10 * DAY, 11 * DAY)


@pytest.mark.parametrize(
    ("event", "stays"),
    [
        (BandEvent.STRAP_CUT, True),
        (BandEvent.STRAP_LOOSE, True),
        (BandEvent.CASE_OPEN, True),
        (BandEvent.SHIELDED, False),
        (BandEvent.POWER_OFF, False),
        (BandEvent.SOS, False),
        (BandEvent.BATTERY_LOW, False),
    ],
)
def test_an_order_that_ends_closes_what_is_open_except_tampers(event: BandEvent, stays: bool) -> None:
    seen = Watch(cases(home(), order(span=span(-DAY, 60))))
    seen.stay(0, 10, 0)
    seen.event(50, event)
    seen.until(59)
    before = set(seen.open_kinds())
    seen.until(70)
    if stays:
        assert {"strap.cut", "strap.loose", "case.open"} & set(seen.open_kinds())
    else:
        assert seen.open_kinds() == ["order.lapsed"]
    ended = [e for e in seen.episodes() if e.ended_ms == at(60)]
    assert ended
    assert {e.reason for e in ended} <= {"定位决定到期或解除", "已延长"}
    assert before


def test_everything_of_place_and_silence_ends_with_the_order_too() -> None:
    seen = Watch(cases(home(), order(span=span(-DAY, 60))))
    seen.stay(0, 10, 0)
    seen.stay(11, 30, 700)
    seen.until(90)
    found = {e.kind: (times(e), e.reason) for e in seen.episodes(Kind.ZONE_EXIT, Kind.SILENCE_DEVICE)}
    assert found == {
        Kind.ZONE_EXIT: ((11, 60), "定位决定到期或解除"),
        Kind.SILENCE_DEVICE: ((30, 60), "定位决定到期或解除"),
    }


def test_without_an_order_nothing_is_seen_at_all() -> None:
    seen = Watch(cases(home(), order(span=span(100, 40 * DAY))))
    seen.stay(0, 99, 5_000)
    assert not seen.episodes()
    seen.stay(100, 110, 5_000)
    assert times(seen.one(Kind.ZONE_EXIT))[0] == 100
