"""What waits for somebody: unanswered alerts, pages not handed over, the quarantine's size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from corrections_monitor.store.api_rows import one, rows
from corrections_monitor.store.pool import EVERYTHING, Store

OVERDUE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Situation:
    """``unanswered``: per severity how many alerts are open, and when the oldest was opened (epoch ms);
    ``pages_overdue``: pages not handed over a minute after they were due."""

    unanswered: Mapping[int, tuple[int, int | None]]
    pages_due: int
    pages_overdue: int
    oldest_page_ms: int | None
    quarantined: int


async def situation(store: Store, now_ms: int) -> Situation:
    """How it stands at ``now_ms``."""
    async with store.seeing(EVERYTHING) as connection:
        alerts = await rows(connection, "situation.unanswered")
        pages = await one(connection, "situation.pages", now_ms=now_ms, overdue_ms=now_ms - OVERDUE_MS)
        quarantine = await one(connection, "situation.quarantine")
    assert pages is not None
    assert quarantine is not None
    return Situation(
        {int(r["severity"]): (int(r["count"]), r["oldest_ms"]) for r in alerts},
        int(pages["due"]),
        int(pages["overdue"]),
        pages["oldest_ms"],
        int(quarantine["count"]),
    )
