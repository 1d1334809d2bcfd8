"""Sudden loss outdoors: shielded and jammed inferred, and only where it cannot be an ordinary loss indoors.

Real phones that walk or drive under the open sky, with positions good to 10 m, fall silent 0.4 times a
person-day (driving 0.03 times), because somebody goes in or the phone saves power: the loss of one device
proves nothing.  What does is another device of the same person, which then has good satellite positions
without a break, on the move, for as long as the lost one may be silent: under that sky it would be heard.
A phone may stop for its own reasons (one that spared its battery, on a walk beside another that did not, has
been seen lost so) and is never missed so; nor is a device whose battery was low or
unknown, or which gave coarse positions before.  Lost with its radio it is shielded; heard, but without
position, jammed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from corrections_monitor.detection.doubts import Doubts, Lost, Sky
from corrections_monitor.detection.silence import NEVER_MS
from corrections_monitor.geofence.place import haversine_m
from corrections_monitor.model.cases import DeviceKind
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.telemetry import Source
from corrections_monitor.model.times import MINUTE_MS, OPEN_END_MS

FINE_M = 15.0  # satellite positions this good are taken under the open sky …
FINE_GAP_MS = 3 * MINUTE_MS  # … without a break when no longer apart than this …
FINE_MS = 5 * MINUTE_MS  # … for so long before the loss
MOVED_M = 200.0  # so far the person has gone on since
BATTERY_PCT = 30
LOSS_KINDS = (Kind.SHIELDED, Kind.JAMMED)


class Receiver(NamedTuple):
    """A worn device as a receiver.  ``contact_ms``, ``fix_ms``: last arrivals; ``good_ms``, ``lon``, ``lat``:
    its newest good fix; ``fine_ms``: since when its fixes are fine without a break, NEVER_MS if the last
    was not; ``battery_pct``: last told, negative if never."""

    device_id: str
    kind: DeviceKind
    contact_ms: int
    fix_ms: int
    patience_ms: int
    good_ms: int
    fine_ms: int
    lon: float
    lat: float
    battery_pct: int

    @property
    def due_ms(self) -> int:
        """When it counts as lost, if it gives no fix; OPEN_END_MS where a loss could not be judged."""
        known = NEVER_MS not in (self.fix_ms, self.fine_ms) and self.kind is not DeviceKind.PHONE
        if not known or self.battery_pct < BATTERY_PCT or self.good_ms - self.fine_ms < FINE_MS:
            return OPEN_END_MS
        return self.fix_ms + self.patience_ms


class Loss(NamedTuple):
    """A device lost outdoors since its last fix; the wearer of ``other`` is so many metres on."""

    kind: Kind
    device_id: str
    since_ms: int
    battery_pct: int
    other: str
    metres: float


def is_fine(doubt_m: float, src: int) -> bool:
    """Whether a fix was taken under the open sky."""
    return src == Source.GNSS and doubt_m <= FINE_M


def see(
    doubts: Doubts, device_id: str, t_ms: int, position: tuple[float, float], doubt_m: float, src: int
) -> None:
    """Take a fix of any device while another is lost."""
    if not doubts.lost:
        return
    sky = doubts.sky.get(device_id)
    if sky is not None and t_ms <= sky.last_ms:
        return
    if not is_fine(doubt_m, src):
        doubts.sky.pop(device_id, None)
    elif sky is None or t_ms - sky.last_ms > FINE_GAP_MS:
        doubts.sky[device_id] = Sky(t_ms, t_ms, position)
    else:
        sky.last_ms, sky.place = t_ms, position


def look(doubts: Doubts, receivers: Sequence[Receiver], now_ms: int) -> list[Loss]:
    """The devices of one person that are lost outdoors, beyond doubt."""
    due = [r for r in receivers if r.due_ms <= now_ms] if len(receivers) > 1 else []
    doubts.lost = {
        r.device_id: doubts.lost.get(r.device_id) or Lost(r.good_ms, (r.lon, r.lat), r.battery_pct)
        for r in due
    }
    if not due:
        doubts.sky = {}
    return [loss for r in due if (loss := _judged(doubts, r, now_ms)) is not None]


def _judged(doubts: Doubts, receiver: Receiver, now_ms: int) -> Loss | None:
    silent = now_ms >= receiver.contact_ms + receiver.patience_ms
    if not silent and receiver.contact_ms - receiver.fix_ms <= receiver.patience_ms // 2:
        return None  # it may yet turn out which
    lost = doubts.lost[receiver.device_id]
    for other, sky in sorted(doubts.sky.items()):
        metres = float(haversine_m(*lost.place, *sky.place))
        long = sky.last_ms - sky.from_ms >= receiver.patience_ms and now_ms - sky.last_ms <= FINE_GAP_MS
        if other != receiver.device_id and long and metres >= MOVED_M:
            kind = Kind.SHIELDED if silent else Kind.JAMMED
            return Loss(kind, receiver.device_id, lost.since_ms, lost.battery_pct, other, metres)
    return None


def next_due_ms(receivers: Sequence[Receiver], now_ms: int) -> int:
    """When the next of them counts as lost."""
    dues = [r.due_ms for r in receivers if r.due_ms > now_ms] if len(receivers) > 1 else []
    return min(dues, default=OPEN_END_MS)
