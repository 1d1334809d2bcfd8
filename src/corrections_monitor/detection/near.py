"""Nearness to a protected person: contact.near.

Two moving devices, no order of arrival assumed: whichever speaks, the newest fixes of both are compared,
provided they are close in time.  The doubt is that of both fixes, and grows with the time between them by
walking speed.  The evidence keeps the distance alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np

from corrections_monitor.detection.belief import Belief, Glimpse, Sighting, weigh
from corrections_monitor.detection.city import City
from corrections_monitor.detection.evidence import log_odds
from corrections_monitor.detection.reasons import Reasons
from corrections_monitor.detection.state import Columns, Memory
from corrections_monitor.geofence.place import haversine_m
from corrections_monitor.model.cases import ContactRule
from corrections_monitor.model.episodes import Kind, Transition
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.times import OPEN_START_MS

WALKING_MPS = 1.5
_NOWHERE = (float("nan"), float("nan"))  # positions of protected persons are not kept, not even here


class Near:
    """Judges the pairs a person belongs to, from either side."""

    def __init__(self, city: City, columns: Columns, settings: DetectionSettings, reasons: Reasons) -> None:
        self._city = city
        self._columns = columns
        self._settings = settings
        self._reasons = reasons
        self._rules: dict[int, list[ContactRule]] = defaultdict(list)
        for rule in city.cases.contacts.values():
            self._rules[city.person_no[rule.person_id]].append(rule)
            self._rules[city.person_no[rule.protected_id]].append(rule)

    def edit(self, out: list[Transition], memory: Memory, person: int, now_ms: int) -> None:
        """Forget pairs that these cases do not set any more."""
        one = self._city.person_ids[person]
        protected = {r.protected_id for r in self._rules.get(person, ()) if r.person_id == one}
        for episode in memory.ledger.of_kind(Kind.CONTACT_NEAR):
            if episode.subject not in protected:
                key = (episode.kind, episode.subject)
                memory.ledger.close(out, now_ms, key, now_ms, self._reasons.say("cases-changed"))
        memory.near = {p: b for p, b in memory.near.items() if p in protected}

    def concerns(self, person: int) -> bool:
        """Whether the person is one of any pair."""
        return person in self._rules

    def see(
        self,
        out: list[Transition],
        person: int,
        t_ms: int,
        at_ms: int,
        memory_of: Callable[[int], Memory],
    ) -> None:
        """Compare the newest fixes of every pair the person belongs to, after a fix at ``t_ms``."""
        if t_ms < self._columns.last_t_ms[person]:
            return  # a late fix says nothing of where the two are now
        for rule in self._rules.get(person, ()):
            self._pair(out, rule, at_ms, memory_of(self._city.person_no[rule.person_id]))

    def _pair(self, out: list[Transition], rule: ContactRule, at_ms: int, memory: Memory) -> None:
        columns, city = self._columns, self._city
        one, other = city.person_no[rule.person_id], city.person_no[rule.protected_id]
        t_one, t_other = int(columns.last_t_ms[one]), int(columns.last_t_ms[other])
        apart_ms = abs(t_one - t_other)
        if OPEN_START_MS in (t_one, t_other) or apart_ms > self._same_time_ms(one, other):
            return
        metres = float(
            haversine_m(
                columns.last_lon[one], columns.last_lat[one], columns.last_lon[other], columns.last_lat[other]
            )
        )
        accuracy = np.hypot(columns.last_doubt_m[one], columns.last_doubt_m[other])
        doubt = np.array([accuracy]) + WALKING_MPS * apart_ms / 1_000
        beyond = rule.distance_m - metres
        odds = float(log_odds(np.array([beyond]), doubt)[0])
        sighting = Sighting(max(t_one, t_other), *_NOWHERE, float(doubt[0]), beyond)
        belief = memory.near.setdefault(rule.protected_id, Belief())
        before = Glimpse(min(t_one, t_other), *_NOWHERE, float(doubt[0]))
        turned = weigh(belief, sighting, odds, before, self._settings.evidence_gap_ms)
        key = (Kind.CONTACT_NEAR, rule.protected_id)
        if turned and not belief.beyond:
            memory.ledger.close(out, at_ms, key, belief.changed_ms, self._reasons.say("farther-again"))
        elif belief.beyond and odds > 0:
            judged = city.law(one).judged(sighting.t_ms)
            protects = city.law(other).person.span.holds(sighting.t_ms)
            if judged.holds and protects:
                started = max(belief.changed_ms, judged.from_ms)
                memory.ledger.open(
                    out, at_ms, Kind.CONTACT_NEAR, rule.protected_id, started,
                    self._reasons.say(
                        "contact.near", since_ms=started, metres=round(metres), limit=round(rule.distance_m)
                    ),
                    late=at_ms - sighting.t_ms > self._settings.late_ms,
                    evidence={"distance_m": round(metres), "limit_m": rule.distance_m},
                )  # fmt: skip

    def _same_time_ms(self, one: int, other: int) -> int:
        """Fixes farther apart in time than two report intervals are not compared."""
        every_s = [b.report_every_s for p in (one, other) for b in self._city.law(p).bindings]
        return 2_000 * max(every_s, default=60)
