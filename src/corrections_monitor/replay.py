"""Replay: the same engine and rules on a virtual clock, fed by a recording; no broker, no database.

A recording is NDJSON, ``.gz`` accepted, one message a line in order of arrival.  The clock starts at the
first arrival and ends at the last, or at a time given.  The output is the log of episodes (CONTRACT §4),
byte for byte the same for the same input however its rows are cut into batches.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, NamedTuple, cast
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from corrections_monitor.detection.engine import Engine, History, Resolved, Wanted
from corrections_monitor.ingest.decode import decode
from corrections_monitor.ingest.message import Message
from corrections_monitor.model.alerts import Answer, Answered, Line
from corrections_monitor.model.cases import CaseSet, DayKind
from corrections_monitor.model.schedule import Calendar
from corrections_monitor.model.settings import DetectionSettings, RulesSettings
from corrections_monitor.model.telemetry import I64, Batch, Bools, Fixes, as_sent, keep
from corrections_monitor.model.times import SECOND_MS, format_time, parse_time
from corrections_monitor.rules.book import AlertBook

BATCH_MESSAGES = 20_000
TELL_EVERY = 100_000
BATCH_SPAN_MS = 120 * SECOND_MS
"""A batch spans at most this much of the recording, and less than any patience with silence: nobody can
fall silent inside it unnoticed."""


class RecordingError(Exception):
    """The recording cannot be read; the message names file and line."""


class _Row(msgspec.Struct):
    at: str | int
    topic: str
    payload: msgspec.Raw = msgspec.Raw(b"")
    payload_b64: str | None = None


def calendar_of(cases: CaseSet, zone: ZoneInfo) -> Calendar:
    """The calendar schedules are read by: the zone and the holidays of the cases."""
    return Calendar(zone, frozenset(h.date for h in cases.holidays.values() if h.kind is DayKind.OFF))


def read_recording(path: Path, zone: ZoneInfo) -> Iterator[Message]:
    """The messages of a recording; arrival never runs back.  Raises RecordingError."""
    decoder = msgspec.json.Decoder(_Row)
    last_ms = 0
    with _open(path) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = _row(decoder, line)
                last_ms = max(last_ms, parse_time(row.at, zone))
                payload = (
                    base64.b64decode(row.payload_b64, validate=True)
                    if row.payload_b64 is not None
                    else bytes(row.payload)
                )
            except (msgspec.MsgspecError, ValueError) as error:
                raise RecordingError(f"{path}:{number}: {error}") from None
            yield Message(row.topic, payload, last_ms, False, False, None)


def _row(decoder: msgspec.json.Decoder[_Row], line: bytes) -> _Row:
    """One line; a payload with NaN, which is no JSON, is for the quarantine and not for us to refuse."""
    try:
        return decoder.decode(line)
    except msgspec.DecodeError as error:
        fields = json.loads(line)
        if not isinstance(fields, dict) or isinstance(error, msgspec.ValidationError):
            raise
        payload = json.dumps(fields.pop("payload", None)).encode()
        return msgspec.structs.replace(msgspec.convert(fields, _Row), payload=msgspec.Raw(payload))


def _open(path: Path) -> IO[bytes]:
    try:
        if path.suffix == ".gz":
            return cast(IO[bytes], gzip.open(path, "rb"))
        return path.open("rb")
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from None


def batches(
    messages: Iterable[Message], size: int = BATCH_MESSAGES, span_ms: int = BATCH_SPAN_MS
) -> Iterator[list[Message]]:
    """Cut a recording into batches, never inside a millisecond."""
    batch: list[Message] = []
    for message in messages:
        if batch and message.arrival_ms != batch[-1].arrival_ms:
            long = message.arrival_ms - batch[0].arrival_ms > span_ms
            if long or len(batch) >= size:
                yield batch
                batch = []
        batch.append(message)
    if batch:
        yield batch


class _Part(NamedTuple):
    """Rows ``first`` to ``last`` of a batch's fixes are one person's; ``newest_ms``: the last event time."""

    newest_ms: int
    fixes: Fixes
    first: int
    last: int


@dataclass(slots=True)
class Kept:
    """What a database would know: which keys came before, and everybody's fixes for late ones."""

    keys: set[tuple[int, ...]] = field(default_factory=set)
    parts: dict[str, list[_Part]] = field(default_factory=dict)  # per person, in order of arrival

    def new(self, batch: Batch) -> tuple[Bools, Bools]:
        """Which fixes and events did not come before; remembers them."""
        fixes, events, device = batch.fixes, batch.events, batch.messages.device
        fix_t, event_t = as_sent(batch)
        fix_keys = zip(device[fixes.message].tolist(), fix_t.tolist(), fixes.src.tolist(), strict=True)
        event_keys = zip(
            (-1 - device[events.message]).tolist(), event_t.tolist(), events.ev.tolist(), strict=True
        )
        return self._new(fix_keys, len(fixes)), self._new(event_keys, len(events))

    def _new(self, keys: Iterable[tuple[int, ...]], count: int) -> Bools:
        known = self.keys
        out = np.empty(count, dtype=bool)
        for i, key in enumerate(keys):
            before = len(known)
            known.add(key)
            out[i] = len(known) > before
        return out

    def remember(self, engine: Engine, batch: Batch) -> None:
        """Keep the fixes of a judged batch by person."""
        fixes = batch.fixes
        if not len(fixes):
            return
        person = engine.city.people_at(batch.messages.device[fixes.message], fixes.t_ms).astype(np.int64)
        order = np.argsort(person, kind="stable")
        kept, person, city = replace(fixes, **_taken(fixes, order)), person[order], engine.city
        edges = np.flatnonzero(np.diff(person)) + 1
        newest = np.maximum.reduceat(kept.t_ms, np.append(0, edges))
        for first, last, t_ms in zip([0, *edges], [*edges, len(person)], newest.tolist(), strict=True):
            if person[first] >= 0:
                person_id = city.person_ids[person[first]]
                self.parts.setdefault(person_id, []).append(_Part(t_ms, kept, int(first), int(last)))

    def history(self, engine: Engine, batch: Batch) -> dict[str, History]:
        """The fixes of everyone whose late ones this batch brings."""
        return self.of(engine.wanted_history(batch))

    def of(self, wanted: Iterable[Wanted]) -> dict[str, History]:
        """The fixes that are wanted."""
        return {w.person_id: self._of(w.person_id, w.since_ms) for w in wanted}

    def _of(self, person_id: str, since_ms: int) -> History:
        found: list[tuple[int, float, float, float, int]] = []
        before: tuple[int, float, float, float, int] | None = None
        for newest_ms, f, first, last in self.parts.get(person_id, ()):
            if newest_ms < since_ms and before is not None and newest_ms < before[0]:
                continue
            for i in range(first, last):
                fix = (int(f.t_ms[i]), float(f.lon[i]), float(f.lat[i]), float(f.acc_m[i]), int(f.src[i]))
                if fix[0] >= since_ms:
                    found.append(fix)
                elif before is None or fix > before:
                    before = fix
        return sorted(found if before is None else [before, *found])


