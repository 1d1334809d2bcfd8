"""What is true by the case folder alone, without any message: orders that end, people without device."""

from __future__ import annotations

from collections import defaultdict

from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import DAY_MS, OPEN_END_MS, Interval
from simulators.truth import Truth

EXPIRY_NOTICE_MS = 14 * DAY_MS  # CONTRACT §3, order.expiring


def case_truths(cases: CaseSet, span: Interval) -> list[Truth]:
    """``order.expiring``, ``order.lapsed`` and ``unmonitored`` that hold at some time of the span."""
    bound: dict[str, list[Interval]] = defaultdict(list)
    for device in cases.devices.values():
        bound[device.person_id].append(device.span)
    orders: dict[str, list[Interval]] = defaultdict(list)
    for order in cases.orders.values():
        orders[order.person_id].append(order.span)
    found: list[Truth] = []
    for person_id, spans in sorted(orders.items()):
        person = cases.people.get(person_id)
        if person is None or person.is_protected:
            continue
        devices = _united(bound[person_id])
        for order_span in _united(spans):
            notice = Interval(order_span.to_ms - EXPIRY_NOTICE_MS, order_span.to_ms)
            if order_span.to_ms < OPEN_END_MS:
                found += _if_in(span, person_id, Kind.ORDER_EXPIRING, notice)
                for device_span in devices:
                    if device_span.holds(order_span.to_ms):
                        after = Interval(order_span.to_ms, device_span.to_ms)
                        found += _if_in(span, person_id, Kind.ORDER_LAPSED, after)
            for gap in _less(order_span, devices):
                found += _if_in(span, person_id, Kind.UNMONITORED, gap)
    return found


def _if_in(span: Interval, person_id: str, kind: Kind, held: Interval) -> list[Truth]:
    if not held.overlaps(span):
        return []
    return [
        Truth(person_id, kind, None, max(held.from_ms, 0), held.to_ms if held.to_ms < OPEN_END_MS else None)
    ]


def _united(spans: list[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for span in sorted(spans, key=lambda s: s.from_ms):
        if merged and span.from_ms <= merged[-1].to_ms:
            last = merged.pop()
            span = Interval(last.from_ms, max(last.to_ms, span.to_ms))
        merged.append(span)
    return merged


def _less(whole: Interval, parts: list[Interval]) -> list[Interval]:
    """What of the whole no part covers; the parts are disjoint and sorted."""
    rest: list[Interval] = []
    at = whole.from_ms
    for part in parts:
        if part.from_ms > at:
            rest.append(Interval(at, min(part.from_ms, whole.to_ms)))
        at = max(at, part.to_ms)
    if at < whole.to_ms:
        rest.append(Interval(at, whole.to_ms))
    return [r for r in rest if r.from_ms < r.to_ms]
