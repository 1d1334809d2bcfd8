"""What devices say of themselves: tamper, interference, help, battery; and the numbers of their messages."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from corrections_monitor.model.episodes import CLOSED_BY_A_PERSON, Kind
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.telemetry import NO_BATTERY, BandEvent
from corrections_monitor.model.times import DAY_MS
from reference.book import Book, Entry, Says
from reference.law import Law

OPENS = {
    BandEvent.STRAP_CUT: Kind.STRAP_CUT,
    BandEvent.STRAP_LOOSE: Kind.STRAP_LOOSE,
    BandEvent.CASE_OPEN: Kind.CASE_OPEN,
    BandEvent.POWER_OFF: Kind.POWER_OFF,
    BandEvent.SHIELDED: Kind.SHIELDED,
    BandEvent.JAMMED: Kind.JAMMED,
    BandEvent.SEPARATED: Kind.SEPARATED,
    BandEvent.SOS: Kind.SOS,
    BandEvent.BATTERY_LOW: Kind.BATTERY_LOW,
    BandEvent.BATTERY_CRITICAL: Kind.BATTERY_CRITICAL,
}
OPPOSITE = {
    BandEvent.STRAP_OK: [Kind.STRAP_LOOSE],
    BandEvent.POWER_ON: [Kind.POWER_OFF],
    BandEvent.UNSHIELDED: [Kind.SHIELDED],
    BandEvent.UNJAMMED: [Kind.JAMMED],
    BandEvent.REJOINED: [Kind.SEPARATED],
    BandEvent.CHARGING: [Kind.BATTERY_LOW, Kind.BATTERY_CRITICAL],
}
STRAPS = (BandEvent.STRAP_CUT, BandEvent.STRAP_LOOSE)
TAMPERS = (Kind.STRAP_CUT, Kind.STRAP_LOOSE, Kind.CASE_OPEN)
"""These outlast the order."""


@dataclass
class Device:
    """What is remembered of one device on one person."""

    straps: list[int] = field(default_factory=list)  # event times of its strap alerts
    over_ms: dict[Kind, int] = field(default_factory=lambda: defaultdict(int))  # newest opposite event
    charging: int | None = None  # percent when last told, while on the charger


def hear_event(
    book: Book, law: Law, device: Device, device_id: str, event: BandEvent, percent: int, t_ms: int,
    at_ms: int, settings: DetectionSettings,
) -> None:  # fmt: skip
    """One band event that happened at ``t_ms``, with its battery value if it has one."""
    kind = OPENS.get(event)
    judged = law.judged(t_ms)
    if kind is not None and judged is not None:
        if event in STRAPS:
            device.straps = [s for s in device.straps if s > t_ms - DAY_MS] + [t_ms]
        repeated = event in STRAPS and len(device.straps) >= 2
        reason = f"{len(device.straps)} times: refit" if repeated else ""
        says = Says(None, (len(device.straps),)) if repeated else _of(kind, t_ms, percent)
        present = book.is_open(kind, device_id)
        if present is not None:
            # Late news of the same thing: it began earlier than was known.
            started_ms = min(t_ms, present.started_ms)
            book.move(
                at_ms,
                present,
                started_ms=started_ms,
                reason=reason if repeated else present.reason,
                says=says,
            )
        else:
            ends = [at for at in [device.over_ms[kind]] if at >= t_ms and kind not in CLOSED_BY_A_PERSON]
            late = bool(ends) or at_ms - t_ms > settings.late_ms
            entry = book.open(at_ms, kind, device_id, t_ms, late=late, reason=reason, says=says)
            if ends:  # it is history: over before it was told
                book.close(at_ms, entry, min(ends))
    if event is BandEvent.CHARGING:
        device.charging = max(percent, 0)
    for other in OPPOSITE.get(event, []):
        device.over_ms[other] = max(device.over_ms[other], t_ms)
        present = book.is_open(other, device_id)
        if present is not None and present.started_ms <= t_ms:
            book.close(at_ms, present, t_ms)


def hear_battery(
    book: Book, law: Law, device: Device, device_id: str, percent: int, t_ms: int, at_ms: int,
    settings: DetectionSettings,
) -> None:  # fmt: skip
    """A battery value of the newest message.  On the charger, and until it falls again, none is too low."""
    if device.charging is not None and not device.charging <= percent <= settings.battery_low_pct:
        device.charging = None
    elif device.charging is not None:
        device.charging = percent
    limits = (
        (Kind.BATTERY_LOW, settings.battery_low_pct),
        (Kind.BATTERY_CRITICAL, settings.battery_critical_pct),
    )
    for kind, limit in limits:
        present = book.is_open(kind, device_id)
        if percent > limit and present is not None and t_ms >= present.started_ms:
            book.close(at_ms, present, t_ms)
        elif (
            percent <= limit and present is None and device.charging is None and law.judged(t_ms) is not None
        ):
            late = at_ms - t_ms > settings.late_ms
            book.open(at_ms, kind, device_id, t_ms, late=late, says=_of(kind, t_ms, percent))


def _of(kind: Kind, t_ms: int, percent: int) -> Says:
    """A battery's sentence gives its percent, if known; the others' the time."""
    if kind in (Kind.BATTERY_LOW, Kind.BATTERY_CRITICAL):
        return Says(None, (percent,) if percent != NO_BATTERY else ())
    return Says(t_ms)


def is_on(book: Book, device_id: str, t_ms: int, at_ms: int) -> None:
    """A device that speaks was not off then: an orderly shutdown is over."""
    present = book.is_open(Kind.POWER_OFF, device_id)
    if present is not None and t_ms > present.started_ms:
        book.close(at_ms, present, t_ms)


@dataclass
class Hole:
    """A run of message numbers that did not come, and the person who wore the device then."""

    first: int
    last: int
    missing: set[int]
    after_ms: int  # event time of the device's newest message before
    noticed_ms: int
    wait_ms: int  # two report intervals of the device then
    book: Book
    entry: Entry | None = None
    waited: bool = False


@dataclass
class Numbers:
    """The message numbers of one device."""

    highest: int = -1
    holes: list[Hole] = field(default_factory=list)

    def take(
        self, book: Book, seq: int, t_ms: int, newest_ms: int, wait_ms: int, at_ms: int, drawer: bool
    ) -> None:
        """A numbered message; ``newest_ms``: event time of the device's newest message before it; ``drawer``:
        nobody wore it for a while between the two."""
        if self.highest < 0 or seq == self.highest + 1:
            self.highest = seq
        elif self._fill(seq, at_ms):
            return
        elif seq > self.highest and drawer:
            self.highest = seq
        elif seq > self.highest:
            run = set(range(self.highest + 1, seq))
            self.holes.append(Hole(self.highest + 1, seq - 1, run, newest_ms, at_ms, wait_ms, book))
            self.highest = seq
        elif t_ms > newest_ms:
            self.highest = seq  # the device started anew

    def _fill(self, seq: int, at_ms: int) -> bool:
        for hole in self.holes:
            if seq in hole.missing:
                hole.missing.remove(seq)
                if not hole.missing:
                    self._end(hole, at_ms)
                return True
        return False

    def _end(self, hole: Hole, at_ms: int) -> None:
        self.holes.remove(hole)
        if hole.entry is not None and hole.entry.ended_ms is None:
            hole.book.close(at_ms, hole.entry, at_ms)

    def look(self, book: Book, law: Law, device_id: str, now_ms: int, settings: DetectionSettings) -> None:
        """Tell of holes not filled within two report intervals; give up after a day."""
        for hole in list(self.holes):
            if hole.book is not book:
                continue
            if not hole.waited and now_ms >= hole.noticed_ms + hole.wait_ms:
                hole.waited = True
                if law.judged(hole.noticed_ms) is not None and law.judged(now_ms) is not None:
                    subject = f"{device_id}:{hole.first}-{hole.last}"
                    says = Says(None, (hole.first, hole.last))
                    hole.entry = book.open(now_ms, Kind.DATA_GAP, subject, hole.after_ms, says=says)
            if now_ms >= hole.noticed_ms + settings.gap_close_ms:
                self._end(hole, now_ms)
