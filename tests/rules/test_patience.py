"""Acknowledged is not done: reminders, acknowledgements that expire, hand-overs, and steps that repeat."""

from __future__ import annotations

from dataclasses import replace

import pytest
from town import Desk, acknowledged, an_episode, closed, handed_over, minutes, noted, opened, resolved, town

from corrections_monitor.model.alerts import AlertState, Why
from corrections_monitor.model.cases import Suspension
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.settings import RulesSettings
from corrections_monitor.model.times import Interval
from corrections_monitor.rules.outcome import Noted


def an_acknowledged(kind: Kind = Kind.ZONE_EXIT, settings: RulesSettings | None = None) -> Desk:
    """A desk whose only alert ``duty1`` acknowledged at minute 1."""
    desk = Desk(settings=settings or RulesSettings())
    desk.until(0.5, opened(an_episode(kind)))
    desk.until(1, acknowledged(desk.alert.alert_id, 1))
    return desk


@pytest.mark.parametrize(("kind", "reminded", "expired"), [(Kind.ZONE_EXIT, 51, 61), (Kind.CURFEW, 471, 481)])
def test_who_acknowledged_is_reminded_then_the_ladder_starts_anew(
    kind: Kind, reminded: float, expired: float
) -> None:
    desk = an_acknowledged(kind)
    desk.until(expired - 0.001)
    assert desk.asides == [(reminded, "reminder", "duty1")]
    assert (desk.alert.state, desk.alert.round) == (AlertState.ACKNOWLEDGED, 1)
    desk.until(expired)
    assert desk.paged_at()[-1] == (expired, ("duty1", "duty2"))
    assert (desk.alert.state, desk.alert.round, desk.alert.why, desk.alert.why_who) == (
        AlertState.OPEN, 2, Why.EXPIRED, "duty1",
    )  # fmt: skip
    assert [(n.what, n.who) for n in desk.notes if n.what in (Noted.REMINDED, Noted.EXPIRED)] == [
        (Noted.REMINDED, ("duty1",)),
        (Noted.EXPIRED, ("duty1",)),
    ]
    desk.until(expired + 10)
    assert ("chief1",) in [who for at, who in desk.paged_at() if at > expired]


def test_a_note_gives_the_acknowledgement_its_full_time_again() -> None:
    desk = an_acknowledged()
    desk.until(109, noted(desk.alert.alert_id, 55))
    assert desk.asides == [(51, "reminder", "duty1"), (105, "reminder", "duty1")]
    assert desk.alert.round == 1
    desk.until(115)
    assert desk.alert.round == 2


def test_a_note_on_an_alert_that_nobody_acknowledged_does_not_stop_its_ladder() -> None:
    desk = Desk()
    desk.until(1, opened(an_episode(Kind.ZONE_EXIT)))
    desk.until(10, noted(desk.alert.alert_id, 2))
    assert [at for at, _ in desk.paged_at()] == [0, 3, 8]


def test_a_hand_over_pages_the_new_holder_who_is_then_reminded() -> None:
    desk = an_acknowledged()
    desk.until(70, handed_over(desk.alert.alert_id, 20, to="chief1"))
    assert desk.asides == [(20, "handed-over", "chief1"), (70, "reminder", "chief1")]
    assert desk.alert.round == 1
    desk.until(80)
    assert desk.alert.why_who == "chief1"


def test_only_what_is_acknowledged_can_be_handed_over() -> None:
    desk = Desk()
    desk.until(1, opened(an_episode(Kind.ZONE_EXIT)))
    desk.until(10, handed_over(desk.alert.alert_id, 2, to="chief1"))
    assert desk.asides == []
    assert [n.who for n in desk.notes if n.what is Noted.UNHEEDED] == [("duty1",)]
    assert [at for at, _ in desk.paged_at()] == [0, 3, 8]


def test_an_acknowledgement_of_what_is_over_expires_no_more() -> None:
    desk = Desk()
    leaving = an_episode(Kind.ZONE_EXIT)
    desk.until(1, opened(leaving))
    desk.until(5, acknowledged(desk.alert.alert_id, 1), closed(leaving, 5))
    desk.until(500)
    assert desk.asides == []
    assert [at for at, _ in desk.paged_at()] == [0]


def test_what_comes_back_into_an_acknowledged_alert_must_be_followed_up_again() -> None:
    desk = Desk(settings=replace(RulesSettings(), rejoin_ms=60 * 60_000))
    leaving = an_episode(Kind.ZONE_EXIT)
    desk.until(1, opened(leaving))
    desk.until(5, acknowledged(desk.alert.alert_id, 1), closed(leaving, 5))
    desk.until(60, opened(an_episode(Kind.ZONE_EXIT, 60)))
    desk.until(110)
    assert desk.asides == [(110, "reminder", "duty1")]


