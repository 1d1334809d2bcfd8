"""What the rules tell the wearer's device by themselves (下行指令).

Battery low: the wearer is told first.  Pursuit (追踪模式): while somebody has an open critical alert all
devices report faster, and go back to the interval of their binding afterwards.  Patience with silence goes
by the binding, so pursuit makes nobody look silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from corrections_monitor.model.alerts import Alert, Line
from corrections_monitor.model.cases import CaseSet, Device, Level
from corrections_monitor.model.commands import BY_RULES, Cmd, Command, Origin, command_id
from corrections_monitor.model.episodes import Change, Kind, Severity
from corrections_monitor.model.settings import CommandSettings, Language

_CHARGE = {Language.ZH: "电量低，请充电", Language.EN: "Battery low, please charge"}
_TOLD = frozenset({Kind.BATTERY_LOW, Kind.BATTERY_CRITICAL})


@dataclass(frozen=True, slots=True)
class Pursued:
    """A device that reports faster, because of which alert, and how often it otherwise does."""

    person_id: str
    alert_id: str
    report_every_s: int


def pursued(
    alerts: Iterable[Alert], cases: CaseSet, settings: CommandSettings, now_ms: int
) -> dict[str, Pursued]:
    """The devices that are to report faster, by device_id.  ``alerts`` are open: something lasts."""
    if not settings.pursuit_ms:
        return {}
    found: dict[str, Pursued] = {}
    # The first critical alert is the reason; a second changes nothing.
    reasons: dict[str, str] = {}
    for alert in alerts:
        if alert.severity is Severity.CRITICAL and alert.person_id:
            reasons.setdefault(alert.person_id, alert.alert_id)
    if reasons:
        for device in cases.devices.values():
            faster = device.report_every_s * 1_000 > settings.pursuit_ms
            if device.person_id in reasons and faster and device.span.holds(now_ms):
                found[device.device_id] = Pursued(
                    device.person_id, reasons[device.person_id], device.report_every_s
                )
    return found


def pursuit_commands(
    before: Mapping[str, Pursued],
    after: Mapping[str, Pursued],
    cases: CaseSet,
    settings: CommandSettings,
    now_ms: int,
) -> list[Command]:
    """What has to be said for the one to become the other."""
    said = []
    for device_id in sorted(after.keys() - before.keys()):
        why, every_s = after[device_id], settings.pursuit_ms // 1_000
        said.append(_interval(device_id, why, every_s, Origin.PURSUIT, cases, settings, now_ms))
    for device_id in sorted(before.keys() - after.keys()):
        why = before[device_id]
        said.append(
            _interval(device_id, why, why.report_every_s, Origin.PURSUIT_ENDED, cases, settings, now_ms)
        )
    return said


def battery_commands(
    lines: Sequence[Line], cases: CaseSet, settings: CommandSettings, language: Language, now_ms: int
) -> list[Command]:
    """The wearer is told of a battery that has run low, by the device itself."""
    return [
        Command(
            command_id("battery", line.episode.episode_id),
            line.episode.person_id,
            line.episode.subject,
            county_of(cases, line.episode.person_id),
            Cmd.MESSAGE,
            _CHARGE[language],
            BY_RULES,
            Origin.BATTERY,
            line.alert_id,
            now_ms,
            now_ms + settings.expires_ms,
        )
        for line in lines
        if line.change is Change.OPENED and line.episode.kind in _TOLD and not line.episode.late
    ]


def county_of(cases: CaseSet, person_id: str) -> str:
    """The ``{county}`` of a person's topics: the county's office, or the topmost there is."""
    person = cases.people.get(person_id)
    chain = cases.offices_up(person.office_id) if person is not None else []
    county = next((o for o in chain if o.level is Level.COUNTY), chain[-1] if chain else None)
    return county.office_id if county is not None else "-"


def worn_now(cases: CaseSet, person_id: str, now_ms: int) -> list[Device]:
    """The devices bound to a person now, by id."""
    worn = [d for d in cases.devices.values() if d.person_id == person_id and d.span.holds(now_ms)]
    return sorted(worn, key=lambda d: d.device_id)


def _interval(
    device_id: str,
    why: Pursued,
    every_s: int,
    origin: Origin,
    cases: CaseSet,
    settings: CommandSettings,
    now_ms: int,
) -> Command:
    return Command(
        command_id(origin, device_id, why.alert_id, now_ms),
        why.person_id,
        device_id,
        county_of(cases, why.person_id),
        Cmd.SET_INTERVAL,
        every_s,
        BY_RULES,
        origin,
        why.alert_id,
        now_ms,
        now_ms + settings.expires_ms,
    )
