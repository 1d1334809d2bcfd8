"""Columns keyed by the raw message they came from, and how they are joined into a ``Batch``.

``raw`` is an index into the sequence of raw messages; two readers (the quick one and the slow one) fill
columns of their own, which are then put together in order of arrival.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from corrections_monitor.geofence.crs import CRS_NAMES, to_wgs84
from corrections_monitor.model.telemetry import F32, F64, I16, I32, I64, SOURCE_ACC_M, U8, Bools

CRS_CODES = {name: code for code, name in enumerate(CRS_NAMES)}
_SOURCE_ACC = np.array(SOURCE_ACC_M, np.float32)


class Columns:
    """Arrays of one length n, moved together."""

    def take(self, rows: I64 | Bools) -> Self:
        """The rows chosen by index or mask."""
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))  # type: ignore[arg-type]

    def join(self, other: Self) -> Self:
        """These rows, then those of ``other``."""
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))  # type: ignore[arg-type]
        return type(self)(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True, slots=True)
class MessageColumns(Columns):
    """``Messages`` before it is cut loose from the raw messages."""

    raw: I64
    arrival_ms: I64
    device: I32
    seq: I64
    battery_pct: I16
    t_ms: I64
    presence: U8


@dataclass(frozen=True, slots=True)
class FixColumns(Columns):
    """Usable fixes as sent: degrees in ``crs`` (an index into CRS_NAMES); NaN where nothing was said."""

    raw: I64
    t_ms: I64
    lon: F64
    lat: F64
    acc_m: F32
    spd_mps: F32
    hdg_deg: F32
    src: U8
    crs: U8


@dataclass(frozen=True, slots=True)
class EventColumns(Columns):
    """Usable band events."""

    raw: I64
    t_ms: I64
    ev: U8
    battery_pct: I16


def in_order(columns: FixColumns) -> FixColumns:
    """By message, within a message by time; rows of one time keep their order."""
    step = np.diff(columns.raw)
    if bool(np.all((step > 0) | ((step == 0) & (np.diff(columns.t_ms) >= 0)))):
        return columns
    return columns.take(np.lexsort((columns.t_ms, columns.raw)))


def on_the_globe(columns: FixColumns) -> tuple[F64, F64]:
    """Longitude and latitude in WGS-84 degrees."""
    lon, lat = columns.lon, columns.lat
    if columns.crs.any():
        lon, lat = lon.copy(), lat.copy()
        for name, code in CRS_CODES.items():
            if code:
                rows = np.flatnonzero(columns.crs == code)
                lon[rows], lat[rows] = to_wgs84(lon[rows], lat[rows], name)
    return lon, lat


def accuracy_m(columns: FixColumns) -> F32:
    """The 68 % radius, the default of the source where the device did not tell."""
    return np.where(np.isnan(columns.acc_m), _SOURCE_ACC[columns.src], columns.acc_m)


def repeated(keys: tuple[I64 | I32 | U8, ...]) -> tuple[I64, I64]:
    """Rows whose key an earlier row has, each with the first row of that key: two index arrays.

    ``keys``: columns of equal length n, which together are the key.
    """
    count = len(keys[0])
    order = np.lexsort(keys)
    same = np.ones(max(count - 1, 0), np.bool_)
    for column in keys:
        ranked = column[order]
        same &= ranked[1:] == ranked[:-1]
    if not same.any():
        nothing = np.zeros(0, np.int64)
        return nothing, nothing
    # The sort is stable: the first of each run of equal keys is the first row that came.
    starts = np.flatnonzero(np.concatenate((np.ones(1, np.bool_), ~same)))
    first = order[np.repeat(starts, np.diff(np.append(starts, count)))]
    later = np.flatnonzero(np.concatenate((np.zeros(1, np.bool_), same)))
    rows = order[later]
    by_arrival = np.argsort(rows)
    return rows[by_arrival], first[later][by_arrival]
