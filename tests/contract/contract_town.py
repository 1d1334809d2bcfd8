"""A small town as a case folder, and what its devices send: written by hand, in the contract's words.

One city, one county, one station; on call at each of them one officer.  ``P-1`` … are added by a test.  The
middle of the town is (0, 0); places are metres east and north of it.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

LON, LAT = 122.07, 41.12
METRE_NORTH = 1 / 111_070
METRE_EAST = 1 / (111_320 * math.cos(math.radians(LAT)))
HOME = (0.0, 0.0)
Row = dict[str, str]
Place = tuple[float, float]

COLUMNS = {
    "offices.csv": "office_id parent_id level name adcode lon lat",
    "officers.csv": "officer_id office_id name role username channels",
    "duty.csv": "office_id officer_id from to",
    "holidays.csv": "date kind",
    "people.csv": "person_id name category level office_id officer_id from to",
    "devices.csv": "device_id kind person_id report_every_s from to",
    "orders.csv": "order_id person_id ground approved_by approved_on from to extends",
    "leaves.csv": "leave_id person_id from to approved_by zone_ids",
    "suspensions.csv": "person_id from to reason",
    "contacts.csv": "person_id protected_id distance_m",
}


def time(text: str) -> datetime:
    """``"2026-06-01 10:00"``: civil time of the town."""
    return datetime.fromisoformat(text + "+08:00")


START = time("2026-06-01 10:00")  # a Monday


def later(minutes: float = 0, seconds: float = 0) -> datetime:
    """So long after :data:`START`."""
    return START + timedelta(minutes=minutes, seconds=seconds)


def lonlat(place: Place) -> tuple[float, float]:
    return round(LON + place[0] * METRE_EAST, 7), round(LAT + place[1] * METRE_NORTH, 7)


def square(side: float, middle: Place = HOME) -> dict[str, Any]:
    x, y, h = *middle, side / 2
    ring = [(x - h, y - h), (x + h, y - h), (x + h, y + h), (x - h, y + h), (x - h, y - h)]
    return {"type": "Polygon", "coordinates": [[list(lonlat(p)) for p in ring]]}


class Town:
    """A case folder in the making."""

    def __init__(self) -> None:
        self.files: dict[str, list[Row]] = {name: [] for name in COLUMNS}
        self.zones: list[dict[str, Any]] = []
        for office, parent, level in (("C", "", "city"), ("K", "C", "county"), ("S", "K", "station")):
            self.add("offices.csv", office_id=office, parent_id=parent, level=level, name=f"{office}局")
        for officer, office, role in (
            ("own", "S", "officer"), ("s-duty", "S", "officer"), ("s-chief", "S", "chief"),
            ("k-duty", "K", "officer"), ("k-sup", "K", "supervisor"),
            ("c-duty", "C", "officer"), ("c-sup", "C", "supervisor"), ("admin", "C", "admin"),
        ):  # fmt: skip
            self.add(
                "officers.csv",
                officer_id=officer,
                office_id=office,
                name=officer,
                role=role,
                username=officer,
            )
        for office, officer in (("S", "s-duty"), ("K", "k-duty"), ("C", "c-duty")):
            self.add("duty.csv", office_id=office, officer_id=officer, **{"from": "2026-01-01", "to": ""})

    def add(self, file: str, **row: str | float) -> Row:
        columns = COLUMNS[file].split()
        assert set(row) <= set(columns)
        self.files[file].append({column: str(row.get(column, "")) for column in columns})
        return self.files[file][-1]

    def person(
        self,
        name: str = "P-1",
        *,
        device: str | None = "",
        every: int | str = 60,
        order: bool = True,
        **row: str,
    ) -> None:
        """Someone of the station with an order and a band ``D-…`` (``device=None``: without)."""
        number = name.removeprefix("P-")
        fields = {"category": "probation", "level": "normal", "office_id": "S", "officer_id": "own"}
        self.add("people.csv", person_id=name, name=f"张{number}", **fields | {"from": "2026-01-01"} | row)
        if order:
            self.add(
                "orders.csv", order_id=f"O-{number}", person_id=name, ground="29.2", approved_by="局长",
                approved_on="2026-05-01", **{"from": "2026-05-01", "to": "2026-07-31"},
            )  # fmt: skip
        if device is not None:
            self.device(device or f"D-{number}", name, every=every)

    def device(self, device: str, person: str, kind: str = "band", every: int | str = 60, **row: str) -> None:
        dates = {"from": "2026-05-01", "to": ""} | row
        self.add("devices.csv", device_id=device, kind=kind, person_id=person, report_every_s=every, **dates)

    def zone(
        self,
        zone_id: str,
        geometry: Mapping[str, Any] | None,
        kind: str = "inclusion",
        applies_to: str = "P-1",
        **properties: Any,
    ) -> None:
        named = {"zone_id": zone_id, "name": zone_id, "kind": kind, "applies_to": applies_to}
        self.zones.append({"type": "Feature", "properties": named | properties, "geometry": geometry})

    def write(self, folder: Path) -> Path:
        """The folder, with only the files that have rows."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self.files.items():
            if rows or name in ("people.csv", "devices.csv", "orders.csv"):
                table = io.StringIO()
                writer = csv.DictWriter(table, COLUMNS[name].split(), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
                (folder / name).write_text(table.getvalue(), "utf-8")
        if self.zones:
            collection = {"type": "FeatureCollection", "features": self.zones}
            (folder / "zones.geojson").write_text(json.dumps(collection, ensure_ascii=False), "utf-8")
        return folder


def town_with_home(side: float = 400, **zone: Any) -> Town:
    """P-1 with the band D-1, who must stay within a square of ``side`` metres."""
    town = Town()
    town.person()
    town.zone("home", square(side), **zone)
    return town


class Recording:
    """Messages in order of arrival; each arrives a second after it was made unless said otherwise."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def send(self, topic: str, payload: Any, at: datetime) -> None:
        self.lines.append({"at": at.isoformat(), "topic": topic, "payload": payload})

    def fix(
        self,
        when: datetime,
        place: Place = HOME,
        device: str = "D-1",
        at: datetime | None = None,
        **more: Any,
    ) -> None:
        """One fix; ``seq``, ``crs`` and ``bat`` belong to the message, the rest to the fix."""
        lon, lat = lonlat(place)
        message = {name: more.pop(name) for name in ("seq", "crs", "bat") if name in more}
        fix = {"t": int(when.timestamp() * 1000), "lon": lon, "lat": lat, "acc": 8, "src": "gnss"} | more
        self.send(f"cm/v1/211102/{device}/fix", message | {"fixes": [fix]}, at or when + timedelta(seconds=1))

    def stay(
        self, start: datetime, end: datetime, place: Place = HOME, device: str = "D-1", every: float = 60,
        **more: Any,
    ) -> None:  # fmt: skip
        """A fix every so many seconds from ``start`` inclusive to ``end`` exclusive."""
        when = start
        while when < end:
            self.fix(when, place, device, **more)
            when += timedelta(seconds=every)

    def band(
        self, when: datetime, ev: str, device: str = "D-1", at: datetime | None = None, **more: Any
    ) -> None:
        payload = {"t": int(when.timestamp() * 1000), "ev": ev} | more
        self.send(f"cm/v1/211102/{device}/band", payload, at or when + timedelta(seconds=1))

    def status(self, when: datetime, online: bool, device: str = "D-1", at: datetime | None = None) -> None:
        payload = {"online": online, "t": int(when.timestamp() * 1000)}
        self.send(f"cm/v1/211102/{device}/status", payload, at or when + timedelta(seconds=1))

    def text(self) -> str:
        lines = sorted(self.lines, key=lambda line: datetime.fromisoformat(line["at"]))
        return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)

    def write(self, file: Path) -> Path:
        data = self.text().encode()
        file.write_bytes(gzip.compress(data) if file.suffix == ".gz" else data)
        return file


class Story(list[dict[str, Any]]):
    """The lines of a replay."""

    def of(self, person: str | None = None, kind: str | None = None, event: str | None = None) -> Story:
        return Story(
            line
            for line in self
            if (person is None or line["person_id"] == person)
            and (kind is None or line["kind"] == kind)
            and (event is None or line["event"] == event)
        )

    def told(self, *events: str) -> list[tuple[str, str]]:
        """(event, kind) of every line, or of those events."""
        return [(line["event"], line["kind"]) for line in self if not events or line["event"] in events]

    @property
    def only(self) -> dict[str, Any]:
        assert len(self) == 1, [*self]
        return self[0]


def seconds(a: str, b: str | datetime) -> float:
    """From ``b`` to ``a``, in seconds."""
    other = datetime.fromisoformat(b) if isinstance(b, str) else b
    return (datetime.fromisoformat(a) - other).total_seconds()


def read(file: Path) -> Story:
    return Story(json.loads(line) for line in file.read_text("utf-8").splitlines())


def columns(rows: Iterable[Mapping[str, Any]], *names: str) -> list[Sequence[Any]]:
    return [tuple(row[name] for name in names) for row in rows]
