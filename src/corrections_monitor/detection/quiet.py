"""Which persons of a batch have rows that may change something, by columns alone.

A row is quiet when it provably leaves every episode, belief and deadline as it is, apart from the
columns that ``absorb`` sets.  Whoever has one loud row is judged row by row; everyone else is absorbed.
The proof may err on the loud side only; an engine that takes everyone for loud gives the same result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from corrections_monitor.detection.against import Against
from corrections_monitor.detection.city import City
from corrections_monitor.detection.clocks import Nonsense
from corrections_monitor.detection.evidence import doubt_m
from corrections_monitor.detection.plausibility import Oddities
from corrections_monitor.detection.state import Columns
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.telemetry import (
    I32,
    I64,
    NO_BATTERY,
    NO_SEQ,
    BandEvent,
    Batch,
    Bools,
    Messages,
    Presence,
)
from corrections_monitor.model.times import OPEN_END_MS


@dataclass(frozen=True, slots=True)
class Rows:
    """A batch with its rows tied to persons: by arrival for messages, by event time for fixes and
    events; -1 where nobody wore the device.  ``against`` and ``odd`` are over the fixes."""

    batch: Batch
    message_person: I32
    fix_person: I32
    event_person: I32
    has_rows: Bools  # per message
    against: Against
    odd: Oddities
    nonsense: Mapping[int, Nonsense]  # by message


def loud_people(
    rows: Rows, city: City, columns: Columns, settings: DetectionSettings, edited_ms: int
) -> Bools:
    """bool[P]: who must be judged row by row.  ``edited_ms``: fixes of before are judged by older cases."""
    loud = np.zeros(len(city.person_ids) + 1, dtype=bool)  # the last cell takes the -1 of nobody
    messages, fixes, events = rows.batch.messages, rows.batch.fixes, rows.batch.events
    person = rows.message_person

    bare = ~rows.has_rows & (messages.presence == Presence.CONTACT)
    low = (messages.battery_pct != NO_BATTERY) & (messages.battery_pct <= settings.battery_low_pct)
    late_deadline = messages.arrival_ms >= columns.due_ms[np.maximum(person, 0)]
    loud[person[bare | low | late_deadline | columns.watched[np.maximum(person, 0)]]] = True
    loud[person[_out_of_sequence(messages, person, city, columns)]] = True

    told = (events.ev != BandEvent.HEARTBEAT) | (
        (events.battery_pct != NO_BATTERY) & (events.battery_pct <= settings.battery_low_pct)
    )
    loud[rows.event_person[told]] = True
    loud[rows.event_person[rows.event_person != person[events.message]]] = True
    loud[rows.fix_person[rows.fix_person != person[fixes.message]]] = True
    loud[person[fixes.message[rows.fix_person != person[fixes.message]]]] = True

    loud[rows.fix_person[rows.odd.any_odd | (fixes.t_ms < edited_ms)]] = True
    loud[person[list(rows.nonsense)]] = True

    loud[rows.fix_person[rows.against.fix[stirred(rows.against, fixes.t_ms, city, columns)]]] = True
    return loud[:-1]


def stirred(pairs: Against, t_ms: I64, city: City, columns: Columns) -> Bools:
    """bool[pairs]: fixes that may move the belief about a slot, or an episode; ``t_ms`` is of the fixes."""
    t_ms = t_ms[pairs.fix]
    against = np.where(columns.beyond[pairs.slot], -pairs.odds, pairs.odds)
    moves: Bools = (
        (against > 0)
        | (t_ms >= columns.quiet_until_ms[pairs.slot])
        | (t_ms < columns.quiet_from_ms[pairs.slot])
        | (t_ms <= columns.since_ms[city.slot_person[pairs.slot]])
        | city.slot_mixed[pairs.slot]
    )
    return moves


def _out_of_sequence(messages: Messages, person: I32, city: City, columns: Columns) -> Bools:
    """Messages whose number is not the one after the device's number before, in order of arrival; but for
    a restart of which nothing that is missing can be told."""
    order = np.argsort(messages.device, kind="stable")
    dev, numbers = messages.device[order], messages.seq[order]
    before = np.empty_like(numbers)
    before[1:] = numbers[:-1]
    first = np.ones(len(dev), dtype=bool)
    first[1:] = dev[1:] != dev[:-1]
    before[first] = columns.seq[dev[first]]
    odd = np.zeros(len(dev), dtype=bool)
    # Nothing can be missing before the first number, nor where there are none.
    unnumbered = (before == NO_SEQ) & ((numbers != NO_SEQ) | (columns.seq[dev] == NO_SEQ))
    newer = first & (messages.t_ms[order] > columns.t_ms[dev])
    missing = columns.storied[np.maximum(person[order], 0)] | (city.bindings.count[dev] != 1)
    restarted = newer & ~missing & (numbers != NO_SEQ) & (numbers < before)
    odd[order] = ~unnumbered & ~restarted & ((numbers == NO_SEQ) | (numbers != before + 1))
    return odd


def absorb(rows: Rows, quiet: Bools, columns: Columns, patience_ms: np.ndarray, worn: Worn) -> None:
    """Take the rows of quiet persons into the columns.

    ``quiet`` bool[P]; ``patience_ms`` int64[D]; ``worn``: the devices each person wears now.
    """
    messages, fixes = rows.batch.messages, rows.batch.fixes
    known = rows.message_person >= 0
    mine = known & quiet[np.maximum(rows.message_person, 0)] & rows.has_rows
    device, arrival = messages.device[mine], messages.arrival_ms[mine]
    columns.contact_ms[device] = arrival  # in order of arrival: the last assignment wins
    columns.seq[device] = messages.seq[mine]
    np.maximum.at(columns.t_ms, device, messages.t_ms[mine])
    told = messages.battery_pct[mine] != NO_BATTERY
    columns.battery_pct[device[told]] = messages.battery_pct[mine][told]

    seen = (rows.fix_person >= 0) & quiet[np.maximum(rows.fix_person, 0)]
    message = fixes.message[seen]
    fix_arrival = messages.arrival_ms[message]
    columns.fix_ms[messages.device[message]] = fix_arrival
    person = rows.fix_person[seen]
    t_ms, lon, lat = fixes.t_ms[seen], fixes.lon[seen], fixes.lat[seen]
    doubt = doubt_m(fixes.acc_m[seen], fixes.src[seen])
    order = np.argsort(t_ms, kind="stable")
    newer = order[columns.is_newer(person, t_ms, lon, lat, doubt)[order]]
    columns.see(person, t_ms, lon, lat, doubt, newer)  # the last assignment wins
    newest = newer[t_ms[newer] == columns.last_t_ms[person[newer]]]
    if len(newest) and np.bincount(person[newest]).max() > 1:
        # Of one instant the last in this order stays, as in ``retell.in_order``.
        in_order = newest[np.lexsort((doubt[newest], lat[newest], lon[newest]))]
        columns.see(person, t_ms, lon, lat, doubt, in_order)

    person = rows.message_person[mine]
    order = np.argsort(person, kind="stable")
    last = order[np.diff(person[order], append=-1) != 0]
    if len(last):
        touched = person[last]
        # Per person the own last row, not the batch's: time has passed for nobody beyond that.
        columns.due_ms[touched] = np.minimum(
            columns.other_due_ms[touched], worn.silence_due(touched, columns, patience_ms, arrival[last])
        )


class Worn:
    """CSR of the devices each person wears now: ``ptr`` int64[P+1], ``device`` int32."""

    def __init__(self, person_of_device: I32, people: int) -> None:
        order = np.argsort(person_of_device, kind="stable")
        order = order[person_of_device[order] >= 0]
        self.device = order.astype(np.int32)
        self.ptr = np.searchsorted(person_of_device[order], np.arange(people + 1)).astype(np.int64)

    def of(self, person: int) -> list[int]:
        """The device numbers a person wears."""
        return [int(d) for d in self.device[self.ptr[person] : self.ptr[person + 1]]]

    def count(self, people: np.ndarray) -> I64:
        """How many devices each of these persons wears."""
        count: I64 = self.ptr[people + 1] - self.ptr[people]
        return count

    def rows(self, people: np.ndarray) -> tuple[I32, I64, I64]:
        """The devices of persons who all wear some: (devices one person after the other, where each
        person's begin, how many each has)."""
        count = self.count(people)
        starts = np.cumsum(count) - count
        row = np.arange(int(count.sum())) + np.repeat(self.ptr[people] - starts, count)
        return self.device[row], starts, count

    def silence_due(
        self, people: np.ndarray, columns: Columns, patience_ms: np.ndarray, after_ms: np.ndarray
    ) -> np.ndarray:
        """Per person the earliest instant after ``after_ms`` at which a silence could begin: too early
        is harmless (it is looked at and found well), too late would be a silence missed."""
        some = self.count(people) > 0
        due = np.full(len(people), OPEN_END_MS, dtype=np.int64)
        if not some.any():
            return due
        device, starts, count = self.rows(people[some])
        floor_ms, returned_ms, after_ms = (
            np.repeat(values[some], count)
            for values in (columns.floor_ms[people], columns.returned_ms[people], after_ms)
        )
        contact_due = np.maximum(columns.contact_ms[device], floor_ms) + patience_ms[device]
        # Each device's own last fix counts: the position may hang on one that reports seldom.
        owed_ms = np.maximum(floor_ms, returned_ms)
        position_due = np.maximum(columns.fix_ms[device], owed_ms) + patience_ms[device]
        contact_due = np.where(contact_due > after_ms, contact_due, OPEN_END_MS)
        position_due = np.where(position_due > after_ms, position_due, OPEN_END_MS)
        earliest = np.minimum(contact_due, position_due)
        due[some] = np.minimum.reduceat(earliest, starts)
        return due
