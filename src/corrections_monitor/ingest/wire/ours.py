"""The project's own format, ``cm/v1/{county}/{device}/fix|band|status`` (CONTRACT §2).

Two ways in.  ``FixMessage`` and ``BandMessage`` are the quick one: ``msgspec`` reads what is in order
straight into typed objects.  What it refuses, and what then proves out of range, is read again by
``read_fix`` and ``read_band``, slowly, value by value, so that everything good in it is kept and everything
bad is named.  The two agree on every message that the quick one accepts (property-tested).
"""

from __future__ import annotations

from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from corrections_monitor.geofence.crs import CRS_NAMES
from corrections_monitor.ingest.quarantine import Reason
from corrections_monitor.ingest.wire.spoken import (
    F32_MAX,
    BadPart,
    EventRow,
    Fault,
    FixRow,
    Spoken,
    attempt,
    battery,
    default_accuracy,
    encoded,
    instant,
    optional,
    position,
    read_object,
    required,
    sequence,
    shown,
    source,
    told_ms,
)
from corrections_monitor.model.telemetry import EVENT_NAMES, BandEvent


class Fix(msgspec.Struct, gc=False):
    """One fix as the quick way reads it."""

    t: int
    lon: float
    lat: float
    acc: float | None = None
    spd: float | None = None
    hdg: float | None = None
    src: str | None = None


class FixMessage(msgspec.Struct, gc=False):
    """A fix message as the quick way reads it."""

    fixes: list[Fix]
    seq: int | None = None
    crs: str | None = None
    bat: int | None = None


class BandMessage(msgspec.Struct, gc=False):
    """A band message as the quick way reads it."""

    t: int
    ev: str
    seq: int | None = None
    bat: int | None = None


fix_message = msgspec.json.Decoder(FixMessage).decode
band_message = msgspec.json.Decoder(BandMessage).decode


def read_fix(payload: bytes, zone: ZoneInfo) -> Spoken:
    """A fix message, fix by fix.  Raises Fault where nothing of it can be used."""
    fields = read_object(payload)
    if "fixes" not in fields and "ev" in fields:
        raise Fault(Reason.MISMATCH, "a band event on the fix topic")
    spoken = Spoken()
    _read_common(fields, spoken)
    fixes = fields.get("fixes")
    if not isinstance(fixes, list) or not fixes:
        spoken.bad.append(BadPart(Fault(Reason.UNDECODABLE, "fixes is not a list of fixes"), None))
        return spoken
    crs = attempt(spoken, None, partial(_crs, fields.get("crs")), None)
    if crs is None:
        return spoken  # Where the positions are is not known: the message as a whole is noted above.
    for fix in fixes:
        alone = partial(_alone, fields, fix)
        try:
            spoken.fixes.append(_fix(fix, crs, zone, alone))
        except Fault as fault:
            spoken.bad.append(BadPart(fault, alone(), told_ms(fix, partial(_time, zone=zone))))
    return spoken


def read_band(payload: bytes, zone: ZoneInfo) -> Spoken:
    """A band message.  Raises Fault where nothing of it can be used."""
    fields = read_object(payload)
    if "ev" not in fields and "fixes" in fields:
        raise Fault(Reason.MISMATCH, "fixes on the band topic")
    spoken = Spoken()
    _read_common(fields, spoken)
    try:
        name = required(fields, "ev")
        if not isinstance(name, str) or name not in EVENT_NAMES:
            raise Fault(Reason.UNDECODABLE, f"ev {shown(name)} is not known")
        event = EVENT_NAMES[name]
        t_ms = _time(fields, zone)
        if event in (BandEvent.CMD_OK, BandEvent.CMD_FAILED):
            spoken.reply = (_command_id(fields), event is BandEvent.CMD_OK)
        spoken.events.append(EventRow(t_ms, event, lambda: payload))
    except Fault as fault:
        spoken.bad.append(BadPart(fault, None, told_ms(fields, partial(_time, zone=zone))))
    return spoken


def read_status(payload: bytes, zone: ZoneInfo) -> Spoken:
    """A status message or last will.  Raises Fault where nothing of it can be used."""
    fields = read_object(payload)
    spoken = Spoken()
    if not isinstance(fields.get("online"), bool):
        raise Fault(Reason.UNDECODABLE, f"online {shown(fields.get('online'))} is not true or false")
    spoken.online = fields["online"]
    if fields.get("t") is not None:
        spoken.t_ms = attempt(spoken, None, lambda: instant(fields["t"], "t", zone), None)
    return spoken


def _read_common(fields: dict[str, Any], spoken: Spoken) -> None:
    spoken.seq = attempt(spoken, None, lambda: sequence(fields.get("seq")), spoken.seq)
    spoken.battery_pct = attempt(spoken, None, lambda: battery(fields.get("bat")), spoken.battery_pct)


def _crs(value: Any) -> str:
    if value is None:
        return CRS_NAMES[0]
    if not isinstance(value, str) or value not in CRS_NAMES:
        raise Fault(Reason.UNDECODABLE, f"crs {shown(value)} is none of {', '.join(CRS_NAMES)}")
    return value


def _fix(fields: Any, crs: str, zone: ZoneInfo, alone: Any) -> FixRow:
    if not isinstance(fields, dict):
        raise Fault(Reason.UNDECODABLE, f"a fix {shown(fields)} is not an object")
    src = source(fields.get("src"))
    lon, lat = position(fields)
    return FixRow(
        _time(fields, zone),
        lon,
        lat,
        optional(fields.get("acc"), "acc", 0, F32_MAX, default_accuracy(src)),
        optional(fields.get("spd"), "spd", 0, F32_MAX, float("nan")),
        optional(fields.get("hdg"), "hdg", 0, 360, float("nan")),
        src,
        crs,
        alone,
    )


def _time(fields: dict[str, Any], zone: ZoneInfo) -> int:
    return instant(required(fields, "t"), "t", zone)


def _command_id(fields: dict[str, Any]) -> str:
    value = required(fields, "id")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Fault(Reason.UNDECODABLE, f"id {shown(value)} is not the id of a command")
    return shown(value) if isinstance(value, int) else value


def _alone(fields: dict[str, Any], fix: Any) -> bytes:
    return encoded({**fields, "fixes": [fix]})
