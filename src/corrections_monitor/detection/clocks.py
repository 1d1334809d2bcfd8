"""Device clocks that are off: measured against arrival, set right within reason, beyond it a suspicion.

A message never arrives before it was sent, and a live one within a minute.  So a time ahead of arrival tells
of a fast clock at once.  A late one tells nothing by itself, because a device that was out of reach
uploads what it kept with times that are right; only messages that are late by the same, one after the other
and for longer than they are late, come from a clock that is slow: no store gives back what it holds just as
fast as time passes and never gets anywhere.  Keys and what is stored keep the times as sent
(``telemetry.as_sent``); what is judged is set right.

What is beyond reason is not set right: off by more than ``clock_within_ms``, so far ahead that nothing of it
can be used, or running backwards.  That device's positions cannot be told in time, which ``suspicion``
calls spoofed; unless so many are ahead at once that it must be our own clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from corrections_monitor.detection.silence import NEVER_MS
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.telemetry import I64, NO_DELAY, Batch, Bools, Clocks, Messages, Presence
from corrections_monitor.model.times import HOUR_MS, MINUTE_MS, SECOND_MS

# Real phones' clocks stray 3 s ahead of satellite time, and 99 of 100 fixes are sent within a minute.
AHEAD_MS = 5 * SECOND_MS
LIVE_MS = MINUTE_MS
AGREE_MS = 10 * SECOND_MS  # delays this close to each other are the same
MESSAGES = 5  # so many that agree, or that are ahead, or that run backwards …
STEADY_MS = 5 * MINUTE_MS  # … over so long
BACKWARDS_PACE = 2.0  # an upload newest first goes back in time faster, and not beyond the last live message


@dataclass(slots=True)
class Clock:
    """One device's clock, where it is not simply right.  Delays are of its messages, ms; arrivals epoch ms.

    ``behind_ms``: what is believed, negative when fast.  A run of messages whose delays agree with the first
    one's, ``run_ms``: the least, how many told something newer, since when, and the newest time told;
    ``others``: how many in a row were later than the run.  ``ahead_*``: messages of which nothing can be used
    for being ahead; ``back_*``: messages in a row that each told an older time than the one before, of a time
    before ``back_live_ms`` at which the device was heard live.
    """

    behind_ms: int = 0
    run_ms: int = 0
    least_ms: int = 0
    count: int = 0
    from_ms: int = 0
    told_ms: int = 0
    others: int = 0
    ahead_count: int = 0
    ahead_from_ms: int = 0
    ahead_last_ms: int = 0
    back_count: int = 0
    back_from_ms: int = 0
    back_live_ms: int = NEVER_MS
    last_t_ms: int = 0
    last_ms: int = 0

    def correction_ms(self, delay_ms: int, within_ms: int) -> int:
        """What to add to the times of a message: never so much that it would come from the future."""
        believed = self.behind_ms if abs(self.behind_ms) <= within_ms else 0
        return min(believed, delay_ms if delay_ms < -AHEAD_MS else max(delay_ms, 0))

    def is_right(self, arrival_ms: int) -> bool:
        """Whether there is nothing to remember of it, after a live message."""
        return self.behind_ms == 0 and arrival_ms - self.ahead_last_ms > HOUR_MS


@dataclass(frozen=True, slots=True)
class Nonsense:
    """What a clock did that no clock can: the reason's template, by how much, since when (arrival)."""

    how: str
    off_ms: int
    since_ms: int


@dataclass(slots=True)
class Reading:
    """Of a batch's messages (n): ``behind_ms`` int64[n]; ``nonsense`` by message; the ``clocks`` that
    changed, None where one is right again."""

    behind_ms: I64
    nonsense: dict[int, Nonsense] = field(default_factory=dict)
    clocks: dict[str, Clock | None] = field(default_factory=dict)


def delays(batch: Batch) -> I64:
    """int64[n]: arrival less the newest time told, NO_DELAY where a message tells no time of its own."""
    messages = batch.messages
    tells = messages.t_ms != messages.arrival_ms
    tells[batch.fixes.message] = True
    tells[batch.events.message] = True
    tells &= messages.presence == Presence.CONTACT
    return np.where(tells, messages.arrival_ms - messages.t_ms, NO_DELAY)


def read(
    known: Mapping[str, Clock],
    live_ms: I64,
    device_ids: Sequence[str],
    messages: Messages,
    delay_ms: I64,
    settings: DetectionSettings,
) -> Reading:
    """Measure the clocks by n messages in order of arrival; ``known``, and ``live_ms`` int64[D], when each
    device's last live message arrived, are left as they are."""
    reading = Reading(np.zeros(len(messages), dtype=np.int64))
    tells = delay_ms != NO_DELAY
    odd = tells & ~live_messages(delay_ms)
    heard = np.unique(messages.device[odd])
    if known:
        some = np.unique(messages.device[tells])
        heard = np.union1d(heard, some[[device_ids[d] in known for d in some.tolist()]])
    if not len(heard):
        return reading
    crowd: _Crowd | None = None
    last_live_ms = {d: int(live_ms[d]) for d in heard.tolist()}
    for row in np.flatnonzero(tells & np.isin(messages.device, heard)).tolist():
        device = int(messages.device[row])
        device_id = device_ids[device]
        arrival_ms, delay = int(messages.arrival_ms[row]), int(delay_ms[row])
        if device_id not in reading.clocks:
            reading.clocks[device_id] = replace(known[device_id]) if device_id in known else None
        clock = reading.clocks[device_id] or Clock()
        nonsense = _take(clock, arrival_ms, delay, last_live_ms[device], settings)
        reading.behind_ms[row] = clock.correction_ms(delay, settings.clock_within_ms)
        live = _is_live(delay)
        if live:
            last_live_ms[device] = arrival_ms
        reading.clocks[device_id] = None if live and clock.is_right(arrival_ms) else clock
        if crowd is not None and clock.ahead_last_ms == arrival_ms:
            crowd.add(device_id, arrival_ms)
        if nonsense is not None and nonsense.off_ms < 0:
            crowd = crowd or _Crowd({**known, **reading.clocks})
            many = max(settings.outage_people_min, settings.outage_share * len(device_ids))
            nonsense = None if crowd.size(arrival_ms) >= many else nonsense
        if nonsense is not None:
            reading.nonsense[row] = nonsense
    return reading


