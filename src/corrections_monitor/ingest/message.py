"""One MQTT message as it arrived, before anybody has looked into it."""

from __future__ import annotations

import msgspec


class Message(msgspec.Struct, frozen=True, gc=False):
    """A raw message.

    ``arrival_ms``: whole epoch milliseconds by our own clock, never decreasing from one to the next.
    ``retained``: a broker handed out its stored copy; a live message that asks to be retained is not.
    ``login``: the device_id or officer_id that the daemon's own endpoint authenticated; None from a broker,
    whose access list has checked the identity already, and for a service, which may speak for many.
    """

    topic: str
    payload: bytes
    arrival_ms: int
    retained: bool = False
    dup: bool = False
    login: str | None = None
