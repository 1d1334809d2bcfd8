"""CONTRACT §3, the rows of silence: what opens them, how they grow with age, what closes them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from contract_town import Recording, Story, Town, columns, later, seconds

Replay = Callable[..., Story]


def one_person(**person: str | int) -> Town:
    town = Town()
    town.person(**person)  # type: ignore[arg-type]
    return town


def test_a_silence_grows_with_age_and_each_rise_starts_a_new_ladder(replay: Replay) -> None:
    spoken = Recording()
    spoken.stay(later(0), later(10))
    spoken.fix(later(250))
    told = replay(one_person(), spoken)
    assert set(columns(told, "kind", "person_id", "zone_id")) == {("silence.device", "P-1", None)}
    minutes = [(seconds(line["at"], later(9, 1)) / 60, line["severity"], line["paged"]) for line in told]
    assert minutes == [
        (5, "minor", []),  # the age counts from the last contact, 10:09:01
        (30, "major", ["s-duty"]),
        (40, "major", ["s-chief"]),
        (55, "major", ["k-duty"]),
        (115, "major", ["c-duty"]),
        (180, "critical", ["s-duty"]),
        (183, "critical", ["s-chief"]),
        (188, "critical", ["k-duty"]),
        (203, "critical", ["c-duty"]),
        (241, "critical", []),
    ]
    assert [line["event"] for line in told] == ["opened", *["updated"] * 8, "closed"]
    assert {seconds(line["started_at"], later(9, 1)) for line in told} == {0}
    assert seconds(told[-1]["ended_at"], later(250, 1)) == 0


def test_a_strict_person_is_paged_for_at_once(replay: Replay) -> None:
    spoken = Recording()
    spoken.stay(later(0), later(10))
    told = replay(one_person(level="strict"), spoken, "--until", later(20).isoformat())
    assert columns(told, "event", "severity", "paged") == [("opened", "major", ["s-duty"])]


@pytest.mark.parametrize(("every", "minutes"), [(10, 5), (60, 5), (120, 6), (600, 30), (1800, 90)])
def test_three_report_intervals_and_never_less_than_five_minutes(
    replay: Replay, every: int, minutes: int
) -> None:
    spoken = Recording()
    spoken.fix(later(0))
    opened = (
        replay(one_person(every=every), spoken, "--until", later(100).isoformat()).of(event="opened").only
    )
    assert seconds(opened["detected_at"], later(0, 1)) == minutes * 60
    assert seconds(opened["at"], opened["detected_at"]) == 0


def test_all_devices_must_be_silent_each_by_its_own_interval(replay: Replay) -> None:
    town = one_person()
    town.device("T-1", "P-1", "phone", every=600)
    spoken = Recording()
    spoken.stay(later(0), later(10))
    spoken.fix(later(2), device="T-1")
    opened = replay(town, spoken, "--until", later(33).isoformat()).of(event="opened").only
    assert opened["kind"] == "silence.device"
    assert seconds(opened["detected_at"], later(32, 1)) == 0  # the phone may be silent for 30 minutes
    assert seconds(opened["started_at"], later(9, 1)) == 0


def test_contact_without_position(replay: Replay) -> None:
    """Heartbeats arrive at the very moment at which the position is due: that must not hide it."""
    spoken = Recording()
    spoken.stay(later(0), later(10))
    for minute in range(10, 90):
        spoken.band(later(minute), "heartbeat")
    spoken.stay(later(90), later(92))
    told = replay(one_person(), spoken)
    minutes = [
        (line["event"], line["kind"], seconds(line["at"], later(9, 1)) / 60, line["severity"], line["paged"])
        for line in told
    ]
    assert minutes == [
        ("opened", "silence.position", 5, "minor", []),
        ("updated", "silence.position", 60, "major", ["s-duty"]),
        ("updated", "silence.position", 70, "major", ["s-chief"]),
        ("closed", "silence.position", 81, "major", []),
    ]


def test_a_device_that_comes_back_is_given_time_for_its_first_position(replay: Replay) -> None:
    spoken = Recording()
    spoken.stay(later(0), later(10))
    spoken.band(later(100), "power_on")
    spoken.stay(later(101), later(110))
    told = replay(one_person(), spoken)
    assert told.told("opened", "closed") == [("opened", "silence.device"), ("closed", "silence.device")]


def test_a_device_that_falls_silent_owes_no_position_besides(replay: Replay) -> None:
    spoken = Recording()
    spoken.stay(later(0), later(10))
    spoken.band(later(9, 40), "heartbeat")
    told = replay(one_person(), spoken, "--until", later(20).isoformat())
    assert told.told() == [("opened", "silence.device")]


def test_the_band_alone_is_silent(replay: Replay) -> None:
    town = one_person()
    town.device("T-1", "P-1", "phone")
    spoken = Recording()
    spoken.stay(later(0), later(10))
    spoken.stay(later(0, 20), later(30), device="T-1")
    spoken.band(later(25), "heartbeat")
    told = replay(town, spoken)
    assert columns(told, "event", "kind", "severity", "paged") == [
        ("opened", "silence.band", "major", ["s-duty"]),
        ("updated", "silence.band", "major", ["s-chief"]),
        ("closed", "silence.band", "major", []),
    ]
    assert seconds(told[0]["at"], later(14, 1)) == 0
    assert seconds(told[-1]["at"], later(25, 1)) == 0


def test_a_band_that_only_sends_fixes_is_alive_and_so_is_one_that_only_beats(replay: Replay) -> None:
    town = one_person()
    town.device("T-1", "P-1", "phone")
    spoken = Recording()
    spoken.stay(later(0), later(20))
    for minute in range(20, 40):
        spoken.band(later(minute), "heartbeat")
    spoken.stay(later(0, 20), later(40), device="T-1")
    assert replay(town, spoken) == []


@pytest.mark.parametrize("what", ["last will", "repeated", "old and unusable"])
def test_what_is_no_contact_hides_no_silence(replay: Replay, what: str) -> None:
    spoken = Recording()
    spoken.stay(later(0), later(10))
    for minute in range(10, 20):
        if what == "last will":
            spoken.status(later(minute), online=False)
        elif what == "repeated":
            spoken.fix(later(9), at=later(minute, 1))
        else:
            spoken.fix(later(9), at=later(minute, 1), lon=200)
    told = replay(one_person(), spoken)
    assert told.told("opened") == [("opened", "silence.device")]


def test_online_is_a_contact_and_so_is_something_new_though_unusable(replay: Replay) -> None:
    spoken = Recording()
    spoken.stay(later(0), later(10))
    for minute in range(10, 20, 2):
        spoken.status(later(minute), online=True)
        spoken.fix(later(minute + 1), lon=200)
    assert ("opened", "silence.device") not in replay(one_person(), spoken).told()


def test_under_order_and_nothing_bound_is_unmonitored_at_once(replay: Replay) -> None:
    town = one_person(device="")
    town.files["devices.csv"].clear()
    town.person("P-2")
    spoken = Recording()
    spoken.stay(later(0), later(5), device="D-2")
    told = replay(town, spoken)
    assert columns(told.of("P-1", event="opened"), "kind", "severity", "paged") == [
        ("unmonitored", "critical", ["s-duty"])
    ]
    assert seconds(told[0]["at"], later(0, 1)) == 0
    assert told.of("P-2") == []


def test_bound_and_not_heard_for_a_day_is_unmonitored_and_paged_again(replay: Replay) -> None:
    town = one_person()
    town.files["devices.csv"][0]["from"] = later(10).isoformat()
    town.person("P-2", every=1800)
    spoken = Recording()
    spoken.stay(later(0), later(24 * 60 + 30), device="D-2", every=1800)
    spoken.band(later(24 * 60 + 20), "heartbeat")
    told = replay(town, spoken, "--ladder", "off").of("P-1")
    assert columns(told, "event", "kind", "severity", "paged") == [
        ("opened", "unmonitored", "critical", ["s-duty"]),
        ("closed", "unmonitored", "critical", []),
        ("opened", "unmonitored", "critical", ["s-duty"]),
        ("closed", "unmonitored", "critical", []),
    ]
    assert seconds(told[2]["at"], later(24 * 60 + 10)) == 0


def test_many_who_fall_silent_together_are_one_outage_paged_to_the_county(replay: Replay) -> None:
    town = Town()
    spoken = Recording()
    for number in range(1, 9):
        town.person(f"P-{number}")
        spoken.stay(later(0, number), later(10), device=f"D-{number}")
        spoken.stay(later(40, number), later(50), device=f"D-{number}")
    told = replay(town, spoken)
    opened = told.of(kind="outage", event="opened").only
    assert (opened["severity"], opened["paged"], opened["person_id"] or None) == ("major", ["k-duty"], None)
    assert told.of(kind="outage", event="closed")
    assert len(told.of(kind="silence.device", event="opened")) == 8
    assert [line for line in told if line["kind"] != "outage" and line["paged"]] == []
