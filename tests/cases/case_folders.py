"""A small sound case folder, and what ``read`` says when something in it is changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from corrections_monitor.cases import CaseFaults, read
from corrections_monitor.model.cases import CaseSet

ZONE = ZoneInfo("Asia/Shanghai")

SQUARE = [[122.0, 41.0], [122.1, 41.0], [122.1, 41.1], [122.0, 41.1], [122.0, 41.0]]

SOUND: Mapping[str, str] = {
    "offices.csv": (
        "office_id,parent_id,level,name,adcode,lon,lat\n"
        "city,,city,盘锦市司法局,211100,,\n"
        "county,city,county,盘山县司法局,211122,122.0,41.2\n"
        "station,county,station,太平司法所,,,\n"
        "station2,county,station,高升司法所,,,\n"
    ),
    "officers.csv": (
        "officer_id,office_id,name,role,username,channels\n"
        "o1,station,张伟,officer,zhang,mailto://a@b.c;json://h\n"
        "o2,county,王芳,supervisor,wang,\n"
    ),
    "duty.csv": "office_id,officer_id,from,to\nstation,o1,2026-03-01T08:30,2026-03-02T08:30\n",
    "holidays.csv": "date,kind\n2026-10-01,off\n2026-10-10,work\n",
    "people.csv": (
        "person_id,name,category,level,office_id,officer_id,from,to\n"
        "p1,李四,probation,strict,station,o1,2026-01-01,2027-01-01\n"
        "p2,赵六,parole,,station2,o1,2026-01-01,\n"
        "v1,孙某,protected,,station,o1,,\n"
    ),
    "devices.csv": (
        "device_id,kind,person_id,report_every_s,from,to\n"
        "b1,band,p1,30,2026-01-01,2026-06-30\n"
        "b1,band,p2,,2026-07-01,\n"
        "t1,phone,v1,,,\n"
    ),
    "orders.csv": (
        "order_id,person_id,ground,approved_by,approved_on,from,to,extends\n"
        "r1,p1,29.1,县局局长,2026-01-14,2026-01-15,2026-04-15,\n"
        "r2,p1,29.1,县局局长,2026-04-10,2026-04-16,2026-07-16,r1\n"
    ),
    "leaves.csv": (
        "leave_id,person_id,from,to,approved_by,zone_ids\nl1,p1,2026-02-01,2026-02-03,o1,home;work\n"
    ),
    "suspensions.csv": "person_id,from,to,reason\np1,2026-03-01,2026-03-05,住院\n",
    "contacts.csv": "person_id,protected_id,distance_m\np1,v1,200\n",
}


def feature(geometry: Any = None, **properties: Any) -> dict[str, Any]:
    """An inclusion zone for p1; None as a property takes it away."""
    zone = {"zone_id": "home", "name": "住处", "kind": "inclusion", "applies_to": "p1", **properties}
    return {
        "type": "Feature",
        "properties": {name: value for name, value in zone.items() if value is not None},
        "geometry": {"type": "Polygon", "coordinates": [SQUARE]} if geometry is None else geometry,
    }


def collection(*features: Any, **members: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features), **members})


def point(lon: Any, lat: Any) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


SOUND_ZONES = collection(feature(), feature(point(122.2, 41.2), zone_id="work", applies_to="", radius_m=150))


def write_folder(folder: Path, changes: Mapping[str, str | bytes | None] | None = None) -> Path:
    """The sound folder with files put in place of its own; None leaves a file out."""
    folder.mkdir(exist_ok=True)
    for name, content in {**SOUND, "zones.geojson": SOUND_ZONES, **(changes or {})}.items():
        if content is not None:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def told(folder: Path, base: CaseSet | None = None) -> list[str]:
    """What an importing clerk is told, line by line; nothing when all is well."""
    try:
        read(folder, ZONE, base)
    except CaseFaults as faults:
        return str(faults).split("\n")
    return []


def told_with(folder: Path, name: str, content: str | bytes | None) -> list[str]:
    return told(write_folder(folder, {name: content}))


def with_row(name: str, row: str) -> str:
    """The sound file with one more row."""
    return SOUND[name] + row + "\n"
