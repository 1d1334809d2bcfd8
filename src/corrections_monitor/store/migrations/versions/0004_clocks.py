"""What a device's clock was set right by, beside the time it told."""

from corrections_monitor.store.migrate import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; nothing is known of what is stored already."""
    run_sql("0004_clocks.sql")
