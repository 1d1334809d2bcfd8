"""Interference inferred from a person's own fixes: spoofed (leaps, frozen positions) and separated.

Per fix, in order of arrival: is it impossibly far from the one before it, is it the same to the last digit
for too long, is it far from the person's other device?  Limits are those of ``detection/plausibility.py``
and ``detection/suspicion.py``, where it is said what they come from.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from corrections_monitor.detection import loss, suspicion
from corrections_monitor.detection import plausibility as limits
from corrections_monitor.detection.evidence import IMPOSSIBLE_MPS
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.settings import DetectionSettings
from corrections_monitor.model.telemetry import Source
from corrections_monitor.model.times import MINUTE_MS
from reference.belief import Fix, doubt_m
from reference.book import Book, Entry, Says
from reference.ground import on_a_sphere_m
from reference.law import Law

Place = tuple[float, float]


@dataclass
class Track:
    """The newest usable fix of one device, and what led up to it."""

    t_ms: int = 0  # 0: none yet
    place: Place = (0.0, 0.0)
    doubt: float = 0.0
    claimed: float = 0.0
    speed: float = 0.0
    same: int = 0  # so many fixes gave this very position …
    anew: int = 0  # … so many of them with another accuracy than the one before …
    same_ms: int = 0  # … since then …
    worst: float = 0.0  # … and so large was the doubt at worst
    differing: int = 0  # so many before those all differed though it stood
    fine_ms: int = 0  # since when all fixes came from under the open sky; 0: the last did not
    calm_ms: int = 0  # since when it stays about where it is, by good fixes; 0: it does not
    jump_ms: int = 0  # when it leapt far to where it is; 0: it did not
    jump_m: float = 0.0
    stays: int = 0  # so many fixes have stayed there


@dataclass
class Leaps:
    """Leaps of one device between two places, to and fro; ``worth`` adds up the returns."""

    first_ms: int
    last_ms: int
    start: Place
    end: Place
    worth: float = 0.0


@dataclass
class Inferred:
    """An episode that was inferred, and the last odd fix: event time and arrival; ``still``: a device that
    lies still keeps it open."""

    entry: Entry
    last_ms: int
    at_ms: int
    still: bool = False


@dataclass
class Doubts:
    """What one person's devices have done that is odd."""

    last_device: str = ""  # whose usable fix came last
    leaps: dict[str, Leaps] = field(default_factory=dict)
    apart: list[int] = field(default_factory=list)  # the fixes in a row that found the devices apart
    inferred: list[Inferred] = field(default_factory=list)


def see(
    book: Book, law: Law, doubts: Doubts, tracks: dict[str, Track], device_id: str, fix: Fix, at_ms: int,
    settings: DetectionSettings,
) -> None:  # fmt: skip
    """Take one fix in order of arrival; those older than the device's newest say nothing."""
    doubt, here, track = doubt_m(fix.acc_m, fix.source), (fix.lon, fix.lat), tracks[device_id]
    if doubt > limits.USABLE_M:
        track.fine_ms = 0
        if here != track.place and track.same > 1:
            track.differing = 0  # coarse fixes elsewhere: the position that stays may be a network's too
        return
    if fix.t_ms <= track.t_ms:
        return
    known = track.t_ms > 0
    far_m = on_a_sphere_m(*here, *track.place) if known else 0.0
    seconds = (fix.t_ms - track.t_ms) / 1_000 if known else 1.0
    leapt = far_m - 3 * (doubt + track.doubt) - 50 > IMPOSSIBLE_MPS * seconds
    speed = 0.0 if leapt else far_m / seconds
    tell = Tell(book, law, doubts, device_id, fix, at_ms, settings)
    if leapt:
        _leap(tell, track.place, max(doubt, track.doubt))
    if known:
        _jump(tell, track, leapt, far_m, doubt)
    _frozen(tell, track, doubt, far_m if known else None)
    _apart(tell, tracks, doubt, speed)
    fine, unbroken = loss.is_fine(doubt, fix.source), fix.t_ms - track.t_ms <= loss.FINE_GAP_MS
    track.fine_ms = (track.fine_ms if track.fine_ms and unbroken else fix.t_ms) if fine else 0
    track.t_ms, track.place, track.doubt, track.claimed, track.speed = fix.t_ms, here, doubt, fix.acc_m, speed
    doubts.last_device = device_id


@dataclass
class Tell:
    """Opens an inferred episode, or notes that it goes on."""

    book: Book
    law: Law
    doubts: Doubts
    device_id: str
    fix: Fix
    at_ms: int
    settings: DetectionSettings

    def odd(self, kind: Kind, since_ms: int, *numbers: int | float) -> None:
        """``numbers``: what the sentence says of it."""
        judged = self.law.judged(self.fix.t_ms)
        if judged is None:
            return
        # Either of two devices may notice that they are apart: one episode all the same.
        either = kind is Kind.SEPARATED
        for inferred in self.doubts.inferred:
            if inferred.entry.kind is kind and (either or inferred.entry.subject == self.device_id):
                inferred.last_ms, inferred.at_ms = self.fix.t_ms, self.at_ms
                return
        if any(either or e.subject == self.device_id for e in self.book.open_ones(kind)):
            return  # the device itself has said so
        late = self.at_ms - self.fix.t_ms > self.settings.late_ms
        started_ms = max(since_ms, judged[0])
        says = Says(started_ms, numbers)
        entry = self.book.open(self.at_ms, kind, self.device_id, started_ms, late=late, says=says)
        self.doubts.inferred.append(Inferred(entry, self.fix.t_ms, self.at_ms))


