"""A track (轨迹) as GeoJSON, GPX or CSV, written piece by piece so that a month's track needs no memory."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import msgspec

from corrections_monitor.api.tables import csv_line
from corrections_monitor.model.telemetry import Source
from corrections_monitor.model.times import format_time
from corrections_monitor.store.api_tracks import TrackFix

Chunks = AsyncIterator[Sequence[TrackFix]]


class TrackFormat(StrEnum):
    GEOJSON = "geojson"
    GPX = "gpx"
    CSV = "csv"


MEDIA_TYPES: Mapping[TrackFormat, str] = {
    TrackFormat.GEOJSON: "application/geo+json",
    TrackFormat.GPX: "application/gpx+xml",
    TrackFormat.CSV: "text/csv; charset=utf-8",
}

_COLUMNS = ("t", "arrived_at", "device_id", "lon", "lat", "acc", "spd", "hdg", "src")


def properties(fix: TrackFix, zone: ZoneInfo) -> dict[str, Any]:
    """A fix as it is told outside: times with offset, metres, m/s, degrees; absent is None."""
    return {
        "t": format_time(fix.t_ms, zone),
        "arrived_at": format_time(fix.arrival_ms, zone),
        "device_id": fix.device_id,
        "lon": fix.lon,
        "lat": fix.lat,
        "acc": _number(fix.acc_m),
        "spd": _number(fix.spd_mps),
        "hdg": _number(fix.hdg_deg),
        "src": Source(fix.src).name.lower(),
    }


def _number(value: float | None) -> float | None:
    # Stored as 4-byte floats: more digits than these are noise of the conversion.
    return None if value is None or math.isnan(value) else round(value, 2)


async def _geojson(chunks: Chunks, person_id: str, zone: ZoneInfo) -> AsyncIterator[str]:
    """A FeatureCollection of one Point per fix, in order of event time."""
    yield '{"type":"FeatureCollection","features":['
    separator = ""
    async for chunk in chunks:
        lines = []
        for fix in chunk:
            facts = properties(fix, zone) | {"person_id": person_id}
            point = {"type": "Point", "coordinates": [facts.pop("lon"), facts.pop("lat")]}
            feature = {"type": "Feature", "geometry": point, "properties": facts}
            lines.append(separator + msgspec.json.encode(feature).decode())
            separator = ",\n"
        yield "".join(lines)
    yield "]}\n"


async def _gpx(chunks: Chunks, person_id: str, zone: ZoneInfo) -> AsyncIterator[str]:
    """GPX 1.1 with one track of one segment."""
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gpx version="1.1" creator="corrections-monitor" xmlns="http://www.topografix.com/GPX/1/1">'
        f"<trk><name>{escape(person_id)}</name><trkseg>\n"
    )
    async for chunk in chunks:
        yield "".join(
            f'<trkpt lat="{fix.lat:.7f}" lon="{fix.lon:.7f}">'
            f"<time>{format_time(fix.t_ms, zone)}</time><src>{Source(fix.src).name.lower()}</src></trkpt>\n"
            for fix in chunk
        )
    yield "</trkseg></trk></gpx>\n"


async def _csv(chunks: Chunks, _person_id: str, zone: ZoneInfo) -> AsyncIterator[str]:
    yield csv_line(_COLUMNS)
    async for chunk in chunks:
        yield "".join(csv_line([properties(fix, zone)[c] for c in _COLUMNS]) for fix in chunk)


_WRITERS: Mapping[TrackFormat, Callable[[Chunks, str, ZoneInfo], AsyncIterator[str]]] = {
    TrackFormat.GEOJSON: _geojson,
    TrackFormat.GPX: _gpx,
    TrackFormat.CSV: _csv,
}


def write_track(kind: TrackFormat, chunks: Chunks, person_id: str, zone: ZoneInfo) -> AsyncIterator[str]:
    """The track as text in pieces; ``chunks`` are fixes in order of event time."""
    return _WRITERS[kind](chunks, person_id, zone)
