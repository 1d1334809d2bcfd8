"""Fixes, band events and contacts: written in bulk, a second delivery told from a new row.

Rows newer than all that is stored of their device are copied straight into the table, in key order; the
few others go by a temporary table, ON CONFLICT DO NOTHING: what was there already comes back by row number
and is compared as stored.  Whoever wrongly said that rows were newer is caught by the primary key, and all
of them go the second way.  Measured in ``benchmarks/store.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation

from corrections_monitor.model.telemetry import I32, I64, NO_BATTERY, Bools, Events, Fixes
from corrections_monitor.model.times import DAY_MS
from corrections_monitor.store.queries import query
from corrections_monitor.store.rows import binary_copy

_SPEED_MAX_CMS = 32767  # 328 m/s: faster than any vehicle a person could be in
Connection = AsyncConnection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of each row, bool[n]: ``new`` is stored now; ``conflict`` has a known key with other
    content and was not stored; neither: exactly known already."""

    new: Bools
    conflict: Bools


class StoredFix(NamedTuple):
    """A stored fix with the number of its device; degrees, metres, ``model.telemetry.Source``; ``t_ms`` with
    the device's clock set right."""

    device_no: int
    t_ms: int
    lon: float
    lat: float
    acc_m: float
    src: int


async def allot_numbers(connection: Connection, device_ids: Collection[str]) -> dict[str, int]:
    """The stable number of every device named, made where there is none."""
    wanted = list(device_ids)
    await connection.execute(query("telemetry.allot_numbers"), [wanted])
    cursor = await connection.execute(query("telemetry.read_numbers"), [wanted])
    return {device_id: device_no async for device_id, device_no in cursor}


