"""What one message said, whatever its format: the common result of all wire formats, and how its values
are read with tolerance and without mercy: a bool is no number, NaN is no position, and a bad fix spoils
only itself."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from corrections_monitor.ingest.quarantine import Reason
from corrections_monitor.model.telemetry import NO_BATTERY, NO_SEQ, SOURCE_ACC_M, SOURCE_NAMES, Source
from corrections_monitor.model.times import parse_time

SEQ_MAX = 2**53 - 1
"""The largest number every JSON reader agrees on (RFC 8259 §6)."""
T_MS_MAX = 2**53 - 1
F32_MAX = 3.4e38
KNOTS_MPS = 1852 / 3600
KMH_MPS = 1 / 3.6


class Fault(Exception):
    """One thing that cannot be used, and why."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class FixRow(NamedTuple):
    """Degrees in ``crs``, metres, m/s; NaN where the device said nothing."""

    t_ms: int
    lon: float
    lat: float
    acc_m: float
    spd_mps: float
    hdg_deg: float
    src: Source
    crs: str
    payload: Callable[[], bytes]  # a message with this row alone


class EventRow(NamedTuple):
    t_ms: int
    ev: int
    payload: Callable[[], bytes]


class BadPart(NamedTuple):
    """A part of a message that cannot be used.

    ``payload`` None: the message as it came.  ``t_ms``: the part's own time where that can be read; what is
    old is no contact.
    """

    fault: Fault
    payload: bytes | None
    t_ms: int | None = None


@dataclass(slots=True)
class Spoken:
    """``online`` is None where the message says nothing of it; ``t_ms`` is the message's own time."""

    seq: int = NO_SEQ
    battery_pct: int = NO_BATTERY
    t_ms: int | None = None
    online: bool | None = None
    fixes: list[FixRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    bad: list[BadPart] = field(default_factory=list)
    reply: tuple[str, bool] | None = None  # command id, done
    device_id: str | None = None  # where the payload names the device, not the topic
    ignored: bool = False  # well formed and of no use here


def read_object(payload: bytes) -> dict[str, Any]:
    """A JSON object, NaN and Infinity let through to be named; of a repeated key the last holds.

    Raises Fault.
    """
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Fault(Reason.UNDECODABLE, f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Fault(Reason.UNDECODABLE, f"expected an object, found {type(value).__name__}")
    return value


def number(value: Any, name: str, low: float, high: float) -> float:
    """A finite number in [low, high].  Raises Fault."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Fault(Reason.UNDECODABLE, f"{name} {shown(value)} is not a number")
    if not isinstance(value, int) and not math.isfinite(value):
        raise Fault(Reason.NOT_A_NUMBER, f"{name} is {value}")
    if not low <= value <= high:
        raise Fault(Reason.OUT_OF_RANGE, f"{name} {shown(value)} is not in {low:g} … {high:g}")
    return float(value)


def optional(value: Any, name: str, low: float, high: float, default: float) -> float:
    """As ``number``, with a default for what is absent or null."""
    return default if value is None else number(value, name, low, high)


def required(fields: dict[str, Any], name: str) -> Any:
    """The value under ``name``.  Raises Fault where it is absent or null."""
    value = fields.get(name)
    if value is None:
        raise Fault(Reason.UNDECODABLE, f"{name} is missing")
    return value


def instant(value: Any, name: str, zone: ZoneInfo) -> int:
    """Epoch ms from a number of ms or ISO 8601 text.  Raises Fault."""
    if isinstance(value, str):
        try:
            t_ms = parse_time(value[:64], zone)
        except (ValueError, OverflowError):
            raise Fault(Reason.UNDECODABLE, f"{name} {shown(value)} is not a time") from None
        return int(number(t_ms, name, -T_MS_MAX, T_MS_MAX))
    return int(number(value, name, -T_MS_MAX, T_MS_MAX))


def told_ms(part: Any, read: Callable[[dict[str, Any]], int]) -> int | None:
    """The time of something unusable, where that much can be read of it."""
    try:
        return read(part) if isinstance(part, dict) else None
    except Fault:
        return None


def battery(value: Any) -> int:
    """Whole percent, NO_BATTERY where absent.  Raises Fault."""
    return round(optional(value, "bat", 0, 100, NO_BATTERY))


def sequence(value: Any) -> int:
    """The device's own count, NO_SEQ where absent.  Raises Fault."""
    if value is None:
        return NO_SEQ
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, float):
        number(value, "seq", 0, SEQ_MAX)
        raise Fault(Reason.UNDECODABLE, f"seq {shown(value)} is not a whole number")
    return int(number(value, "seq", 0, SEQ_MAX))


def source(value: Any) -> Source:
    """Raises Fault for an unknown name; absent is gnss."""
    if value is None:
        return Source.GNSS
    if not isinstance(value, str) or value not in SOURCE_NAMES:
        raise Fault(Reason.UNDECODABLE, f"src {shown(value)} is none of {', '.join(SOURCE_NAMES)}")
    return SOURCE_NAMES[value]


def position(fields: dict[str, Any], lon: str = "lon", lat: str = "lat") -> tuple[float, float]:
    """Longitude and latitude in degrees.  Raises Fault."""
    return (
        number(required(fields, lon), lon, -180, 180),
        number(required(fields, lat), lat, -90, 90),
    )


def default_accuracy(src: Source) -> float:
    """The 68 % radius of a source that does not tell, in metres (CONTRACT §2)."""
    return SOURCE_ACC_M[src]


def shown(value: Any) -> str:
    """A value for a sentence, short; an integer of thousands of digits is not written out."""
    if isinstance(value, int) and value.bit_length() > 64:
        return "of more than 64 bits"
    if isinstance(value, dict | list):
        return f"of type {type(value).__name__}"
    return repr(value)[:40]


def encoded(fields: dict[str, Any]) -> bytes:
    """JSON of what ``read_object`` gave, NaN as it came."""
    try:
        return json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        # An integer too long to write (sys.get_int_max_str_digits) or nesting too deep to walk.
        return b'{"error":"not writable: limit %d digits"}' % sys.get_int_max_str_digits()


def attempt(spoken: Spoken, payload: bytes | None, read: Callable[[], Any], default: Any) -> Any:
    """The value read, or the default with the fault noted: a bad field spoils only itself."""
    try:
        return read()
    except Fault as fault:
        spoken.bad.append(BadPart(fault, payload))
        return default
