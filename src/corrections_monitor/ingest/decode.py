"""Raw messages into columns, fix by fix: the whole of CONTRACT §2 on what can be used.

Nothing is lost: every fix and event of the input is in the batch, in ``rejects``, or repeats one that is;
nothing raises, whatever the bytes.  Most messages take the quick way (``quick``), the rest the slow one
(``slow``).

Presence (``Messages.presence``): NONE for a retained message, a last will or ``online:false``, and a message
that only repeats rows of this same batch.  CONTACT for rows that may be new, for a live ``online:true``, and
for anything unusable from a known device.  Whether an unusable message is old, and so no contact after all,
only the engine knows: ``seq`` is the message's own (NO_SEQ where absent or unreadable) and ``t_ms`` the
newest time in it that can be used; if none can, the newest that could be read, even one ahead of our clock
(``detection.clocks`` sets it right); if none could be read, arrival.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from corrections_monitor.ingest.columns import (
    EventColumns,
    FixColumns,
    MessageColumns,
    accuracy_m,
    in_order,
    on_the_globe,
    repeated,
)
from corrections_monitor.ingest.message import Message
from corrections_monitor.ingest.quarantine import Reason, Reject
from corrections_monitor.ingest.quick import read_quick
from corrections_monitor.ingest.slow import CommandReply, Outcome, PageAck, SlowReader, reject
from corrections_monitor.ingest.topics import Family, route
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.telemetry import I64, Batch, Bools, Events, Fixes, Messages, Presence

__all__ = ["CommandReply", "Decoded", "PageAck", "decode"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """``message_index``: int64[len(batch.messages)], the raw message of each row.

    ``counts``: messages by (source, outcome): a ``Family`` and an ``Outcome``.
    """

    batch: Batch
    message_index: I64
    rejects: list[Reject]
    acks: list[PageAck]
    replies: list[CommandReply]
    counts: Counter[tuple[str, str]]


def decode(
    messages: Sequence[Message],
    devices: Mapping[str, int],
    zone: ZoneInfo,
    settings: DetectionSettings,
) -> Decoded:
    """Raw messages, in order of arrival, as columns.

    ``devices``: device_id to the index that the ``device`` columns use; ``zone``: for civil times.
    """
    quick = read_quick(messages, devices, settings)
    slow = SlowReader(messages, devices, zone, settings)
    for raw in quick.left:
        slow.read(raw)
    counts = slow.counts
    counts[Family.FIX, Outcome.ACCEPTED] += quick.fix_count
    counts[Family.BAND, Outcome.ACCEPTED] += quick.band_count
    table, fixes, events = quick.messages, quick.fixes, quick.events
    if slow.any_rows:
        more = slow.columns()
        table, fixes, events = table.join(more[0]), fixes.join(more[1]), events.join(more[2])
    table = table.take(np.argsort(table.raw, kind="stable"))
    events = events.take(np.argsort(events.raw, kind="stable"))
    fixes, events, rejects, touched = _without_repetition(messages, table, in_order(fixes), events)
    for raw, (conflict, rows_left) in touched.items():
        # A message of which anything else is unusable is counted as such, and is a contact all the same.
        if raw not in slow.faulty:
            family, _ = route(messages[raw].topic)
            counts[family, Outcome.ACCEPTED] -= 1
            counts[family, _outcome(conflict, rows_left)] += 1
            if not rows_left:
                table.presence[np.searchsorted(table.raw, raw)] = Presence.NONE
    batch = _batch(table, fixes, events)
    return Decoded(batch, table.raw, slow.rejects + rejects, slow.acks, slow.replies, +counts)


def _outcome(conflict: bool, rows_left: bool) -> Outcome:
    """What became of a message some of whose rows came before."""
    if conflict:
        return Outcome.PARTIAL if rows_left else Outcome.REJECTED
    return Outcome.ACCEPTED if rows_left else Outcome.DUPLICATE


def _without_repetition(
    messages: Sequence[Message], table: MessageColumns, fixes: FixColumns, events: EventColumns
) -> tuple[FixColumns, EventColumns, list[Reject], dict[int, tuple[bool, bool]]]:
    """The first row of each key only; others are dropped if they say the same and rejected if not.

    The fourth: for each raw message that lost rows, whether any was in conflict and whether any is left.
    """
    fix_device = table.device[np.searchsorted(table.raw, fixes.raw)]
    event_device = table.device[np.searchsorted(table.raw, events.raw)]
    fix_rows, fix_first = repeated((fixes.src, fixes.t_ms, fix_device))
    event_rows, event_first = repeated((events.ev, events.t_ms, event_device))
    if not len(fix_rows) and not len(event_rows):
        return fixes, events, [], {}
    other_fix = ~_same(fixes, fix_rows, fix_first, ("lon", "lat", "acc_m", "spd_mps", "hdg_deg", "crs"))
    other_event = ~_same(events, event_rows, event_first, ("battery_pct",))
    fix_conflicts = fixes.raw[fix_rows[other_fix]].tolist()
    event_conflicts = events.raw[event_rows[other_event]].tolist()
    rejects = [
        reject(messages[raw], Reason.CONFLICT, "another fix of this device, time and src came before")
        for raw in fix_conflicts
    ] + [
        reject(messages[raw], Reason.CONFLICT, "another event of this device, time and ev came before")
        for raw in event_conflicts
    ]
    conflicts = {*fix_conflicts, *event_conflicts}
    losers = {*fixes.raw[fix_rows].tolist(), *events.raw[event_rows].tolist()}
    fixes = fixes.take(np.delete(np.arange(len(fixes.raw)), fix_rows))
    events = events.take(np.delete(np.arange(len(events.raw)), event_rows))
    left = {*fixes.raw.tolist(), *events.raw.tolist()}
    return fixes, events, rejects, {raw: (raw in conflicts, raw in left) for raw in losers}


def _same(columns: FixColumns | EventColumns, rows: I64, first: I64, names: tuple[str, ...]) -> Bools:
    """Whether two rows say the same, pair by pair; not said (NaN) twice is the same."""
    same = np.ones(len(rows), np.bool_)
    for name in names:
        one, other = getattr(columns, name)[rows], getattr(columns, name)[first]
        same &= (one == other) | ((one != one) & (other != other))
    return same


def _batch(table: MessageColumns, fixes: FixColumns, events: EventColumns) -> Batch:
    lon, lat = on_the_globe(fixes)
    return Batch(
        Messages(table.arrival_ms, table.device, table.seq, table.battery_pct, table.t_ms, table.presence),
        Fixes(
            np.searchsorted(table.raw, fixes.raw),
            fixes.t_ms,
            lon,
            lat,
            accuracy_m(fixes),
            fixes.spd_mps,
            fixes.hdg_deg,
            fixes.src,
        ),
        Events(np.searchsorted(table.raw, events.raw), events.t_ms, events.ev, events.battery_pct),
    )
