"""The simulators' own measure of the ground, and truth for zones compared together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from shapely.geometry import box
from sim_town import START_MS, ZONE, town

from corrections_monitor.model.cases import Circle, Corridor, Zone, ZoneKind
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.schedule import Calendar, parse_schedule
from corrections_monitor.model.times import HOUR_MS, Interval
from simulators.demands import bound_runs, subjects
from simulators.geo import Atlas, Plane, inner, middle, plane_at, zone_region
from simulators.paths import Path
from simulators.truth import Judge


def test_a_degree_has_its_known_length() -> None:
    """WGS-84 at 45 degrees: 111.132 km north, 78.847 km east."""
    plane = Plane(45.0)
    assert plane.metres_per_lat == pytest.approx(111_132, abs=1)
    assert plane.metres_per_lon == pytest.approx(78_847, abs=1)


def test_buffers_and_widths_are_metres() -> None:
    circle = Zone("c", "c", ZoneKind.INCLUSION, "*", Circle(122.0, 41.0, 100.0), buffer_m=20.0)
    assert zone_region(circle, plane_at(41.0)).area == pytest.approx(np.pi * 120**2, rel=1e-3)
    line = Corridor(((122.0, 41.0), (122.0, 41.1)), 60.0)
    road = zone_region(Zone("r", "r", ZoneKind.INCLUSION, "*", line), plane_at(41.0))
    west, south, east, north = road.bounds
    assert east - west == pytest.approx(60, abs=0.1)
    assert north - south == pytest.approx(11_105 + 60, abs=10)


def test_well_inside_is_as_far_from_the_border_as_there_is_room() -> None:
    wide, narrow = box(0, 0, 10_000, 10_000), box(0, 0, 100, 100)
    assert inner(wide).bounds[0] == pytest.approx(300)
    assert 1 < inner(narrow).bounds[0] < 50
    ring = box(0, 0, 100, 100).difference(box(10, 10, 90, 90))
    assert ring.contains(middle(ring))


def test_in_a_group_only_the_members_that_hold_will_do() -> None:
    """Mornings at one place, afternoons at another: who stays at the first breaks the second's hours."""
    cases = town(1)
    hours = {"am": ("08:00", "12:00"), "pm": ("12:00", "18:00")}
    zones = {
        name: Zone(
            name,
            name,
            ZoneKind.INCLUSION,
            "p000",
            Circle(122.0 + 0.05 * (name == "pm"), 41.1, 200.0),
            group="day",
            schedule=parse_schedule([{"days": "Mo-Su", "from": start, "to": end}]),
        )
        for name, (start, end) in hours.items()
    }
    cases = replace(cases, zones=zones)
    subject = next(s for s in subjects(cases) if s.person_id == "p000")
    span = Interval(START_MS, START_MS + 12 * HOUR_MS)
    stays = np.array([span.from_ms, span.to_ms])
    path = Path(stays, np.full(2, 122.0), np.full(2, 41.1), np.ones(1, bool))
    truths = Judge(Atlas(zones), Calendar(ZONE), {}).place(subject, path, span, plane_at(41.1))
    noon, evening = START_MS + 4 * HOUR_MS, START_MS + 10 * HOUR_MS
    assert [(t.kind, t.zone_id, t.from_ms, t.to_ms) for t in truths] == [(Kind.CURFEW, "pm", noon, evening)]
    (run,) = bound_runs(subject, Calendar(ZONE), span)
    assert (run.from_ms, run.to_ms) == (START_MS, evening)
