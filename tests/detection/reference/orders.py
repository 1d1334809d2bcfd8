"""order.expiring and order.lapsed: 社区矫正法 art. 29, three months at most."""

from __future__ import annotations

from corrections_monitor.model.cases import Order
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.times import DAY_MS, OPEN_END_MS
from reference.book import Book, Says
from reference.law import Law


def in_a_row(law: Law) -> list[list[Order]]:
    """Orders that follow one another without a break; the last of each row is the one that ends it."""
    rows: list[list[Order]] = []
    for order in law.orders:
        if rows and order.span.from_ms <= rows[-1][-1].span.to_ms:
            if order.span.to_ms > rows[-1][-1].span.to_ms:
                rows[-1].append(order)
        else:
            rows.append([order])
    return rows


def look(book: Book, law: Law, now_ms: int, settings: DetectionSettings) -> None:
    """What is true of the person's orders now."""
    rows = in_a_row(law)
    current = next((r for r in rows if r[0].span.from_ms <= now_ms < r[-1].span.to_ms), None)
    notice = None
    if current is not None and current[-1].span.to_ms < OPEN_END_MS:
        left_ms = current[-1].span.to_ms - now_ms
        passed = [d for d in settings.order_notice_days if left_ms <= d * DAY_MS]
        if passed:
            notice = current[-1], min(passed), current[-1].span.to_ms - max(passed) * DAY_MS
    for entry in book.open_ones(Kind.ORDER_EXPIRING):
        if notice is None or entry.subject != notice[0].order_id:
            book.close(now_ms, entry, now_ms)
    if notice is not None and current is not None:
        order, days, started_ms = notice
        present = book.is_open(Kind.ORDER_EXPIRING, order.order_id)
        if present is not None:
            says = Says(order.span.to_ms, (days,))
            book.move(now_ms, present, reason=f"within {days} days", says=says)
        else:
            started_ms = max(started_ms, current[0].span.from_ms)
            book.open(
                now_ms, Kind.ORDER_EXPIRING, order.order_id, started_ms, reason=f"within {days} days",
                says=Says(order.span.to_ms, (days,)),
            )  # fmt: skip

    over = [r[-1] for r in rows if r[-1].span.to_ms <= now_ms]
    bound = law.bound(now_ms)
    lapsed = over[-1] if over and current is None and bound else None
    for entry in book.open_ones(Kind.ORDER_LAPSED):
        if lapsed is None or entry.subject != lapsed.order_id:
            book.close(now_ms, entry, now_ms)
    if lapsed is not None:
        started_ms, says = max(lapsed.span.to_ms, bound[0].span.from_ms), Says(lapsed.span.to_ms)
        book.open(now_ms, Kind.ORDER_LAPSED, lapsed.order_id, started_ms, says=says)


def edges(law: Law, settings: DetectionSettings) -> list[int]:
    """Every instant at which the answer may change."""
    ends = [r[-1].span.to_ms for r in in_a_row(law)]
    return [*law.own_edges, *(end - days * DAY_MS for end in ends for days in settings.order_notice_days)]
