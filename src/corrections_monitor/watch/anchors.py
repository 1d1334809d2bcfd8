"""Anchors of the audit (审计锚点): once a day its head is noted outside the database.

Who owns the database can rewrite the whole chain so that it agrees with itself; it then no longer agrees with
what was noted.  The file stands in the state directory; its lines go to the log as well, and so to wherever
logs are sent.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

from corrections_monitor.model.times import DAY_MS
from corrections_monitor.store.audit import Anchor

log = logging.getLogger(__name__)

ANCHORS = "audit-anchors.ndjson"


class _Line(msgspec.Struct):
    at_ms: int
    seq: int
    hash: str


def is_due(folder: Path, now_ms: int) -> bool:
    """Whether the last note is a day old.  Raises OSError."""
    lines = _lines(folder)
    return not lines or now_ms - lines[-1].at_ms >= DAY_MS


def note(folder: Path, now_ms: int, head: Anchor) -> None:
    """Add a line.  Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(os.open(folder / ANCHORS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:
        out.write(msgspec.json.encode(_Line(now_ms, head.seq, head.hash)) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    log.info("audit anchor", extra={"seq": head.seq, "hash": head.hash})


def read_anchors(folder: Path) -> list[Anchor]:
    """All that were noted.  Raises OSError."""
    return [Anchor(line.seq, line.hash) for line in _lines(folder)]


def _lines(folder: Path) -> list[_Line]:
    try:
        text = (folder / ANCHORS).read_bytes()
    except FileNotFoundError:
        return []
    found = []
    for line in text.splitlines():
        try:
            found.append(msgspec.json.decode(line, type=_Line))
        except msgspec.DecodeError:
            log.warning("a line of %s cannot be read", ANCHORS)  # cut short by a power failure
    return found
