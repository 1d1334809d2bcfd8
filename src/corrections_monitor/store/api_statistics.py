"""Statistics (统计): offices side by side over a span of time, and the same day by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed

from corrections_monitor.model.episodes import Severity
from corrections_monitor.model.times import Interval
from corrections_monitor.store.api_rows import Row, RowConnection, jurisdiction
from corrections_monitor.store.pool import Store
from corrections_monitor.store.queries import query


@dataclass(frozen=True, slots=True)
class Statistics:
    """Rows by group (``answered``, ``silent``, ``people``: by ``group_id``; groups that had none are missing)
    and of the first group by civil day."""

    answered: Mapping[str, Row]
    silent: Mapping[str, Row]
    people: Mapping[str, int]
    days: list[Row]


async def read_statistics(
    store: Store, groups: Mapping[str, Sequence[str]], span: Interval, now_ms: int, zone: ZoneInfo
) -> Statistics:
    """``groups``: for each office that is compared, itself with all below it; the first is the whole."""
    whole = next(iter(groups))
    values = {
        "from_ms": span.from_ms,
        "to_ms": span.to_ms,
        "now_ms": now_ms,
        "zone": zone.key,
        "paging": int(Severity.MAJOR),
        **_members(groups),
    }
    async with jurisdiction(store, groups[whole]) as connection:
        answered = await _rows(connection, "by_office", values)
        silent = await _rows(connection, "silent", values)
        people = await _rows(connection, "people", values)
        days = await _rows(connection, "by_day", {**values, **_members({whole: groups[whole]})})
    return Statistics(
        {row["group_id"]: row for row in answered},
        {row["group_id"]: row for row in silent},
        {row["group_id"]: row["people"] for row in people},
        days,
    )


def _members(groups: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    pairs = [(office, group) for group, offices in groups.items() for office in offices]
    return {"offices": [office for office, _ in pairs], "groups": [group for _, group in pairs]}


async def _rows(connection: RowConnection, name: str, values: Mapping[str, object]) -> list[Row]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_statement(name), values)
        return await cursor.fetchall()


def _statement(name: str) -> Composed:
    parts = {part: SQL(query(f"api_statistics.{part}")) for part in ("member", "answered", "figures")}
    return SQL(query(f"api_statistics.{name}")).format(**parts)
