"""The slow way in: one message at a time, value by value, with a reason for all that cannot be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from corrections_monitor.ingest.columns import CRS_CODES, EventColumns, FixColumns, MessageColumns
from corrections_monitor.ingest.message import Message
from corrections_monitor.ingest.quarantine import PAYLOAD_BYTES_KEPT, Reason, Reject, clean
from corrections_monitor.ingest.quick import PAYLOAD_BYTES_MAX
from corrections_monitor.ingest.topics import Family, route
from corrections_monitor.ingest.wire import ours, owntracks, traccar
from corrections_monitor.ingest.wire.spoken import BadPart, Fault, Spoken, read_object, required, shown
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.telemetry import Presence

ALERT_ID_CHARS_MAX = 64
NOTE_CHARS_MAX = 2_000

_READERS: Mapping[Family, Callable[[bytes, ZoneInfo], Spoken]] = {
    Family.FIX: ours.read_fix,
    Family.BAND: ours.read_band,
    Family.STATUS: ours.read_status,
    Family.OWNTRACKS: owntracks.read,
    Family.TRACCAR: traccar.read,
}


class Outcome(StrEnum):
    """What became of a message; also the ``outcome`` label of ``messages_total``."""

    ACCEPTED = "accepted"
    PARTIAL = "partial"  # some of it
    REJECTED = "rejected"
    DUPLICATE = "duplicate"  # only repeats rows of the same batch
    IGNORED = "ignored"  # well formed and of no use here


@dataclass(frozen=True, slots=True)
class PageAck:
    """An officer's acknowledgement by MQTT."""

    officer_id: str
    alert_id: str
    note: str
    arrival_ms: int


@dataclass(frozen=True, slots=True)
class CommandReply:
    """A device says what became of a command (``cmd_ok``, ``cmd_failed``)."""

    device_id: str
    command_id: str
    done: bool
    arrival_ms: int


def reject(
    message: Message, reason: Reason, detail: str, payload: bytes | None = None, device_id: str | None = None
) -> Reject:
    """A ``Reject`` of clean text; without ``payload``, that of the message, cut to what is kept."""
    owner = device_id or route(message.topic)[1]
    kept = message.payload if payload is None else payload
    return Reject(
        reason,
        clean(owner) or None,
        clean(message.topic),
        message.arrival_ms,
        kept[:PAYLOAD_BYTES_KEPT],
        clean(detail),
    )


