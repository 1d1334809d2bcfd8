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
from corrections_monitor.model.times import format_times
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


def told(fixes: Sequence[TrackFix], zone: ZoneInfo) -> list[Row]:
    """Fixes as they are told outside, in the order of ``_COLUMNS``: times with offset, metres, m/s, degrees;
    absent is None."""
    at = format_times([fix.t_ms for fix in fixes], zone)
    arrived = format_times([fix.arrival_ms for fix in fixes], zone)
    return [
        (
            t,
            arrived_at,
            fix.device_id,
            fix.lon,
            fix.lat,
            _number(fix.acc_m),
            _number(fix.spd_mps),
            _number(fix.hdg_deg),
            _SOURCES[fix.src],
        )
        for fix, t, arrived_at in zip(fixes, at, arrived, strict=True)
    ]


def facts(fixes: Sequence[TrackFix], zone: ZoneInfo) -> list[dict[str, Any]]:
    """The same by name."""
    return [dict(zip(_COLUMNS, row, strict=True)) for row in told(fixes, zone)]


_SOURCES = {int(source): source.name.lower() for source in Source}
Row = tuple[Any, ...]


def _number(value: float | None) -> float | None:
    # Stored as 4-byte floats: more digits than these are noise of the conversion.
    return None if value is None or math.isnan(value) else round(value, 2)


async def _geojson(chunks: Chunks, person_id: str, zone: ZoneInfo) -> AsyncIterator[str]:
    """A FeatureCollection of one Point per fix, in order of event time."""
    yield '{"type":"FeatureCollection","features":['
    separator = ""
    encode = msgspec.json.Encoder().encode
    async for chunk in chunks:
        lines = []
        for t, arrived_at, device_id, lon, lat, acc, spd, hdg, src in told(chunk, zone):
            known = {
                "t": t,
                "arrived_at": arrived_at,
                "device_id": device_id,
                "acc": acc,
                "spd": spd,
                "hdg": hdg,
                "src": src,
                "person_id": person_id,
            }
            point = {"type": "Point", "coordinates": (lon, lat)}
            lines.append(
                separator + encode({"type": "Feature", "geometry": point, "properties": known}).decode()
            )
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
            f'<trkpt lat="{lat:.7f}" lon="{lon:.7f}"><time>{t}</time><src>{src}</src></trkpt>\n'
            for t, _, _, lon, lat, _, _, _, src in told(chunk, zone)
        )
    yield "</trkseg></trk></gpx>\n"


async def _csv(chunks: Chunks, _person_id: str, zone: ZoneInfo) -> AsyncIterator[str]:
    yield csv_line(_COLUMNS)
    async for chunk in chunks:
        yield "".join(csv_line(row) for row in told(chunk, zone))


_WRITERS: Mapping[TrackFormat, Callable[[Chunks, str, ZoneInfo], AsyncIterator[str]]] = {
    TrackFormat.GEOJSON: _geojson,
    TrackFormat.GPX: _gpx,
    TrackFormat.CSV: _csv,
}


def write_track(kind: TrackFormat, chunks: Chunks, person_id: str, zone: ZoneInfo) -> AsyncIterator[str]:
    """The track as text in pieces; ``chunks`` are fixes in order of event time."""
    return _WRITERS[kind](chunks, person_id, zone)
