"""``backtest``: the rules as edited over stored history, beside what was paged then.

The stored fixes, events and contacts are judged in order of arrival by the engine and rules of today's
configuration and the given cases; nothing is written.  Judging begins a day before the span, so that what was
open then is open, and an answer that officers gave counts for the alert that is in its place now: without
it every ladder would climb to its top.  Supervisors read pages per day by kind, office and officer, then and
now, and tune a threshold before living with it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from corrections_monitor.config import Config
from corrections_monitor.detection.engine import Engine
from corrections_monitor.model.alerts import Answered, Line
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.telemetry import NO_BATTERY, NO_SEQ, Batch, Events, Fixes, Messages, Presence
from corrections_monitor.model.times import DAY_MS, HOUR_MS, format_time
from corrections_monitor.replay import BATCH_SPAN_MS, Kept, calendar_of, judge
from corrections_monitor.rules.book import AlertBook
from corrections_monitor.store import Store
from corrections_monitor.store.history import (
    GivenThen,
    Heard,
    answered_between,
    first_heard,
    heard_between,
    paged_between,
)

Pages = Counter[tuple[str, str, str]]  # kind, office, officer
WARM_UP_MS = DAY_MS
# What these rest on is not kept: positions of protected persons, numbers, battery levels between events.
NOT_JUDGED_AGAIN = frozenset({Kind.CONTACT_NEAR, Kind.DATA_GAP, Kind.BATTERY_LOW, Kind.BATTERY_CRITICAL})


async def backtest_report(
    store: Store, cases: CaseSet, config: Config, start_ms: int, end_ms: int, told: Callable[[str], None]
) -> str:
    """The table, as text.  ``told`` hears how far it has come."""
    zone = config.site.timezone
    at_ms = await first_heard(store, start_ms - WARM_UP_MS, start_ms) or start_ms
    engine = Engine(cases, calendar_of(cases, zone), config.detection, at_ms)
    book, kept = AlertBook(config.rules), Kept()
    answers = deque(await answered_between(store, at_ms, end_ms))
    now: Pages = Counter()
    heard: deque[Heard] = deque()
    read_ms = at_ms
    while at_ms < end_ms:
        if at_ms >= read_ms:
            read_ms = min(at_ms + HOUR_MS, end_ms)
            heard.extend(await heard_between(store, at_ms, read_ms))
        given = []
        while answers and answers[0].answered.at_ms <= at_ms:
            given.append(answers.popleft())
        until_ms = min(at_ms + BATCH_SPAN_MS, read_ms, *(g.answered.at_ms for g in list(answers)[:1]))
        rows = []
        while heard and heard[0].arrival_ms < until_ms:
            rows.append(heard.popleft())
        batch = _batch(engine, rows)
        for line in judge(engine, book, kept, batch, until_ms - 1, _answers(book, given)):
            if line.at_ms >= start_ms:
                _count(now, line)
        if at_ms // DAY_MS != until_ms // DAY_MS:
            told(f"backtest: at {format_time(until_ms, zone)}")
        at_ms = until_ms
    then: Pages = Counter()
    left_out: Counter[str] = Counter()
    for kind, office, officers in await paged_between(store, start_ms, end_ms):
        for officer in officers:
            then[kind, office, officer] += kind not in NOT_JUDGED_AGAIN
            left_out[kind] += kind in NOT_JUDGED_AGAIN
    return _table(then, now, left_out, max(1.0, (end_ms - start_ms) / DAY_MS))


def _answers(book: AlertBook, given: Iterable[GivenThen]) -> list[Answered]:
    """Each to the open alert of the same person, cause and subject; those to none are dropped."""
    found = []
    for person_id, cause, subject, answered in given:
        for alert in book.open_alerts():
            if (alert.person_id, alert.cause, alert.subject) == (person_id, cause, subject):
                found.append(replace(answered, alert_id=alert.alert_id))
    return found


def _count(pages: Pages, line: Line) -> None:
    for officer in line.paged if line.episode.kind not in NOT_JUDGED_AGAIN else ():
        pages[line.episode.kind.value, line.episode.office_id, officer] += 1


def _batch(engine: Engine, heard: Iterable[Heard]) -> Batch:
    """Stored rows as a batch: every row a message of its own, without number and battery level."""
    rows = [h for h in heard if h.device_id in engine.city.device_no]
    device = np.array([engine.city.device_no[h.device_id] for h in rows], dtype=np.int32)
    arrival = np.array([h.arrival_ms for h in rows], dtype=np.int64)
    count = len(rows)
    t_ms = np.array([h.arrival_ms if h.t_ms is None else h.t_ms for h in rows], dtype=np.int64)
    messages = Messages(
        arrival, device, np.full(count, NO_SEQ, dtype=np.int64), np.full(count, NO_BATTERY, dtype=np.int16),
        t_ms, np.full(count, Presence.CONTACT, dtype=np.uint8),
    )  # fmt: skip
    fixes = [i for i, h in enumerate(rows) if h.lon is not None]
    events = [i for i, h in enumerate(rows) if h.ev is not None]
    unknown = np.full(len(fixes), np.nan, dtype=np.float32)
    return Batch(
        messages,
        Fixes(
            np.array(fixes, dtype=np.int64), t_ms[fixes],
            np.array([rows[i].lon for i in fixes], dtype=np.float64),
            np.array([rows[i].lat for i in fixes], dtype=np.float64),
            np.array([rows[i].acc_m for i in fixes], dtype=np.float32),
            unknown, unknown, np.array([rows[i].src for i in fixes], dtype=np.uint8),
        ),
        Events(
            np.array(events, dtype=np.int64), t_ms[events],
            np.array([rows[i].ev for i in events], dtype=np.uint8),
            np.array([rows[i].battery_pct for i in events], dtype=np.int16),
        ),
    )  # fmt: skip


def _table(then: Pages, now: Pages, left_out: Counter[str], days: float) -> str:
    lines = [f"pages per day over {days:.1f} days        then      now   change"]
    for title, part in (("by kind", 0), ("by office", 1), ("by officer", 2)):
        lines.append(f"-- {title}")
        old, new = _by(then, part), _by(now, part)
        for name in sorted({*old, *new}, key=lambda n: (-max(old[n], new[n]), n)):
            before, after = old[name] / days, new[name] / days
            lines.append(f"{name:<32} {before:>8.2f} {after:>8.2f} {after - before:>+8.2f}")
    before, after = sum(then.values()) / days, sum(now.values()) / days
    lines.append(f"{'total':<32} {before:>8.2f} {after:>8.2f} {after - before:>+8.2f}")
    not_again = [f"{kind} {count}" for kind, count in sorted(left_out.items()) if count]
    if not_again:
        lines.append(f"pages left out, their grounds are not kept: {', '.join(not_again)}")
    return "\n".join(lines)


def _by(pages: Pages, part: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for key, count in pages.items():
        found[key[part]] += count
    return found
