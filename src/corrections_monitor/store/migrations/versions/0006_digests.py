"""Daily digests of offices, and pages that bring them."""

from corrections_monitor.store.migrate import run_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """The table of digests; a page tells of an alert or brings a digest."""
    run_sql("0006_digests.sql")
