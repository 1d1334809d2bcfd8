"""What one device's fixes say of each other, by columns: leaps, frozen positions, two devices apart.

Every usable fix is compared with the one the same device gave before it (in event time; late ones are
left out) and with the one another device of the same person gave before it.  The columns this moves
depend on the rows in their order of arrival alone, never on who is judged row by row.  Hardly any row is
odd; what an odd one means is decided in ``suspicion``.

Limits come from real traces: phones whose network position jumps 271 km and back claim 24–50 m, an
aircraft makes 240 m/s in one direction, phones repeat one position for hours, but its accuracy with it;
a taxi's tracker that had held its position for 20 min leaps 7 km to where it really is, another
strays 16 km and comes back within seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from corrections_monitor.detection.evidence import IMPOSSIBLE_MPS, doubt_m
from corrections_monitor.detection.loss import FINE_GAP_MS, FINE_M
from corrections_monitor.detection.silence import NEVER_MS
from corrections_monitor.detection.state import Columns
from corrections_monitor.geofence.place import haversine_m
from corrections_monitor.model.telemetry import F32, F64, I32, I64, U8, Bools, Source
from corrections_monitor.model.times import MINUTE_MS

USABLE_M = 65.0  # coarser fixes are compared with nothing
# So many satellite positions equal to the last digit, each with another accuracy, over so long: good ones
# (real receivers hold one for 34 s) and coarse ones (a phone's mixed position is held for an hour) …
FROZEN_GOOD_M = 15.0
FROZEN_FIXES, FROZEN_COARSE_FIXES = 5, 10
FROZEN_MS, FROZEN_COARSE_MS = 3 * MINUTE_MS, 10 * MINUTE_MS
DITHERING = 10  # … after so many that all differed while standing: this receiver does not hold its position
JUMP_M = 10_000.0  # a leap so far between good fixes, from one place to stay at to another, stands alone …
JUMP_DOUBT_M = 20.0
JUMP_MS = 10 * MINUTE_MS
STAYED_MS = 5 * MINUTE_MS  # so long it must have stayed at the first …
JUMP_STAYS = 2  # … once so many fixes after it stay there …
JUMP_STAYS_MS = 15_000  # … for so long: a receiver that finds itself again strays for some seconds
CALM_MPS = 40.0  # slower than this from fix to fix is to stay, as far as a jump goes
SAME_TIME_MS = 5 * MINUTE_MS  # fixes of two devices farther apart in time say nothing of each other
APART_M = 150.0


@dataclass(frozen=True)
class Oddities:
    """Per fix (n): ``leap``: impossibly far from the fix before, which is ``from_*``; ``jumped``: it stays
    where a fix before it, at ``jump_ms``, had leapt to over ``jump_m``; ``frozen``: one of
    many equal ones since ``same_ms``; ``apart``/``together``: compared with another device of the same
    person, ``gap_m`` away."""

    leap: Bools
    frozen: Bools
    apart: Bools
    together: Bools
    from_lon: F64
    from_lat: F64
    from_acc_m: F64
    same_ms: I64
    gap_m: F64
    jumped: Bools
    jump_ms: I64
    jump_m: F64

    @cached_property
    def any_odd(self) -> Bools:
        """bool[n]: fixes that must be judged one by one."""
        return self.leap | self.frozen | self.apart | self.jumped


def follow(
    columns: Columns, person: I32, device: I32, t_ms: I64, lon: F64, lat: F64, acc_m: F32, src: U8
) -> Oddities:
    """Take n fixes in order of arrival into the columns; return what is odd about them."""
    n = len(t_ms)
    no, zero = np.zeros(n, dtype=bool), np.zeros(n)
    odd = Oddities(
        no,
        no.copy(),
        no.copy(),
        no.copy(),
        zero,
        zero.copy(),
        zero.copy(),
        np.zeros(n, np.int64),
        zero.copy(),
        no.copy(),
        np.zeros(n, np.int64),
        zero.copy(),
    )
    doubt = doubt_m(acc_m, src)
    usable = doubt <= USABLE_M
    for rows in _rounds(person, device, np.flatnonzero(person >= 0)):
        coarse = rows[~usable[rows]]
        _mixed(columns, device[coarse], lon[coarse], lat[coarse])
        fresh = rows[usable[rows] & (t_ms[rows] > columns.good_ms[device[rows]])]
        _round(columns, odd, fresh, person[fresh], device[fresh], t_ms, lon, lat, doubt, acc_m, src)
    return odd


def _rounds(person: I32, device: I32, rows: I64) -> list[I64]:
    """The first row of everybody, then the second of everybody, and so on; row by row when a device changed
    hands in between."""
    if not len(rows):
        return []
    if len(np.unique(np.stack((person[rows], device[rows])), axis=1).T) > len(np.unique(device[rows])):
        return list(rows.reshape(-1, 1))
    order = rows[np.argsort(person[rows], kind="stable")]
    whose = person[order]
    first = np.flatnonzero(np.concatenate(([True], whose[1:] != whose[:-1])))
    count = np.diff(np.append(first, len(order)))
    if count.max() == 1:
        return [order]
    rank = np.arange(len(order)) - np.repeat(first, count)
    by_rank = order[np.argsort(rank, kind="stable")]
    return list(np.split(by_rank, np.cumsum(np.bincount(rank))[:-1]))


def _mixed(columns: Columns, dev: I32, lon: F64, lat: F64) -> None:
    """Coarse fixes elsewhere while a good position stays: then that one may be a network's too."""
    columns.fine_ms[dev] = NEVER_MS
    elsewhere = (lon != columns.good_lon[dev]) | (lat != columns.good_lat[dev])
    columns.dither[dev[elsewhere & (columns.same_count[dev] > 1)]] = 0


