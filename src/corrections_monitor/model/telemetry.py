"""What devices said, as columns.

A ``Batch`` holds messages in order of arrival, and the fixes and events they carried.  Rows of a batch
are vectors: index arrays tie a fix or event to its message, a message to its device.  A ``device``
column is an index into the registry the batch was decoded with (``Registry.device_ids``), so that no
string is touched per fix.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
I16 = NDArray[np.int16]
U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
Bools = NDArray[np.bool_]


class Source(IntEnum):
    """How a position was found; the default 68 % radius per source is in ``SOURCE_ACC_M``."""

    GNSS = 0
    BEACON = 1
    WIFI = 2
    LBS = 3


SOURCE_NAMES = {"gnss": Source.GNSS, "beacon": Source.BEACON, "wifi": Source.WIFI, "lbs": Source.LBS}
SOURCE_ACC_M = (10.0, 10.0, 100.0, 500.0)


class BandEvent(IntEnum):
    """``ev`` of CONTRACT §2.  The numbers are stored: never renumber, only append."""

    HEARTBEAT = 0
    STRAP_CUT = 1
    STRAP_LOOSE = 2
    STRAP_OK = 3
    CASE_OPEN = 4
    BATTERY_LOW = 5
    BATTERY_CRITICAL = 6
    CHARGING = 7
    POWER_OFF = 8
    POWER_ON = 9
    SHIELDED = 10
    UNSHIELDED = 11
    JAMMED = 12
    UNJAMMED = 13
    SEPARATED = 14
    REJOINED = 15
    MOTIONLESS = 16
    MOVING = 17
    SOS = 18
    CMD_OK = 19
    CMD_FAILED = 20


EVENT_NAMES = {e.name.lower(): e for e in BandEvent}

NO_SEQ = -1
NO_BATTERY = -1


class Presence(IntEnum):
    """What a message says of the device being there, apart from its rows."""

    NONE = 0  # a last will, a retained or repeated message, an old unusable one
    CONTACT = 1  # rows that may be new, online:true, or an unusable payload of a known device
    # A message with rows is a contact only if one of its rows turns out to be new.


@dataclass(frozen=True, slots=True)
class Messages:
    """One row per MQTT message of a known device, in order of arrival.  All arrays have length n.

    An unusable message has no rows of its own; its ``seq`` and ``t_ms`` tell the engine whether it is old and
    so no contact.  ``t_ms`` is the newest time in it that can be used; if none can, the newest that could be
    read, even one ahead of our clock; if none could be read, arrival.
    """

    arrival_ms: I64
    device: I32
    seq: I64  # NO_SEQ when absent
    battery_pct: I16  # NO_BATTERY when absent
    t_ms: I64  # newest event time in the message, as sent; arrival_ms where it has none
    presence: U8  # Presence

    def __len__(self) -> int:
        return len(self.arrival_ms)


@dataclass(frozen=True, slots=True)
class Fixes:
    """One row per usable fix.  ``message`` is non-decreasing; positions are WGS-84 degrees."""

    message: I64  # index into Messages
    t_ms: I64  # as sent
    lon: F64
    lat: F64
    acc_m: F32  # 68 % radius, the source's default when absent
    spd_mps: F32  # NaN when absent
    hdg_deg: F32  # NaN when absent
    src: U8  # Source

    def __len__(self) -> int:
        return len(self.t_ms)


@dataclass(frozen=True, slots=True)
class Events:
    """One row per band event.  ``message`` is non-decreasing."""

    message: I64
    t_ms: I64
    ev: U8  # BandEvent
    battery_pct: I16

    def __len__(self) -> int:
        return len(self.t_ms)


@dataclass(frozen=True, slots=True)
class Clocks:
    """What the messages of a batch (n) tell of their devices' clocks, and how they were set right.

    ``delay_ms``: arrival less the newest time told, NO_DELAY where a message tells none; ``behind_ms``: what
    was added to the times of its rows.
    """

    delay_ms: I64
    behind_ms: I64


NO_DELAY = -(2**62)


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages in order of arrival with the fixes and events they carried.

    ``clocks``: None as decoded; once it is there, all event times are set right (``detection.clocks``), and
    ``as_sent`` tells what the devices said.
    """

    messages: Messages
    fixes: Fixes
    events: Events
    clocks: Clocks | None = None


def as_sent(batch: Batch) -> tuple[I64, I64]:
    """The event times of fixes and events as the devices told them, which are parts of their keys."""
    fixes, events = batch.fixes, batch.events
    if batch.clocks is None:
        return fixes.t_ms, events.t_ms
    behind_ms = batch.clocks.behind_ms
    return fixes.t_ms - behind_ms[fixes.message], events.t_ms - behind_ms[events.message]


def keep(batch: Batch, fixes: Bools, events: Bools, *, rest_is_known: bool) -> Batch:
    """The batch with these fixes and events only (bool[len(fixes)], bool[len(events)]); all messages stay.

    ``rest_is_known``: what is left out came before, so a message that loses all its rows only repeats
    itself and is no contact.
    """
    if fixes.all() and events.all():
        return batch
    messages = batch.messages
    presence = messages.presence
    if rest_is_known:
        had, has = np.zeros(len(messages), dtype=bool), np.zeros(len(messages), dtype=bool)
        had[batch.fixes.message], had[batch.events.message] = True, True
        has[batch.fixes.message[fixes]], has[batch.events.message[events]] = True, True
        presence = np.where(had & ~has, np.uint8(Presence.NONE), presence)
    f, e = batch.fixes, batch.events
    return Batch(
        Messages(
            messages.arrival_ms, messages.device, messages.seq, messages.battery_pct, messages.t_ms, presence
        ),
        Fixes(
            f.message[fixes], f.t_ms[fixes], f.lon[fixes], f.lat[fixes],
            f.acc_m[fixes], f.spd_mps[fixes], f.hdg_deg[fixes], f.src[fixes],
        ),
        Events(e.message[events], e.t_ms[events], e.ev[events], e.battery_pct[events]),
        batch.clocks,
    )  # fmt: skip


def empty_batch() -> Batch:
    """A batch without rows."""
    i64, i16, u8 = np.zeros(0, np.int64), np.zeros(0, np.int16), np.zeros(0, np.uint8)
    f64, f32 = np.zeros(0, np.float64), np.zeros(0, np.float32)
    return Batch(
        Messages(i64, np.zeros(0, np.int32), i64, i16, i64, u8),
        Fixes(i64, i64, f64, f64, f32, f32, f32, u8),
        Events(i64, i64, u8, i16),
    )
