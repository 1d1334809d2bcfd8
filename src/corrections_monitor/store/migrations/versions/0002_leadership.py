"""Terms of leadership: who was in charge and lost it cannot write any more."""

from corrections_monitor.store.migrate import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """A number that only grows."""
    run_sql("0002_leadership.sql")
