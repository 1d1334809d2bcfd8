"""zones.geojson of the demonstration city, feature by feature."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from simulators.city_people import CityPeople
from simulators.panjin import COUNTIES, outline_features
from simulators.population import PLANE

WORKING_HOURS = [{"days": "Mo-Fr", "from": "09:00", "to": "16:30"}]
WORK_RADIUS_M = 150.0
VISIT_RADIUS_M = 6_000.0

_CORNERS = 8
_SITE_SPAN_M = (100.0, 300.0)  # across

# Where people travel to, by the middle of the town: 营口, 锦州, 鞍山, 沈阳.
_DESTINATIONS = (
    ("营口市", 122.2352, 40.6674),
    ("锦州市", 121.1270, 41.0951),
    ("鞍山市", 122.9946, 41.1087),
    ("沈阳市", 123.4315, 41.8057),
)

Feature = dict[str, Any]


def zone_features(
    people: CityPeople, curfews: Sequence[list[dict[str, str]]], rng: np.random.Generator
) -> Iterator[Feature]:
    """All zones; ``curfews`` are the schedules that people's homes may have."""
    yield from _county_zones(people, rng)
    for index in range(len(people.population)):
        yield from _person_zones(people, index, curfews, rng)
    for turn, index in enumerate(people.on_leave()):
        name, lon, lat = _DESTINATIONS[turn % len(_DESTINATIONS)]
        person = people.id(index)
        yield _circle(f"visit-{person}", f"请假目的地 {name}", "", (lon, lat), VISIT_RADIUS_M)
    for number, (_, _, x, y) in enumerate(people.protected):
        person = people.protected_id(number)
        yield _circle(f"home-{person}", f"{person} 住处", "", _degrees(x, y), 100)


def _county_zones(people: CityPeople, rng: np.random.Generator) -> Iterator[Feature]:
    for county, name in COUNTIES.items():
        yield {
            "type": "Feature",
            "properties": _properties(f"county-{county}", f"{name}辖区", "inclusion", county),
            "geometry": outline_features()[county],
        }
        for number, (x, y) in enumerate(people.ground.sites[county].tolist(), start=1):
            zone_name = f"{name}第{number}中学"
            yield _block(f"site-{county}-{number}", zone_name, county, (x, y), rng)


def _person_zones(
    people: CityPeople, index: int, curfews: Sequence[list[dict[str, str]]], rng: np.random.Generator
) -> Iterator[Feature]:
    drawn, person = people.population, people.id(index)
    home = _degrees(drawn.home_x[index], drawn.home_y[index])
    home_radius_m = int(drawn.home_radius_m[index])
    curfew = int(drawn.curfew[index])
    home_id, home_name = f"home-{person}", f"{person} 住处"
    if curfew >= 0:
        yield _circle(home_id, home_name, person, home, home_radius_m, schedule=curfews[curfew])
    else:
        yield _circle(home_id, home_name, "", home, home_radius_m)
    if drawn.works[index]:
        work = _degrees(drawn.work_x[index], drawn.work_y[index])
        bound: dict[str, Any] = {}
        if drawn.day_bound[index]:
            bound = {"group": f"day-{person}", "schedule": WORKING_HOURS}
            day_name = f"{person} 住处（日间）"
            yield _circle(f"dayhome-{person}", day_name, person, home, home_radius_m, **bound)
        yield _circle(
            f"work-{person}", f"{person} 工作单位", person if bound else "", work, WORK_RADIUS_M, **bound
        )
    for number, (x, y) in enumerate(drawn.forbidden[index].tolist(), start=1):
        if not math.isnan(x):
            name = f"{person} 禁止进入场所{number}"
            yield _block(f"forbid-{person}-{number}", name, person, (x, y), rng)


def _properties(zone_id: str, name: str, kind: str, applies_to: str, **more: Any) -> dict[str, Any]:
    return {"zone_id": zone_id, "name": name, "kind": kind, "applies_to": applies_to, **more}


def _circle(
    zone_id: str, name: str, applies_to: str, centre: tuple[float, float], radius_m: float, **more: Any
) -> Feature:
    """An inclusion zone round a (lon, lat)."""
    return {
        "type": "Feature",
        "properties": _properties(zone_id, name, "inclusion", applies_to, radius_m=radius_m, **more),
        "geometry": {"type": "Point", "coordinates": list(centre)},
    }


def _block(
    zone_id: str, name: str, applies_to: str, centre: tuple[float, float], rng: np.random.Generator
) -> Feature:
    """An exclusion zone: an uneven block round a point in metres, 100 to 300 m across."""
    x, y = centre
    turn, low, high = rng.uniform(0, 2 * math.pi), *(span / 2 for span in _SITE_SPAN_M)
    ring = [
        list(_degrees(x + r * math.cos(turn + a), y + r * math.sin(turn + a)))
        for r, a in zip(
            rng.uniform(low, high, size=_CORNERS).tolist(),
            np.linspace(0, 2 * math.pi, _CORNERS, endpoint=False).tolist(),
            strict=True,
        )
    ]
    return {
        "type": "Feature",
        "properties": _properties(zone_id, name, "exclusion", applies_to),
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
    }


def _degrees(x: float, y: float) -> tuple[float, float]:
    """Metres of PLANE to lon, lat to a tenth of a metre."""
    lon, lat = PLANE.lonlat(float(x), float(y))
    return round(lon, 6), round(lat, 6)
