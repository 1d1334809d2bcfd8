"""OwnTracks JSON on ``owntracks/{user}/{device}``.

Fields as in the OwnTracks booklet, tech/json: ``tst`` epoch seconds, ``acc`` metres, ``vel`` km/h, ``cog``
degrees, ``batt`` percent.  ``location`` is a fix and ``lwt`` the last will; all other types are of no use
here.  Apps write -1 for a velocity or course they do not know.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from corrections_monitor.ingest.quarantine import Reason
from corrections_monitor.ingest.wire.spoken import (
    F32_MAX,
    KMH_MPS,
    BadPart,
    Fault,
    FixRow,
    Spoken,
    attempt,
    battery,
    default_accuracy,
    number,
    optional,
    position,
    read_object,
    required,
    shown,
    told_ms,
)
from corrections_monitor.model.telemetry import Source

_TST_MAX = 2**43
"""Seconds; a thousand times as many milliseconds is still a whole double."""


def read(payload: bytes, zone: ZoneInfo) -> Spoken:
    """One OwnTracks message.  Raises Fault where nothing of it can be used."""
    fields = read_object(payload)
    kind = fields.get("_type")
    if not isinstance(kind, str):
        raise Fault(Reason.UNDECODABLE, f"_type {shown(kind)} is not the type of an OwnTracks message")
    if kind == "lwt":
        # Its tst is when the app connected, not when it was lost: it says nothing of time.
        return Spoken(online=False)
    if kind != "location":
        return Spoken(ignored=True)
    spoken = Spoken()
    spoken.battery_pct = attempt(spoken, None, lambda: _battery(fields.get("batt")), spoken.battery_pct)
    try:
        spoken.fixes.append(_fix(fields, payload))
    except Fault as fault:
        spoken.bad.append(BadPart(fault, payload, told_ms(fields, _time)))
    return spoken


def _fix(fields: dict[str, Any], payload: bytes) -> FixRow:
    lon, lat = position(fields)
    t_ms = _time(fields)
    acc = optional(fields.get("acc"), "acc", 0, F32_MAX, default_accuracy(Source.GNSS))
    kmh = _known(optional(fields.get("vel"), "vel", -1, F32_MAX, -1))
    course = _known(optional(fields.get("cog"), "cog", -1, 360, -1))
    return FixRow(t_ms, lon, lat, acc, kmh * KMH_MPS, course, Source.GNSS, "wgs84", partial(bytes, payload))


def _time(fields: dict[str, Any]) -> int:
    return int(number(required(fields, "tst"), "tst", -_TST_MAX, _TST_MAX) * 1000)


def _known(value: float) -> float:
    return float("nan") if value < 0 else value


def _battery(value: Any) -> int:
    """A device that is plugged in and cannot measure says -1."""
    return battery(None if value == -1 else value)
