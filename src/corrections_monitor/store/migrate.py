"""Bring a database to the newest schema (``corrections-monitor migrate``).

Migrations are numbered Alembic revisions in ``migrations/versions``; each runs SQL files that stand
beside it, in one transaction, under an advisory lock, so two that start together migrate once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from alembic import command, op
from alembic.config import Config
from sqlalchemy import create_engine, text

from corrections_monitor.store.queries import query

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(url: str) -> None:
    """Apply what is missing, as the database's owner.  Blocks.  Raises psycopg.Error or SQLAlchemyError."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    try:
        with engine.connect() as connection:
            connection.execute(text(query("migrate.lock")))
            connection.commit()
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    finally:
        engine.dispose()


def run_sql(file: str, **parts: str) -> None:
    """Run a SQL file of ``migrations/versions`` inside the revision under way; ``{name}`` is replaced."""
    sql = (_MIGRATIONS / "versions" / file).read_text(encoding="utf-8")
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
