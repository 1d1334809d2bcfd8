"""Rows for the API's answers: dicts by column name, read within the asker's jurisdiction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, Error, OperationalError
from psycopg.rows import dict_row

from corrections_monitor.store.pool import Store
from corrections_monitor.store.queries import query

Away = OperationalError
"""What every read and write raises while the database cannot be reached."""

DatabaseFault = Error
"""What any fault of the database is raised as, a refusal as much as an absence."""

Row = dict[str, Any]
RowConnection = AsyncConnection[tuple[Any, ...]]


@asynccontextmanager
async def jurisdiction(store: Store, offices: Collection[str]) -> AsyncIterator[RowConnection]:
    """One transaction that sees these offices with all below them."""
    async with store.seeing(offices) as connection:
        yield connection


async def rows(connection: RowConnection, statement: str, **values: Any) -> list[Row]:
    """All rows of the named statement."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query(statement), values)
        return await cursor.fetchall()


async def one(connection: RowConnection, statement: str, **values: Any) -> Row | None:
    """The row of the named statement, or None."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query(statement), values)
        return await cursor.fetchone()
