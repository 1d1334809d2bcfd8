"""Which topic means what: the routing table of CONTRACT §2."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

SUBSCRIPTIONS = (
    "cm/v1/+/+/fix",
    "cm/v1/+/+/band",
    "cm/v1/+/+/status",
    "cm/v1/officers/+/ack",
    "owntracks/+/+",
    "traccar/positions",
)
"""What the daemon asks a broker for."""


class Family(StrEnum):
    """What a topic carries upwards; also the ``source`` label of the metrics."""

    FIX = "fix"
    BAND = "band"
    STATUS = "status"
    ACK = "ack"
    OWNTRACKS = "owntracks"
    TRACCAR = "traccar"
    UNKNOWN = "unknown"


OWN_FORMATS = frozenset({Family.FIX, Family.BAND, Family.STATUS})
"""What devices say under a ``{county}``."""


class Route(NamedTuple):
    """``owner``: the device_id or officer_id in the topic; empty where the topic names none."""

    family: Family
    owner: str


_UP = {family.value: family for family in OWN_FORMATS}
_NOWHERE = Route(Family.UNKNOWN, "")


@lru_cache(maxsize=65_536)
def route(topic: str) -> Route:
    """Where an upward message belongs.  ``{county}`` is for routing only and may be anything."""
    parts = topic.split("/")
    if len(parts) == 5 and parts[0] == "cm" and parts[1] == "v1" and parts[3]:
        if parts[4] in _UP:
            return Route(_UP[parts[4]], parts[3])
        if parts[4] == "ack" and parts[2] == "officers":
            return Route(Family.ACK, parts[3])
    elif len(parts) == 3 and parts[0] == "owntracks" and parts[2]:
        return Route(Family.OWNTRACKS, parts[2])
    elif topic == "traccar/positions":
        return Route(Family.TRACCAR, "")
    return _NOWHERE
