"""What the rules decided, as rows: episodes and their log, alerts, pages into the outbox, the timeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from corrections_monitor.model.alerts import Alert, Line, Page
from corrections_monitor.store.queries import query

Connection = AsyncConnection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an alert's timeline: ``what`` happened (a short word), who did it, and details."""

    alert_id: str
    at_ms: int
    what: str
    who: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


class DecisionWrites:
    """The part of a ``Tx`` that stores what the rules decided.  Judging the same history again writes
    the same rows: episodes and alerts by their ids, pages by their unique key."""

    _connection: Connection

    async def write_lines(self, lines: Sequence[Line]) -> None:
        """Bring each line's episode up to date and log the line."""
        await self._many("put_episode", (_episode_row(line) for line in lines))
        await self._many("add_line", (_line_row(line) for line in lines))

    async def write_alerts(self, alerts: Sequence[Alert]) -> None:
        """Insert or update; an answer given meanwhile stands (see ``put_alert``).  Told on 'alerts'."""
        await self._many("put_alert", (_alert_row(alert) for alert in alerts))
        await self._tell("alerts", {alert.alert_id for alert in alerts})

    async def write_pages(self, pages: Sequence[tuple[Page, str, str]]) -> None:
        """Put (page, channel, address) into the outbox, once per unique key.  Told on 'pages'."""
        await self._many("put_page", (_page_row(*page) for page in pages))
        if pages:
            await self._tell("pages", {""})

    async def write_timeline(self, entries: Sequence[Entry]) -> None:
        """Append to the alerts' timelines; the alerts must be there."""
        await self._many("add_timeline", (_entry_row(entry) for entry in entries))

    async def _many(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        batch = list(rows)
        if batch:
            async with self._connection.cursor() as cursor:
                await cursor.executemany(query(f"decisions.{name}"), batch)

    async def _tell(self, channel: str, payloads: Iterable[str]) -> None:
        async with self._connection.cursor() as cursor:
            await cursor.executemany(query("decisions.tell"), [(channel, p) for p in sorted(payloads)])


def _episode_row(line: Line) -> dict[str, Any]:
    episode = line.episode
    return {
        "episode_id": episode.episode_id,
        "alert_id": line.alert_id,
        "kind": episode.kind.value,
        "person_id": episode.person_id,
        "office_id": episode.office_id,
        "subject": episode.subject,
        "zone_id": episode.zone_id,
        "started_ms": episode.started_ms,
        "detected_ms": episode.detected_ms,
        "ended_ms": episode.ended_ms,
        "severity": int(line.severity),
        "late": episode.late,
        "reason": episode.reason,
        "evidence": Jsonb(dict(episode.evidence)),
        "at_ms": line.at_ms,
    }


def _line_row(line: Line) -> dict[str, Any]:
    return {
        "episode_id": line.episode.episode_id,
        "change": line.change.value,
        "at_ms": line.at_ms,
        "severity": int(line.severity),
        "started_ms": line.episode.started_ms,
        "ended_ms": line.episode.ended_ms,
        "reason": line.episode.reason,
        "paged": Jsonb(list(line.paged)),
    }


def _alert_row(alert: Alert) -> dict[str, Any]:
    return {
        "alert_id": alert.alert_id,
        "person_id": alert.person_id,
        "office_id": alert.office_id,
        "cause": alert.cause.value,
        "subject": alert.subject,
        "state": alert.state.value,
        "severity": int(alert.severity),
        "opened_ms": alert.opened_ms,
        "updated_ms": alert.updated_ms,
        "reason": alert.reason,
        "late": alert.late,
        "round": alert.round,
        "step": alert.step,
        "step_due_ms": alert.step_due_ms,
        "round_started_ms": alert.round_started_ms,
        "leading_episode": alert.leading_episode,
        "kind": alert.kind.value,
        "round_why": alert.why.value,
        "round_why_who": alert.why_who,
        "drill": alert.drill,
    }


def _page_row(page: Page, channel: str, address: str) -> dict[str, Any]:
    return {
        "alert_id": page.alert_id,
        "round": page.round,
        "purpose": page.purpose.value,
        "step": page.step,
        "officer_id": page.officer_id,
        "channel": channel,
        "address": address,
        "severity": int(page.severity),
        "due_ms": page.due_ms,
        "turn": page.turn,
    }


def _entry_row(entry: Entry) -> dict[str, Any]:
    return {
        "alert_id": entry.alert_id,
        "at_ms": entry.at_ms,
        "what": entry.what,
        "who": entry.who,
        "detail": Jsonb(dict(entry.detail)),
    }
