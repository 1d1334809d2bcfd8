"""Who is at the other end of a connection to the daemon's own endpoint, and what it may say and hear."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from corrections_monitor.ingest.topics import Family, route


class PrincipalKind(StrEnum):
    DEVICE = "device"
    OFFICER = "officer"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Principal:
    """``id``: a device_id, an officer_id, or the name of a service such as a protocol gateway."""

    kind: PrincipalKind
    id: str

    @property
    def login(self) -> str | None:
        """What ``Message.login`` carries: None for a service, which may speak for many."""
        return None if self.kind is PrincipalKind.SERVICE else self.id


_SPEAKS = {
    PrincipalKind.DEVICE: (Family.FIX, Family.BAND, Family.STATUS, Family.OWNTRACKS),
    PrincipalKind.OFFICER: (Family.ACK,),
    PrincipalKind.SERVICE: (Family.TRACCAR,),
}


def may_publish(principal: Principal, topic: str) -> bool:
    """A device speaks for itself, in any county; an officer acknowledges; a service forwards positions."""
    family, owner = route(topic)
    if family not in _SPEAKS[principal.kind]:
        return False
    return principal.kind is PrincipalKind.SERVICE or owner == principal.id


def may_subscribe(principal: Principal, pattern: str) -> bool:
    """A device hears its own commands (``{county}`` may be ``+``), an officer the own pages."""
    parts = pattern.split("/")
    if len(parts) != 5 or parts[:2] != ["cm", "v1"] or "#" in pattern or parts[3] != principal.id:
        return False
    if principal.kind is PrincipalKind.DEVICE:
        return parts[4] == "cmd"
    return principal.kind is PrincipalKind.OFFICER and parts[2] == "officers" and parts[4] == "page"


def addressee(topic: str) -> Principal | None:
    """Whom a downward topic is for; None for a topic that goes to nobody."""
    parts = topic.split("/")
    if len(parts) != 5 or parts[:2] != ["cm", "v1"]:
        return None
    if parts[2] == "officers" and parts[4] == "page":
        return Principal(PrincipalKind.OFFICER, parts[3])
    return Principal(PrincipalKind.DEVICE, parts[3]) if parts[4] == "cmd" else None


def heard_as(pattern: str, topic: str) -> str | None:
    """The topic under which a pattern that ``may_subscribe`` let through takes a downward topic, or None.

    ``+`` is one level.  A device's ``{county}`` is for routing only: it hears under the one it asked for.
    """
    wanted, given = pattern.split("/"), topic.split("/")
    if len(wanted) != len(given):
        return None
    if given[-1] == "cmd" and wanted[2] != "+":
        given[2] = wanted[2]
    if all(w in ("+", g) for w, g in zip(wanted, given, strict=True)):
        return "/".join(given)
    return None
