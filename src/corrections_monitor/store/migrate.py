"""Bring a database to the newest schema (``corrections-monitor migrate``).

Migrations are numbered Alembic revisions in ``migrations/versions``; each runs SQL files that stand
beside it, in one transaction, under an advisory lock, so two that start together migrate once.
"""

from __future__ import annotations

from time import sleep
from typing import Any

import psycopg
from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Connection, create_engine, text

from corrections_monitor.store.queries import query
from corrections_monitor.store.schema import NEWEST, VERSIONS

LOCK_WAIT_S = 2
BREATH_S = 1.0
TRIES = 300


def migrate(url: str, target: str = "head") -> str:
    """Apply what is missing up to ``target``, as the database's owner; returns the schema it has then.

    A database that a later program has migrated is left as it is.  Others may be at work meanwhile: a
    migration that does not get a table within ``LOCK_WAIT_S`` lets those behind it through and comes again,
    up to ``TRIES`` times.  Blocks.  Raises psycopg.Error or SQLAlchemyError.
    """
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    try:
        with engine.connect() as connection:
            connection.execute(text(query("migrate.lock")))
            connection.execute(text(query("migrate.patience")), {"wait": f"{LOCK_WAIT_S}s"})
            has = _schema(connection)
            if has is None or has < (NEWEST if target == "head" else target):
                _upgrade(connection, target)
            connection.execute(text(query("migrate.show_schema")))
            connection.commit()
            return _schema(connection) or ""
    finally:
        engine.dispose()


def _schema(connection: Connection) -> str | None:
    found = MigrationContext.configure(connection).get_current_revision()
    connection.commit()
    return found


def _upgrade(connection: Connection, target: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    for left in reversed(range(TRIES)):
        try:
            command.upgrade(config, target)
        except (LockNotAvailable, DeadlockDetected):
            connection.rollback()
            if not left:
                raise
            sleep(BREATH_S)
        else:
            return


def run_sql(file: str, **parts: str) -> None:
    """Run a SQL file of ``migrations/versions`` inside the revision under way; ``{name}`` is replaced."""
    sql = (VERSIONS / file).read_text(encoding="utf-8")
    for name, value in parts.items():
        sql = sql.replace("{" + name + "}", value)
    _driver_connection().execute(sql)


def hypertables_possible() -> bool:
    """Whether TimescaleDB is in this database, or could be and then is created."""
    connection = _driver_connection()
    if connection.execute(query("migrate.timescale_possible")).fetchone() != (True,):
        return False
    connection.execute(query("migrate.create_timescale"))
    return True


def _driver_connection() -> psycopg.Connection[Any]:
    """psycopg's own connection: SQL files hold many statements, and % signs that are no parameters."""
    connection = op.get_bind().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection
