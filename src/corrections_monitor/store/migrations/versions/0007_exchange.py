"""What came from the roster of another system, and how far violations have gone out."""

from corrections_monitor.store.migrate import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """The table of exchanges; by which transaction a violation was changed."""
    run_sql("0007_exchange.sql")
