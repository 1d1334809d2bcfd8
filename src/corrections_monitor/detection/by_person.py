"""Rows of the cases, numbered and sorted once, found by the number of a person or of a device.

A nation has millions of them: what all of them must say stands in arrays, and the rows themselves are looked
at only when somebody's are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from corrections_monitor.model.cases import Device, DeviceKind
from corrections_monitor.model.telemetry import I32, I64, Bools
from corrections_monitor.model.times import Interval


class _OfPerson(Protocol):
    @property
    def person_id(self) -> str: ...


class _Lasting(Protocol):
    @property
    def span(self) -> Interval: ...


RowT = TypeVar("RowT", bound=_OfPerson)


def spans_of(rows: Collection[_Lasting]) -> tuple[I64, I64]:
    """When each of n rows begins and ends, int64[n] each."""
    return (
        np.fromiter((r.span.from_ms for r in rows), np.int64, len(rows)),
        np.fromiter((r.span.to_ms for r in rows), np.int64, len(rows)),
    )


def starts_of(sorted_numbers: I32, count: int) -> I64:
    """CSR offsets int64[count+1] of rows sorted by their number in 0 … count - 1."""
    return np.searchsorted(sorted_numbers, np.arange(count + 1)).astype(np.int64)


class ByPerson(Generic[RowT]):
    """Rows of one table: ``person`` int32[N], in the order given; ``of`` one person, sorted by ``key``."""

    def __init__(
        self, rows: Collection[RowT], person_no: Mapping[str, int], key: Callable[[RowT], Any]
    ) -> None:
        self._rows, self._key = list(rows), key
        self.person: I32 = np.fromiter((person_no[r.person_id] for r in rows), np.int32, len(rows))
        self._order = np.argsort(self.person, kind="stable").astype(np.int32)
        self._starts = starts_of(self.person[self._order], len(person_no))

    def of(self, person: int) -> tuple[RowT, ...]:
        """The rows of a person."""
        numbers = self._order[self._starts[person] : self._starts[person + 1]]
        return tuple(sorted([self._rows[i] for i in numbers], key=self._key))


class Bindings:
    """Who wears which of D devices when: N rows sorted by device and, of one device, the newest first.

    ``device``, ``person`` int32[N]; ``from_ms``, ``to_ms``, ``every_s`` int64[N]; ``is_band`` bool[N];
    ``newest`` int64[D], ``count`` int64[D]: the newest row of each device and how many there are.
    """

    def __init__(
        self, rows: Collection[Device], device_no: Mapping[str, int], person_no: Mapping[str, int]
    ) -> None:
        device = np.fromiter((device_no[r.device_id] for r in rows), np.int32, len(rows))
        from_ms, to_ms = spans_of(rows)
        order = np.lexsort((-from_ms, device))
        given = list(rows)
        self._rows = [given[i] for i in order.tolist()]
        self.device: I32 = device[order]
        self.from_ms: I64 = from_ms[order]
        self.to_ms: I64 = to_ms[order]
        self.person: I32 = np.fromiter((person_no[r.person_id] for r in self._rows), np.int32, len(rows))
        self.every_s: I64 = np.fromiter((r.report_every_s for r in self._rows), np.int64, len(rows))
        self.is_band: Bools = np.fromiter(
            (r.kind is DeviceKind.BAND for r in self._rows), np.bool_, len(rows)
        )
        starts = starts_of(self.device, len(device_no))
        self.newest: I64 = starts[:-1]
        self.count: I64 = np.diff(starts)

    def of(self, device: int) -> list[tuple[Device, int]]:
        """The bindings of a device and who wore it by each, newest first."""
        first = int(self.newest[device])
        last = first + int(self.count[device])
        return list(zip(self._rows[first:last], self.person[first:last].tolist(), strict=True))

    def is_worn_throughout(self, device: int, from_ms: int, to_ms: int) -> bool:
        """Whether somebody wears the device at every instant of ``from_ms`` … ``to_ms``."""
        worn_until_ms = from_ms
        for row, _ in reversed(self.of(device)):
            if row.span.from_ms <= worn_until_ms:
                worn_until_ms = max(worn_until_ms, row.span.to_ms)
        return worn_until_ms > to_ms

    def at(self, t_ms: int) -> I64:
        """Per device the row in force at an instant, or the newest where none is; int64[D]."""
        out = self.newest.copy()
        in_force = np.flatnonzero((self.from_ms <= t_ms) & (t_ms < self.to_ms))[::-1]
        out[self.device[in_force]] = in_force  # the newest comes last and stays
        return out
