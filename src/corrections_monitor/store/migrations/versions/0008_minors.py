"""Files of minors are guarded separately."""

from corrections_monitor.store.migrate import run_sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Whose files are guarded, and what the API's role reads of people and episodes from now on."""
    run_sql("0008_minors.sql")
