"""Schedules (时段): when a zone holds, week by week, with public holidays.

``[{"days":"Mo-Fr,PH","from":"22:00","to":"06:00"}]``: windows unite; a window whose ``to`` is not after
its ``from`` runs past midnight and belongs to the day on which it starts; ``24:00`` is allowed.  A day
that holidays.csv calls ``off`` matches ``PH`` besides its own weekday; a ``work`` day (调休) never does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from corrections_monitor.model.times import OPEN_END_MS, from_ms, to_ms

DAY_NAMES = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
PUBLIC_HOLIDAY = "PH"

_CLOCK = re.compile(r"(?:([01]\d|2[0-3]):([0-5]\d)|24:00)\Z")
_DAY_MIN = 24 * 60


@dataclass(frozen=True, slots=True)
class Window:
    """One weekly window.  ``days``: bit 0 = Monday … bit 6 = Sunday, bit 7 = public holiday;
    ``from_min``/``to_min``: minutes of civil time, ``to_min`` may pass 1440 (past midnight)."""

    days: int
    from_min: int
    to_min: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """A union of weekly windows; ``ALWAYS_HOLDS`` (no windows, ``always`` true) never ends."""

    windows: tuple[Window, ...] = ()
    always: bool = False


ALWAYS_HOLDS = Schedule(always=True)


@dataclass(frozen=True)
class Calendar:
    """The civil zone and the public holidays (``off`` days of holidays.csv) a schedule is read by."""

    zone: ZoneInfo
    off: frozenset[date] = field(default_factory=frozenset)

    def day_bits(self, day: date) -> int:
        """The bits of ``Window.days`` that this civil day matches: an order that says "every night"
        means holidays too, so a holiday keeps its weekday's name."""
        return 1 << day.weekday() | (1 << 7 if day in self.off else 0)


def parse_schedule(value: Any) -> Schedule:
    """Read the JSON of a zone's ``schedule`` (null = always).  Raises ValueError naming the fault."""
    if value is None:
        return ALWAYS_HOLDS
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise ValueError("schedule must be null or a list of windows")
    return Schedule(tuple(_parse_window(w) for w in value))


def _parse_window(value: Any) -> Window:
    if not isinstance(value, Mapping):
        raise ValueError(f"schedule window {value!r} is not an object")
    unknown = set(value) - {"days", "from", "to"}
    if unknown or len(value) != 3:
        raise ValueError('a schedule window has exactly "days", "from" and "to"')
    start = _parse_clock(value["from"])
    end = _parse_clock(value["to"])
    if start == _DAY_MIN:
        raise ValueError('a window cannot start at "24:00"')
    if end <= start:
        end += _DAY_MIN
    return Window(_parse_days(value["days"]), start, end)


def _parse_clock(value: Any) -> int:
    match = _CLOCK.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a time of day: expected HH:MM from 00:00 to 24:00")
    return _DAY_MIN if match[1] is None else int(match[1]) * 60 + int(match[2])


def _parse_days(value: Any) -> int:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"days {value!r}: expected names such as Mo-Fr,PH")
    bits = 0
    for part in (p.strip() for p in value.split(",")):
        if part == PUBLIC_HOLIDAY:
            bits |= 1 << 7
            continue
        first, dash, last = (p.strip() for p in part.partition("-"))
        names = (first, last) if dash else (first, first)
        if any(n not in DAY_NAMES for n in names):
            raise ValueError(f"days {value!r}: {part!r} is not a day; expected Mo Tu We Th Fr Sa Su PH")
        i, j = (DAY_NAMES.index(n) for n in names)
        for k in range((j - i) % 7 + 1):  # Fr-Mo wraps round the week
            bits |= 1 << ((i + k) % 7)
    return bits


def format_schedule(schedule: Schedule) -> list[dict[str, str]] | None:
    """The JSON form that ``parse_schedule`` reads back to the same schedule."""
    if schedule.always:
        return None
    return [
        {
            "days": ",".join(
                [n for i, n in enumerate(DAY_NAMES) if w.days >> i & 1]
                + ([PUBLIC_HOLIDAY] if w.days >> 7 & 1 else [])
            ),
            "from": _format_clock(w.from_min),
            "to": _format_clock(w.to_min if w.to_min <= _DAY_MIN else w.to_min - _DAY_MIN),
        }
        for w in schedule.windows
    ]


def _format_clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def spans(schedule: Schedule, calendar: Calendar, t_ms: int) -> tuple[tuple[int, int], ...]:
    """The disjoint, sorted spans (from_ms, to_ms) in which the schedule holds, covering at least the
    civil days before, of and after ``t_ms``.  Always: one span without ends."""
    if schedule.always:
        return ((-OPEN_END_MS, OPEN_END_MS),)
    day = from_ms(t_ms, calendar.zone).date()
    return _spans_around(schedule, calendar.zone, calendar.off, day)


@lru_cache(maxsize=65_536)
def _spans_around(
    schedule: Schedule, zone: ZoneInfo, off: frozenset[date], day: date
) -> tuple[tuple[int, int], ...]:
    calendar = Calendar(zone, off)
    pieces: list[tuple[int, int]] = []
    # A window may reach 48 h past its day's start; look one week on so that a next change is found.
    for offset in range(-2, 10):
        start_day = day + timedelta(days=offset)
        bits = calendar.day_bits(start_day)
        for window in schedule.windows:
            if window.days & bits:
                pieces.append(
                    (_civil_ms(start_day, window.from_min, zone), _civil_ms(start_day, window.to_min, zone))
                )
    return _united(pieces)


def _civil_ms(day: date, minutes: int, zone: ZoneInfo) -> int:
    """The instant of a civil clock reading; one skipped by DST maps forward by the skipped hour
    (PEP 495 fold=0), one that happens twice means its first occurrence."""
    extra, rest = divmod(minutes, _DAY_MIN)
    local = datetime.combine(day + timedelta(days=extra), time(rest // 60, rest % 60), tzinfo=zone)
    return to_ms(local.astimezone(UTC))


def _united(pieces: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)