class TelemetryWrites:
    """The part of a ``Tx`` that stores what devices said."""

    _connection: Connection

    async def insert_fixes(
        self,
        device_no: I32,
        fixes: Fixes,
        arrival_ms: I64,
        newer: Bools | None = None,
        behind_ms: I64 | None = None,
    ) -> Written:
        """Store fixes; ``device_no`` int32[n] from ``Store.device_numbers``, ``arrival_ms`` int64[n].

        Keys (device, t, src) must be unique within the call.  Positions are kept to 1e-7 degree, speed
        to 1 cm/s, heading to 0.01 degree; a conflict is a difference in what is kept.  ``newer`` bool[n]:
        later than every fix stored of the device; a mistake in it costs time, never a row.  ``behind_ms``
        int64[n]: what was added to ``fixes.t_ms``; the key is the time as sent.
        """
        t_ms, behind = _as_sent(fixes.t_ms, behind_ms)
        columns: list[tuple[NDArray[Any], str]] = [
            (t_ms, ">i8"),
            (arrival_ms, ">i8"),
            (device_no, ">i4"),
            (np.rint(fixes.lon * 1e7), ">i4"),
            (np.rint(fixes.lat * 1e7), ">i4"),
            (fixes.acc_m, ">f4"),
            (fixes.src, ">i2"),
            (_speed_cms(fixes.spd_mps), ">i2"),
            (_heading_cdeg(fixes.hdg_deg), ">i2"),
            (behind, ">i4"),
        ]
        order = np.lexsort((t_ms, fixes.src, device_no))
        return await self._insert("fixes", "fixes", t_ms, columns, order, newer)

    async def insert_events(
        self,
        device_no: I32,
        events: Events,
        arrival_ms: I64,
        newer: Bools | None = None,
        behind_ms: I64 | None = None,
    ) -> Written:
        """Store band events, likewise; the key is (device, t, ev)."""
        t_ms, behind = _as_sent(events.t_ms, behind_ms)
        columns: list[tuple[NDArray[Any], str]] = [
            (t_ms, ">i8"),
            (arrival_ms, ">i8"),
            (device_no, ">i4"),
            (events.ev, ">i2"),
            (np.ma.masked_equal(events.battery_pct, NO_BATTERY), ">i2"),
            (behind, ">i4"),
        ]
        order = np.lexsort((t_ms, events.ev, device_no))
        return await self._insert("events", "band_events", t_ms, columns, order, newer)

    async def fixes_since(
        self, device_no: Sequence[int], since_ms: int, margin_ms: int = 0
    ) -> list[StoredFix]:
        """The stored fixes of devices from an event time on, and the last of each before, in order of event
        time, clocks set right; by at most ``margin_ms``."""
        cursor = await self._connection.execute(
            query("telemetry.fixes_since"),
            {"devices": list(device_no), "since_ms": since_ms, "margin_ms": margin_ms},
        )
        return [
            StoredFix(no, t_ms, lon / 1e7, lat / 1e7, acc_m, src)
            for no, t_ms, lon, lat, acc_m, src in await cursor.fetchall()
        ]

    async def insert_contacts(
        self, arrival_ms: Sequence[int], device_ids: Sequence[str], topics: Sequence[str]
    ) -> None:
        """Keep that messages came which left no row of their own: device, topic, arrival, nothing else."""
        if len(device_ids):
            await self._connection.execute(
                query("telemetry.insert_contacts"), [list(arrival_ms), list(device_ids), list(topics)]
            )

    async def _insert(
        self,
        family: LiteralString,
        table: str,
        t_ms: I64,
        columns: Sequence[tuple[NDArray[Any], str]],
        order: I64,
        newer: Bools | None,
    ) -> Written:
        """``order``: rows in the order of their key, so that neighbouring index pages are touched once."""
        n = len(t_ms)
        written = Written(np.ones(n, np.bool_), np.zeros(n, np.bool_))
        if n == 0:
            return written
        # Asked every time: what was made before may have been dropped since, and asking costs little.
        await self._connection.execute(
            query("telemetry.ensure_partitions"), [table, np.unique(t_ms // DAY_MS).tolist()]
        )
        doubtful = order if newer is None else order[~newer[order]]
        straight = order[:0] if newer is None else order[newer[order]]
        if len(straight) and not await self._copy_straight(family, columns, straight):
            doubtful = order
        if len(doubtful):
            await self._insert_doubtful(family, columns, doubtful, written)
        return written

    async def _copy_straight(
        self, family: LiteralString, columns: Sequence[tuple[NDArray[Any], str]], rows: I64
    ) -> bool:
        """Copy rows into the table itself; False, and nothing is copied, if a key is there already."""
        try:
            async with self._connection.transaction():
                await self._copy(f"telemetry.copy_{family}", [(v[rows], kind) for v, kind in columns])
        except UniqueViolation:
            return False
        return True

    async def _insert_doubtful(
        self,
        family: LiteralString,
        columns: Sequence[tuple[NDArray[Any], str]],
        rows: I64,
        written: Written,
    ) -> None:
        """Insert rows that may be known; tell in ``written`` which are, and which contradict."""
        await self._connection.execute(query(f"telemetry.stage_{family}"))
        await self._connection.execute(query(f"telemetry.clear_{family}"))
        numbered: list[tuple[NDArray[Any], str]] = [(rows, ">i4"), *((v[rows], kind) for v, kind in columns)]
        await self._copy(f"telemetry.copy_staged_{family}", numbered)
        cursor = await self._connection.execute(query(f"telemetry.insert_{family}"))
        known = [i for (i,) in await cursor.fetchall()]
        if known:
            written.new[known] = False
            cursor = await self._connection.execute(query(f"telemetry.{family}_in_conflict"), [known])
            written.conflict[[i for (i,) in await cursor.fetchall()]] = True

    async def _copy(self, name: str, columns: Sequence[tuple[NDArray[Any], str]]) -> None:
        async with self._connection.cursor() as cursor, cursor.copy(query(name)) as copy:
            await copy.write(binary_copy(columns))


def _as_sent(t_ms: I64, behind_ms: I64 | None) -> tuple[I64, NDArray[Any]]:
    """The times as devices told them, and what was added; masked where nothing was."""
    behind_ms = np.zeros_like(t_ms) if behind_ms is None else behind_ms
    return t_ms - behind_ms, np.ma.masked_equal(behind_ms, 0)


def _speed_cms(spd_mps: NDArray[np.float32]) -> NDArray[np.int16]:
    """Masked where there is none."""
    cms = np.ma.masked_invalid(np.rint(spd_mps.astype(np.float64) * 100))
    return np.clip(cms, -_SPEED_MAX_CMS, _SPEED_MAX_CMS)


def _heading_cdeg(hdg_deg: NDArray[np.float32]) -> NDArray[np.int16]:
    """Hundredths of a degree from -180.00 to 179.99: 0 … 360 would not fit 16 bits.  Masked where none."""
    return np.ma.masked_invalid((np.rint(hdg_deg.astype(np.float64) * 100) + 18_000) % 36_000 - 18_000)
