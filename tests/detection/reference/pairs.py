"""contact.near: the newest fixes of a person and a protected one, whichever of them spoke."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from corrections_monitor.model.cases import ContactRule
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.settings import DetectionSettings
from reference.belief import NEVER_SEEN, Belief, Fix, log_odds
from reference.book import Book, Says
from reference.ground import on_a_sphere_m
from reference.law import Law

WALKING_MPS = 1.5


@dataclass
class Pair:
    """What is believed of one person and one protected person."""

    belief: Belief


def compare(
    pair: Pair, rule: ContactRule, book: Book, law_of: Callable[[str], Law], newest: dict[str, Fix],
    at_ms: int, settings: DetectionSettings,
) -> None:  # fmt: skip
    """Compare the two where they were last seen, if that was at about the same time."""
    one, other = newest.get(rule.person_id), newest.get(rule.protected_id)
    law, protected = law_of(rule.person_id), law_of(rule.protected_id)
    if one is None or other is None:
        return
    slowest_s = max((b.report_every_s for b in [*law.bindings, *protected.bindings]), default=60)
    between_ms = abs(one.t_ms - other.t_ms)
    if between_ms > 2_000 * slowest_s:
        return
    apart_m = on_a_sphere_m(one.lon, one.lat, other.lon, other.lat)
    # The doubt is that of both, and grows with the time between by walking speed.
    doubts = [fix.doubt_m for fix in (one, other)]
    doubt = math.hypot(*doubts) + WALKING_MPS * between_ms / 1_000
    odds = log_odds(rule.distance_m - apart_m, doubt)
    t_ms = max(one.t_ms, other.t_ms)
    # A protected person's positions are not kept, so none is repeated.
    both = Fix(t_ms, float("nan"), float("nan"), doubt, doubt, 0)
    turned = pair.belief.hear(both, odds, NEVER_SEEN, settings.evidence_gap_ms)
    present = book.is_open(Kind.CONTACT_NEAR, rule.protected_id)
    if turned and not pair.belief.beyond:
        if present is not None:
            book.close(at_ms, present, pair.belief.since_ms)
    elif pair.belief.beyond and odds > 0 and present is None:
        judged = law.judged(t_ms)
        if judged is not None and protected.person.span.holds(t_ms):
            started_ms = max(pair.belief.since_ms, judged[0])
            late = at_ms - t_ms > settings.late_ms
            says = Says(started_ms, (apart_m, round(rule.distance_m)))
            book.open(at_ms, Kind.CONTACT_NEAR, rule.protected_id, started_ms, late=late, says=says)
