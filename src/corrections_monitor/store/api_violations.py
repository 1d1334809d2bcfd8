"""Violations (违规): episodes as history asks for them, filtered, sorted, paged by keyset, counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed

from corrections_monitor.model.times import OPEN_END_MS
from corrections_monitor.store.api_alerts import Filter, filter_values
from corrections_monitor.store.api_rows import Row, jurisdiction, one
from corrections_monitor.store.pool import Store
from corrections_monitor.store.queries import query

PIECE_EPISODES = 1_000
"""How many an export reads at a time."""


class Sort(StrEnum):
    """What the list is ordered by."""

    DETECTED = "detected"
    STARTED = "started"
    LASTED = "lasted"
    SEVERITY = "severity"
    PERSON = "person"
    OFFICE = "office"
    KIND = "kind"


class Group(StrEnum):
    """What episodes are counted by; the day is that of their beginning, in civil time."""

    DAY = "day"
    OFFICE = "office_id"
    KIND = "kind"
    SEVERITY = "severity"
    PERSON = "person_id"
    STATE = "state"
    DISPOSITION = "disposition"


Place = tuple[int | str, int, str]
"""(sort key, detected_ms, episode_id) of the last item of the page before."""

# What still lasts has lasted longest.
_KEYS: Mapping[Sort, tuple[SQL, type[int] | type[str]]] = {
    Sort.DETECTED: (SQL("e.detected_ms"), int),
    Sort.STARTED: (SQL("e.started_ms"), int),
    Sort.LASTED: (SQL("coalesce(e.ended_ms, %(open_end_ms)s::bigint) - e.started_ms"), int),
    Sort.SEVERITY: (SQL("e.severity"), int),
    Sort.PERSON: (SQL("e.person_id"), str),
    Sort.OFFICE: (SQL("e.office_id"), str),
    Sort.KIND: (SQL("e.kind"), str),
}
_GROUPS: Mapping[Group, SQL] = {
    Group.DAY: SQL("to_char(to_timestamp(e.started_ms / 1000) AT TIME ZONE %(zone)s, 'YYYY-MM-DD') AS day"),
    Group.OFFICE: SQL("e.office_id"),
    Group.KIND: SQL("e.kind"),
    Group.SEVERITY: SQL("e.severity"),
    Group.PERSON: SQL("e.person_id"),
    Group.STATE: SQL("a.state"),
    Group.DISPOSITION: SQL("a.disposition"),
}


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list: by what, and whether the greatest comes first."""

    sort: Sort = Sort.DETECTED
    descending: bool = True

    @property
    def key_type(self) -> type[int] | type[str]:
        """The type of ``sort_key``."""
        return _KEYS[self.sort][1]


NEWEST_FIRST = Order()


async def list_violations(
    store: Store, wanted: Filter, order: Order = NEWEST_FIRST, after: Place | None = None, limit: int = 100
) -> list[Row]:
    """Episodes in the order asked for; ``sort_key`` of the last one belongs in the next page's place."""
    key, kind = _KEYS[order.sort]
    # Comparing with a parameter of its own type is what lets an index be used.
    bound = SQL("%(after_key)s::bigint") if kind is int else SQL("%(after_key)s::text")
    statement = SQL(query("api_violations.list")).format(
        key=key,
        bound=bound,
        matching=SQL(query("api_violations.matching")),
        beyond=SQL("<" if order.descending else ">"),
        direction=SQL("DESC" if order.descending else "ASC"),
    )
    after_key, after_ms, after_id = after or (None, None, None)
    values = {"after_key": after_key, "after_ms": after_ms, "after_id": after_id, "limit": limit}
    return await _rows(store, wanted, statement, {**values, "open_end_ms": OPEN_END_MS})


async def all_violations(store: Store, wanted: Filter) -> AsyncIterator[Sequence[Row]]:
    """Every episode, newest detection first, in pieces; each is a transaction of its own, so that a slow
    reader holds none open."""
    after: Place | None = None
    while True:
        piece = await list_violations(store, wanted, NEWEST_FIRST, after, PIECE_EPISODES)
        if piece:
            yield piece
        if len(piece) < PIECE_EPISODES:
            return
        last = piece[-1]
        after = (last["detected_ms"], last["detected_ms"], last["episode_id"])


async def one_violation(store: Store, offices: frozenset[str], episode_id: str) -> Row | None:
    """The episode, if it belongs to the offices."""
    async with jurisdiction(store, offices) as connection:
        return await one(connection, "api_violations.one", offices=list(offices), episode_id=episode_id)


async def total_violations(store: Store, wanted: Filter) -> int:
    """How many episodes fit."""
    statement = SQL(query("api_violations.total")).format(matching=SQL(query("api_violations.matching")))
    return int((await _rows(store, wanted, statement, {}))[0]["episodes"])


async def count_violations(
    store: Store, wanted: Filter, groups: Sequence[Group], zone: ZoneInfo, limit: int
) -> list[Row]:
    """Per group, in order of the groups' values: ``episodes``, ``ongoing`` and ``people``."""
    statement = SQL(query("api_violations.counts")).format(
        groups=SQL(", ").join(_GROUPS[group] for group in groups),
        numbers=SQL(", ").join(_NUMBERS[: len(groups)]),
        matching=SQL(query("api_violations.matching")),
    )
    return await _rows(store, wanted, statement, {"zone": zone.key, "limit": limit})


_NUMBERS = (SQL("1"), SQL("2"), SQL("3"))


async def _rows(store: Store, wanted: Filter, statement: Composed, values: Mapping[str, object]) -> list[Row]:
    async with (
        jurisdiction(store, wanted.offices) as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        await cursor.execute(statement, {**filter_values(wanted), **values})
        return await cursor.fetchall()
