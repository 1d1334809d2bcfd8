"""The audit log as its readers see it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from corrections_monitor.model.times import ALWAYS, Interval
from corrections_monitor.store.api_rows import Row, jurisdiction, rows
from corrections_monitor.store.pool import Store


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What of the audit is asked for; None filters nothing.  ``before_seq``: rows older than that one."""

    actor: str | None = None
    action: str | None = None
    target: str | None = None
    interval: Interval = field(default=ALWAYS)
    before_seq: int | None = None
    limit: int = 100


async def list_audit(
    store: Store, office_id: str, offices: Collection[str], wanted: AuditFilter
) -> list[Row]:
    """Rows newest first: those of the officers of ``offices``; all when ``office_id`` is a root."""
    async with jurisdiction(store, offices) as connection:
        return await rows(
            connection,
            "api_audit.list_audit",
            office_id=office_id,
            offices=list(offices),
            actor=wanted.actor,
            action=wanted.action,
            target=wanted.target,
            from_ms=wanted.interval.from_ms,
            to_ms=wanted.interval.to_ms,
            before_seq=wanted.before_seq,
            limit=wanted.limit,
        )
