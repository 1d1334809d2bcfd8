"""Sudden loss outdoors: a device that gives no fix any more while another of the same person, for as long as
that one may be silent, has good satellite positions without a break and has moved on."""

from __future__ import annotations

from dataclasses import dataclass, field

from corrections_monitor.detection import loss as limits
from corrections_monitor.model.cases import DeviceKind
from corrections_monitor.model.episodes import Kind
from reference.belief import Fix
from reference.ground import on_a_sphere_m
from reference.oddities import Doubts, Track
from reference.silences import Worn

Place = tuple[float, float]


@dataclass
class Losses:
    """Of one person: who is lost, with the last good fix, and who is under the open sky meanwhile."""

    lost: dict[str, tuple[int, Place]] = field(default_factory=dict)
    sky: dict[str, tuple[int, int, Place]] = field(default_factory=dict)  # from, to, where


def see(losses: Losses, device_id: str, fix: Fix) -> None:
    """Take a fix while another device is lost."""
    if not losses.lost:
        return
    known = losses.sky.get(device_id)
    if known is not None and fix.t_ms <= known[1]:
        return
    if not limits.is_fine(fix.doubt_m, fix.source):
        losses.sky.pop(device_id, None)
    elif known is None or fix.t_ms - known[1] > limits.FINE_GAP_MS:
        losses.sky[device_id] = (fix.t_ms, fix.t_ms, (fix.lon, fix.lat))
    else:
        losses.sky[device_id] = (known[0], fix.t_ms, (fix.lon, fix.lat))


def look(
    losses: Losses, worn: list[Worn], tracks: dict[str, Track], battery: dict[str, int], now_ms: int
) -> list[tuple[Kind, str, int, float]]:
    """(kind, device, since when, metres the other device has gone on) of every loss beyond doubt."""
    overdue = (
        [w for w in worn if _is_overdue(w, tracks[w.device_id], battery, now_ms)] if len(worn) > 1 else []
    )
    losses.lost = {
        w.device_id: losses.lost.get(w.device_id, (tracks[w.device_id].t_ms, tracks[w.device_id].place))
        for w in overdue
    }
    if not overdue:
        losses.sky.clear()
    found = []
    for one in overdue:
        silent = now_ms >= one.contact_ms + one.patience_ms
        if not silent and one.contact_ms - one.fix_ms <= one.patience_ms // 2:
            continue
        since_ms, place = losses.lost[one.device_id]
        for other, (from_ms, to_ms, there) in sorted(losses.sky.items()):
            long = to_ms - from_ms >= one.patience_ms and now_ms - to_ms <= limits.FINE_GAP_MS
            on_m = on_a_sphere_m(*place, *there)
            if other != one.device_id and long and on_m >= limits.MOVED_M:
                found.append((Kind.SHIELDED if silent else Kind.JAMMED, one.device_id, since_ms, on_m))
                break
    return found


def _is_overdue(worn: Worn, track: Track, battery: dict[str, int], now_ms: int) -> bool:
    return (
        worn.binding.kind is not DeviceKind.PHONE
        and worn.fix_ms > 0
        and track.fine_ms > 0
        and track.t_ms - track.fine_ms >= limits.FINE_MS
        and battery.get(worn.device_id, -1) >= limits.BATTERY_PCT
        and now_ms >= worn.fix_ms + worn.patience_ms
    )


def refresh(losses: Losses, doubts: Doubts, now_ms: int) -> None:
    """What is lost goes on until it gives a position again."""
    for inferred in doubts.inferred:
        if inferred.entry.kind in limits.LOSS_KINDS and inferred.entry.subject in losses.lost:
            inferred.last_ms = inferred.at_ms = now_ms
