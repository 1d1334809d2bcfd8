"""Commands down to the wearer's device (下行指令): what they are and how far they have come.  CONTRACT §2."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Cmd(StrEnum):
    LOCATE_NOW = "locate_now"
    VIBRATE = "vibrate"
    SET_INTERVAL = "set_interval"  # arg: seconds between reports
    MESSAGE = "message"  # arg: text


class Origin(StrEnum):
    """Why a command was given."""

    OFFICER = "officer"
    BATTERY = "battery"  # the wearer is told first
    PURSUIT = "pursuit"  # an open critical alert: reports come faster
    PURSUIT_ENDED = "pursuit-ended"


BY_RULES = "rules"
"""``issued_by`` of what no officer gave."""


@dataclass(frozen=True, slots=True)
class Command:
    """``arg`` is plain JSON or None; ``alert_id``: on whose timeline it stands; after ``expires_ms`` nobody
    sends it any more.  The id is the device's to tell a repetition by, and ours to know its answer."""

    command_id: str
    person_id: str
    device_id: str
    county_id: str
    cmd: Cmd
    arg: int | str | None
    issued_by: str
    origin: Origin
    alert_id: str | None
    issued_ms: int
    expires_ms: int


class CommandState(StrEnum):
    PENDING = "pending"  # to be sent at next_attempt_ms
    CLAIMED = "claimed"  # somebody is sending it, until the lease ends
    SENT = "sent"  # a road took it; the device has not answered
    DONE = "done"  # cmd_ok
    FAILED = "failed"  # cmd_failed
    EXPIRED = "expired"  # time ran out
    SUPERSEDED = "superseded"  # another interval was ordered meanwhile


class CommandEvent(StrEnum):
    CLAIM = "claim"  # due: at first, again, or because a lease ended
    HANDED = "handed"
    NOT_HANDED = "not handed"
    DID = "did"
    DID_NOT = "did not"
    TIME_OUT = "time out"
    SUPERSEDE = "supersede"


_S, _E = CommandState, CommandEvent
_ENDS = {_E.DID: _S.DONE, _E.DID_NOT: _S.FAILED, _E.TIME_OUT: _S.EXPIRED, _E.SUPERSEDE: _S.SUPERSEDED}
COMMAND_MOVES: Mapping[CommandState, Mapping[CommandEvent, CommandState]] = {
    _S.PENDING: {_E.CLAIM: _S.CLAIMED, **_ENDS},
    _S.CLAIMED: {_E.CLAIM: _S.CLAIMED, _E.HANDED: _S.SENT, _E.NOT_HANDED: _S.PENDING, **_ENDS},
    _S.SENT: {_E.CLAIM: _S.CLAIMED, **_ENDS},
    _S.DONE: {},
    _S.FAILED: {},
    # A device that was away answers in its own time: what it did is what counts.
    _S.EXPIRED: {_E.DID: _S.DONE, _E.DID_NOT: _S.FAILED},
    _S.SUPERSEDED: {},
}
"""What becomes of a command; what is not here changes nothing.  The statements of ``store`` hold to it."""


def command_id(*parts: object) -> str:
    """A stable name, so that judging the same twice gives the same command."""
    return "c" + hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:20]
