"""Late fixes: the story told again from the chapter they fall in, in order of event time.

Store and forward after hours of silence, uploads newest first, a fix that overtook another or came after an
edit of the cases: whatever a late fix may change is told again from the fixes since, each judged by the
cases of its own time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corrections_monitor.detection.against import Against, compare, slot_fixes
from corrections_monitor.detection.belief import Glimpse
from corrections_monitor.detection.city import City
from corrections_monitor.detection.evidence import doubt_of
from corrections_monitor.detection.place import Place
from corrections_monitor.detection.story import Story


@dataclass(frozen=True, slots=True)
class Era:
    """The cases in force from a time on: the city, its judge of place, and the person's number in it."""

    from_ms: int
    city: City
    place: Place
    person: int


SentFix = tuple[int, float, float, float, int]
"""A fix as sent: (t_ms, lon, lat, 68 % radius in metres, source)."""
History = Sequence[SentFix]
"""Fixes of a person in order of event time."""


def in_order(fix: SentFix) -> tuple[int, float, float, float]:
    """What fixes are sorted by: where two are of the same instant, all that judging asks of them decides."""
    t_ms, lon, lat, acc_m, src = fix
    return t_ms, lon, lat, doubt_of(acc_m, src)


def retell(story: Story, from_ms: int, history: History, eras: Sequence[Era], previous: Glimpse) -> None:
    """Tell a story again from the fixes of ``from_ms`` on.

    ``history`` in order, from the story's ``base_ms`` of that time on; of what is older in it, or else of
    ``previous``, it only matters where the person was last seen.  ``eras`` in order of time.
    """
    story.go_back(from_ms)
    since_ms = story.since_ms
    era, coming = eras[0], list(eras[1:])
    tables: dict[int, Against] = {}  # by the beginning of the era
    for row, fix in enumerate([*history, None]):
        while coming and (fix is None or coming[0].from_ms <= fix[0]):
            era, before = coming.pop(0), era
            if era.from_ms > since_ms:
                before.place.tick(story, before.person, era.from_ms)
                era.place.edit(story, era.person, era.from_ms)
        if fix is None:
            break
        if fix[0] > since_ms:
            if era.from_ms not in tables:
                tables[era.from_ms] = _compared(era, history)
            compared = slot_fixes(era.city, era.person, fix[0], fix[1:], tables[era.from_ms], row)
            era.place.see(story, era.person, compared, previous)
        previous = Glimpse(*in_order(fix))


def _compared(era: Era, history: History) -> Against:
    """All fixes of a history against the slots of one city."""
    _, lon, lat, acc_m, src = zip(*history, strict=True)
    person = np.full(len(history), era.person, dtype=np.int32)
    return compare(
        era.city, person, np.array(lon), np.array(lat), np.array(acc_m, np.float32), np.array(src, np.uint8)
    )
