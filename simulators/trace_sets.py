"""Real phones' traces as persons of a case folder: what is common to all sources of traces.

Rows keep the order in which they were written and the lateness they really had; all times of a data set
are moved by one constant.  A companion band's heartbeats stand between them each minute, so that only
judgement about place is in question.  Where a phone was not recorded for hours there is no order, so
that person-days count only what was seen.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import MultiPoint, Polygon

from corrections_monitor.model.cases import (
    Area,
    CaseSet,
    Category,
    Device,
    DeviceKind,
    Leave,
    Level,
    Office,
    Officer,
    Order,
    Person,
    Role,
    Zone,
)
from corrections_monitor.model.times import DAY_MS, HOUR_MS, MINUTE_MS, Interval, from_ms
from simulators import encode
from simulators.devices import Row
from simulators.geo import plane_at

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

COUNTY = "county"
HEARTBEAT_MS = MINUTE_MS
UNSEEN_MS = 3 * HOUR_MS  # a gap as long as this ends a stretch
SHORTEST_MS = HOUR_MS  # and shorter stretches are left out
GOOD_M = 30.0  # accuracy of the fixes that places are worked out from
WEEK_MS = 7 * DAY_MS


@dataclass(frozen=True)
class Trace:
    """One phone's fixes in the order written.  Columns of length n; times in epoch ms."""

    person_id: str
    t_ms: I64
    written_ms: I64
    lon: F64
    lat: F64
    acc_m: F64
    stretches: tuple[Interval, ...]  # when it was watched
    home: tuple[float, float] | None = None  # lon, lat of the place it certainly was at …
    at_home: tuple[Interval, ...] = ()  # … in these intervals

    def moved(self, by_ms: int) -> Trace:
        """All times moved by one constant."""
        return Trace(
            self.person_id,
            self.t_ms + by_ms,
            self.written_ms + by_ms,
            self.lon,
            self.lat,
            self.acc_m,
            tuple(Interval(s.from_ms + by_ms, s.to_ms + by_ms) for s in self.stretches),
            self.home,
            tuple(Interval(s.from_ms + by_ms, s.to_ms + by_ms) for s in self.at_home),
        )


@dataclass
class TraceSet:
    """Traces with the zones drawn around them.  ``dropped`` and ``added`` are what injection does."""

    traces: list[Trace]
    zones: dict[str, Zone]
    leaves: dict[str, Leave] = field(default_factory=dict)
    dropped: dict[str, list[Interval]] = field(default_factory=dict)  # device_id → by time of fix or event
    added: list[Row] = field(default_factory=list)

    def cases(self) -> CaseSet:
        """A case folder with a county, a station, and an order for each stretch of each trace."""
        people, devices, orders = {}, {}, {}
        for trace in self.traces:
            pid = trace.person_id
            people[pid] = Person(pid, pid, Category.PROBATION, "station", "officer")
            for i, span in enumerate(trace.stretches):
                for kind in (DeviceKind.PHONE, DeviceKind.BAND):
                    name = f"{kind}-{pid}"
                    devices[(name, span.from_ms)] = Device(name, kind, pid, 60, span)
                order_id = f"order-{pid}-{i + 1}"
                orders[order_id] = Order(order_id, pid, "29.2", "chief", date(2000, 1, 1), span)
        return CaseSet(
            offices={
                "city": Office("city", None, Level.CITY, "city"),
                COUNTY: Office(COUNTY, "city", Level.COUNTY, COUNTY),
                "station": Office("station", COUNTY, Level.STATION, "station"),
            },
            officers={"officer": Officer("officer", "station", "officer", Role.OFFICER, "officer")},
            people=people,
            devices=devices,
            orders=orders,
            zones=self.zones,
            leaves=self.leaves,
        )

    def rows(self) -> list[Row]:
        """Every message in order of arrival, a row per fix, heartbeats between."""
        rows = [row for trace in self.traces for row in self._rows_of(trace)]
        rows += self.added
        rows.sort(key=lambda r: r.arrival_ms)
        return rows

    def _rows_of(self, trace: Trace) -> Iterator[Row]:
        phone, band = f"phone-{trace.person_id}", f"band-{trace.person_id}"
        columns = (trace.t_ms, trace.written_ms, trace.lon, trace.lat, trace.acc_m)
        topic = encode.fix_topic(COUNTY, phone)
        quiet = self.dropped.get(phone, [])
        for t, written, lon, lat, acc in zip(*(c.tolist() for c in columns), strict=True):
            if any(s.holds(t) for s in trace.stretches) and not any(
                q.holds(t) or q.holds(written) for q in quiet
            ):
                payload = encode.fix_payload(None, [encode.fix(t, lon, lat, acc)])
                yield Row(max(written, t), phone, topic, payload)
        topic = encode.band_topic(COUNTY, band)
        quiet = self.dropped.get(band, [])
        for span in trace.stretches:
            for t in range(span.from_ms + 500, span.to_ms, HEARTBEAT_MS):
                if not any(q.holds(t) for q in quiet):
                    yield Row(t + 300, band, topic, encode.band_payload(None, t, "heartbeat"))