def _leap(tell: Tell, start: Place, worst: float) -> None:
    fix, leaps = tell.fix, tell.doubts.leaps
    here = (fix.lon, fix.lat)
    before = leaps.get(tell.device_id)
    if before is not None and fix.t_ms - before.last_ms <= suspicion.LEAPS_WITHIN_MS:
        near_m = 0.1 * on_a_sphere_m(*start, *here) + 3 * worst
        back = on_a_sphere_m(*before.start, *here) <= near_m
        if back and on_a_sphere_m(*before.end, *start) <= near_m:
            before.worth += next(worth for limit, worth in suspicion.RETURNS if worst <= limit)
            before.start, before.end, before.last_ms = start, here, fix.t_ms
            if before.worth >= suspicion.ENOUGH:
                tell.odd(Kind.SPOOFED, before.first_ms, on_a_sphere_m(*start, *here) / 1_000)
            return
    leaps[tell.device_id] = Leaps(fix.t_ms, fix.t_ms, start, here)


def _jump(tell: Tell, track: Track, leapt: bool, far_m: float, doubt: float) -> None:
    """One long leap between good fixes, from a place it stayed at to another at which it stays."""
    t_ms, since_ms = tell.fix.t_ms, track.t_ms
    good = max(doubt, track.doubt) <= limits.JUMP_DOUBT_M
    stays = not leapt and good and far_m <= limits.CALM_MPS * (t_ms - since_ms) / 1_000
    soon = t_ms - since_ms <= limits.JUMP_MS
    track.stays = track.stays + 1 if stays and track.jump_ms else 0
    beyond_doubt = track.stays >= limits.JUMP_STAYS and t_ms - track.jump_ms >= limits.JUMP_STAYS_MS
    if beyond_doubt:
        tell.odd(Kind.SPOOFED, track.jump_ms, track.jump_m / 1_000)
    had_stayed = track.calm_ms > 0 and since_ms - track.calm_ms >= limits.STAYED_MS
    if leapt and had_stayed and soon and far_m >= limits.JUMP_M and doubt <= limits.JUMP_DOUBT_M:
        track.jump_ms, track.jump_m = t_ms, far_m
    elif beyond_doubt or not track.stays:
        track.jump_ms = 0
    # A position that is merely held does not say that it stayed.
    track.calm_ms = (track.calm_ms or since_ms) if stays and soon and far_m > 0 else 0


def _frozen(tell: Tell, track: Track, doubt: float, far_m: float | None) -> None:
    fix = tell.fix
    if far_m is not None and (fix.lon, fix.lat) == track.place and fix.source == Source.GNSS:
        held = track.same
        track.same += 1
        track.anew += fix.acc_m != track.claimed
        track.worst = max(track.worst, doubt)
        good = track.worst <= limits.FROZEN_GOOD_M
        fixes = limits.FROZEN_FIXES if good else limits.FROZEN_COARSE_FIXES
        long = fix.t_ms - track.same_ms >= (limits.FROZEN_MS if good else limits.FROZEN_COARSE_MS)
        anew = track.same >= fixes and track.anew >= (0.5 if good else 0.75) * held
        if long and anew and track.differing >= limits.DITHERING:
            tell.odd(Kind.SPOOFED, track.same_ms, (fix.t_ms - track.same_ms) // MINUTE_MS)
        return
    stands = far_m is not None and far_m <= doubt
    track.differing = 0 if track.same > 1 else track.differing + stands
    track.same, track.anew, track.same_ms, track.worst = 1, 0, fix.t_ms, doubt


def _apart(tell: Tell, tracks: dict[str, Track], doubt: float, speed: float) -> None:
    doubts, fix = tell.doubts, tell.fix
    if doubts.last_device in ("", tell.device_id):
        return
    other = tracks[doubts.last_device]
    between_ms = abs(fix.t_ms - other.t_ms)
    if between_ms > limits.SAME_TIME_MS:
        return
    gap_m = on_a_sphere_m(fix.lon, fix.lat, *other.place)
    moved_m = 1.5 * between_ms / 1_000 * (max(speed, other.speed) + 3)
    if gap_m <= limits.APART_M + 3 * (doubt + other.doubt) + moved_m:
        doubts.apart = []
        return
    doubts.apart.append(fix.t_ms)
    if len(doubts.apart) >= suspicion.APART_FIXES and fix.t_ms - doubts.apart[0] >= suspicion.APART_MS:
        tell.odd(Kind.SEPARATED, doubts.apart[0], gap_m)


def look(book: Book, doubts: Doubts, lying: bool, now_ms: int, settings: DetectionSettings) -> None:
    """End what has been normal long enough; ``lying``: a device lies still."""
    for inferred in list(doubts.inferred):
        was_still, inferred.still = inferred.still, lying and inferred.entry.kind is Kind.SEPARATED
        if was_still and not inferred.still:  # taken off, or nobody is judged any more
            inferred.last_ms = inferred.at_ms = now_ms
        if not inferred.still and now_ms >= inferred.at_ms + settings.inferred_clear_ms:
            doubts.inferred.remove(inferred)
            book.close(now_ms, inferred.entry, inferred.last_ms)


def forget(doubts: Doubts) -> None:
    """What has been closed otherwise: by the device's own word, by a person, with the order."""
    doubts.inferred = [i for i in doubts.inferred if i.entry.ended_ms is None]


def moves(doubts: Doubts, t_ms: int, at_ms: int) -> None:
    """A device that may have lain still moves."""
    for inferred in doubts.inferred:
        if inferred.still:
            inferred.last_ms, inferred.at_ms, inferred.still = max(inferred.last_ms, t_ms), at_ms, False


def edges(doubts: Doubts, settings: DetectionSettings) -> list[int]:
    return [i.at_ms + settings.inferred_clear_ms for i in doubts.inferred]
