"""Which schema a database has, and which one this program wants.

Schemas are numbered (``migrations/versions``).  A migration only adds while the program before it is still in
use, so that a program works on its own schema and on every later one, and not on an earlier one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psycopg import AsyncConnection, errors

from corrections_monitor.store.queries import query

VERSIONS = Path(__file__).parent / "migrations" / "versions"
NEWEST = max(file.name.partition("_")[0] for file in VERSIONS.glob("[0-9]*.py"))
"""What this program migrates to."""


class SchemaBehindError(Exception):
    """The database's schema is older than this program; ``migrate`` mends that."""


async def check(connection: AsyncConnection[Any]) -> None:
    """Raises SchemaBehindError when the database has to be migrated first."""
    try:
        async with connection.transaction():
            row = await (await connection.execute(query("migrate.schema"))).fetchone()
    except (errors.UndefinedTable, errors.InsufficientPrivilege):  # granted by ``migrate``
        row = None
    if row is None or row[0] < NEWEST:
        has = "none that is known" if row is None else row[0]
        raise SchemaBehindError(
            f"the database's schema is {has}, this program wants {NEWEST}: run corrections-monitor migrate"
        )
