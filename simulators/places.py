"""Reads back from a case folder where the people of ``simulators.city`` live, work and must not go.

It goes by the names that ``simulators.city`` documents; of a folder written by somebody else it knows
only what the names happen to tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from corrections_monitor.model.cases import CaseSet, Circle, Device, Level, Zone, ZoneKind
from corrections_monitor.model.schedule import Schedule

Position = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Places:
    """One person's places; positions are (lon, lat), WGS-84 degrees."""

    person_id: str
    home: Position
    home_radius_m: float
    curfew: Schedule | None  # when the person must be at home; None: never
    work: Position | None
    forbidden: tuple[Zone, ...]  # to this person alone, to the offices above, to everyone
    county: Zone | None
    devices: tuple[Device, ...]


def read_places(cases: CaseSet) -> Iterator[Places]:
    """The places of everyone who has a home zone, protected persons included, by person_id."""
    devices: dict[str, list[Device]] = defaultdict(list)
    for device in cases.devices.values():
        devices[device.person_id].append(device)
    forbidden: dict[str, list[Zone]] = defaultdict(list)
    for zone in cases.zones.values():
        if zone.kind is ZoneKind.EXCLUSION:
            forbidden[zone.applies_to].append(zone)
    for person_id, person in sorted(cases.people.items()):
        home = cases.zones.get(f"home-{person_id}")
        if home is None or not isinstance(home.shape, Circle):
            continue
        above = cases.offices_up(person.office_id)
        county = next((o.office_id for o in above if o.level is Level.COUNTY), "")
        targets = [person_id, *(office.office_id for office in above), "*"]
        yield Places(
            person_id=person_id,
            home=(home.shape.lon, home.shape.lat),
            home_radius_m=home.shape.radius_m,
            curfew=home.schedule if home.applies_to else None,
            work=_centre(cases.zones.get(f"work-{person_id}")),
            forbidden=tuple(zone for target in targets for zone in forbidden.get(target, ())),
            county=cases.zones.get(f"county-{county}"),
            devices=tuple(sorted(devices[person_id], key=lambda device: device.device_id)),
        )


def _centre(zone: Zone | None) -> Position | None:
    if zone is None or not isinstance(zone.shape, Circle):
        return None
    return zone.shape.lon, zone.shape.lat
