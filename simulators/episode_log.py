"""Reading what a replay wrote, and the truth it is compared with.  Formats: CONTRACT §4."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from corrections_monitor.model.episodes import Severity
from corrections_monitor.model.times import OPEN_END_MS, parse_time
from simulators.recording import open_text
from simulators.truth import Truth


class Unreadable(ValueError):
    """A file's line that cannot be used: ``file:line: field: what is wrong``."""


@dataclass
class Found:
    """One episode as its last line left it, and how often it paged anew."""

    kind: str
    person_id: str
    zone_id: str | None
    from_ms: int
    to_ms: int
    detected_ms: int
    severity: int = -1
    pagings: int = 0


def read_truth(path: Path, zone: ZoneInfo) -> list[Truth]:
    """The truths of a file.  Raises Unreadable."""
    return [
        Truth(
            _text(row, "person_id", where),
            _text(row, "kind", where),
            row.get("zone_id") or None,
            time_of(row, "from", zone, where),
            time_of(row, "to", zone, where) if row.get("to") not in (None, "") else None,
        )
        for where, row in objects(path)
    ]


def read_episodes(path: Path, zone: ZoneInfo) -> tuple[list[Found], list[int]]:
    """The episodes of a replay, and the instants of its lines.  Lines of other events are passed over.
    Raises Unreadable."""
    episodes: dict[str, Found] = {}
    instants: list[int] = []
    for where, row in objects(path):
        if row.get("event") not in ("opened", "updated", "closed"):
            continue
        name = _text(row, "episode_id", where)
        seen = episodes.get(name)
        now = Found(
            _text(row, "kind", where),
            row.get("person_id") or "",
            row.get("zone_id") or None,
            time_of(row, "started_at", zone, where),
            time_of(row, "ended_at", zone, where) if row.get("ended_at") else OPEN_END_MS,
            time_of(row, "detected_at", zone, where),
            _severity(row, where),
            seen.pagings if seen else 0,
        )
        now.pagings += bool(row.get("paged")) and (seen is None or now.severity > seen.severity)
        episodes[name] = now
        instants.append(time_of(row, "at", zone, where))
    return list(episodes.values()), instants


def objects(path: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    """The JSON objects of a file with where they stand (``file:line``).  Raises Unreadable."""
    with open_text(path, "r") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:
                raise Unreadable(f"{path}:{number}: not JSON") from None
            if isinstance(row, dict):
                yield f"{path}:{number}", row


def _text(row: dict[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise Unreadable(f"{where}: {name}: expected text, not {value!r}")
    return value


def time_of(row: dict[str, Any], name: str, zone: ZoneInfo, where: str) -> int:
    """A field as epoch ms.  Raises Unreadable."""
    value = row.get(name)
    try:
        if isinstance(value, str | int):
            return parse_time(value, zone)
    except ValueError as error:
        raise Unreadable(f"{where}: {name}: {error}") from None
    raise Unreadable(f"{where}: {name}: expected a time, not {value!r}")


def _severity(row: dict[str, Any], where: str) -> int:
    try:
        return int(Severity[str(row.get("severity")).upper()])
    except KeyError:
        raise Unreadable(f"{where}: severity: {row.get('severity')!r} is no severity") from None
