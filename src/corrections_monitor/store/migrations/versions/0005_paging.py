"""Lanes, failover and receipts of pages."""

from corrections_monitor.store.migrate import run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Lanes, turns, and that a page was read."""
    run_sql("0005_paging.sql")
