"""Instants and intervals as whole Unix milliseconds.

Every time inside the program is an ``int`` of Unix epoch milliseconds (name suffix ``_ms``).  Text is
read and written only at the edges, through this file.  Civil time without an offset is read in the
configured zone; an end given as a bare date includes that day (CONTRACT, preamble).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

# An open end is a number far outside any real time, so that comparisons need no special case.
OPEN_START_MS = -(2**60)
OPEN_END_MS = 2**60

_BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_EPOCH_MS = re.compile(r"-?\d{9,16}\Z")


@dataclass(frozen=True, slots=True)
class Interval:
    """``from_ms`` inclusive to ``to_ms`` exclusive; open ends are OPEN_START_MS and OPEN_END_MS."""

    from_ms: int = OPEN_START_MS
    to_ms: int = OPEN_END_MS

    def holds(self, t_ms: int) -> bool:
        """Whether the instant lies in the interval."""
        return self.from_ms <= t_ms < self.to_ms

    def overlaps(self, other: Interval) -> bool:
        """Whether the two intervals share an instant."""
        return self.from_ms < other.to_ms and other.from_ms < self.to_ms


ALWAYS = Interval()


def parse_time(value: str | int, zone: ZoneInfo, *, end: bool = False) -> int:
    """Read ISO 8601 (with offset, or civil in ``zone``) or epoch milliseconds; return epoch ms.

    ``end``: the value closes an interval, so a bare date means the start of the following day.
    Raises ValueError with a sentence a clerk understands.
    """
    if isinstance(value, int):
        return value
    text = value.strip()
    if _EPOCH_MS.match(text):
        return int(text)
    try:
        if _BARE_DATE.match(text):
            day = date.fromisoformat(text)
            return midnight_ms(day + timedelta(days=1) if end else day, zone)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(f"{value!r} is not a time: expected ISO 8601 or epoch milliseconds") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return to_ms(moment)


def parse_interval(start: str, end: str, zone: ZoneInfo) -> Interval:
    """Read the ``from`` and ``to`` of a row; empty is open.  Raises ValueError when it holds nothing."""
    from_ms = parse_time(start, zone) if start.strip() else OPEN_START_MS
    to_ms_ = parse_time(end, zone, end=True) if end.strip() else OPEN_END_MS
    if to_ms_ <= from_ms:
        raise ValueError(f"the end {end!r} is not after the start {start!r}")
    return Interval(from_ms, to_ms_)


def to_ms(moment: datetime) -> int:
    """Whole epoch milliseconds of an aware datetime."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_ms(t_ms: int, zone: ZoneInfo) -> datetime:
    """The civil time of an instant in a zone, exact to the millisecond."""
    return (_EPOCH + timedelta(milliseconds=t_ms)).astimezone(zone)


def midnight_ms(day: date, zone: ZoneInfo) -> int:
    """The instant at which a civil day begins."""
    return to_ms(datetime.combine(day, time(), tzinfo=zone))


def format_times(times_ms: Sequence[int], zone: ZoneInfo) -> list[str]:
    """Many instants as ``format_time`` writes one, at a fraction of the cost; none of them open."""
    utc_ms = np.array(times_ms, np.int64)
    # A zone's offset changes on whole quarters of an hour (since 1901 in China; tzdata).
    quarters, which = np.unique(utc_ms // _QUARTER_MS, return_inverse=True)
    begins = [from_ms(int(quarter) * _QUARTER_MS, zone) for quarter in quarters]
    offsets_ms = np.array([_offset_ms(begin) for begin in begins], np.int64)[which]
    endings = [begin.isoformat(timespec="milliseconds")[23:] for begin in begins]
    local = np.datetime_as_string((utc_ms + offsets_ms).astype("datetime64[ms]"))
    return [text + endings[quarter] for text, quarter in zip(local.tolist(), which.tolist(), strict=True)]


_QUARTER_MS = 15 * MINUTE_MS


def _offset_ms(moment: datetime) -> int:
    offset = moment.utcoffset()
    assert offset is not None
    return offset // timedelta(milliseconds=1)


def format_time(t_ms: int | None, zone: ZoneInfo) -> str | None:
    """ISO 8601 with offset and milliseconds; an open end or None is None."""
    if t_ms is None or t_ms <= OPEN_START_MS or t_ms >= OPEN_END_MS:
        return None
    return from_ms(t_ms, zone).isoformat(timespec="milliseconds")
