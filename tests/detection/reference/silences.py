"""Silence: which of silence.device, silence.band, silence.position, unmonitored is true of a person now?

Measured in arrival time, because that is when we knew.  At most one is open.
"""

from __future__ import annotations

from dataclasses import dataclass

from corrections_monitor.model.cases import Device, DeviceKind
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.settings import DetectionSettings
from reference.book import Book
from reference.law import Law

SILENCES = (Kind.SILENCE_DEVICE, Kind.SILENCE_BAND, Kind.SILENCE_POSITION, Kind.UNMONITORED)
COMES_WITH = {
    Kind.SILENCE_DEVICE: (Kind.SILENCE_DEVICE, Kind.SILENCE_BAND, Kind.SILENCE_POSITION),
    Kind.SILENCE_BAND: (Kind.SILENCE_BAND, Kind.SILENCE_POSITION),
    Kind.SILENCE_POSITION: (Kind.SILENCE_POSITION,),
    Kind.UNMONITORED: (Kind.UNMONITORED,),
}
"""What is silent too while something is."""
ONE_AND_THE_SAME = (Kind.SILENCE_DEVICE, Kind.SILENCE_POSITION)
"""Another device may become the one last heard without the silence being a new one."""


@dataclass
class Heard:
    """Arrivals of a device's last contact and last fix; 0 for never.  ``known_ms``: since when it is in the
    cases."""

    contact_ms: int = 0
    fix_ms: int = 0
    known_ms: int = 0


@dataclass
class Worn:
    """A device the person wears now, and what was heard of it since they wear it."""

    binding: Device
    contact_ms: int
    fix_ms: int
    bound_ms: int
    patience_ms: int

    @property
    def device_id(self) -> str:
        return self.binding.device_id


Found = tuple[Kind, str, int]
"""Kind, subject, since when."""


def patience_ms(every_s: int, settings: DetectionSettings) -> int:
    """How long a device may be silent: three of its own intervals, at least five minutes."""
    return int(max(settings.silence_intervals * every_s * 1_000, settings.silence_min_ms))


def worn_by(law: Law, heard: dict[str, Heard], now_ms: int, settings: DetectionSettings) -> list[Worn]:
    """What a device said on somebody else's arm is not heard of this person."""
    found = []
    for binding in law.bound(now_ms):
        of = heard[binding.device_id]
        since = binding.span.from_ms
        found.append(
            Worn(
                binding,
                of.contact_ms if of.contact_ms >= since else 0,
                of.fix_ms if of.fix_ms >= since else 0,
                max(since, of.known_ms),
                patience_ms(binding.report_every_s, settings),
            )
        )
    return found


def which_silence(
    law: Law, worn: list[Worn], now_ms: int, deaf_until_ms: int, returned_ms: int, settings: DetectionSettings
) -> Found | None:
    """The silence that is true at ``now_ms``.  Nobody is silent for time in which we ourselves were deaf, nor
    for time before the order or in a suspension; who was silent and returned is given time for a position."""
    judged = law.judged(now_ms)
    if judged is None:
        return None
    if not worn:
        unbound_ms = [b.span.to_ms for b in law.bindings if b.span.to_ms <= now_ms]
        return Kind.UNMONITORED, law.person.person_id, max([judged[0], *unbound_ms])
    heard = [w for w in worn if w.contact_ms]
    if not heard:
        first = min(worn, key=lambda w: (w.bound_ms, w.device_id))
        since_ms = max(first.bound_ms, judged[0])
        overdue = now_ms >= since_ms + settings.unheard_ms
        return (Kind.UNMONITORED, first.device_id, since_ms) if overdue else None
    floor_ms = max(judged[0], deaf_until_ms)
    missing = [w for w in heard if now_ms >= max(w.contact_ms, floor_ms) + w.patience_ms]
    if len(missing) == len(heard):
        last = max(heard, key=lambda w: (w.contact_ms, w.device_id))
        return Kind.SILENCE_DEVICE, last.device_id, last.contact_ms
    for band in sorted(missing, key=lambda w: w.contact_ms):
        # Nor does a band, after a silence of all, come back at the very moment another device does.
        if band.binding.kind is not DeviceKind.BAND or now_ms < returned_ms + band.patience_ms:
            continue
        # Another device must have spoken after the band missed a report: a phone that reports seldom is
        # not yet called silent when all fell silent together.
        missed_ms = band.contact_ms + band.binding.report_every_s * 1_500
        if any(w.contact_ms > missed_ms for w in heard if w is not band):
            return Kind.SILENCE_BAND, band.device_id, band.contact_ms
    giving = [w for w in heard if w.fix_ms] or heard
    due_ms = max(max(w.fix_ms, floor_ms, returned_ms) + w.patience_ms for w in giving)
    # A silent device owes no position: one must have spoken shortly before it was due, or since.
    owed = any(w.contact_ms + w.binding.report_every_s * 1_500 > due_ms for w in heard)
    if now_ms >= due_ms and owed:
        last = max(giving, key=lambda w: (w.fix_ms, w.device_id))
        return Kind.SILENCE_POSITION, last.device_id, last.fix_ms or max(floor_ms, returned_ms)
    return None


def settle(book: Book, law: Law, found: Found | None, at_ms: int) -> None:
    """Make the open silence the one that was found."""
    for entry in book.open_ones(*SILENCES):
        same_kind = found is not None and entry.kind is found[0]
        if found is not None and same_kind and (entry.subject == found[1] or entry.kind in ONE_AND_THE_SAME):
            return
        judged = law.judged(at_ms)
        book.close(at_ms, entry, at_ms if judged is not None else law.not_judged_since(at_ms))
    if found is not None:
        book.open(at_ms, found[0], found[1], found[2])
