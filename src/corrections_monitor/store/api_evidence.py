"""Everything the evidence pack of one violation shows, read in one jurisdiction: as it was known then."""

from __future__ import annotations

from dataclasses import dataclass

from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.times import HOUR_MS, MINUTE_MS, Interval
from corrections_monitor.store import cases
from corrections_monitor.store.api_alerts import AlertHistory, history_of
from corrections_monitor.store.api_rows import Row, jurisdiction, one
from corrections_monitor.store.api_tracks import TrackFix, track_piece
from corrections_monitor.store.pool import Store

BEFORE_MS = AFTER_MS = 30 * MINUTE_MS
SPAN_MAX_MS = 24 * HOUR_MS
FIXES_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """``cases`` are as recorded when the violation was detected; ``fixes`` those within ``span``, the
    first ``FIXES_MAX`` of them; ``alert`` is the alert's row."""

    episode: Row
    alert: Row
    history: AlertHistory
    cases: CaseSet
    span: Interval
    fixes: list[TrackFix]


async def gather_evidence(
    store: Store, offices: frozenset[str], episode_id: str, now_ms: int
) -> Evidence | None:
    """None when the offices have no such episode, or none that made an alert."""
    async with jurisdiction(store, offices) as connection:
        episode = await one(connection, "api_violations.one", offices=list(offices), episode_id=episode_id)
        if episode is None:
            return None
        alert = await one(
            connection, "api_alerts.alerts_by_id", offices=list(offices), alert_ids=[episode["alert_id"]]
        )
        if alert is None:
            return None
        known, _ = await cases.load(connection, episode["detected_ms"])
        span = _around(episode, now_ms)
        fixes = await track_piece(connection, episode["person_id"], span, (span.from_ms, "", -1), FIXES_MAX)
        history = await history_of(connection, episode["alert_id"])
    return Evidence(episode, alert, history, known, span, fixes)


def _around(episode: Row, now_ms: int) -> Interval:
    """Half an hour before the beginning to half an hour after the end (or now), a day at most."""
    start_ms = episode["started_ms"] - BEFORE_MS
    end_ms = (episode["ended_ms"] or now_ms) + AFTER_MS
    return Interval(start_ms, min(max(end_ms, start_ms + 1), start_ms + SPAN_MAX_MS))
