"""Everything that is kept: PostgreSQL by psycopg 3, SQL in ``sql/*.sql``, schema in ``migrations/``.

``Store`` is one pool under one role; ``Tx`` one transaction of the daemon.  What a batch leads to is one
transaction; unique keys make a second delivery change nothing (docs/architecture.md).
"""

from corrections_monitor.store.leader import Lead
from corrections_monitor.store.outbox import ClaimedPage
from corrections_monitor.store.pool import EVERYTHING, Role, Store
from corrections_monitor.store.tx import Tx

__all__ = ["EVERYTHING", "ClaimedPage", "Lead", "Role", "Store", "Tx"]
