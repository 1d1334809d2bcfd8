"""Every threshold of detection and rules, with the defaults of CONTRACT §3, as frozen values.

``config.py`` reads them from ``monitor.toml``; the pure rooms are handed them.  Durations are
milliseconds, distances metres, speeds m/s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from corrections_monitor.model.cases import Supervision
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.times import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS


class Language(StrEnum):
    ZH = "zh"
    EN = "en"


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """When something counts as happened."""

    silence_intervals: float = 3.0  # report intervals without contact …
    silence_min_ms: int = 5 * MINUTE_MS  # … but never less than this
    unheard_ms: int = DAY_MS  # bound and never heard: unmonitored
    travel_grace_ms: int = 6 * HOUR_MS  # leave.astray
    battery_low_pct: int = 20
    battery_critical_pct: int = 5
    inferred_clear_ms: int = 30 * MINUTE_MS  # inferred interference closes after this long normal
    gap_intervals: float = 2.0  # data.gap: missing numbers not filled within these report intervals
    gap_close_ms: int = DAY_MS
    order_notice_days: tuple[int, ...] = (14, 7, 1)
    future_tolerance_ms: int = 5 * MINUTE_MS  # ahead of our clock by more: quarantine
    clock_within_ms: int = 30 * MINUTE_MS  # a device's clock off by no more is set right, by more: spoofed
    retention_ms: int = 180 * DAY_MS  # older than this: quarantine
    late_ms: int = 10 * MINUTE_MS  # told this long after it began and not for lack of evidence: late
    outage_people_min: int = 5  # outage: so many of one office silent …
    outage_share: float = 0.25  # … that are such a share of its monitored people …
    outage_window_ms: int = 5 * MINUTE_MS  # … with their last contacts within this
    evidence_gap_ms: int = 10 * SECOND_MS  # fixes closer together than this are one witness
    language: Language = Language.ZH


@dataclass(frozen=True, slots=True)
class SeverityRule:
    """Severity by age since started_at: the last step whose age has passed holds.

    ``by_level`` replaces the steps for persons of a supervision level (``strict``), ``by_office`` for an
    office with all below it, ``by_person`` for one person; the most particular wins.
    """

    steps: tuple[tuple[int, Severity], ...]  # (age_ms, severity), ages ascending, first 0
    by_level: tuple[tuple[str, tuple[tuple[int, Severity], ...]], ...] = ()
    by_office: tuple[tuple[str, tuple[tuple[int, Severity], ...]], ...] = ()
    by_person: tuple[tuple[str, tuple[tuple[int, Severity], ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class CommandSettings:
    """Commands to devices."""

    pursuit_ms: int = 10 * SECOND_MS  # 追踪模式: report interval under an open critical alert; 0: as bound
    expires_ms: int = HOUR_MS  # a device that has not answered by then is not asked any more


class Rung(StrEnum):
    """Whom a step of the ladder tells."""

    STATION_DUTY = "station-duty"  # if none: the person's own officer
    STATION_CHIEF = "station-chief"
    COUNTY_DUTY = "county-duty"  # if none: its supervisors
    CITY_DUTY = "city-duty"  # likewise
    OWN_OFFICER = "own-officer"
    COUNTY_SUPERVISORS = "county-supervisors"
    CITY_SUPERVISORS = "city-supervisors"


Turns = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class LadderStep:
    """``channels`` by name (``webhook:police``), kind (``mqtt``) or Apprise scheme, by turns: those of a
    later one stand in for those before; empty: all there are, at once."""

    after_ms: int  # since the first page of the round
    rungs: tuple[Rung, ...]
    channels: Turns = ()


Steps = tuple[LadderStep, ...]


@dataclass(frozen=True, slots=True)
class LadderRow:
    """A ladder for some alerts; what is None holds for all.  ``office_id`` is with all below it."""

    steps: Steps
    severity: Severity | None = None
    kind: Kind | None = None
    level: Supervision | None = None
    office_id: str | None = None


def _always(severity: Severity) -> SeverityRule:
    return SeverityRule(((0, severity),))


_SILENCE = SeverityRule(
    ((0, Severity.MINOR), (30 * MINUTE_MS, Severity.MAJOR), (3 * HOUR_MS, Severity.CRITICAL)),
    by_level=(("strict", ((0, Severity.MAJOR), (3 * HOUR_MS, Severity.CRITICAL))),),
)

DEFAULT_SEVERITIES: dict[Kind, SeverityRule] = {
    Kind.ZONE_EXIT: _always(Severity.CRITICAL),
    Kind.CURFEW: _always(Severity.MAJOR),
    Kind.LEAVE_OVERDUE: _always(Severity.MAJOR),
    Kind.LEAVE_ASTRAY: _always(Severity.MAJOR),
    Kind.ZONE_ENTER: _always(Severity.CRITICAL),
    Kind.CONTACT_NEAR: _always(Severity.CRITICAL),
    Kind.SILENCE_DEVICE: _SILENCE,
    Kind.SILENCE_POSITION: SeverityRule(((0, Severity.MINOR), (60 * MINUTE_MS, Severity.MAJOR))),
    Kind.SILENCE_BAND: _always(Severity.MAJOR),
    Kind.STRAP_CUT: _always(Severity.CRITICAL),
    Kind.CASE_OPEN: _always(Severity.CRITICAL),
    Kind.STRAP_LOOSE: _always(Severity.MAJOR),
    Kind.POWER_OFF: _always(Severity.MAJOR),
    Kind.SHIELDED: _always(Severity.MAJOR),
    Kind.JAMMED: _always(Severity.MAJOR),
    Kind.SEPARATED: _always(Severity.MAJOR),
    Kind.SPOOFED: _always(Severity.MAJOR),
    Kind.SOS: _always(Severity.CRITICAL),
    Kind.BATTERY_LOW: _always(Severity.INFO),
    Kind.BATTERY_CRITICAL: _always(Severity.MINOR),
    Kind.DATA_GAP: _always(Severity.INFO),
    Kind.ORDER_EXPIRING: _always(Severity.INFO),
    Kind.ORDER_LAPSED: _always(Severity.MAJOR),
    Kind.UNMONITORED: _always(Severity.CRITICAL),
    Kind.OUTAGE: _always(Severity.MAJOR),
}


_CLIMB = (Rung.STATION_DUTY, Rung.STATION_CHIEF, Rung.COUNTY_DUTY, Rung.CITY_DUTY)


def _ladder(*minutes: int) -> Steps:
    return tuple(LadderStep(m * MINUTE_MS, (r,)) for m, r in zip(minutes, _CLIMB, strict=True))


@dataclass(frozen=True, slots=True)
class RulesSettings:
    """How grave a thing is and who is told when.

    ``ladder_rows`` replace ``ladders`` for some, the most particular wins.  ``ack_expires_ms``: an
    acknowledgement after which nothing follows for so long has come to nothing, None never does; who gave
    it is reminded ``ack_reminder_ms`` before.  ``repeat_ms``: the last step again and again, 0 never.
    """

    severities: dict[Kind, SeverityRule] = field(default_factory=lambda: dict(DEFAULT_SEVERITIES))
    ladders: dict[Severity, Steps] = field(
        default_factory=lambda: {
            Severity.CRITICAL: _ladder(0, 3, 8, 23),
            Severity.MAJOR: _ladder(0, 10, 25, 85),
        }
    )
    ladder_rows: tuple[LadderRow, ...] = ()
    ack_expires_ms: dict[Severity, int] = field(
        default_factory=lambda: {Severity.CRITICAL: HOUR_MS, Severity.MAJOR: 8 * HOUR_MS}
    )
    ack_reminder_ms: int = 10 * MINUTE_MS
    repeat_ms: int = 30 * MINUTE_MS
    rejoin_ms: int = 5 * MINUTE_MS  # an episode this soon after an alert's last one ended joins that alert
