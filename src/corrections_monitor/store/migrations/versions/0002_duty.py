"""The roster's log is read by those whose office it is about, whoever changed it."""

from corrections_monitor.store.migrate import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """A policy and an index for three actions of the audit."""
    run_sql("0002_duty.sql")
