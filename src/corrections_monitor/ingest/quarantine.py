"""Why something cannot be used.  It is acknowledged, counted and kept; never dropped silently."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """CONTRACT §2; also the ``reason`` label of ``quarantined_total``."""

    UNDECODABLE = "undecodable"  # no JSON, a field missing or of another type, an unknown ev, src or crs
    TOO_LARGE = "too_large"
    NOT_A_NUMBER = "nan"  # NaN or infinite
    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_DEVICE = "unknown_device"
    UNKNOWN_TOPIC = "unknown_topic"
    MISMATCH = "mismatch"  # topic and payload at odds
    IDENTITY = "identity"  # a login that speaks for another
    TOO_OLD = "too_old"  # older than retention
    FUTURE = "future"  # ahead of our clock: judged again once our clock is right
    CONFLICT = "conflict"  # other content under a known key


@dataclass(frozen=True, slots=True)
class Reject:
    """One unusable thing: a whole message, one fix or event of it, or one field.

    ``payload``: for a fix or event, a message of its own that carries just this one, so that what was
    ahead of our clock can be decoded again by itself; else the payload as it came (cut at 64 KiB).
    ``topic``, ``device_id`` and ``detail`` are clean text: whatever stood in the payload, a database takes
    them.  The payload may hold a position: whoever keeps it asks first whether an order is in force.
    """

    reason: Reason
    device_id: str | None
    topic: str
    arrival_ms: int
    payload: bytes | None
    detail: str


DETAIL_CHARS_MAX = 200
PAYLOAD_BYTES_KEPT = 65_536


def clean(text: str, limit: int = DETAIL_CHARS_MAX) -> str:
    """Text without what PostgreSQL refuses (NUL, lone surrogates), cut at ``limit`` characters."""
    return text[:limit].replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
