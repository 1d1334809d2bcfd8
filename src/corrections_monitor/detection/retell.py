"""Late fixes: the story told again, in order of event time, and compared with what was told before.

Store and forward after hours of silence, uploads newest first, a fix that overtook another: whenever a
late fix may change what was judged, the person's fixes since before it are judged anew on a blank sheet,
from the last instant on at which nothing was under way.
Where the sheet and the ledger disagree, the ledger's times are moved, or an episode is opened late.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np

from corrections_monitor.detection.against import Against, compare, slot_fixes
from corrections_monitor.detection.belief import NEVER_SEEN, Glimpse, belief_at, calm_ms
from corrections_monitor.detection.city import City
from corrections_monitor.detection.evidence import doubt_of
from corrections_monitor.detection.ledger import Key, Ledger
from corrections_monitor.detection.place import PLACE_KINDS, Dropped, Place, Slot
from corrections_monitor.detection.reasons import Reasons
from corrections_monitor.detection.state import Memory
from corrections_monitor.model.episodes import Episode, Transition
from corrections_monitor.model.times import OPEN_END_MS


@dataclass(frozen=True, slots=True)
class Era:
    """The cases in force from a time on: the city, its judge of place, and the person's number in it."""

    from_ms: int
    city: City
    place: Place
    person: int


History = Sequence[tuple[int, float, float, float, int]]
"""Fixes of a person in order of event time: (t_ms, lon, lat, 68 % radius in metres, source)."""


@dataclass(frozen=True, slots=True)
class Base:
    """What was known and believed just before ``since_ms``, and of slots that were done away with by then."""

    since_ms: int
    sheet: Ledger
    slots: dict[str, Slot]
    dropped: list[Dropped]


def calm_since_ms(memory: Memory, t_ms: int) -> int:
    """From when on fixes must be judged anew because of a late one at ``t_ms``."""
    dropped = [d for d in memory.dropped if d.until_ms >= t_ms]
    return calm_ms([*(s.belief for s in memory.slots.values()), *(d.belief for d in dropped)], t_ms) + 1


def retell(
    out: list[Transition],
    memory: Memory,
    base: Base,
    history: History,
    eras: Sequence[Era],
    at_ms: int,
    reasons: Reasons,
) -> None:
    """Judge ``history`` anew from ``base`` on and bring slots and ledger in step with it.

    What comes before the base in it only tells where the person was last seen; ``eras`` in order of time.
    """
    since_ms = base.since_ms
    sheet, slots, dropped = copy.deepcopy((base.sheet, base.slots, base.dropped))
    scrap: list[Transition] = []
    previous = NEVER_SEEN
    era = eras[0]
    coming = list(eras[1:])
    tables: dict[int, Against] = {}  # by the beginning of the era
    for row, (t_ms, lon, lat, acc_m, src) in enumerate([*history, (at_ms, *_NOBODY)]):
        while coming and coming[0].from_ms <= t_ms:
            era, before = coming.pop(0), era
            if era.from_ms >= since_ms:
                before.place.tick(scrap, sheet, before.person, slots, era.from_ms)
                dropped += era.place.edit(scrap, sheet, era.person, slots, era.from_ms, at_ms)
        if src < 0:
            break
        if t_ms >= since_ms:
            if era.from_ms not in tables:
                tables[era.from_ms] = _compared(era, history)
            table = tables[era.from_ms]
            compared = slot_fixes(era.city, era.person, t_ms, (lon, lat, acc_m, src), table, row)
            era.place.see(scrap, sheet, era.person, slots, compared, previous, at_ms)
        previous = Glimpse(t_ms, lon, lat, doubt_of(acc_m, src))
    era.place.tick(scrap, sheet, era.person, slots, at_ms)
    memory.slots, memory.dropped = slots, dropped
    told = [*sheet.closed, *sheet.open_ones.values()]
    for key in sorted({(e.kind, e.subject) for e in [*told, *_known(memory.ledger, since_ms)]}):
        mine = [e for e in told if (e.kind, e.subject) == key]
        _reconcile(out, memory.ledger, key, sorted(mine, key=_start), since_ms, at_ms, reasons)


_NOBODY = (0.0, 0.0, 0.0, -1)  # closes a history: only time passes


