"""Journal rows and snapshots as bytes: MessagePack, arrays as they are, compressed.

What is added has a default, and what is not known is passed over: the programs before and after read it too.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields

import msgspec
import numpy as np

from corrections_monitor.detection.engine import History, Resolved
from corrections_monitor.model.alerts import Answered, Drill
from corrections_monitor.model.telemetry import Batch, Clocks, Events, Fixes, Messages

_FAST = 1  # zlib level: the journal is written with every batch and dropped within a minute

_DTYPES = {
    "arrival_ms": np.int64, "device": np.int32, "seq": np.int64, "battery_pct": np.int16, "t_ms": np.int64,
    "presence": np.uint8, "message": np.int64, "lon": np.float64, "lat": np.float64, "acc_m": np.float32,
    "spd_mps": np.float32, "hdg_deg": np.float32, "src": np.uint8, "ev": np.uint8,
    "delay_ms": np.int64, "behind_ms": np.int64,
}  # fmt: skip


class Entry(msgspec.Struct):
    """One step of engine and book: everything that went in."""

    now_ms: int
    messages: dict[str, bytes]
    fixes: dict[str, bytes]
    events: dict[str, bytes]
    answers: list[Answered]
    drills: list[Drill]
    resolved: list[Resolved]
    histories: dict[str, list[tuple[int, float, float, float, int]]]
    clocks: dict[str, bytes] = {}

    def batch(self) -> Batch:
        """The batch as the engine saw it."""
        return Batch(
            Messages(**_arrays(self.messages)),
            Fixes(**_arrays(self.fixes)),
            Events(**_arrays(self.events)),
            Clocks(**_arrays(self.clocks)) if self.clocks else None,
        )


class Snapshot(msgspec.Struct):
    """The state after a batch: engine and book, the version of the cases they stand on, and those before:
    until when each was in force."""

    cases_version: int
    engine: bytes
    book: bytes
    past: list[tuple[int, int]] = []


def entry_bytes(
    batch: Batch,
    now_ms: int,
    answers: Sequence[Answered],
    drills: Sequence[Drill],
    resolved: Sequence[Resolved],
    histories: Mapping[str, History],
) -> bytes:
    """A journal row."""
    entry = Entry(
        now_ms,
        _bytes(batch.messages),
        _bytes(batch.fixes),
        _bytes(batch.events),
        list(answers),
        list(drills),
        list(resolved),
        {person: list(history) for person, history in histories.items()},
        {} if batch.clocks is None else _bytes(batch.clocks),
    )
    return zlib.compress(msgspec.msgpack.encode(entry), _FAST)


def read_entry(body: bytes) -> Entry:
    """A journal row read back."""
    return msgspec.msgpack.decode(zlib.decompress(body), type=Entry)


def snapshot_bytes(snapshot: Snapshot) -> bytes:
    """A snapshot row."""
    return zlib.compress(msgspec.msgpack.encode(snapshot), _FAST)


def read_snapshot(body: bytes) -> Snapshot:
    """A snapshot row read back."""
    return msgspec.msgpack.decode(zlib.decompress(body), type=Snapshot)


def _bytes(columns: Messages | Fixes | Events | Clocks) -> dict[str, bytes]:
    return {
        f.name: np.ascontiguousarray(getattr(columns, f.name), dtype=_DTYPES[f.name]).tobytes()
        for f in fields(columns)
    }


def _arrays(columns: dict[str, bytes]) -> dict[str, np.ndarray]:
    """Without what a later program has added."""
    return {
        name: np.frombuffer(data, dtype=_DTYPES[name]) for name, data in columns.items() if name in _DTYPES
    }
