"""Orders that run out: order.expiring and order.lapsed (社区矫正法 art. 29: at most three months)."""

from __future__ import annotations

from typing import NamedTuple

from corrections_monitor.detection.law import PersonLaw
from corrections_monitor.detection.ledger import Ledger
from corrections_monitor.detection.reasons import Reasons
from corrections_monitor.model.cases import Order
from corrections_monitor.model.episodes import Kind, Transition
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.times import DAY_MS, OPEN_END_MS


class Chain(NamedTuple):
    """Orders that follow one another without a break: when they end, and the last of them."""

    from_ms: int
    end_ms: int
    last: Order


def chains(law: PersonLaw) -> list[Chain]:
    """The unbroken chains of a person's orders, in order of time."""
    found: list[Chain] = []
    for order in law.orders:
        start, end = order.span.from_ms, order.span.to_ms
        if found and start <= found[-1].end_ms:
            last = found[-1]
            if end > last.end_ms:
                found[-1] = Chain(last.from_ms, end, order)
        else:
            found.append(Chain(start, end, order))
    return found


def judge_orders(
    out: list[Transition],
    ledger: Ledger,
    law: PersonLaw,
    now_ms: int,
    settings: DetectionSettings,
    reasons: Reasons,
) -> int:
    """Open, update and close what is true of the person's orders now; return when to look again."""
    known = chains(law)
    current = next((c for c in known if c.from_ms <= now_ms < c.end_ms), None)
    past = [c for c in known if c.end_ms <= now_ms]
    lapsed = past[-1] if past and current is None and law.bound(now_ms) else None
    nexts = [b for c in known for b in _notice_times(c, settings)] + [c.from_ms for c in known]
    nexts += list(law.boundaries())
    _expiring(out, ledger, current, now_ms, settings, reasons)
    _lapsed(out, ledger, law, lapsed, now_ms, reasons)
    return min((t for t in nexts if t > now_ms), default=OPEN_END_MS)


def _notice_times(chain: Chain, settings: DetectionSettings) -> list[int]:
    return [chain.end_ms - days * DAY_MS for days in settings.order_notice_days] + [chain.end_ms]


def _expiring(
    out: list[Transition],
    ledger: Ledger,
    current: Chain | None,
    now_ms: int,
    settings: DetectionSettings,
    reasons: Reasons,
) -> None:
    passed = (
        [d for d in settings.order_notice_days if now_ms >= current.end_ms - d * DAY_MS] if current else []
    )
    for episode in ledger.of_kind(Kind.ORDER_EXPIRING):
        if not passed or current is None or episode.subject != current.last.order_id:
            why = "extended" if current is not None else "order-ended"
            ledger.close(out, now_ms, (episode.kind, episode.subject), now_ms, reasons.say(why))
    if current is None or not passed or current.end_ms >= OPEN_END_MS:
        return
    order = current.last
    notice_days = min(passed)
    reason = reasons.say(
        "order.expiring", order=order.order_id, end=reasons.time(current.end_ms), days=notice_days
    )
    present = ledger.open_ones.get((Kind.ORDER_EXPIRING, order.order_id))
    if present is not None:
        ledger.amend(out, now_ms, present, reason=reason)
        return
    started = max(current.end_ms - max(passed) * DAY_MS, current.from_ms)
    ledger.open(
        out, now_ms, Kind.ORDER_EXPIRING, order.order_id, started, reason,
        evidence={"order": order.order_id, "end": current.end_ms},
    )  # fmt: skip


def _lapsed(
    out: list[Transition],
    ledger: Ledger,
    law: PersonLaw,
    lapsed: Chain | None,
    now_ms: int,
    reasons: Reasons,
) -> None:
    for episode in ledger.of_kind(Kind.ORDER_LAPSED):
        if lapsed is None or episode.subject != lapsed.last.order_id:
            why = "extended" if law.bound(now_ms) else "unbound"
            ledger.close(out, now_ms, (episode.kind, episode.subject), now_ms, reasons.say(why))
    if lapsed is None:
        return
    order = lapsed.last
    device = law.bound(now_ms)[0].device_id
    ledger.open(
        out, now_ms, Kind.ORDER_LAPSED, order.order_id, max(lapsed.end_ms, law.bound(now_ms)[0].span.from_ms),
        reasons.say("order.lapsed", order=order.order_id, end=reasons.time(lapsed.end_ms), device=device),
        evidence={"order": order.order_id, "device": device},
    )  # fmt: skip
