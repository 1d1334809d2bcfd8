"""The outbox worked by hand: look, and claim what is first."""

from __future__ import annotations

from corrections_monitor.store.outbox import ClaimedPage, Outbox


async def claim(outbox: Outbox, now_ms: int, limit: int = 100, lease_ms: int = 30_000) -> list[ClaimedPage]:
    """Claim up to ``limit`` pages of those due, in the order of sending."""
    due = await outbox.due(now_ms)
    return await outbox.claim([page.page_id for page in due[:limit]], now_ms, lease_ms)
