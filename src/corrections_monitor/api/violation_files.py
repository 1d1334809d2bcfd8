"""Violations as CSV and GeoJSON, written piece by piece so that a year's history needs no memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from corrections_monitor.api.render import Json
from corrections_monitor.api.tables import csv_line

COLUMNS = (
    "episode_id",
    "alert_id",
    "kind",
    "severity",
    "person_id",
    "person_name",
    "office_id",
    "subject",
    "zone_id",
    "started_at",
    "detected_at",
    "ended_at",
    "late",
    "state",
    "disposition",
    "minor",
    "reason",
)

Pieces = AsyncIterator[Sequence[Json]]


async def as_csv(pieces: Pieces) -> AsyncIterator[str]:
    """A header and one line per episode."""
    yield csv_line(COLUMNS)
    async for piece in pieces:
        yield "".join(csv_line([episode[column] for column in COLUMNS]) for episode in piece)


async def as_geojson(pieces: Pieces) -> AsyncIterator[str]:
    """One Feature per episode, where the first deciding fix lies; null when nothing says where."""
    yield '{"type":"FeatureCollection","features":['
    separator = "\n"
    async for piece in pieces:
        lines = []
        for episode in piece:
            feature = {
                "type": "Feature",
                "id": episode["episode_id"],
                "geometry": _place(episode.pop("evidence")),
                "properties": episode,
            }
            lines.append(separator + json.dumps(feature, ensure_ascii=False))
            separator = ",\n"
        yield "".join(lines)
    yield "\n]}\n"


def _place(evidence: Any) -> Json | None:
    match evidence:
        case {"fixes": [{"lon": lon, "lat": lat}, *_]}:
            return {"type": "Point", "coordinates": [lon, lat]}
    return None
