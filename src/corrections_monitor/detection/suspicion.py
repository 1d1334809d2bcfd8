"""Interference inferred; from fixes that contradict each other, spoofed and separated.

One contradiction proves nothing: a wild fix is one leap out and one back, an aircraft leaps on and on in
one direction.  What counts is a long leap between good fixes from one place the device stayed at to another
it stays at; and leaping to and fro between the same two places, which adds up: coarse fixes, whose
network position may stand for two places at once, must do it longer.  An inferred episode ends when
nothing odd was seen for ``inferred_clear_ms``, dated to the last odd fix.  A worn device that lies still
for too long (``stillness``) counts as separated for as long as it does.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from corrections_monitor.detection.doubts import Doubts, Inferred, Leaps
from corrections_monitor.detection.law import PersonLaw
from corrections_monitor.detection.ledger import Ledger
from corrections_monitor.detection.plausibility import Oddities
from corrections_monitor.detection.reasons import Reasons
from corrections_monitor.detection.stillness import Still
from corrections_monitor.geofence.place import haversine_m
from corrections_monitor.model.cases import Device, DeviceKind
from corrections_monitor.model.episodes import Kind, Transition
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.telemetry import BandEvent
from corrections_monitor.model.times import HOUR_MS, MINUTE_MS, OPEN_END_MS

# What one return to a place left by a leap is worth, by the worst doubt of the fixes (metres) …
RETURNS = ((15.0, 2.0), (30.0, 1.0), (float("inf"), 0.5))
ENOUGH = 4.0  # … and how much it takes: out, back and out again with good fixes, nine leaps with coarse ones
LEAPS_WITHIN_MS = 30 * MINUTE_MS
APART_FIXES = 5  # so many comparisons without one that found the devices together …
APART_MS = 3 * MINUTE_MS  # … over so long


@dataclass(frozen=True, slots=True)
class OddFix:
    """One fix with the row of its oddities."""

    device_id: str
    t_ms: int
    lon: float
    lat: float
    doubt_m: float
    odd: Oddities
    row: int


class Suspicion:
    """Judges what is odd about one person's fixes."""

    def __init__(self, settings: DetectionSettings, reasons: Reasons) -> None:
        self._settings = settings
        self._reasons = reasons

    def see(
        self, out: list[Transition], ledger: Ledger, law: PersonLaw, doubts: Doubts, fix: OddFix, at_ms: int
    ) -> None:
        """Take one fix with what is odd about it."""
        odd, row, seen = fix.odd, fix.row, (fix.device_id, fix.t_ms)
        if odd.leap[row]:
            leaps = self._leap(doubts, fix)
            if leaps.worth >= ENOUGH:
                km = round(float(haversine_m(*leaps.start, *leaps.end)) / 1_000, 1)
                how = self._reasons.say("how.leaps", km=km)
                self.infer(out, ledger, law, doubts, Kind.SPOOFED, *seen, leaps.first_ms, how, at_ms)
        if odd.jumped[row]:
            since = int(odd.jump_ms[row])
            how = self._reasons.say("how.jump", km=round(float(odd.jump_m[row]) / 1_000, 1))
            self.infer(out, ledger, law, doubts, Kind.SPOOFED, *seen, since, how, at_ms)
        if odd.frozen[row]:
            since = int(odd.same_ms[row])
            how = self._reasons.say("how.frozen", minutes=(fix.t_ms - since) // MINUTE_MS)
            self.infer(out, ledger, law, doubts, Kind.SPOOFED, *seen, since, how, at_ms)
        if odd.together[row]:
            doubts.apart_fixes = 0
        elif odd.apart[row]:
            if not doubts.apart_fixes:
                doubts.apart_ms = fix.t_ms
            doubts.apart_fixes += 1
            if doubts.apart_fixes >= APART_FIXES and fix.t_ms - doubts.apart_ms >= APART_MS:
                how = self._reasons.say("how.apart", metres=round(float(odd.gap_m[row])))
                self.infer(out, ledger, law, doubts, Kind.SEPARATED, *seen, doubts.apart_ms, how, at_ms)

    def hear(
        self, doubts: Doubts, law: PersonLaw, device: Device, event: BandEvent, t_ms: int, at_ms: int
    ) -> None:
        """Take a device's word that it lies still or moves."""
        if event not in (BandEvent.MOTIONLESS, BandEvent.MOVING) or device.kind is DeviceKind.PHONE:
            return
        still = doubts.still.setdefault(device.device_id, Still())
        still.hear(event, t_ms, _worn_from_ms(law, device.device_id, t_ms), law.calendar)
        for inferred in doubts.inferred if still.since_ms is None else ():
            if inferred.still:
                inferred.last_ms = max(inferred.last_ms, t_ms)
                inferred.at_ms, inferred.still = at_ms, False

    def _leap(self, doubts: Doubts, fix: OddFix) -> Leaps:
        odd, row = fix.odd, fix.row
        start = float(odd.from_lon[row]), float(odd.from_lat[row])
        here = fix.lon, fix.lat
        worst = max(fix.doubt_m, float(odd.from_acc_m[row]))
        before = doubts.leaps.get(fix.device_id)
        if before is not None and fix.t_ms - before.last_ms <= LEAPS_WITHIN_MS:
            near = 0.1 * float(haversine_m(*start, *here)) + 3 * worst
            returned = float(haversine_m(*before.start, *here)) <= near
            if returned and float(haversine_m(*before.end, *start)) <= near:
                before.worth += next(worth for limit, worth in RETURNS if worst <= limit)
                before.start, before.end, before.last_ms = start, here, fix.t_ms
                return before
        leaps = doubts.leaps[fix.device_id] = Leaps(fix.t_ms, fix.t_ms, start, here)
        return leaps

    def infer(
        self,
        out: list[Transition],
        ledger: Ledger,
        law: PersonLaw,
        doubts: Doubts,
        kind: Kind,
        device_id: str,
        t_ms: int,
        since_ms: int,
        how: str,
        at_ms: int,
    ) -> None:
        """Something odd of a device at event time ``t_ms``, begun at ``since_ms``: open, or keep open."""
        judged = law.judged(t_ms)
        if not judged.holds:
            return
        for inferred in doubts.inferred:
            # Either of two devices may notice that they are apart: one episode all the same.
            if inferred.kind is kind and (kind is Kind.SEPARATED or inferred.device_id == device_id):
                inferred.last_ms, inferred.at_ms = t_ms, at_ms
                return
        said = ledger.of_kind(kind)
        if any(kind is Kind.SEPARATED or e.subject == device_id for e in said):
            return  # the device itself has said so
        doubts.inferred.append(Inferred(kind, device_id, t_ms, at_ms))
        started = max(since_ms, judged.from_ms)
        ledger.open(
            out, at_ms, kind, device_id, started,
            self._reasons.say(kind.value, since_ms=started, device=device_id, how=how),
            late=at_ms - t_ms > self._settings.late_ms,
            evidence={"device": device_id, "t": t_ms, "inferred": how},
        )  # fmt: skip

    def tick(
        self,
        out: list[Transition],
        ledger: Ledger,
        law: PersonLaw,
        doubts: Doubts,
        speaking: Collection[str],
        now_ms: int,
    ) -> None:
        """Infer what time makes odd of the devices that speak; end what has been normal long enough."""
        doubts.inferred = [i for i in doubts.inferred if (i.kind, i.device_id) in ledger.open_ones]
        lying = _lie_still(doubts, law, now_ms)
        for device_id in lying:
            known = any(i.kind is Kind.SEPARATED for i in doubts.inferred)
            if not known and device_id in speaking:
                since = max(doubts.still[device_id].since_ms or 0, _worn_from_ms(law, device_id, now_ms))
                how = self._reasons.say("how.still", hours=(now_ms - since) // HOUR_MS)
                self.infer(out, ledger, law, doubts, Kind.SEPARATED, device_id, now_ms, since, how, now_ms)
        for inferred in list(doubts.inferred):
            if inferred.kind is Kind.SEPARATED and lying:
                inferred.still = True
            elif inferred.still:  # it was taken off, or nobody is judged any more
                inferred.last_ms, inferred.at_ms, inferred.still = now_ms, now_ms, False
            if inferred.still or now_ms < inferred.at_ms + self._settings.inferred_clear_ms:
                continue
            doubts.inferred.remove(inferred)
            key = inferred.kind, inferred.device_id
            ledger.close(out, now_ms, key, inferred.last_ms, self._reasons.say("normal-again"))

    def next_due_ms(self, doubts: Doubts, law: PersonLaw, now_ms: int) -> int:
        """When ``tick`` next has something to do."""
        dues = [i.at_ms + self._settings.inferred_clear_ms for i in doubts.inferred if not i.still]
        dues += [odd_ms for _, odd_ms in _odd_from_ms(doubts, law, now_ms)]
        return min((due for due in dues if due > now_ms), default=OPEN_END_MS)

    def waits(self, doubts: Doubts, law: PersonLaw, now_ms: int) -> bool:
        """Whether the next contact of any device may make ``tick`` infer something."""
        return bool(_lie_still(doubts, law, now_ms))


def _lie_still(doubts: Doubts, law: PersonLaw, now_ms: int) -> list[str]:
    """The devices that have lain still for too long."""
    return [device_id for device_id, odd_ms in _odd_from_ms(doubts, law, now_ms) if odd_ms <= now_ms]


def _odd_from_ms(doubts: Doubts, law: PersonLaw, now_ms: int) -> list[tuple[str, int]]:
    return [
        (device_id, still.odd_from_ms(_worn_from_ms(law, device_id, now_ms), law.calendar))
        for device_id, still in doubts.still.items()
    ]


def _worn_from_ms(law: PersonLaw, device_id: str, t_ms: int) -> int:
    """Since when a device has been worn by a person who is judged; OPEN_END_MS when it is not."""
    judged = law.judged(t_ms)
    worn_ms = [b.span.from_ms for b in law.bound(t_ms) if b.device_id == device_id]
    return max(worn_ms[0], judged.from_ms) if worn_ms and judged.holds else OPEN_END_MS
