"""Kinds of violation and failure, and the episodes (违规/异常时段) in which they last.  CONTRACT §3."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any


class Severity(IntEnum):
    """Ordered; critical and major page."""

    INFO = 0
    MINOR = 1
    MAJOR = 2
    CRITICAL = 3

    @property
    def pages(self) -> bool:
        return self >= Severity.MAJOR

    def __str__(self) -> str:
        return self.name.lower()


class Cause(StrEnum):
    """What one alert gathers."""

    PLACE = "place"
    EXCLUSION = "exclusion"  # one alert per exclusion zone
    SILENCE = "silence"
    TAMPER = "tamper"
    INTERFERENCE = "interference"
    CONTACT = "contact"  # one alert per pair
    SOS = "sos"
    BATTERY = "battery"
    ORDER = "order"
    DATA = "data"
    SYSTEM = "system"


PER_SUBJECT_CAUSES = frozenset({Cause.EXCLUSION, Cause.CONTACT, Cause.SYSTEM})
"""Causes whose alerts are kept apart by the episode's subject."""


class Kind(StrEnum):
    ZONE_EXIT = "zone.exit"
    CURFEW = "curfew"
    LEAVE_OVERDUE = "leave.overdue"
    LEAVE_ASTRAY = "leave.astray"
    ZONE_ENTER = "zone.enter"
    CONTACT_NEAR = "contact.near"
    SILENCE_DEVICE = "silence.device"
    SILENCE_POSITION = "silence.position"
    SILENCE_BAND = "silence.band"
    STRAP_CUT = "strap.cut"
    STRAP_LOOSE = "strap.loose"
    CASE_OPEN = "case.open"
    POWER_OFF = "power.off"
    SHIELDED = "shielded"
    JAMMED = "jammed"
    SEPARATED = "separated"
    SPOOFED = "spoofed"
    SOS = "sos"
    BATTERY_LOW = "battery.low"
    BATTERY_CRITICAL = "battery.critical"
    DATA_GAP = "data.gap"
    ORDER_EXPIRING = "order.expiring"
    ORDER_LAPSED = "order.lapsed"
    UNMONITORED = "unmonitored"
    OUTAGE = "outage"


KIND_CAUSE: Mapping[Kind, Cause] = {
    Kind.ZONE_EXIT: Cause.PLACE,
    Kind.CURFEW: Cause.PLACE,
    Kind.LEAVE_OVERDUE: Cause.PLACE,
    Kind.LEAVE_ASTRAY: Cause.PLACE,
    Kind.ZONE_ENTER: Cause.EXCLUSION,
    Kind.CONTACT_NEAR: Cause.CONTACT,
    Kind.SILENCE_DEVICE: Cause.SILENCE,
    Kind.SILENCE_POSITION: Cause.SILENCE,
    Kind.SILENCE_BAND: Cause.SILENCE,
    Kind.STRAP_CUT: Cause.TAMPER,
    Kind.STRAP_LOOSE: Cause.TAMPER,
    Kind.CASE_OPEN: Cause.TAMPER,
    Kind.POWER_OFF: Cause.INTERFERENCE,
    Kind.SHIELDED: Cause.INTERFERENCE,
    Kind.JAMMED: Cause.INTERFERENCE,
    Kind.SEPARATED: Cause.INTERFERENCE,
    Kind.SPOOFED: Cause.INTERFERENCE,
    Kind.SOS: Cause.SOS,
    Kind.BATTERY_LOW: Cause.BATTERY,
    Kind.BATTERY_CRITICAL: Cause.BATTERY,
    Kind.DATA_GAP: Cause.DATA,
    Kind.ORDER_EXPIRING: Cause.ORDER,
    Kind.ORDER_LAPSED: Cause.ORDER,
    Kind.UNMONITORED: Cause.SILENCE,
    Kind.OUTAGE: Cause.SYSTEM,
}

CLOSED_BY_A_PERSON = frozenset({Kind.STRAP_CUT, Kind.CASE_OPEN, Kind.SOS})
"""Nothing a device says closes these: only a person's resolution of the alert does."""


class Change(StrEnum):
    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Episode:
    """One kind of violation of one person and subject, from its first instant to its last.

    ``subject``: zone group, exclusion zone, device, pair or order; never empty.  ``person_id`` is empty
    only for ``outage`` (its subject is the office, county or broker).  ``started_ms`` and ``ended_ms``
    are event time, ``detected_ms`` arrival time.  ``late``: told so long after its start that it may be
    over (store and forward).  Severity is not here: rules decide it (``rules.severity``).
    """

    episode_id: str
    kind: Kind
    person_id: str
    office_id: str
    subject: str
    zone_id: str | None
    started_ms: int
    detected_ms: int
    ended_ms: int | None
    late: bool
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def cause(self) -> Cause:
        return KIND_CAUSE[self.kind]


@dataclass(frozen=True, slots=True)
class Transition:
    """What detection found out at ``at_ms``: the episode as it is after the change."""

    change: Change
    at_ms: int
    episode: Episode


def episode_id(person_id: str, kind: Kind, subject: str, first_started_ms: int) -> str:
    """A stable name: the hash of person, kind, subject and first started_at (CONTRACT §3)."""
    text = "\x1f".join((person_id, kind, subject, str(first_started_ms)))
    return hashlib.sha256(text.encode()).hexdigest()[:24]
