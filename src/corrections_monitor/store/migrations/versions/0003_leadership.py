"""Terms of leadership: who was in charge and lost it cannot write any more."""

from corrections_monitor.store.migrate import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """A number that only grows."""
    run_sql("0003_leadership.sql")
