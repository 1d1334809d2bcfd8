"""Real traces as a case folder and recording: nothing lost, nothing out of its order, injections true."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from shapely.geometry import Polygon
from sim_town import ZONE

from corrections_monitor import cases as case_folder
from corrections_monitor.model.cases import Area, Circle
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import parse_time
from simulators.geo import plane_at
from simulators.trace_injection import SHOWN, WALKED, inject
from simulators.trace_sets import TraceSet
from simulators.traces import load

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "trajectories"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA}: the external traces are not here")
START_MS = parse_time("2026-01-05", ZONE)


@pytest.fixture(scope="module", params=["mobilitynet", "odc"])
def traces(request: pytest.FixtureRequest) -> TraceSet:
    return load(request.param, DATA, START_MS, ZONE)


def test_rows_arrive_in_order_as_late_as_they_were(traces: TraceSet) -> None:
    rows = traces.rows()
    arrivals = [r.arrival_ms for r in rows]
    assert arrivals == sorted(arrivals)
    fixes = [(r.arrival_ms, f["t"]) for r in rows for f in json.loads(r.payload).get("fixes", ())]
    watched = sum(any(s.holds(int(t)) for s in x.stretches) for x in traces.traces for t in x.t_ms)
    assert len(fixes) == watched
    assert max(at - t for at, t in fixes) > 60_000
    assert any(b < a for (_, a), (_, b) in itertools.pairwise(fixes))


def test_the_folder_can_be_read_back(traces: TraceSet, tmp_path: Path) -> None:
    case_folder.write(traces.cases(), tmp_path, ZONE)
    assert case_folder.read(tmp_path, ZONE).people.keys() == {t.person_id for t in traces.traces}


def test_good_fixes_keep_to_the_zones_drawn_around_them(traces: TraceSet) -> None:
    """The standing zones hold nearly every good fix: who is judged to be outside is judged wrongly."""
    for trace in traces.traces:
        good = trace.acc_m <= 20
        for zone in traces.zones.values():
            if zone.applies_to != trace.person_id or not zone.schedule.always or not good.any():
                continue
            lon, lat = trace.lon[good], trace.lat[good]
            if isinstance(zone.shape, Area):
                inside = shapely.contains_xy(Polygon(zone.shape.polygons[0][0]), lon, lat)
            else:
                assert isinstance(zone.shape, Circle)
                plane = plane_at(zone.shape.lat)
                east = (lon - zone.shape.lon) * plane.metres_per_lon
                north = (lat - zone.shape.lat) * plane.metres_per_lat
                inside = np.hypot(east, north) < zone.shape.radius_m
            held = inside.mean() if zone.kind == "inclusion" else 1 - inside.mean()
            assert held > 0.9, (zone.zone_id, held)


def test_injected_exits_are_seen_in_the_rows(traces: TraceSet) -> None:
    traces = TraceSet(traces.traces, traces.zones)  # the injection is this test's own
    wanted = dict.fromkeys((*WALKED, *SHOWN), 1)
    truths = inject(traces, ZONE, wanted, seed=1)
    assert {t.kind for t in truths} >= {Kind.ZONE_EXIT, Kind.STRAP_CUT}
    assert len({t.person_id for t in truths}) >= 4
    rows = traces.rows()
    for truth in (t for t in truths if t.kind == Kind.ZONE_EXIT):
        assert truth.to_ms is not None
        assert truth.to_ms - truth.from_ms >= 600_000
        fixes = [
            f["t"]
            for r in rows
            if r.device_id == f"phone-{truth.person_id}"
            for f in json.loads(r.payload)["fixes"]
            if truth.from_ms <= f["t"] < truth.to_ms
        ]
        assert len(fixes) >= (truth.to_ms - truth.from_ms) / 60_000 - 1
    for truth in (t for t in truths if t.kind == Kind.SILENCE_DEVICE):
        devices = {f"{kind}-{truth.person_id}" for kind in ("band", "phone")}
        assert truth.to_ms is not None
        assert not any(r.device_id in devices and truth.from_ms < r.arrival_ms < truth.to_ms for r in rows)
