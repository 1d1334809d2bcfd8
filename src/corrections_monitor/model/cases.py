"""Who is monitored, by whom, with what and under which orders: the rows of the case folder.

One frozen dataclass per file of CONTRACT §1.  Positions are WGS-84 longitude, latitude in degrees,
whatever coordinate system the file was written in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from corrections_monitor.model.schedule import ALWAYS_HOLDS, Schedule
from corrections_monitor.model.times import ALWAYS, Interval


class Level(StrEnum):
    """市局 / 县区局 / 司法所."""

    CITY = "city"
    COUNTY = "county"
    STATION = "station"


class Role(StrEnum):
    OFFICER = "officer"
    CHIEF = "chief"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Category(StrEnum):
    """管制 / 缓刑 / 假释 / 暂予监外执行, and protected persons (被保护人), who carry a device by consent."""

    CONTROL = "control"
    PROBATION = "probation"
    PAROLE = "parole"
    MEDICAL = "medical"
    PROTECTED = "protected"


class Supervision(StrEnum):
    """严管 / 普管."""

    STRICT = "strict"
    NORMAL = "normal"


class DeviceKind(StrEnum):
    BAND = "band"
    PHONE = "phone"
    TRACKER = "tracker"


class ZoneKind(StrEnum):
    INCLUSION = "inclusion"
    EXCLUSION = "exclusion"


class DayKind(StrEnum):
    OFF = "off"
    WORK = "work"


@dataclass(frozen=True, slots=True)
class Office:
    office_id: str
    parent_id: str | None
    level: Level
    name: str
    adcode: str = ""
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True)
class Officer:
    officer_id: str
    office_id: str
    name: str
    role: Role
    username: str
    channels: tuple[str, ...] = ()  # Apprise URLs


@dataclass(frozen=True, slots=True)
class Duty:
    """One turn on call (值班)."""

    office_id: str
    officer_id: str
    span: Interval


@dataclass(frozen=True, slots=True)
class Holiday:
    date: date
    kind: DayKind


@dataclass(frozen=True, slots=True)
class Person:
    """A person in community corrections (社区矫正对象), or a protected person."""

    person_id: str
    name: str
    category: Category
    office_id: str
    officer_id: str
    span: Interval = ALWAYS
    level: Supervision = Supervision.NORMAL

    @property
    def is_protected(self) -> bool:
        return self.category is Category.PROTECTED


@dataclass(frozen=True, slots=True)
class Device:
    """A device bound to a person for a time; the same device_id may be bound to others at other times."""

    device_id: str
    kind: DeviceKind
    person_id: str
    report_every_s: int = 60
    span: Interval = ALWAYS


@dataclass(frozen=True, slots=True)
class Order:
    """Permission to locate (电子定位), 社区矫正法 art. 29: ground 29.1 … 29.5, at most three months."""

    order_id: str
    person_id: str
    ground: str
    approved_by: str
    approved_on: date
    span: Interval
    extends: str | None = None


Ring = tuple[tuple[float, float], ...]
"""A closed ring of (lon, lat); the last position repeats the first."""


@dataclass(frozen=True, slots=True)
class Area:
    """Polygon or MultiPolygon: per polygon its shell followed by its holes."""

    polygons: tuple[tuple[Ring, ...], ...]


@dataclass(frozen=True, slots=True)
class Circle:
    lon: float
    lat: float
    radius_m: float


@dataclass(frozen=True, slots=True)
class Corridor:
    """All within half of ``width_m`` of a line of (lon, lat)."""

    line: tuple[tuple[float, float], ...]
    width_m: float


Shape = Area | Circle | Corridor


@dataclass(frozen=True, slots=True)
class Zone:
    """A place the person must stay in (inclusion) or keep out of (exclusion, 禁止进入区域).

    ``applies_to``: a person_id, an office_id (with all below it), ``*``, or empty (nobody until a leave
    names it).  ``buffer_m`` widens the zone.  ``group``: inclusion zones compared together.
    """

    zone_id: str
    name: str
    kind: ZoneKind
    applies_to: str
    shape: Shape
    group: str | None = None
    schedule: Schedule = ALWAYS_HOLDS
    buffer_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Leave:
    """请假外出; no zones: anywhere."""

    leave_id: str
    person_id: str
    span: Interval
    approved_by: str
    zone_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspension:
    """Hospital, detention, device repair: nothing is detected or paged, everything is shown."""

    person_id: str
    span: Interval
    reason: str


@dataclass(frozen=True, slots=True)
class ContactRule:
    """The person must keep ``distance_m`` away from the protected person."""

    person_id: str
    protected_id: str
    distance_m: float


@dataclass(frozen=True)
class CaseSet:
    """All case rows in force at one recording time, keyed as the files key them.

    ``devices`` by (device_id, from_ms), ``duty`` by (office_id, officer_id, from_ms), ``suspensions`` by
    (person_id, from_ms), ``contacts`` by (person_id, protected_id); all others by their id.
    """

    offices: Mapping[str, Office] = field(default_factory=dict)
    officers: Mapping[str, Officer] = field(default_factory=dict)
    duty: Mapping[tuple[str, str, int], Duty] = field(default_factory=dict)
    holidays: Mapping[date, Holiday] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    devices: Mapping[tuple[str, int], Device] = field(default_factory=dict)
    orders: Mapping[str, Order] = field(default_factory=dict)
    zones: Mapping[str, Zone] = field(default_factory=dict)
    leaves: Mapping[str, Leave] = field(default_factory=dict)
    suspensions: Mapping[tuple[str, int], Suspension] = field(default_factory=dict)
    contacts: Mapping[tuple[str, str], ContactRule] = field(default_factory=dict)

    def offices_up(self, office_id: str) -> list[Office]:
        """The office, its parent, and so on to the city bureau."""
        chain: list[Office] = []
        current = self.offices.get(office_id)
        while current is not None and current not in chain:
            chain.append(current)
            current = self.offices.get(current.parent_id) if current.parent_id else None
        return chain