def _round(
    columns: Columns,
    odd: Oddities,
    rows: I64,
    who: I32,
    dev: I32,
    t_ms: I64,
    lon: F64,
    lat: F64,
    doubt: F64,
    claimed: F32,
    src: U8,
) -> None:
    """One fix a person at most."""
    c = columns
    t, x, y, acc = t_ms[rows], lon[rows], lat[rows], doubt[rows]
    known = c.good_ms[dev] != NEVER_MS
    x0, y0, acc0 = c.good_lon[dev], c.good_lat[dev], c.good_acc_m[dev]
    metres = np.where(known, haversine_m(x, y, np.where(known, x0, x), np.where(known, y0, y)), 0.0)
    seconds = np.where(known, (t - c.good_ms[dev]) / 1_000, 1.0)
    leap = metres - 3 * (acc + acc0) - 50.0 > IMPOSSIBLE_MPS * seconds
    odd.leap[rows] = leap
    odd.from_lon[rows], odd.from_lat[rows], odd.from_acc_m[rows] = x0, y0, acc0

    soon = seconds * 1_000 <= JUMP_MS
    calm = known & ~leap & (metres <= CALM_MPS * seconds) & (np.maximum(acc, acc0) <= JUMP_DOUBT_M)
    stays = np.where(calm & (c.jump_ms[dev] != NEVER_MS), c.jump_stays[dev] + 1, 0)
    odd.jumped[rows] = (stays >= JUMP_STAYS) & (t - c.jump_ms[dev] >= JUMP_STAYS_MS)
    odd.jump_ms[rows], odd.jump_m[rows] = c.jump_ms[dev], c.jump_m[dev]
    stayed = (c.calm_ms[dev] != NEVER_MS) & (c.good_ms[dev] - c.calm_ms[dev] >= STAYED_MS)
    far = leap & stayed & (metres >= JUMP_M) & (acc <= JUMP_DOUBT_M) & soon
    waits = (stays > 0) & ~odd.jumped[rows]
    c.jump_m[dev] = np.where(far, metres, c.jump_m[dev])
    c.jump_ms[dev] = np.where(far, t, np.where(waits, c.jump_ms[dev], NEVER_MS))
    c.jump_stays[dev] = stays
    # Who leaps from a position that was only held has long been under way.
    calm_ms = np.where(c.calm_ms[dev] != NEVER_MS, c.calm_ms[dev], c.good_ms[dev])
    c.calm_ms[dev] = np.where(calm & soon & (metres > 0), calm_ms, NEVER_MS)

    same = known & (x == x0) & (y == y0) & (src[rows] == Source.GNSS)
    held = c.same_count[dev]
    stands = known & (metres <= acc)
    c.dither[dev] = np.where(same, c.dither[dev], np.where(held > 1, 0, c.dither[dev] + stands))
    # An old fix sent again keeps its accuracy; a receiver that looks anew does not.
    c.same_count[dev] = np.where(same, held + 1, 1)
    c.anew_count[dev] = np.where(same, c.anew_count[dev] + (claimed[rows] != c.good_claimed_m[dev]), 0)
    c.same_ms[dev] = np.where(same, c.same_ms[dev], t)
    c.same_worst_m[dev] = np.where(same, np.maximum(c.same_worst_m[dev], acc), acc)
    odd.same_ms[rows] = c.same_ms[dev]
    good = c.same_worst_m[dev] <= FROZEN_GOOD_M
    anew = np.where(good, 0.5, 0.75)  # claims of good receivers are small numbers, often equal by chance
    fixes, lasting_ms = (
        np.where(good, FROZEN_FIXES, FROZEN_COARSE_FIXES),
        np.where(good, FROZEN_MS, FROZEN_COARSE_MS),
    )
    odd.frozen[rows] = (
        same
        & (c.same_count[dev] >= fixes)
        & (c.anew_count[dev] >= anew * held)
        & (t - c.same_ms[dev] >= lasting_ms)
        & (c.dither[dev] >= DITHERING)
    )

    mps = np.where(leap, 0.0, metres / seconds)
    other = c.pair_device[who]
    two = (other >= 0) & (other != dev)
    other = np.maximum(other, 0)
    between_ms = np.abs(t - c.good_ms[other])
    two &= between_ms <= SAME_TIME_MS
    gap = np.where(
        two, haversine_m(x, y, np.where(two, c.good_lon[other], x), np.where(two, c.good_lat[other], y)), 0.0
    )
    # In the time between the two fixes the person may have moved on, somewhat faster than before.
    moved = 1.5 * between_ms / 1_000 * (np.maximum(mps, c.good_mps[other]) + 3.0)
    apart = two & (gap > APART_M + 3 * (acc + np.where(two, c.good_acc_m[other], 0.0)) + moved)
    odd.apart[rows], odd.together[rows], odd.gap_m[rows] = apart, two & ~apart, gap

    fine = (src[rows] == Source.GNSS) & (acc <= FINE_M)
    unbroken = (c.fine_ms[dev] != NEVER_MS) & (t - c.good_ms[dev] <= FINE_GAP_MS)
    c.fine_ms[dev] = np.where(fine, np.where(unbroken, c.fine_ms[dev], t), NEVER_MS)

    c.good_ms[dev], c.good_lon[dev], c.good_lat[dev], c.good_acc_m[dev] = t, x, y, acc
    c.good_claimed_m[dev] = claimed[rows]
    c.good_mps[dev], c.pair_device[who] = mps, dev
