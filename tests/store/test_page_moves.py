"""Every move of a page: the legal ones are made, by whoever makes them; all others are refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import psycopg
import pytest
from by_hand import claim
from psycopg.errors import CheckViolation

from corrections_monitor.model.alerts import Alert, Line, Page
from corrections_monitor.store import EVERYTHING, Store
from corrections_monitor.store.outbox import PageState as S
from corrections_monitor.store.receipts import mark_read

LEGAL = {
    (S.PENDING, S.CLAIMED), (S.PENDING, S.MOOT),
    (S.CLAIMED, S.CLAIMED), (S.CLAIMED, S.PENDING), (S.CLAIMED, S.MOOT),
    *((S.CLAIMED, end) for end in (S.SENT, S.DELIVERED, S.UNCONFIRMED, S.FAILED)),
    (S.SENT, S.DELIVERED), (S.UNCONFIRMED, S.DELIVERED),
    *((handed, S.READ) for handed in (S.SENT, S.DELIVERED, S.UNCONFIRMED)),
}  # fmt: skip
WAYS = {
    S.PENDING: (), S.CLAIMED: (S.CLAIMED,), S.MOOT: (S.MOOT,), S.READ: (S.CLAIMED, S.SENT, S.READ),
    **{end: (S.CLAIMED, end) for end in (S.SENT, S.DELIVERED, S.UNCONFIRMED, S.FAILED)},
}  # fmt: skip
NOW_MS = 1_764_000_060_000
SET = "UPDATE pages SET state = %s WHERE officer_id = %s"


async def test_page_moves(store: Store, database_url: str, alert: Alert, opened: Line, page: Page) -> None:
    """One page for each pair of states; not even the owner of the database makes another move."""
    pairs = {f"{a}-{b}": (a, b) for a, b in product(S, S)}
    async with store.transaction() as tx:
        await tx.write_lines([opened])
        await tx.write_alerts([alert])
        await tx.write_pages([(replace(page, officer_id=name), "mqtt", "") for name in pairs])
    with psycopg.connect(database_url, autocommit=True) as connection:
        for name, (before, after) in pairs.items():
            for state in WAYS[before]:
                connection.execute(SET, [state, name])
            if (before, after) in LEGAL:
                assert connection.execute(SET, [after, name]).rowcount == 1, name
            else:
                with pytest.raises(CheckViolation, match=f"a page that is {before} cannot become {after}"):
                    connection.execute(SET, [after, name])


@pytest.mark.parametrize("state", list(S))
async def test_who_sends_makes_no_other_move(
    store: Store, database_url: str, alert: Alert, opened: Line, page: Page, state: S
) -> None:
    """Claim, recheck, record and a provider's report on a page in each state, long after every lease."""
    async with store.transaction() as tx:
        await tx.write_lines([opened])
        await tx.write_alerts([alert])
        await tx.write_pages([(page, "mqtt", "")])
    (claimed,) = await claim(store.outbox, NOW_MS, 1, 1_000)
    with psycopg.connect(database_url, autocommit=True) as connection:
        if state is S.PENDING:
            assert await store.outbox.record(claimed, S.PENDING, NOW_MS, next_attempt_ms=NOW_MS)
        else:
            for step in WAYS[state]:
                connection.execute(SET, [step, page.officer_id])
        is_held = state is S.CLAIMED
        handed = (S.SENT, S.UNCONFIRMED)
        assert await store.outbox.recheck(claimed) is is_held
        assert await store.outbox.delivered(claimed.page_id, NOW_MS) is (state in handed)
        again = await claim(store.outbox, NOW_MS + 60_000, 1, 1_000)
        assert len(again) == ((state, S.CLAIMED) in LEGAL)
        for end in (S.SENT, S.FAILED):
            assert not await store.outbox.record(claimed, end, NOW_MS), "the first claim holds no more"
        for last in again:
            assert await store.outbox.record(last, S.SENT, NOW_MS)
            assert not await store.outbox.record(last, S.FAILED, NOW_MS), "recorded once"
        async with store.seeing(EVERYTHING) as seen:
            for _ in range(2):
                await mark_read(seen, page.alert_id, page.officer_id, NOW_MS, "console")
        now = connection.execute("SELECT state FROM pages").fetchone()
        told = connection.execute("SELECT what FROM alert_timeline ORDER BY entry_id").fetchall()
    was_sent = bool(again) or state in (*handed, S.DELIVERED)
    assert now == ("read",) if was_sent else (state,)
    assert told == [("delivered",)] * (state in handed) + [("read",)] * was_sent, "each once"
