"""From a row of each CSV file to its value, with all that can be judged from the row alone."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from corrections_monitor.cases.faults import shown
from corrections_monitor.cases.table import Row
from corrections_monitor.model.cases import (
    Category,
    ContactRule,
    DayKind,
    Device,
    DeviceKind,
    Duty,
    Holiday,
    Leave,
    Level,
    Office,
    Officer,
    Order,
    Person,
    Role,
    Supervision,
    Suspension,
)
from corrections_monitor.model.times import OPEN_START_MS, Interval, from_ms, midnight_ms

GROUNDS = ("29.1", "29.2", "29.3", "29.4", "29.5")
"""The five grounds of 社区矫正法 art. 29."""

ORDER_MONTHS_MAX = 3
REPORT_EVERY_S_DEFAULT = 60
REPORT_EVERY_S_MAX = 86_400
HALF_EARTH_M = 20_003_930.0  # pole to pole along a meridian: nothing on earth is farther
TOPIC_CHARS = "/+#"  # device and officer ids are levels of MQTT topics


def parse_office(row: Row) -> Office:
    lon, lat = row.raw("lon"), row.raw("lat")
    if bool(lon) != bool(lat):
        row.fault("lat" if lon else "lon", "lon and lat go together: give both or neither")
    return Office(
        office_id=row.id("office_id"),
        parent_id=row.optional("parent_id") or None,
        level=row.choice("level", Level),
        name=row.text("name"),
        adcode=row.optional("adcode"),
        lon=row.number("lon", -180, 180, "degrees") if lon else None,
        lat=row.number("lat", -90, 90, "degrees") if lat else None,
    )


def parse_officer(row: Row) -> Officer:
    return Officer(
        officer_id=row.id("officer_id", TOPIC_CHARS),
        office_id=row.id("office_id"),
        name=row.text("name"),
        role=row.choice("role", Role),
        username=row.id("username"),
        channels=listed(row.optional("channels")),
    )


def parse_duty(row: Row) -> Duty:
    return Duty(row.id("office_id"), row.id("officer_id", TOPIC_CHARS), row.interval())


def parse_holiday(row: Row) -> Holiday:
    return Holiday(row.day("date"), row.choice("kind", DayKind))


def parse_person(row: Row) -> Person:
    return Person(
        person_id=row.id("person_id"),
        name=row.text("name"),
        category=row.choice("category", Category),
        office_id=row.id("office_id"),
        officer_id=row.id("officer_id", TOPIC_CHARS),
        span=row.interval(),
        level=row.choice("level", Supervision, Supervision.NORMAL),
    )


def parse_device(row: Row) -> Device:
    every_s = REPORT_EVERY_S_DEFAULT
    if row.raw("report_every_s"):
        every_s = row.integer("report_every_s", 1, REPORT_EVERY_S_MAX, "seconds")
    return Device(
        device_id=row.id("device_id", TOPIC_CHARS),
        kind=row.choice("kind", DeviceKind),
        person_id=row.id("person_id"),
        report_every_s=every_s,
        span=row.interval(),
    )


def parse_order(row: Row) -> Order:
    ground = row.text("ground")
    if ground and ground not in GROUNDS:
        row.fault("ground", f"{shown(ground)} is not one of {', '.join(GROUNDS)} (社区矫正法 第二十九条)")
    order = Order(
        order_id=row.id("order_id"),
        person_id=row.id("person_id"),
        ground=ground,
        approved_by=row.text("approved_by"),
        approved_on=row.day("approved_on"),
        span=row.interval(),
        extends=row.optional("extends") or None,
    )
    if not row.raw("from") or not row.raw("to"):
        row.fault("to" if row.raw("from") else "from", "an order must say from when to when it runs")
    elif order.span.from_ms != OPEN_START_MS:
        _check_order_length(row, order.span)
    return order


def _check_order_length(row: Row, span: Interval) -> None:
    first_day = from_ms(span.from_ms, row.zone).date()
    last_day = same_day_later(first_day, ORDER_MONTHS_MAX)
    if span.to_ms > midnight_ms(last_day + timedelta(days=1), row.zone):
        row.fault(
            "to",
            f"{shown(row.raw('to'))} is more than three months after {first_day}: "
            f"the last day allowed is {last_day} (社区矫正法 第二十九条)",
        )


def same_day_later(day: date, months: int) -> date:
    """The same day so many months on; the last of the month where that month is shorter."""
    years, month0 = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month0 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def parse_leave(row: Row) -> Leave:
    return Leave(
        leave_id=row.id("leave_id"),
        person_id=row.id("person_id"),
        span=row.interval(),
        approved_by=row.text("approved_by"),
        zone_ids=listed(row.optional("zone_ids")),
    )


def parse_suspension(row: Row) -> Suspension:
    return Suspension(row.id("person_id"), row.interval(), row.text("reason"))


def parse_contact(row: Row) -> ContactRule:
    distance_m = row.number("distance_m", 0, HALF_EARTH_M, "metres")
    if distance_m == 0:
        row.fault("distance_m", "must be greater than 0")
    return ContactRule(row.id("person_id"), row.id("protected_id"), distance_m)


def listed(value: str) -> tuple[str, ...]:
    """The parts of a field that holds several values with ``;`` between."""
    return tuple(part.strip() for part in value.split(";") if part.strip())


PARSERS: Mapping[str, Callable[[Row], Any]] = {
    "offices": parse_office,
    "officers": parse_officer,
    "duty": parse_duty,
    "holidays": parse_holiday,
    "people": parse_person,
    "devices": parse_device,
    "orders": parse_order,
    "leaves": parse_leave,
    "suspensions": parse_suspension,
    "contacts": parse_contact,
}
"""By the name of the CaseSet attribute."""

KEYS: Mapping[str, Callable[[Any], Any]] = {
    "offices": lambda office: office.office_id,
    "officers": lambda officer: officer.officer_id,
    "duty": lambda duty: (duty.office_id, duty.officer_id, duty.span.from_ms),
    "holidays": lambda holiday: holiday.date,
    "people": lambda person: person.person_id,
    "devices": lambda device: (device.device_id, device.span.from_ms),
    "orders": lambda order: order.order_id,
    "zones": lambda zone: zone.zone_id,
    "leaves": lambda leave: leave.leave_id,
    "suspensions": lambda suspension: (suspension.person_id, suspension.span.from_ms),
    "contacts": lambda rule: (rule.person_id, rule.protected_id),
}
"""What tells the rows of a table apart, as the keys of CaseSet."""