def _compared(era: Era, history: History) -> Against:
    """All fixes of a history against the slots of one city."""
    _, lon, lat, acc_m, src = zip(*history, strict=True)
    person = np.full(len(history), era.person, dtype=np.int32)
    return compare(
        era.city, person, np.array(lon), np.array(lat), np.array(acc_m, np.float32), np.array(src, np.uint8)
    )


def base_for(memory: Memory, t_ms: int) -> Base:
    """The last instant before a late fix at ``t_ms`` at which nothing was under way, on a blank sheet: what
    was open then is open on it."""
    since_ms = calm_since_ms(memory, t_ms)
    sheet = Ledger(memory.ledger.person_id, memory.ledger.office_id)
    slots = {name: Slot(belief_at(slot.belief, since_ms - 1)) for name, slot in memory.slots.items()}
    for gone in sorted(memory.dropped, key=lambda d: d.until_ms, reverse=True):
        if gone.until_ms >= since_ms:
            slots[gone.name] = Slot(belief_at(gone.belief, since_ms - 1))
    for episode in _known(memory.ledger, since_ms):
        if episode.started_ms < since_ms:
            sheet.open_ones[episode.kind, episode.subject] = replace(episode, ended_ms=None)
            for name, slot in slots.items():
                if name.endswith(f":{episode.subject}"):
                    slot.until_ms = since_ms  # asked again at the first fix: does the law still demand it?
    return Base(since_ms, sheet, slots, [d for d in memory.dropped if d.until_ms < since_ms])


def _known(ledger: Ledger, since_ms: int) -> list[Episode]:
    everything = [*ledger.closed, *ledger.open_ones.values()]
    return [e for e in everything if e.kind in PLACE_KINDS and (e.ended_ms or OPEN_END_MS) >= since_ms]


def _start(episode: Episode) -> int:
    return episode.started_ms


def _end(episode: Episode) -> int:
    return OPEN_END_MS if episode.ended_ms is None else episode.ended_ms


def _share(one: Episode, other: Episode) -> bool:
    return one.started_ms <= _end(other) and other.started_ms <= _end(one)


def _reconcile(
    out: list[Transition],
    ledger: Ledger,
    key: Key,
    told: list[Episode],
    since_ms: int,
    at_ms: int,
    reasons: Reasons,
) -> None:
    """A told episode takes over the first known one it shares an instant with, and those after it that are
    not the next told one's."""
    known = sorted((e for e in _known(ledger, since_ms) if (e.kind, e.subject) == key), key=_start)
    for episode, following in zip_longest(told, told[1:]):
        taken: list[Episode] = []
        for k in known:
            if _share(k, episode) and not (taken and following is not None and _share(k, following)):
                taken.append(k)
        known = [k for k in known if k not in taken]
        if taken:
            _move(out, ledger, taken, episode, at_ms)
        else:
            _open_late(out, ledger, episode, at_ms)
    for left in known:
        if left.ended_ms is None:
            ledger.close(out, at_ms, key, left.started_ms, reasons.say("withdrawn"))


def _move(out: list[Transition], ledger: Ledger, taken: Sequence[Episode], told: Episode, at_ms: int) -> None:
    """Give known episodes the times that were told: its start to the first, its end to the last."""
    key = (told.kind, told.subject)
    first, last = taken[0], taken[-1]
    if first is last and last.ended_ms is not None and told.ended_ms is not None:
        ledger.amend(out, at_ms, first, started_ms=told.started_ms, ended_ms=told.ended_ms)
        return
    first = ledger.amend(out, at_ms, first, started_ms=told.started_ms)
    if last.ended_ms is None:
        if told.ended_ms is not None:
            ledger.close(out, at_ms, key, told.ended_ms, told.reason)
    elif told.ended_ms is not None:
        ledger.amend(out, at_ms, last, ended_ms=told.ended_ms)
    else:
        # It was said to be over and was not: never reopened, so what follows is an episode of its own.
        _open_late(out, ledger, replace(told, started_ms=last.ended_ms), at_ms)


def _open_late(out: list[Transition], ledger: Ledger, told: Episode, at_ms: int) -> None:
    ledger.open(
        out, at_ms, told.kind, told.subject, told.started_ms, told.reason,
        zone_id=told.zone_id, late=True, evidence=told.evidence,
    )  # fmt: skip
    if told.ended_ms is not None:
        ledger.close(out, at_ms, (told.kind, told.subject), told.ended_ms, told.reason)
