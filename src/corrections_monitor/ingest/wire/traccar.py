"""Traccar's position forwarding over MQTT (``forward.type=mqtt``), on ``traccar/positions``.

The payload is an object of ``position`` and ``device`` (traccar, forward/PositionData.java):
``device.uniqueId`` is our device_id, ``position.fixTime`` the time (ISO 8601), ``speed`` in knots,
``accuracy`` in metres with 0 for unknown, ``course`` in degrees, ``attributes.batteryLevel`` in percent.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from corrections_monitor.ingest.quarantine import Reason
from corrections_monitor.ingest.wire.spoken import (
    F32_MAX,
    KNOTS_MPS,
    BadPart,
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
)
from corrections_monitor.model.telemetry import Source


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
    attributes = told.get("attributes")
    level = attributes.get("batteryLevel") if isinstance(attributes, dict) else None
    spoken.battery_pct = attempt(spoken, None, lambda: battery(level), spoken.battery_pct)
    try:
        spoken.fixes.append(_fix(told, zone, payload))
    except Fault as fault:
        spoken.bad.append(BadPart(fault, payload))
    return spoken


def _fix(told: dict[str, Any], zone: ZoneInfo, payload: bytes) -> FixRow:
    if told.get("valid") is False:
        raise Fault(Reason.UNDECODABLE, "the receiver itself calls the position invalid")
    lon, lat = position(told, "longitude", "latitude")
    acc = optional(told.get("accuracy"), "accuracy", 0, F32_MAX, 0) or default_accuracy(Source.GNSS)
    knots = optional(told.get("speed"), "speed", 0, F32_MAX, float("nan"))
    course = optional(told.get("course"), "course", 0, 360, float("nan"))
    t_ms = instant(required(told, "fixTime"), "fixTime", zone)
    speed, again = knots * KNOTS_MPS, partial(bytes, payload)
    return FixRow(t_ms, lon, lat, acc, speed, course, Source.GNSS, "wgs84", again)
