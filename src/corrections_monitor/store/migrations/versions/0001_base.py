"""The schema from nothing."""

from corrections_monitor.store.migrate import hypertables_possible, run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything; telemetry becomes hypertables where TimescaleDB can be had."""
    hypertables = hypertables_possible()
    run_sql("0001_base.sql")
    run_sql("0001_commands.sql")
    run_sql("0001_telemetry.sql", partitioning="" if hypertables else "PARTITION BY RANGE (t_ms)")
    run_sql("0001_hypertables.sql" if hypertables else "0001_partitions.sql")
    run_sql("0001_access.sql")