def stretches(t_ms: I64) -> tuple[Interval, ...]:
    """The spans without a gap of hours, an hour long at least."""
    t = np.unique(t_ms)
    if not len(t):
        return ()
    breaks = np.flatnonzero(np.diff(t) >= UNSEEN_MS)
    starts, ends = t[np.r_[0, breaks + 1]], t[np.r_[breaks, len(t) - 1]]
    return tuple(
        Interval(int(a), int(b) + 1) for a, b in zip(starts, ends, strict=True) if b - a >= SHORTEST_MS
    )


def hull(lon: F64, lat: F64, wider_m: float) -> Area:
    """A county-like polygon around the points."""
    plane = plane_at(float(np.median(lat)))
    points = MultiPoint(np.column_stack([lon * plane.metres_per_lon, lat * plane.metres_per_lat]))
    border = points.convex_hull.buffer(wider_m, quad_segs=4)
    assert isinstance(border, Polygon)
    return Area(((tuple(plane.lonlat(x, y) for x, y in border.exterior.coords),),))


def read_rows(path: Path) -> Iterator[dict[str, object]]:
    """The rows of a data file, in the order written."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def trace_of(name: str, rows: list[dict[str, object]]) -> Trace:
    """The fixes among the rows as columns, without stretches yet."""

    def column(field_name: str) -> F64:
        return np.array([float(str(r[field_name])) for r in rows])

    times = np.round(column("t") * 1_000).astype(np.int64), np.round(column("wt") * 1_000).astype(np.int64)
    return Trace(name, *times, column("lon"), column("lat"), column("acc"), ())


def part_of(
    whole: Trace,
    name: str,
    rows: NDArray[np.bool_],
    seen: tuple[Interval, ...],
    home: tuple[float, float] | None = None,
    at_home: tuple[Interval, ...] = (),
) -> Trace:
    """A trace of some of the rows."""
    return Trace(
        name,
        whole.t_ms[rows],
        whole.written_ms[rows],
        whole.lon[rows],
        whole.lat[rows],
        whole.acc_m[rows],
        seen,
        home,
        at_home,
    )


def moved(traces: TraceSet, start_ms: int, local: ZoneInfo, zone: ZoneInfo) -> TraceSet:
    """All times moved by one constant, to begin in the week of ``start_ms`` at the same weekday and clock
    in ``zone`` as they had in ``local``, so that schedules keep their meaning."""
    first = min(s.from_ms for t in traces.traces for s in t.stretches)
    offsets = [z.utcoffset(from_ms(first, z).replace(tzinfo=None)) for z in (local, zone)]
    assert offsets[0] is not None
    assert offsets[1] is not None
    clock_ms = round((offsets[0] - offsets[1]).total_seconds() * 1_000)
    weeks = -(-(start_ms - first - clock_ms) // WEEK_MS)
    by_ms = weeks * WEEK_MS + clock_ms
    return TraceSet([t.moved(by_ms) for t in traces.traces], traces.zones)
