"""The quick way in: messages in order, straight from JSON into columns.

No Python is run per value beyond what ``msgspec`` and one list comprehension per column do; the checks are
on whole columns.  A message of which anything is not in order is left, whole, to the slow way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from corrections_monitor.ingest.columns import CRS_CODES, EventColumns, FixColumns, MessageColumns
from corrections_monitor.ingest.message import Message
from corrections_monitor.ingest.topics import Family, route
from corrections_monitor.ingest.wire.ours import BandMessage, FixMessage, band_message, fix_message
from corrections_monitor.ingest.wire.spoken import F32_MAX, SEQ_MAX, T_MS_MAX
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.telemetry import (
    EVENT_NAMES,
    F32,
    F64,
    I64,
    NO_BATTERY,
    NO_SEQ,
    SOURCE_NAMES,
    BandEvent,
    Bools,
    Presence,
)

PAYLOAD_BYTES_MAX = 262_144
"""A larger payload is not looked into: a day of one-second fixes in one message is smaller when it is
sent in pieces, and no honest device needs more."""

_WRONG = 255
_SOURCE_CODES: Mapping[str | None, int] = {None: 0} | {name: int(src) for name, src in SOURCE_NAMES.items()}
_CRS_CODES: Mapping[str | None, int] = {None: 0} | dict(CRS_CODES)
_EVENT_CODES = {
    # A command's result also names the command, which only the slow way reads.
    name: int(event)
    for name, event in EVENT_NAMES.items()
    if event not in (BandEvent.CMD_OK, BandEvent.CMD_FAILED)
}
_BEYOND = 2**62  # stands for an integer that no column can hold


@dataclass(frozen=True, slots=True)
class Quick:
    """What was in order, how many messages of each kind, and ``left``: those still to be read, ascending."""

    messages: MessageColumns
    fixes: FixColumns
    events: EventColumns
    fix_count: int
    band_count: int
    left: list[int]


def read_quick(messages: Sequence[Message], devices: Mapping[str, int], settings: DetectionSettings) -> Quick:
    """Read all that is plainly in order: live fix and band messages of known devices in our own format."""
    fix_raw: list[int] = []
    fix_read: list[FixMessage] = []
    fix_device: list[int] = []
    band_raw: list[int] = []
    band_read: list[BandMessage] = []
    band_device: list[int] = []
    left: list[int] = []
    find = devices.get
    for raw, message in enumerate(messages):
        family, owner = route(message.topic)
        device = find(owner)
        login = message.login
        if device is not None and (login is None or login == owner) and not message.retained:
            try:
                if family is Family.FIX and len(message.payload) <= PAYLOAD_BYTES_MAX:
                    fix_read.append(fix_message(message.payload))
                    fix_raw.append(raw)
                    fix_device.append(device)
                    continue
                if family is Family.BAND and len(message.payload) <= PAYLOAD_BYTES_MAX:
                    band_read.append(band_message(message.payload))
                    band_raw.append(raw)
                    band_device.append(device)
                    continue
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                pass
        left.append(raw)
    arrival_ms = np.array([message.arrival_ms for message in messages], np.int64)
    fix_messages, fixes, fix_left = _fix_columns(fix_read, fix_raw, fix_device, arrival_ms, settings)
    band_messages, events, band_left = _band_columns(band_read, band_raw, band_device, arrival_ms, settings)
    if fix_left or band_left:
        left = sorted(left + fix_left + band_left)
    counts = len(fix_messages.raw), len(band_messages.raw)
    return Quick(fix_messages.join(band_messages), fixes, events, *counts, left)


def _fix_columns(
    read: list[FixMessage],
    raw: list[int],
    device: list[int],
    arrival_ms: I64,
    settings: DetectionSettings,
) -> tuple[MessageColumns, FixColumns, list[int]]:
    counts = np.array([len(message.fixes) for message in read], np.int64)
    owner = np.repeat(np.arange(len(read)), counts)
    rows = [fix for message in read for fix in message.fixes]
    message_raw = np.array(raw, np.int64)
    crs = np.array([_CRS_CODES.get(message.crs, _WRONG) for message in read], np.uint8)
    fixes = FixColumns(
        message_raw[owner],
        _integers([fix.t for fix in rows]),
        np.array([fix.lon for fix in rows], np.float64),
        np.array([fix.lat for fix in rows], np.float64),
        _single([fix.acc for fix in rows]),
        _single([fix.spd for fix in rows]),
        _single([fix.hdg for fix in rows]),
        np.array([_SOURCE_CODES.get(fix.src, _WRONG) for fix in rows], np.uint8),
        crs[owner],
    )
    wrong = (counts == 0) | (crs == _WRONG)
    wrong[owner[_unusable(fixes, arrival_ms, settings)]] = True
    newest = np.full(len(read), -_BEYOND, np.int64)
    np.maximum.at(newest, owner, fixes.t_ms)
    table, wrong = _message_columns(read, message_raw, device, newest, arrival_ms, wrong)
    if not wrong.any():
        return table, fixes, []
    return table.take(~wrong), fixes.take(~wrong[owner]), message_raw[wrong].tolist()


def _band_columns(
    read: list[BandMessage],
    raw: list[int],
    device: list[int],
    arrival_ms: I64,
    settings: DetectionSettings,
) -> tuple[MessageColumns, EventColumns, list[int]]:
    message_raw = np.array(raw, np.int64)
    t_ms = _integers([message.t for message in read])
    ev = np.array([_EVENT_CODES.get(message.ev, _WRONG) for message in read], np.uint8)
    wrong = (ev == _WRONG) | _untimely(t_ms, arrival_ms[message_raw], settings)
    table, wrong = _message_columns(read, message_raw, device, t_ms, arrival_ms, wrong)
    events = EventColumns(message_raw, t_ms, ev, table.battery_pct)
    if not wrong.any():
        return table, events, []
    return table.take(~wrong), events.take(~wrong), message_raw[wrong].tolist()


def _message_columns(
    read: Sequence[FixMessage | BandMessage],
    raw: I64,
    device: list[int],
    t_ms: I64,
    arrival_ms: I64,
    wrong: Bools,
) -> tuple[MessageColumns, Bools]:
    """One row per message, and which messages are wrong, now also by their seq and battery."""
    seq = _integers([NO_SEQ if m.seq is None else m.seq if m.seq >= 0 else _BEYOND for m in read])
    bat = _integers([NO_BATTERY if m.bat is None else m.bat if m.bat >= 0 else _BEYOND for m in read])
    wrong = wrong | (seq > SEQ_MAX) | (bat > 100)
    table = MessageColumns(
        raw,
        arrival_ms[raw],
        np.array(device, np.int32),
        seq,
        np.where(wrong, NO_BATTERY, bat).astype(np.int16),
        t_ms,
        np.full(len(read), Presence.CONTACT, np.uint8),
    )
    return table, wrong


def _unusable(fixes: FixColumns, arrival_ms: I64, settings: DetectionSettings) -> Bools:
    """Rows that the slow way must look at.  NaN stands for what was not said and compares as false."""
    unusable: Bools = (
        _untimely(fixes.t_ms, arrival_ms[fixes.raw], settings)
        | (np.abs(fixes.lon) > 180)
        | (np.abs(fixes.lat) > 90)
        | (fixes.acc_m < 0)
        | np.isinf(fixes.acc_m)
        | (fixes.spd_mps < 0)
        | np.isinf(fixes.spd_mps)
        | (fixes.hdg_deg < 0)
        | (fixes.hdg_deg > 360)
        | (fixes.src == _WRONG)
    )
    return unusable


def _untimely(t_ms: I64, arrival_ms: I64, settings: DetectionSettings) -> Bools:
    ahead_ms: I64 = t_ms - arrival_ms
    untimely: Bools = (ahead_ms > settings.future_tolerance_ms) | (ahead_ms < -settings.retention_ms)
    return untimely


def _integers(values: list[int]) -> I64:
    try:
        return np.array(values, np.int64)
    except OverflowError:
        return np.array([v if -T_MS_MAX <= v <= T_MS_MAX else _BEYOND for v in values], np.int64)


def _single(values: list[float | None]) -> F32:
    """None becomes NaN, what single precision cannot hold becomes infinite."""
    wide: F64 = np.array(values, np.float64)
    with np.errstate(over="ignore"):
        return np.where(np.abs(wide) > F32_MAX, np.inf, wide).astype(np.float32)
