"""What an officer sees of alerts: who is paged when, what stops it, what starts it again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from town import (
    T0,
    TOWN,
    Desk,
    acknowledged,
    an_episode,
    closed,
    duty,
    minutes,
    opened,
    person,
    resolved,
    town,
    updated,
)

from corrections_monitor.model.alerts import AlertState
from corrections_monitor.model.cases import Supervision, Suspension
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.settings import RulesSettings, SeverityRule
from corrections_monitor.model.times import Interval
from corrections_monitor.rules.moves import IllegalMove
from corrections_monitor.rules.outcome import Noted

DUTY = ("duty1", "duty2")


def test_a_critical_ladder_climbs_at_0_3_8_and_23_minutes() -> None:
    desk = Desk()
    desk.until(0, opened(an_episode(Kind.ZONE_EXIT)))
    desk.until(60)
    assert desk.log() == [
        ("opened", 0, "critical", DUTY),
        ("updated", 3, "critical", ("chief1",)),
        ("updated", 8, "critical", ("county-duty",)),
        ("updated", 23, "critical", ("city-duty",)),
    ]
    assert desk.pages == [
        (0, 1, 0, "duty1"),
        (0, 1, 0, "duty2"),
        (3, 1, 1, "chief1"),
        (8, 1, 2, "county-duty"),
        (23, 1, 3, "city-duty"),
    ]
    assert desk.asides == [(53, "repeat", "city-duty")]


def test_a_major_ladder_climbs_at_0_10_25_and_85_minutes() -> None:
    desk = Desk()
    desk.until(0, opened(an_episode(Kind.CURFEW)))
    desk.until(200)
    assert [at for at, _ in desk.paged_at()] == [0, 10, 25, 85]


def test_a_step_fires_at_its_millisecond_and_not_one_before() -> None:
    desk = Desk()
    desk.until(0, opened(an_episode(Kind.ZONE_EXIT)))
    assert desk.book.next_due_ms == minutes(3)
    assert desk.book.advance([], [], TOWN, minutes(3) - 1).lines == ()
    assert [line.paged for line in desk.book.advance([], [], TOWN, minutes(3)).lines] == [("chief1",)]


def test_nobody_is_paged_for_minor_and_info() -> None:
    desk = Desk()
    desk.until(0, opened(an_episode(Kind.BATTERY_LOW)), opened(an_episode(Kind.DATA_GAP)))
    desk.until(1, opened(an_episode(Kind.BATTERY_CRITICAL, 1)))
    desk.until(600)
    assert desk.pages == []
    assert sorted((a.severity.name, a.round) for a in desk.alerts.values()) == [("INFO", 0), ("MINOR", 0)]


def test_silence_grows_graver_with_age_and_each_rise_starts_its_ladder() -> None:
    desk = Desk()
    desk.until(5, opened(an_episode(Kind.SILENCE_DEVICE, 5, started=0)))
    desk.until(300)
    assert desk.log() == [
        ("opened", 5, "minor", ()),
        ("updated", 30, "major", DUTY),
        ("updated", 40, "major", ("chief1",)),
        ("updated", 55, "major", ("county-duty",)),
        ("updated", 115, "major", ("city-duty",)),
        ("updated", 180, "critical", DUTY),
        ("updated", 183, "critical", ("chief1",)),
        ("updated", 188, "critical", ("county-duty",)),
        ("updated", 203, "critical", ("city-duty",)),
    ]
    assert desk.alert.round == 2


def test_the_silence_of_a_strict_person_pages_at_once() -> None:
    desk = Desk()
    desk.until(5, opened(an_episode(Kind.SILENCE_DEVICE, 5, started=0, who="strict")))
    assert desk.log() == [("opened", 5, "major", DUTY)]


def test_acknowledgement_stops_the_ladder() -> None:
    desk = Desk()
    desk.until(0, opened(an_episode(Kind.ZONE_EXIT)))
    desk.until(60, acknowledged(desk.alert.alert_id, 5))
    assert [at for at, _ in desk.paged_at()] == [0, 3]
    assert desk.alert.state is AlertState.ACKNOWLEDGED
    assert desk.alert.step_due_ms is None
    assert [(n.who, n.detail) for n in desk.notes if n.what is Noted.STOPPED] == [
        (("duty1",), {"why": "acknowledged"})
    ]


def test_an_acknowledgement_in_the_millisecond_of_a_step_comes_first() -> None:
    desk = Desk()
    desk.until(0, opened(an_episode(Kind.ZONE_EXIT)))
    desk.until(60, acknowledged(desk.alert.alert_id, 3))
    assert [at for at, _ in desk.paged_at()] == [0]


def test_an_acknowledgement_does_not_cover_a_rise_of_the_same_millisecond() -> None:
    desk = Desk()
    desk.until(1, opened(an_episode(Kind.CURFEW)))
    desk.until(4, opened(an_episode(Kind.ZONE_EXIT, 2)), acknowledged(desk.alert.alert_id, 2))
    assert desk.alert.state is AlertState.OPEN
    assert desk.alert.round == 2


def test_the_book_counts_what_is_open_by_kind() -> None:
    desk = Desk()
    leaving = an_episode(Kind.ZONE_EXIT)
    desk.until(1, opened(leaving), opened(an_episode(Kind.CURFEW)), opened(an_episode(Kind.CURFEW, who="p2")))
    assert desk.book.open_kinds() == {Kind.ZONE_EXIT: 1, Kind.CURFEW: 2}
    desk.until(2, closed(leaving, 2))
    assert desk.book.open_kinds() == {Kind.CURFEW: 2}


def test_a_rise_after_acknowledgement_pages_anew_from_step_0() -> None:
    desk = Desk()
    desk.until(0, opened(an_episode(Kind.CURFEW)))
    desk.until(4, acknowledged(desk.alert.alert_id, 2), opened(an_episode(Kind.ZONE_EXIT, 4)))
    assert desk.alert.state is AlertState.OPEN
    desk.until(60)
    assert [(at, rnd, step) for at, rnd, step, _ in desk.pages] == [
        (0, 1, 0), (0, 1, 0), (4, 2, 0), (4, 2, 0), (7, 2, 1), (12, 2, 2), (27, 2, 3),
    ]  # fmt: skip


def test_an_episode_that_joins_without_a_rise_pages_nobody() -> None:
    desk = Desk()
    desk.until(0, opened(an_episode(Kind.ZONE_EXIT)))
    desk.until(1, opened(an_episode(Kind.CURFEW, 1)))
    assert desk.log() == [("opened", 0, "critical", DUTY), ("opened", 1, "major", ())]
    assert len(desk.alerts) == 1


def test_a_fall_changes_nothing() -> None:
    desk = Desk()
    leaving = an_episode(Kind.ZONE_EXIT)
    desk.until(1, opened(leaving), opened(an_episode(Kind.CURFEW, 1)))
    desk.until(60, closed(leaving, 2))
    assert [at for at, _ in desk.paged_at()] == [0, 3, 8, 23]
    assert desk.alert.severity is Severity.CRITICAL
    # What is still open carries the rest of the ladder's lines.
    assert {n.episode.kind for n in desk.lines if n.at_ms > minutes(2)} == {Kind.CURFEW}


def test_causes_are_alerts_of_their_own_and_exclusion_zones_are_told_apart() -> None:
    desk = Desk()
    desk.until(
        0,
        opened(an_episode(Kind.ZONE_EXIT)),
        opened(an_episode(Kind.STRAP_CUT)),
        opened(an_episode(Kind.ZONE_ENTER, subject="school")),
        opened(an_episode(Kind.ZONE_ENTER, subject="bar")),
        opened(an_episode(Kind.ZONE_EXIT, who="p2")),
    )
    assert len(desk.alerts) == 5


def test_the_ladder_stops_when_the_last_episode_has_ended() -> None:
    desk = Desk()
    leaving = an_episode(Kind.ZONE_EXIT)
    desk.until(60, opened(leaving), closed(leaving, 5))
    assert [at for at, _ in desk.paged_at()] == [0, 3]
    assert desk.log()[-1] == ("closed", 5, "critical", ())


@pytest.mark.parametrize(("kind", "at"), [(Kind.STRAP_LOOSE, [0, 10, 25, 85]), (Kind.SOS, [0, 3, 8, 23])])
def test_tampers_and_calls_for_help_climb_on_after_the_end(kind: Kind, at: list[float]) -> None:
    desk = Desk()
    loose = an_episode(kind)
    desk.until(200, opened(loose), closed(loose, 5))
    assert [when for when, _ in desk.paged_at()] == at
    assert desk.lines[-1].episode.ended_ms == minutes(5)


def test_an_empty_step_is_noted_and_skipped() -> None:
    desk = Desk(cases=town(duty(("s2", "own2"))))
    desk.until(0, opened(an_episode(Kind.ZONE_EXIT, who="nobody-knows")))
    desk.until(60)
    # No such person: no own officer, and the episode's office s1 has a chief, a county and a city.
    assert desk.paged_at() == [
        (3, ("chief1",)),
        (8, ("supervisor-a", "supervisor-b")),
        (23, ("city-supervisor",)),
    ]
    assert [(n.at_ms, n.detail["step"]) for n in desk.notes if n.what is Noted.SKIPPED] == [(minutes(0), 0)]
    assert desk.log()[0] == ("opened", 0, "critical", ())


def test_nobody_anywhere_leaves_a_trace_in_the_timeline_and_no_line() -> None:
    desk = Desk(cases=type(TOWN)())
    desk.until(60, opened(an_episode(Kind.ZONE_EXIT)))
    assert len(desk.log()) == 1
    assert [n.detail["step"] for n in desk.notes if n.what is Noted.SKIPPED] == [0, 1, 2, 3]


def test_who_is_on_duty_is_looked_up_when_the_step_fires() -> None:
    desk = Desk()
    desk.until(0, opened(an_episode(Kind.ZONE_EXIT)))
    desk.cases = town(duty(("k1", "supervisor-b")))
    desk.until(10)
    assert desk.paged_at()[-1] == (8, ("supervisor-b",))


def test_an_alert_follows_the_person_to_another_office() -> None:
    desk = Desk()
    desk.until(0, opened(an_episode(Kind.ZONE_EXIT)))
    desk.cases = town(people=[person("p1", "s2", "own2")])
    desk.until(3)
    assert desk.alert.office_id == "s2"
    assert desk.paged_at()[-1] == (3, ("chief2",))
    assert [n.detail for n in desk.notes if n.what is Noted.HANDED_OVER] == [{"office": "s2"}]


def test_a_person_who_becomes_strict_weighs_more_at_once() -> None:
    desk = Desk()
    desk.until(6, opened(an_episode(Kind.SILENCE_DEVICE, 5, started=0)))
    desk.cases = town(people=[person("p1", level=Supervision.STRICT)])
    desk.until(7)
    assert desk.log() == [("opened", 5, "minor", ()), ("updated", 6, "major", DUTY)]


def test_nobody_is_paged_about_a_person_who_is_suspended() -> None:
    desk = Desk()
    desk.until(1, opened(an_episode(Kind.STRAP_CUT)), opened(an_episode(Kind.STRAP_CUT, who="p2")))
    hospital = Suspension("p1", Interval(minutes(2), minutes(20)), "住院")
    desk.cases = replace(town(), suspensions={("p1", minutes(2)): hospital})
    desk.until(60)
    of_p1 = [((n.at_ms - T0) / 60_000) for n in desk.lines if n.paged and n.episode.person_id == "p1"]
    of_p2 = [((n.at_ms - T0) / 60_000) for n in desk.lines if n.paged and n.episode.person_id == "p2"]
    assert (of_p1, of_p2) == ([0, 23], [0, 3, 8, 23])
    assert [n.detail["step"] for n in desk.notes if n.detail.get("why") == "suspended"] == [1, 2]


def test_an_outage_goes_to_the_county() -> None:
    desk = Desk()
    desk.until(200, opened(an_episode(Kind.OUTAGE, who="", subject="k1")))
    assert desk.paged_at() == [(0, ("county-duty",)), (25, ("county-duty",)), (85, ("city-duty",))]


def test_resolution_ends_the_alert_and_later_episodes_open_another() -> None:
    desk = Desk()
    desk.until(1, opened(an_episode(Kind.CURFEW)))
    first_alert = desk.alert.alert_id
    desk.until(60, resolved(first_alert, 2), opened(an_episode(Kind.LEAVE_ASTRAY, 3)))
    assert desk.alerts[first_alert].state is AlertState.RESOLVED
    assert [at for at, _ in desk.paged_at()] == [0, 3, 13, 28]
    assert len(desk.alerts) == 2


def test_what_begins_in_the_millisecond_of_a_resolution_is_not_covered_by_it() -> None:
    desk = Desk()
    desk.until(1, opened(an_episode(Kind.ZONE_EXIT)))
    desk.until(2, opened(an_episode(Kind.CURFEW, 2)), resolved(desk.alert.alert_id, 2))
    assert sorted(a.state for a in desk.alerts.values()) == ["open", "resolved"]


def test_the_open_episode_of_a_resolved_alert_runs_to_its_own_end() -> None:
    desk = Desk()
    leaving = an_episode(Kind.ZONE_EXIT)
    desk.until(1, opened(leaving))
    desk.until(60, resolved(desk.alert.alert_id, 2), updated(leaving, 10), closed(leaving, 20))
    assert desk.log()[1:] == [("updated", 10, "critical", ()), ("closed", 20, "critical", ())]
    assert {n.alert_id for n in desk.lines} == {desk.alert.alert_id}
    assert desk.alert.state is AlertState.RESOLVED


def test_a_rise_after_resolution_is_a_new_alert() -> None:
    desk = Desk()
    desk.until(31, opened(an_episode(Kind.SILENCE_DEVICE, 5, started=0)))
    desk.until(200, resolved(desk.alert.alert_id, 32))
    assert [at for at, _ in desk.paged_at()] == [30, 180, 183, 188]
    assert len(desk.alerts) == 2
    assert len({n.alert_id for n in desk.lines}) == 2


def test_a_raise_and_a_step_in_one_millisecond_make_one_line() -> None:
    desk = Desk()
    # Critical at 180; a major ladder that began at 95 would reach the city at 180 as well.
    silent = an_episode(Kind.SILENCE_DEVICE, 5, started=0, who="strict")
    desk.until(94, opened(silent))
    desk.until(180)
    assert [n for n in desk.log() if n[1] == 180] == [("updated", 180, "critical", DUTY)]


def test_an_updated_line_follows_every_update() -> None:
    desk = Desk()
    leaving = an_episode(Kind.ZONE_EXIT)
    desk.until(1, opened(leaving), updated(leaving, 1, "距边界 900 米"))
    assert desk.log()[-1] == ("updated", 1, "critical", ())
    assert desk.alert.reason == "距边界 900 米"


def test_an_alert_that_is_over_still_says_what_happened() -> None:
    desk = Desk()
    leaving = an_episode(Kind.ZONE_EXIT, reason="距边界 900 米")
    desk.until(1, opened(leaving))
    desk.until(5, closed(replace(leaving, reason="已返回规定区域"), 4))
    assert desk.alert.reason == "距边界 900 米"


def test_an_answer_to_an_alert_long_gone_changes_nothing() -> None:
    desk = Desk()
    assert desk.until(1, acknowledged("a-unknown", 0.5)).alerts == ()


def test_an_answer_after_resolution_is_noted_and_unheeded() -> None:
    desk = Desk()
    desk.until(1, opened(an_episode(Kind.ZONE_EXIT)))
    desk.until(3, resolved(desk.alert.alert_id, 2), acknowledged(desk.alert.alert_id, 2.5, "duty2"))
    assert desk.alert.state is AlertState.RESOLVED
    assert [n.who for n in desk.notes if n.what is Noted.UNHEEDED] == [("duty2",)]


def test_an_answer_from_before_the_new_round_does_not_stop_it() -> None:
    """The officer pressed while it was still minor to them; the word came after it had grown worse."""
    desk = Desk()
    desk.until(1, opened(an_episode(Kind.CURFEW)))
    desk.until(3, opened(an_episode(Kind.ZONE_EXIT, 2)))
    desk.until(60, acknowledged(desk.alert.alert_id, 1.5))
    assert [at for at, _ in desk.paged_at()] == [0, 2, 5, 10, 25]
    assert [n.who for n in desk.notes if n.what is Noted.UNHEEDED] == [("duty1",)]


def test_severity_by_age_and_a_step_of_one_moment_make_one_line() -> None:
    """The city's step at 33 minutes falls together with a fall in severity: one line tells both."""
    steps = ((0, Severity.MAJOR), (10 * 60_000, Severity.CRITICAL), (33 * 60_000, Severity.MAJOR))
    settings = RulesSettings(severities={Kind.CURFEW: SeverityRule(steps)})
    desk = Desk(settings=settings)
    desk.until(60, opened(an_episode(Kind.CURFEW)))
    assert desk.log() == [
        ("opened", 0, "major", DUTY),
        ("updated", 10, "critical", DUTY),
        ("updated", 13, "critical", ("chief1",)),
        ("updated", 18, "critical", ("county-duty",)),
        ("updated", 33, "major", ("city-duty",)),
    ]


def test_impossible_transitions_are_refused_by_name() -> None:
    leaving = an_episode(Kind.ZONE_EXIT)
    for impossible in ([closed(leaving, 1)], [opened(leaving), opened(leaving)], [updated(leaving, 1)]):
        with pytest.raises(IllegalMove, match=leaving.episode_id):
            Desk().until(1, *impossible)
    with pytest.raises(IllegalMove, match="opened"):
        Desk().until(2, opened(leaving), closed(leaving, 1), opened(leaving))


def test_time_does_not_run_back() -> None:
    desk = Desk()
    desk.until(1)
    with pytest.raises(ValueError, match="ran back"):
        desk.until(0)
    with pytest.raises(ValueError, match="outside"):
        desk.until(2, opened(an_episode(Kind.ZONE_EXIT, 0.5)))
