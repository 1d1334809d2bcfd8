"""MobilityNet: 8 test phones, most of the time lying still at one place, else on prescribed trips.

Data: MobilityNet/mobilitynet-analysis-scripts, BSD-3; columns as in the data folder's SOURCES.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from corrections_monitor.model.cases import Circle, Zone, ZoneKind
from corrections_monitor.model.times import MINUTE_MS, Interval
from simulators.trace_sets import (
    GOOD_M,
    SHORTEST_MS,
    Trace,
    TraceSet,
    hull,
    part_of,
    read_rows,
    stretches,
    trace_of,
)


def mobilitynet(data: Path) -> TraceSet:
    """Phones lying still against 100 m around their true place; phones on trips against a county."""
    by_phone: dict[tuple[str, str], list[dict[str, object]]] = defaultdict(list)
    for row in read_rows(data / "mobilitynet_dev.ndjson.gz"):
        by_phone[(str(row["tl"]), str(row["ph"]))].append(row)
    made = TraceSet([], {})
    phones = {
        (timeline, phone): trace_of(
            f"{timeline.split('_')[0]}-{phone.removeprefix('ucb-sdb-')}", [r for r in rows if r["k"] == "loc"]
        )
        for (timeline, phone), rows in sorted(by_phone.items())
    }
    for key, fixes in phones.items():
        for i, span in enumerate(_lying_still(by_phone[key])):
            _add_still(made, f"{fixes.person_id}-still{i + 1}", fixes, span, phones.values())
        if "stationary" not in key[0]:
            _add_trip(made, f"{fixes.person_id}-trips", fixes)
    return made


def _lying_still(rows: Iterable[dict[str, object]]) -> Iterator[Interval]:
    """The calibration periods in which the phones lay on a table."""
    begun: float | None = None
    for row in rows:
        if row["k"] == "ev" and str(row["trip"]).endswith("stationary"):
            if row["tr"] == "START_CALIBRATION_PERIOD":
                begun = float(str(row["t"]))
            elif row["tr"] == "STOP_CALIBRATION_PERIOD" and begun is not None:
                # The first and last minutes the phone is in a hand.
                span = Interval(
                    round(begun * 1e3) + 2 * MINUTE_MS, round(float(str(row["t"])) * 1e3) - 2 * MINUTE_MS
                )
                begun = None
                if span.to_ms - span.from_ms >= SHORTEST_MS:
                    yield span


def _add_still(made: TraceSet, name: str, fixes: Trace, span: Interval, beside: Iterable[Trace]) -> None:
    """The true place is the median of the good fixes of all phones, which lay side by side."""
    inside = (fixes.t_ms >= span.from_ms) & (fixes.t_ms < span.to_ms)
    good = [(p, (p.t_ms >= span.from_ms) & (p.t_ms < span.to_ms) & (p.acc_m <= GOOD_M)) for p in beside]
    lon = np.concatenate([p.lon[g] for p, g in good])
    lat = np.concatenate([p.lat[g] for p, g in good])
    if len(lon) < 10 or not inside.any():
        return
    home = float(np.median(lon)), float(np.median(lat))
    made.traces.append(part_of(fixes, name, inside, (span,), home, (span,)))
    zone_id = f"home-{name}"
    made.zones[zone_id] = Zone(zone_id, zone_id, ZoneKind.INCLUSION, name, Circle(*home, 100.0))


def _add_trip(made: TraceSet, name: str, fixes: Trace) -> None:
    seen = stretches(fixes.t_ms)
    good = fixes.acc_m <= GOOD_M
    if not seen or good.sum() < 10:
        return
    made.traces.append(part_of(fixes, name, np.ones(len(good), bool), seen))
    county = hull(fixes.lon[good], fixes.lat[good], 500.0)
    made.zones[f"area-{name}"] = Zone(f"area-{name}", name, ZoneKind.INCLUSION, name, county)
