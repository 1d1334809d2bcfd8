"""Traccar's position forwarding over MQTT (``forward.type=mqtt``), on ``traccar/positions``.

The payload is an object of ``position`` and ``device`` (traccar, forward/PositionData.java, model/):
``device.uniqueId`` is our device_id, ``position.fixTime`` the time (ISO 8601), ``speed`` in knots,
``accuracy`` in metres with 0 for unknown, ``course`` in degrees, ``attributes.batteryLevel`` in percent
(``battery`` is volts, and no use here).

- A message without a position of its own (heartbeat, alarm, status) repeats the last one: its ``fixTime`` is
  older than its ``deviceTime``, or 1980-01-06 where there was none yet (handler/OutdatedHandler.java).  It is
  a heartbeat of the device at ``deviceTime``; the repeated fix adds nothing.
- ``attributes.alarm`` names one alarm or several with commas between; those that are ours are band events.
- ``attributes.approximate``: found by cell towers or wireless networks (handler/GeolocationHandler.java).
- Traccar says when something is jammed and never that it no longer is: a fresh position without that alarm
  says so.
- Trackers mostly know no accuracy but ``attributes.hdop``, which multiplies the error of a satellite range.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from corrections_monitor.ingest.quarantine import Reason
from corrections_monitor.ingest.wire.spoken import (
    F32_MAX,
    KNOTS_MPS,
    BadPart,
    EventRow,
    Fault,
    FixRow,
    Spoken,
    attempt,
    battery,
    default_accuracy,
    instant,
    optional,
    position,
    read_object,
    required,
    shown,
    told_ms,
)
from corrections_monitor.model.telemetry import BandEvent, Source

ALARMS: Mapping[str, BandEvent] = {
    "removing": BandEvent.STRAP_CUT,  # taken off the wearer
    "tampering": BandEvent.CASE_OPEN,
    "sos": BandEvent.SOS,
    "lowBattery": BandEvent.BATTERY_LOW,
    "lowPower": BandEvent.BATTERY_LOW,
    "jamming": BandEvent.JAMMED,
    "powerOff": BandEvent.POWER_OFF,
    "powerOn": BandEvent.POWER_ON,
}
"""Traccar's alarms that are ours (model/Position.java, ALARM_…); the others are about vehicles."""

_GPS_EPOCH_MS = 315_964_800_000
"""What Traccar writes as fixTime of a device that never had a position."""

RANGE_ERROR_M = 5.0  # of one satellite, under the open sky: GPS performance standard and receiver noise
HDOP_MAX = 100.0  # receivers say 99.9 when they do not know


def read(payload: bytes, zone: ZoneInfo) -> Spoken:
    """One forwarded position.  Raises Fault where not even the device can be read."""
    fields = read_object(payload)
    device, told = fields.get("device"), fields.get("position")
    name = device.get("uniqueId") if isinstance(device, dict) else None
    if not isinstance(name, str) or not name:
        raise Fault(Reason.UNDECODABLE, f"device.uniqueId {shown(name)} is not the id of a device")
    spoken = Spoken(device_id=name)
    if not isinstance(told, dict):
        spoken.bad.append(BadPart(Fault(Reason.UNDECODABLE, "position is not an object"), None))
        return spoken
    found = told.get("attributes")
    attributes = found if isinstance(found, dict) else {}
    level = attributes.get("batteryLevel")
    spoken.battery_pct = attempt(spoken, None, lambda: battery(level), spoken.battery_pct)
    fix_ms = told_ms(told, partial(_time, name="fixTime", zone=zone))
    said_ms = told_ms(told, partial(_time, name="deviceTime", zone=zone))
    again = partial(bytes, payload)
    is_fresh = fix_ms is not None and (said_ms is None or said_ms <= fix_ms)
    if fix_ms != _GPS_EPOCH_MS and not told.get("outdated"):
        try:
            spoken.fixes.append(_fix(told, attributes, zone, payload))
        except Fault as fault:
            spoken.bad.append(BadPart(fault, payload, fix_ms))
    at_ms = fix_ms if said_ms is None else said_ms
    if at_ms is not None:
        has_place = is_fresh and bool(spoken.fixes)
        spoken.events += [EventRow(at_ms, int(ev), again) for ev in _events(attributes, is_fresh, has_place)]
    return spoken


def _events(attributes: dict[str, Any], is_fresh: bool, has_place: bool) -> Iterator[BandEvent]:
    alarm = attributes.get("alarm")
    names = alarm.split(",") if isinstance(alarm, str) else []
    said = dict.fromkeys(ALARMS[name] for name in map(str.strip, names) if name in ALARMS)
    yield from said
    if has_place and BandEvent.JAMMED not in said:
        yield BandEvent.UNJAMMED
    if not is_fresh:
        yield BandEvent.HEARTBEAT


def _fix(told: dict[str, Any], attributes: dict[str, Any], zone: ZoneInfo, payload: bytes) -> FixRow:
    if told.get("valid") is False:
        raise Fault(Reason.UNDECODABLE, "the receiver itself calls the position invalid")
    src = _source(told, attributes)
    lon, lat = position(told, "longitude", "latitude")
    acc = optional(told.get("accuracy"), "accuracy", 0, F32_MAX, 0) or _by_dilution(src, attributes)
    knots = optional(told.get("speed"), "speed", 0, F32_MAX, float("nan"))
    course = optional(told.get("course"), "course", 0, 360, float("nan"))
    if src is not Source.GNSS:  # Traccar writes 0 for both, and knows neither
        knots = course = float("nan")
    t_ms = _time(told, "fixTime", zone)
    return FixRow(t_ms, lon, lat, acc, knots * KNOTS_MPS, course, src, "wgs84", partial(bytes, payload))


def _source(told: dict[str, Any], attributes: dict[str, Any]) -> Source:
    if attributes.get("approximate") is not True:
        return Source.GNSS
    network = told.get("network")
    by_wifi = isinstance(network, dict) and bool(network.get("wifiAccessPoints"))
    return Source.WIFI if by_wifi else Source.LBS


def _time(told: dict[str, Any], name: str, zone: ZoneInfo) -> int:
    return instant(required(told, name), name, zone)


def _by_dilution(src: Source, attributes: dict[str, Any]) -> float:
    """The 68 % radius, metres, of a position that tells none; a strange dilution spoils nothing."""
    hdop, usual = attributes.get("hdop"), default_accuracy(src)
    if src is not Source.GNSS or isinstance(hdop, bool) or not isinstance(hdop, int | float):
        return usual
    if not 0 < hdop < HDOP_MAX:
        return usual
    return max(usual, RANGE_ERROR_M * hdop)