def live_messages(delay_ms: I64) -> Bools:
    """bool[n]: those that arrived as soon as they were sent, as far as the device's clock tells."""
    live: Bools = (delay_ms >= -AHEAD_MS) & (delay_ms < LIVE_MS)
    return live


def _is_live(delay_ms: int) -> bool:
    return -AHEAD_MS <= delay_ms < LIVE_MS


def _take(
    clock: Clock, arrival_ms: int, delay_ms: int, live_ms: int, settings: DetectionSettings
) -> Nonsense | None:
    """Take one message into account; what no clock can do, if it does that."""
    t_ms, live = arrival_ms - delay_ms, _is_live(delay_ms)
    if 0 < clock.behind_ms > delay_ms + AGREE_MS:
        clock.behind_ms = 0  # nothing arrives before it is sent
    off_ms = delay_ms - clock.run_ms
    if clock.count and abs(off_ms) <= AGREE_MS:
        clock.others = 0
        clock.least_ms = min(clock.least_ms, delay_ms)
        if t_ms > clock.told_ms:
            clock.told_ms, clock.count = t_ms, clock.count + 1
    elif clock.count and off_ms > 0 and not live and clock.others < MESSAGES:
        clock.others += 1
    else:
        clock.run_ms = clock.least_ms = delay_ms
        clock.count, clock.from_ms, clock.told_ms, clock.others = 1, arrival_ms, t_ms, 0
    steady_ms = max(STEADY_MS, min(clock.least_ms, settings.clock_within_ms))
    if clock.count >= MESSAGES and arrival_ms - clock.from_ms >= steady_ms:
        clock.behind_ms = 0 if _is_live(clock.least_ms) else clock.least_ms
    return (
        _far_ahead(clock, arrival_ms, delay_ms, settings)
        or _backwards(clock, arrival_ms, t_ms, live_ms)
        or _far_behind(clock, settings)
    )


def _far_ahead(clock: Clock, arrival_ms: int, delay_ms: int, settings: DetectionSettings) -> Nonsense | None:
    if -delay_ms <= settings.future_tolerance_ms:
        # Who tells usable times as well has a clock; what was ahead has been refused, and that is all.
        clock.ahead_count = 0
        return None
    if not clock.ahead_count or arrival_ms - clock.ahead_last_ms > HOUR_MS:
        clock.ahead_count, clock.ahead_from_ms = 0, arrival_ms
    clock.ahead_count, clock.ahead_last_ms = clock.ahead_count + 1, arrival_ms
    if clock.ahead_count < MESSAGES or arrival_ms - clock.ahead_from_ms < STEADY_MS:
        return None
    return Nonsense("how.clock.ahead", delay_ms, clock.ahead_from_ms)


def _backwards(clock: Clock, arrival_ms: int, t_ms: int, live_ms: int) -> Nonsense | None:
    back_ms, passed_ms = clock.last_t_ms - t_ms, arrival_ms - clock.last_ms
    if not 0 < back_ms <= BACKWARDS_PACE * passed_ms:
        clock.back_count, clock.back_from_ms, clock.back_live_ms = 0, arrival_ms, live_ms
    elif t_ms < clock.back_live_ms:
        clock.back_count += 1
    clock.last_t_ms, clock.last_ms = t_ms, arrival_ms
    if clock.back_count < MESSAGES or arrival_ms - clock.back_from_ms < STEADY_MS:
        return None
    return Nonsense("how.clock.backwards", 0, clock.back_from_ms)


def _far_behind(clock: Clock, settings: DetectionSettings) -> Nonsense | None:
    if clock.behind_ms <= settings.clock_within_ms:
        return None
    return Nonsense("how.clock.behind", clock.behind_ms, clock.from_ms)


class _Crowd:
    """The devices that were ahead within the last hour; counted anew at every message, because what comes
    in one batch must not matter."""

    def __init__(self, clocks: Mapping[str, Clock | None]) -> None:
        ahead = [(c.ahead_last_ms, d) for d, c in clocks.items() if c is not None and c.ahead_last_ms]
        self._last_ms = {device_id: last_ms for last_ms, device_id in sorted(ahead)}  # oldest first

    def add(self, device_id: str, arrival_ms: int) -> None:
        """It is ahead again."""
        self._last_ms.pop(device_id, None)
        self._last_ms[device_id] = arrival_ms

    def size(self, now_ms: int) -> int:
        """How many there are."""
        while now_ms - next(iter(self._last_ms.values()), now_ms) > HOUR_MS:
            del self._last_ms[next(iter(self._last_ms))]
        return len(self._last_ms)


def set_right(batch: Batch, delay_ms: I64, behind_ms: I64) -> Batch:
    """The batch with all event times set right."""
    messages, fixes, events = batch.messages, batch.fixes, batch.events
    if behind_ms.any():
        messages = replace(messages, t_ms=messages.t_ms + behind_ms)
        fixes = replace(fixes, t_ms=fixes.t_ms + behind_ms[fixes.message])
        events = replace(events, t_ms=events.t_ms + behind_ms[events.message])
    return Batch(messages, fixes, events, Clocks(delay_ms, behind_ms))
