"""What the rules tell devices: batteries, and pursuit under an open critical alert."""

from __future__ import annotations

from dataclasses import replace

from town import T0, TOWN, Desk, an_episode, closed, minutes, opened, resolved

from corrections_monitor.model.cases import CaseSet, Device, DeviceKind
from corrections_monitor.model.commands import Cmd, Command, Origin
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.settings import CommandSettings, Language
from corrections_monitor.model.times import Interval
from corrections_monitor.rules.commanding import (
    Pursued,
    battery_commands,
    county_of,
    pursued,
    pursuit_commands,
    worn_now,
)

SETTINGS = CommandSettings()
DEVICES = [
    Device("band", DeviceKind.BAND, "p1", 60),
    Device("eager", DeviceKind.PHONE, "p1", 10),
    Device("former", DeviceKind.PHONE, "p1", 60, Interval(0, T0)),
    Device("other", DeviceKind.BAND, "p2", 60),
]
CASES: CaseSet = replace(TOWN, devices={(d.device_id, d.span.from_ms): d for d in DEVICES})


def _pursued(desk: Desk, at: float = 1.0, settings: CommandSettings = SETTINGS) -> dict[str, Pursued]:
    return pursued(desk.book.open_alerts(), CASES, settings, minutes(at))


def _said(commands: list[Command]) -> list[tuple[str, str, int | str | None, str]]:
    return [(c.device_id, c.cmd, c.arg, c.origin) for c in commands]


def test_devices_report_faster_while_a_critical_alert_is_open_and_go_back_afterwards() -> None:
    desk = Desk(cases=CASES)
    exit_ = an_episode(Kind.ZONE_EXIT)
    desk.until(0, opened(exit_))
    faster = _pursued(desk)
    assert faster == {"band": Pursued("p1", desk.alert.alert_id, 60)}
    begun = pursuit_commands({}, faster, CASES, SETTINGS, T0)
    assert _said(begun) == [("band", Cmd.SET_INTERVAL, 10, Origin.PURSUIT)]
    assert pursuit_commands(faster, _pursued(desk), CASES, SETTINGS, T0) == []
    desk.until(5, closed(exit_, 5))
    back = pursuit_commands(faster, _pursued(desk, 5), CASES, SETTINGS, minutes(5))
    assert _said(back) == [("band", Cmd.SET_INTERVAL, 60, Origin.PURSUIT_ENDED)]
    assert back[0].alert_id == desk.alert.alert_id
    assert {c.expires_ms - c.issued_ms for c in begun + back} == {SETTINGS.expires_ms}


def test_a_second_critical_alert_keeps_up_the_pursuit_that_the_first_began() -> None:
    desk = Desk(cases=CASES)
    exit_, cut = an_episode(Kind.ZONE_EXIT), an_episode(Kind.STRAP_CUT, 1, subject="band")
    desk.until(0, opened(exit_))
    before = _pursued(desk)
    desk.until(1, opened(cut))
    assert pursuit_commands(before, _pursued(desk), CASES, SETTINGS, minutes(1)) == []
    desk.until(2, closed(exit_, 2))
    still = _pursued(desk, 2)
    assert pursuit_commands(before, still, CASES, SETTINGS, minutes(2)) == []
    (tamper,) = [a.alert_id for a in desk.alerts.values() if a.cause.value == "tamper"]
    desk.until(3, resolved(tamper, 3))
    assert [c.arg for c in pursuit_commands(still, _pursued(desk, 3), CASES, SETTINGS, minutes(3))] == [60]


def test_nobody_is_pursued_for_less_or_where_it_is_switched_off() -> None:
    desk = Desk(cases=CASES)
    desk.until(0, opened(an_episode(Kind.SHIELDED, subject="band")))
    assert _pursued(desk) == {}
    desk.until(1, opened(an_episode(Kind.ZONE_EXIT, 1)))
    assert _pursued(desk, settings=replace(SETTINGS, pursuit_ms=0)) == {}
    assert set(_pursued(desk)) == {"band"}


def test_the_wearer_is_told_once_of_a_low_battery_and_not_of_an_old_one() -> None:
    desk = Desk(cases=CASES)
    low = an_episode(Kind.BATTERY_LOW, subject="band")
    outcome = desk.until(0, opened(low), opened(an_episode(Kind.SHIELDED, subject="band")))
    for language, text in ((Language.ZH, "电量低，请充电"), (Language.EN, "Battery low, please charge")):
        (told,) = battery_commands(outcome.lines, CASES, SETTINGS, language, T0)
        assert (told.device_id, told.cmd, told.arg, told.county_id) == ("band", Cmd.MESSAGE, text, "k1")
    again = battery_commands(outcome.lines, CASES, SETTINGS, Language.ZH, minutes(9))
    assert again[0].command_id == told.command_id
    ended = desk.until(1, closed(low, 1))
    late = desk.until(2, opened(an_episode(Kind.BATTERY_CRITICAL, 2, subject="band", late=True)))
    assert battery_commands((*ended.lines, *late.lines), CASES, SETTINGS, Language.ZH, T0) == []


def test_commands_go_under_the_county_to_what_is_worn_now() -> None:
    assert [county_of(CASES, p) for p in ("p1", "nobody")] == ["k1", "-"]
    assert [d.device_id for d in worn_now(CASES, "p1", T0)] == ["band", "eager"]
    assert [d.device_id for d in worn_now(CASES, "p1", T0 - 1)] == ["band", "eager", "former"]
