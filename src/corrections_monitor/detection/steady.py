"""When to look next at persons with no story, by columns alone.

After a start, an edit of cases or a pause in hearing everybody has to be looked at anew, and of a nation
hardly anyone has a story: one order, one stretch of bindings, no leave, no suspension, nothing open or
doubted.  For them ``Judge.look`` would find nothing and only say when to look again; this says the same for
all of them at once.  Whoever it cannot speak for is looked at one by one.
"""

from __future__ import annotations

import numpy as np

from corrections_monitor.detection.city import City
from corrections_monitor.detection.quiet import Worn
from corrections_monitor.detection.silence import NEVER_MS
from corrections_monitor.detection.state import Columns
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.telemetry import I64, Bools
from corrections_monitor.model.times import DAY_MS, OPEN_END_MS, OPEN_START_MS


class Steady:
    """What of a city's cases decides whether a person can be spoken for; made once per city.

    ``plain`` bool[P]: one order, within the term, and no row of any other kind that begins or ends;
    ``rows`` int64[P]: bindings, all of devices bound once.
    """

    def __init__(self, city: City, settings: DetectionSettings) -> None:
        self._city = city
        self._settings = settings
        self._notice_ms = max(settings.order_notice_days, default=0) * DAY_MS
        bindings = city.bindings
        newest, once = bindings.newest, bindings.count == 1
        self._from_ms, self._to_ms = bindings.from_ms[newest], bindings.to_ms[newest]
        self._is_band = bindings.is_band[newest]
        self._rows = np.bincount(bindings.person[newest[once]], minlength=len(city.person_ids))
        self._plain = self._plain_people(once)

    def _plain_people(self, once: Bools) -> Bools:
        city, cases = self._city, self._city.cases
        plain: Bools = (city.order_count == 1) & ~city.order_cut & ~city.protected
        busy = [s.person_id for s in cases.suspensions.values()]
        busy += [v.person_id for v in cases.leaves.values()]
        busy += [p for r in cases.contacts.values() for p in (r.person_id, r.protected_id)]
        plain[[city.person_no[p] for p in busy]] = False
        plain[city.bindings.person[~once[city.bindings.device]]] = False
        return plain

    def next_look(
        self, people: I64, at_ms: I64, columns: Columns, worn: Worn, patience_ms: I64, sight_ms: int
    ) -> tuple[I64, I64]:
        """When to look at each person next after ``at_ms``: for any cause, and for causes other than
        silence.  Shapes (n,) → (n,), (n,); at or before ``at_ms`` for whoever must be looked at now.

        ``worn``, ``patience_ms`` and ``sight_ms`` as in ``Engine``.
        """
        due = np.full(len(people), OPEN_START_MS, dtype=np.int64)
        other = due.copy()
        order_from, order_to = self._city.order_from[people], self._city.order_to[people]
        known = np.flatnonzero(
            self._plain[people]
            & ~columns.storied[people]
            & (order_from <= at_ms)
            & (at_ms < order_to - self._notice_ms)
            & (worn.count(people) == self._rows[people])
            & (self._rows[people] > 0)
        )
        if len(known):
            silent, bound_to = self._silence(
                people[known], at_ms[known], order_from[known], columns, worn, patience_ms, sight_ms
            )
            other[known] = np.minimum(order_to[known] - self._notice_ms, bound_to)
            due[known] = np.minimum(silent, other[known])
        return due, other

    def _silence(
        self,
        people: I64,
        at_ms: I64,
        order_from: I64,
        columns: Columns,
        worn: Worn,
        patience_ms: I64,
        sight_ms: int,
    ) -> tuple[I64, I64]:
        """When a silence could next begin (``silence.find_silence``, by columns), and when the first of
        the bindings ends."""
        device, starts, count = worn.rows(people)
        of = np.repeat(np.arange(len(people)), count)
        floor_ms = np.maximum(order_from, sight_ms)[of]
        from_ms, patience = self._from_ms[device], patience_ms[device]
        contact, fix = columns.contact_ms[device], columns.fix_ms[device]
        heard = (contact != NEVER_MS) & (contact >= from_ms)
        fixed = heard & (fix != NEVER_MS) & (fix >= from_ms)
        contact_due = np.maximum(contact, floor_ms) + patience
        all_due = _latest(contact_due, heard, starts)
        position_due = _latest(np.maximum(fix, floor_ms) + patience, fixed, starts)
        owed = _latest(floor_ms + patience, heard, starts)
        position_due = np.where(np.logical_or.reduceat(fixed, starts), position_due, owed)
        several = np.add.reduceat(heard, starts, dtype=np.int64) > 1
        bands = heard & self._is_band[device] & several[of]
        band_due = np.minimum.reduceat(np.where(bands, contact_due, OPEN_END_MS), starts)
        bound_ms = np.minimum.reduceat(np.maximum(from_ms, columns.known_ms[device]), starts)
        unheard_due = np.maximum(bound_ms, order_from) + self._settings.unheard_ms
        silent = np.minimum(np.minimum(all_due, position_due), band_due)
        silent = np.where(np.logical_or.reduceat(heard, starts), silent, unheard_due)
        # A band that is late beside another device, or gives no position, is a matter for ``look``.
        blind = fixed & several[of] & (columns.fine_ms[device] != NEVER_MS) & (fix + patience <= at_ms[of])
        matters = (band_due <= at_ms) | np.logical_or.reduceat(blind, starts)
        return np.where(matters, at_ms, silent), np.minimum.reduceat(self._to_ms[device], starts)


def _latest(value: I64, which: Bools, starts: I64) -> I64:
    """Per person the latest of the chosen values; OPEN_START_MS where none is."""
    out: I64 = np.maximum.reduceat(np.where(which, value, OPEN_START_MS), starts)
    return out