class SlowReader:
    """Gathers rows, rejects and the rest from the messages it is told to read, in ascending order.

    ``faulty``: the raw messages of known devices of which something could not be used.
    """

    def __init__(
        self,
        messages: Sequence[Message],
        devices: Mapping[str, int],
        zone: ZoneInfo,
        settings: DetectionSettings,
    ) -> None:
        self._messages = messages
        self._devices = devices
        self._zone = zone
        self._settings = settings
        self._table: list[tuple[int, int, int, int, int, int, int]] = []
        self._fixes: list[tuple[int, int, float, float, float, float, float, int, int]] = []
        self._events: list[tuple[int, int, int, int]] = []
        self.rejects: list[Reject] = []
        self.acks: list[PageAck] = []
        self.replies: list[CommandReply] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self.faulty: set[int] = set()

    @property
    def any_rows(self) -> bool:
        """Whether any message was of a known device."""
        return bool(self._table)

    def read(self, raw: int) -> None:
        """Read one message and count what became of it."""
        family, _ = route(self._messages[raw].topic)
        self.counts[family, self._read(raw, family)] += 1

    def _read(self, raw: int, family: Family) -> Outcome:
        message = self._messages[raw]
        _, owner = route(message.topic)
        if family is Family.UNKNOWN:
            return self._refuse(message, Reason.UNKNOWN_TOPIC, "no such topic is known")
        if message.login is not None and message.login != owner:
            return self._refuse(message, Reason.IDENTITY, f"sent by the login {shown(message.login)}")
        if family is Family.ACK:
            return self._read_ack(message, owner)
        if owner and owner not in self._devices:
            return self._refuse(message, Reason.UNKNOWN_DEVICE, "no such device is registered")
        spoken = self._spoken(message, family)
        if spoken.ignored:
            return Outcome.IGNORED
        device_id = spoken.device_id or owner
        device = self._devices.get(device_id)
        if device is None:
            fault = spoken.bad[0].fault if spoken.bad and not spoken.device_id else None
            reason = fault.reason if fault else Reason.UNKNOWN_DEVICE
            detail = fault.detail if fault else "no such device is registered"
            return self._refuse(message, reason, detail, device_id)
        return self._store(raw, device, device_id, spoken)

    def _spoken(self, message: Message, family: Family) -> Spoken:
        if len(message.payload) > PAYLOAD_BYTES_MAX:
            size = f"more than {PAYLOAD_BYTES_MAX} bytes"
            return Spoken(bad=[BadPart(Fault(Reason.TOO_LARGE, size), None)])
        try:
            return _READERS[family](message.payload, self._zone)
        except Fault as fault:
            return Spoken(bad=[BadPart(fault, None)])

    def _store(self, raw: int, device: int, device_id: str, spoken: Spoken) -> Outcome:
        message = self._messages[raw]
        usable_ms: list[int] = []
        other_ms = [part.t_ms for part in spoken.bad if part.t_ms is not None]
        for fix in spoken.fixes:
            if self._timely(message, fix.t_ms, fix.payload, spoken):
                usable_ms.append(fix.t_ms)
                self._fixes.append((raw, *fix[:6], int(fix.src), CRS_CODES[fix.crs]))
            else:
                other_ms.append(fix.t_ms)
        for event in spoken.events:
            if self._timely(message, event.t_ms, event.payload, spoken):
                usable_ms.append(event.t_ms)
                self._events.append((raw, event.t_ms, int(event.ev), spoken.battery_pct))
            else:
                other_ms.append(event.t_ms)
        if spoken.t_ms is not None:
            told = self._timely(message, spoken.t_ms, None, spoken)
            (usable_ms if told else other_ms).append(spoken.t_ms)
        if spoken.reply is not None and usable_ms:
            name, done = spoken.reply
            self.replies.append(CommandReply(device_id, clean(name), done, message.arrival_ms))
        self._note_bad(raw, message, device_id, spoken)
        rows = bool(usable_ms) and bool(spoken.fixes or spoken.events)
        contact = rows or spoken.online is True or (bool(spoken.bad) and spoken.online is not False)
        presence = Presence.CONTACT if contact and not message.retained else Presence.NONE
        t_ms = max(usable_ms or other_ms or [message.arrival_ms])
        self._table.append(
            (raw, message.arrival_ms, device, spoken.seq, spoken.battery_pct, t_ms, int(presence))
        )
        if not spoken.bad:
            return Outcome.ACCEPTED
        return Outcome.PARTIAL if rows or spoken.online is not None else Outcome.REJECTED

    def _timely(
        self, message: Message, t_ms: int, payload: Callable[[], bytes] | None, spoken: Spoken
    ) -> bool:
        ahead_ms = t_ms - message.arrival_ms
        if ahead_ms > self._settings.future_tolerance_ms:
            fault = Fault(Reason.FUTURE, f"{ahead_ms} ms ahead of our clock")
        elif -ahead_ms > self._settings.retention_ms:
            fault = Fault(Reason.TOO_OLD, f"{-ahead_ms} ms old, which is longer than anything is kept")
        else:
            return True
        spoken.bad.append(BadPart(fault, payload() if payload else None))
        return False

    def _note_bad(self, raw: int, message: Message, device_id: str, spoken: Spoken) -> None:
        if spoken.bad:
            self.faulty.add(raw)
        for fault, payload, _ in spoken.bad:
            self.rejects.append(reject(message, fault.reason, fault.detail, payload, device_id))

    def _read_ack(self, message: Message, officer_id: str) -> Outcome:
        try:
            fields = read_object(message.payload[:PAYLOAD_BYTES_MAX])
            alert_id, note = required(fields, "alert_id"), fields.get("note") or ""
            if not isinstance(alert_id, str) or len(alert_id) > ALERT_ID_CHARS_MAX:
                raise Fault(Reason.UNDECODABLE, f"alert_id {shown(alert_id)} is not the id of an alert")
            if not isinstance(note, str):
                raise Fault(Reason.UNDECODABLE, f"note {shown(note)} is not text")
        except Fault as fault:
            return self._refuse(message, fault.reason, fault.detail)
        self.acks.append(
            PageAck(clean(officer_id), clean(alert_id), clean(note, NOTE_CHARS_MAX), message.arrival_ms)
        )
        return Outcome.ACCEPTED

    def _refuse(self, message: Message, reason: Reason, detail: str, device_id: str | None = None) -> Outcome:
        self.rejects.append(reject(message, reason, detail, None, device_id))
        return Outcome.REJECTED

    def columns(self) -> tuple[MessageColumns, FixColumns, EventColumns]:
        """The rows read; call it only when there are ``any_rows``."""
        with np.errstate(over="ignore"):
            return (
                _columns(MessageColumns, self._table, "q q i4 q i2 q u1"),
                _columns(FixColumns, self._fixes, "q q d d f f f u1 u1"),
                _columns(EventColumns, self._events, "q q u1 i2"),
            )


_C = TypeVar("_C", MessageColumns, FixColumns, EventColumns)


def _columns(kind: type[_C], rows: Sequence[tuple[float, ...]], types: str) -> _C:
    """Rows turned into columns of the numpy ``types``."""
    dtypes = types.split()
    columns = zip(*rows, strict=True) if rows else [()] * len(dtypes)
    return kind(*(np.array(column, dtype) for column, dtype in zip(columns, dtypes, strict=True)))
