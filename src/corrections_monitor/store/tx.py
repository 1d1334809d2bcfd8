"""One transaction of the daemon: everything that follows from a batch, committed together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection

from corrections_monitor.store import audit
from corrections_monitor.store.answers import AnswerWrites
from corrections_monitor.store.commands import CommandWrites
from corrections_monitor.store.decisions import DecisionWrites
from corrections_monitor.store.digests import DigestWrites
from corrections_monitor.store.drills import DrillWrites
from corrections_monitor.store.journal import JournalWrites
from corrections_monitor.store.quarantine import QuarantineWrites
from corrections_monitor.store.telemetry import TelemetryWrites


class Tx(
    TelemetryWrites,
    QuarantineWrites,
    DecisionWrites,
    AnswerWrites,
    DigestWrites,
    DrillWrites,
    CommandWrites,
    JournalWrites,
):
    """Made by ``Store.transaction()``; not to be used after its block has ended."""

    def __init__(self, connection: AsyncConnection[tuple[Any, ...]]) -> None:
        self._connection = connection

    async def audit(self, at_ms: int, actor: str, action: str, target: str, detail: Mapping[str, Any]) -> int:
        """Append to the audit chain; other writers of it wait for this transaction, so call it last."""
        return await audit.append(self._connection, at_ms, actor, action, target, detail)
