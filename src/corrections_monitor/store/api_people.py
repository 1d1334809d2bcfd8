"""People, and where and when they were last heard, as the API tells them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from corrections_monitor.model.times import DAY_MS, HOUR_MS, OPEN_START_MS
from corrections_monitor.store.api_rows import Row, RowConnection, jurisdiction, rows
from corrections_monitor.store.pool import Store

# Nearly everybody was heard within hours; only for the others is more of the history read.
_LOOK_BACK_MS = (6 * HOUR_MS, 3 * DAY_MS, 30 * DAY_MS)

_BELONGINGS = ("devices", "orders", "leaves", "suspensions", "contact_rules", "open_episodes")


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Whom to list; None filters nothing.

    ``name``: part of a name, or a whole person_id.  ``ordered_at_ms``: only those under order then.
    ``after_id``: the person_id after which the page begins.
    """

    offices: Collection[str]
    person_ids: tuple[str, ...] | None = None
    name: str | None = None
    categories: tuple[str, ...] = ()
    ordered_at_ms: int | None = None
    after_id: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person with the rows that belong to them, by table, and what was last heard."""

    person: Row
    belongings: dict[str, list[Row]]
    position: Row | None
    last_contact_ms: int | None


async def list_people(store: Store, wanted: PeopleFilter, now_ms: int) -> list[PersonRow]:
    """People by person_id."""
    async with jurisdiction(store, wanted.offices) as connection:
        people = await rows(
            connection,
            "api_people.list_people",
            offices=list(wanted.offices),
            person_ids=None if wanted.person_ids is None else list(wanted.person_ids),
            name=wanted.name,
            category=list(wanted.categories) or None,
            ordered_at_ms=wanted.ordered_at_ms,
            after_id=wanted.after_id,
            limit=wanted.limit,
        )
        ids = [p["person_id"] for p in people]
        belongings = {
            table: await rows(connection, f"api_people.{table}_of", person_ids=ids) for table in _BELONGINGS
        }
        positions = await newest_positions(connection, ids, now_ms)
        contacts = await _newest(connection, "api_people.newest_contacts", ids, now_ms)
    return [
        PersonRow(
            person,
            {
                t: [r for r in found if r["person_id"] == person["person_id"]]
                for t, found in belongings.items()
            },
            positions.get(person["person_id"]),
            contacts.get(person["person_id"], {}).get("arrival_ms"),
        )
        for person in people
    ]


def _of(person_id: str, found: list[Row]) -> list[Row]:
    return [row for row in found if row["person_id"] == person_id]


async def newest_positions(
    connection: RowConnection, person_ids: Sequence[str], now_ms: int
) -> dict[str, Row]:
    """The newest fix by person_id, of those who have one."""
    return await _newest(connection, "api_people.newest_positions", person_ids, now_ms)


async def positions_since(store: Store, offices: Collection[str], since_ms: int) -> list[Row]:
    """The newest fix of everyone of these offices of whom one arrived after ``since_ms``."""
    async with jurisdiction(store, offices) as connection:
        return await rows(connection, "api_people.positions_since", since_ms=since_ms)


async def _newest(
    connection: RowConnection, statement: str, person_ids: Sequence[str], now_ms: int
) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for since_ms in (*(now_ms - back for back in _LOOK_BACK_MS), OPEN_START_MS):
        missing = sorted(set(person_ids) - found.keys())
        if missing:
            for row in await rows(connection, statement, person_ids=missing, since_ms=since_ms):
                found[row["person_id"]] = row
    return found
