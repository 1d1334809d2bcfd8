"""Alerts and episodes as the API tells them: lists by keyset, one alert with everything about it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from corrections_monitor.model.times import ALWAYS, Interval
from corrections_monitor.store.answers import AnswerResult, Given, answer
from corrections_monitor.store.api_people import newest_positions
from corrections_monitor.store.api_rows import Row, RowConnection, jurisdiction, rows
from corrections_monitor.store.pool import Store
from corrections_monitor.store.receipts import mark_read


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the alerts or episodes is asked for; an empty tuple filters nothing.

    ``offices`` is every office whose rows are wanted (not their roots).  ``after`` is the (time, id) of
    the last item of the page before.  ``text``: part of a reason, a note or a name, whatever its case, or
    a person_id.
    """

    offices: Collection[str]
    states: tuple[str, ...] = ()
    person_id: str | None = None
    kinds: tuple[str, ...] = ()
    severities: tuple[int, ...] = ()
    dispositions: tuple[str, ...] = ()
    text: str | None = None
    interval: Interval = field(default=ALWAYS)
    after: tuple[int, str] | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert with its episodes, oldest first, and the person's newest position (None: unknown)."""

    alert: Row
    episodes: list[Row]
    position: Row | None


@dataclass(frozen=True, slots=True)
class AlertHistory:
    """Everything that happened about an alert, each in order of time."""

    timeline: list[Row]
    lines: list[Row]
    pages: list[Row]


async def list_alerts(store: Store, wanted: Filter, now_ms: int) -> list[AlertRow]:
    """Alerts newest first, by (opened_ms, alert_id) descending."""
    after_ms, after_id = wanted.after or (None, None)
    after = {"after_ms": after_ms, "after_id": after_id, "limit": wanted.limit}
    async with jurisdiction(store, wanted.offices) as connection:
        found = await rows(connection, "api_alerts.list_alerts", **filter_values(wanted), **after)
        return await _completed(connection, found, now_ms)


async def alerts_by_id(
    store: Store, offices: Collection[str], alert_ids: Sequence[str], now_ms: int
) -> list[AlertRow]:
    """Those of the alerts that belong to the offices."""
    async with jurisdiction(store, offices) as connection:
        found = await rows(
            connection, "api_alerts.alerts_by_id", offices=list(offices), alert_ids=list(alert_ids)
        )
        return await _completed(connection, found, now_ms)


async def alert_history(store: Store, offices: Collection[str], alert_id: str) -> AlertHistory:
    """What happened about an alert: empty lists for one outside the offices."""
    async with jurisdiction(store, offices) as connection:
        return await history_of(connection, alert_id)


async def opened_alert(
    store: Store, offices: Collection[str], alert_id: str, officer_id: str, at_ms: int
) -> None:
    """An officer looks at an alert: what was sent him of it is read."""
    async with jurisdiction(store, offices) as connection:
        await mark_read(connection, alert_id, officer_id, at_ms, "console")


async def history_of(connection: RowConnection, alert_id: str) -> AlertHistory:
    """As ``alert_history``, in a transaction under way."""
    return AlertHistory(
        await rows(connection, "api_alerts.timeline_of_alert", alert_id=alert_id),
        await rows(connection, "api_alerts.lines_of_alert", alert_id=alert_id),
        await rows(connection, "api_alerts.pages_of_alert", alert_id=alert_id),
    )


async def answer_alert(store: Store, offices: Collection[str], alert_id: str, given: Given) -> AnswerResult:
    """Answer an alert of these offices; ``state`` None: there is none."""
    async with jurisdiction(store, offices) as connection:
        return await answer(connection, alert_id, given)


def filter_values(wanted: Filter) -> dict[str, object]:
    """What the statements call the filter's values; a None filters nothing."""
    return {
        "offices": list(wanted.offices),
        "states": list(wanted.states) or None,
        "person_id": wanted.person_id,
        "kinds": list(wanted.kinds) or None,
        "severities": list(wanted.severities) or None,
        "dispositions": list(wanted.dispositions) or None,
        "text": wanted.text.lower() if wanted.text else None,
        "from_ms": wanted.interval.from_ms,
        "to_ms": wanted.interval.to_ms,
    }


async def _completed(connection: RowConnection, alerts: list[Row], now_ms: int) -> list[AlertRow]:
    alert_ids = [a["alert_id"] for a in alerts]
    episodes = await rows(connection, "api_alerts.episodes_of_alerts", alert_ids=alert_ids)
    positions = await newest_positions(connection, [a["person_id"] for a in alerts if a["person_id"]], now_ms)
    return [
        AlertRow(
            alert,
            [e for e in episodes if e["alert_id"] == alert["alert_id"]],
            positions.get(alert["person_id"]),
        )
        for alert in alerts
    ]