def _taken(fixes: Any, order: I64) -> dict[str, Any]:
    names = ("message", "t_ms", "lon", "lat", "acc_m", "spd_mps", "hdg_deg", "src")
    return {name: getattr(fixes, name)[order] for name in names}


def replay(
    cases: CaseSet,
    messages: Iterable[Message],
    zone: ZoneInfo,
    detection: DetectionSettings,
    rules: RulesSettings,
    *,
    until_ms: int | None = None,
    batch_messages: int = BATCH_MESSAGES,
    told: Callable[[str], None] = lambda _: None,
) -> Iterator[Line]:
    """Run engine and rules over a recording; yield the lines of the episode log in order.

    ``told`` hears now and then how far it has come.
    """
    engine: Engine | None = None
    book = AlertBook(rules)
    kept = Kept()
    last_ms, count = 0, 0
    span_ms = min(BATCH_SPAN_MS, detection.silence_min_ms // 2)
    for raw in batches(messages, batch_messages, span_ms):
        count += len(raw)
        if count // TELL_EVERY != (count - len(raw)) // TELL_EVERY:
            told(f"replay: {count} messages, at {format_time(raw[-1].arrival_ms, zone)}")
        first_ms, last_ms = raw[0].arrival_ms, raw[-1].arrival_ms
        if until_ms is not None and last_ms > until_ms:
            raw = [m for m in raw if m.arrival_ms <= until_ms]
            last_ms = raw[-1].arrival_ms if raw else last_ms
        if engine is None:
            engine = Engine(cases, calendar_of(cases, zone), detection, first_ms)
        if not raw:
            break
        batch = decode(raw, engine.city.device_no, zone, detection).batch
        yield from judge(engine, book, kept, batch, last_ms)
    if engine is not None and until_ms is not None and until_ms > last_ms:
        yield from book.advance(engine.step(None, until_ms), (), cases, until_ms).lines


def judge(
    engine: Engine,
    book: AlertBook,
    kept: Kept,
    batch: Batch,
    now_ms: int,
    answers: Sequence[Answered] = (),
) -> tuple[Line, ...]:
    """Judge a decoded batch up to ``now_ms``: what the law lets be judged, and what is new of it."""
    batch = engine.set_right(batch)
    batch = keep(batch, *engine.admit(batch), rest_is_known=False)
    batch = keep(batch, *kept.new(batch), rest_is_known=True)
    resolved = resolved_by(book, answers)
    transitions = engine.step(batch, now_ms, resolved, kept.history(engine, batch))
    kept.remember(engine, batch)
    return book.advance(transitions, answers, engine.cases, now_ms).lines


def resolved_by(book: AlertBook, answers: Sequence[Answered]) -> list[Resolved]:
    """What the engine must close because a person has resolved the alert."""
    found = []
    for answer in answers:
        held = book.episodes_of(answer.alert_id)
        if answer.answer is Answer.RESOLVED and held is not None:
            found.append(Resolved(answer.at_ms, *held))
    return found


def line_json(line: Line, zone: ZoneInfo) -> bytes:
    """One line of the episode log as CONTRACT §4 writes it."""
    episode = line.episode
    return msgspec.json.encode(
        {
            "event": line.change.value,
            "at": format_time(line.at_ms, zone),
            "episode_id": episode.episode_id,
            "kind": episode.kind.value,
            "person_id": episode.person_id,
            "zone_id": episode.zone_id,
            "started_at": format_time(episode.started_ms, zone),
            "detected_at": format_time(episode.detected_ms, zone),
            "ended_at": format_time(episode.ended_ms, zone),
            "severity": str(line.severity),
            "paged": sorted(line.paged),
            "reason": episode.reason,
        }
    )


def first_step_only(rules: RulesSettings) -> RulesSettings:
    """Rules whose ladders do not climb: who is told at once is told, nobody after (``--ladder off``)."""
    return replace(
        rules,
        ladders={s: steps[:1] for s, steps in rules.ladders.items()},
        ladder_rows=tuple(replace(row, steps=row.steps[:1]) for row in rules.ladder_rows),
    )