def test_an_acknowledged_tamper_is_asked_about_until_it_is_resolved() -> None:
    desk = Desk()
    loose = an_episode(Kind.STRAP_LOOSE)
    desk.until(1, opened(loose))
    name = desk.alert.alert_id
    desk.until(5, acknowledged(name, 1), closed(loose, 5))
    desk.until(3_000)
    assert desk.alerts[name].round == 2
    desk.until(3_001, resolved(name, 3_001))
    before = list(desk.asides)
    desk.until(9_000)
    assert desk.asides == before


def test_a_note_on_what_is_resolved_asks_nobody_for_more() -> None:
    desk = an_acknowledged()
    desk.until(5, resolved(desk.alert.alert_id, 5))
    desk.until(6, noted(desk.alert.alert_id, 6))
    desk.until(9_000)
    assert desk.alert.state is AlertState.RESOLVED
    assert (desk.asides, desk.paged_at()[1:]) == ([], [])


def test_a_resolution_written_before_the_expiry_stands() -> None:
    desk = an_acknowledged()
    desk.until(61)
    desk.until(61.5, resolved(desk.alert.alert_id, 60.99))
    assert desk.alert.state is AlertState.RESOLVED


def test_nobody_is_reminded_of_a_person_in_hospital() -> None:
    desk = an_acknowledged(Kind.STRAP_CUT)
    hospital = Suspension("p1", Interval(minutes(2), minutes(200)), "住院")
    desk.cases = replace(town(), suspensions={("p1", minutes(2)): hospital})
    desk.until(199)
    assert desk.asides == []
    desk.until(300)
    assert desk.asides[0][1:] == ("reminder", "duty1")


def test_a_holder_who_left_the_service_is_not_paged_and_the_ladder_starts_all_the_same() -> None:
    desk = an_acknowledged()
    desk.cases = replace(town(), officers={k: o for k, o in town().officers.items() if k != "duty1"})
    desk.until(61)
    assert desk.asides == []
    assert desk.paged_at()[-1] == (61, ("duty2",))


def test_zero_means_never() -> None:
    desk = an_acknowledged(settings=RulesSettings(ack_expires_ms={}, repeat_ms=0))
    desk.until(100_000)
    assert desk.asides == []
    assert desk.book.next_due_ms is None


def test_without_a_reminder_the_acknowledgement_just_expires() -> None:
    desk = an_acknowledged(settings=RulesSettings(ack_reminder_ms=0))
    desk.until(61)
    assert desk.asides == []
    assert desk.alert.round == 2


def test_the_last_step_repeats_until_somebody_answers_and_writes_no_line() -> None:
    desk = Desk()
    desk.until(0, opened(an_episode(Kind.ZONE_EXIT)))
    desk.until(120)
    assert desk.asides == [(53 + 30 * n, "repeat", "city-duty") for n in range(3)]
    assert len(desk.log()) == 4
    desk.until(500, acknowledged(desk.alert.alert_id, 121))
    assert [purpose for _, purpose, _ in desk.asides[3:6]] == ["reminder", "repeat", "repeat"]


def test_the_last_step_repeats_to_who_is_on_duty_then() -> None:
    desk = Desk()
    desk.until(30, opened(an_episode(Kind.ZONE_EXIT)))
    desk.cases = town({})
    desk.until(60)
    assert desk.asides == [(53, "repeat", "city-supervisor")]


def test_nothing_repeats_once_the_matter_is_over_and_it_goes_on_when_it_comes_back() -> None:
    desk = Desk(settings=replace(RulesSettings(), rejoin_ms=60 * 60_000))
    leaving = an_episode(Kind.ZONE_EXIT)
    desk.until(25, opened(leaving), closed(leaving, 25))
    desk.until(60)
    assert desk.asides == []
    desk.until(100, opened(an_episode(Kind.ZONE_EXIT, 70)))
    assert desk.asides == [(100, "repeat", "city-duty")]


def test_a_rise_after_an_acknowledgement_says_despite_whom() -> None:
    desk = an_acknowledged(Kind.CURFEW)
    desk.until(4, opened(an_episode(Kind.ZONE_EXIT, 4)))
    assert (desk.alert.why, desk.alert.why_who) == (Why.WORSENED, "duty1")
    assert [n.detail["despite"] for n in desk.notes if n.what is Noted.RAISED] == ["duty1"]
