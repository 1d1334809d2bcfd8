"""Which topic means what: the routing table of CONTRACT §2."""

from __future__ import annotations

from enum import StrEnum

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


_UP = {family.value: family for family in OWN_FORMATS}


def route(topic: str) -> tuple[Family, str]:
    """What an upward message is and whose: device_id or officer_id, empty where the topic names none.

    ``{county}`` is for routing only and may be anything.  Not cached: among the devices of a nation
    looking a topic up takes four times as long as reading it.
    """
    parts = topic.split("/")
    if len(parts) == 5:
        head, version, place, owner, name = parts
        if head == "cm" and version == "v1" and owner:
            if name in _UP:
                return _UP[name], owner
            if name == "ack" and place == "officers":
                return Family.ACK, owner
    elif len(parts) == 3 and parts[0] == "owntracks" and parts[2]:
        return Family.OWNTRACKS, parts[2]
    elif topic == "traccar/positions":
        return Family.TRACCAR, ""
    return Family.UNKNOWN, ""
