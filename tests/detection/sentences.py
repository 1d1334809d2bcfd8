"""What the reason of an episode says, and the fixes it rests on, against what the reference would have said.

A sentence is held to its numbers, one by one and in order: since when, how far, how sure, by how many
fixes.  Evidence is held to the fixes themselves: that these were sent, by a device of that person, when and
where, and how far beyond the boundary each of them truly lies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from reference import clocks
from reference.book import SILENT, Says

from corrections_monitor.model.episodes import Change, Episode, Kind
from corrections_monitor.model.times import from_ms

NAMES = re.compile("“[^”]*”")  # of zones; devices and orders have a letter before their digits
CLOCK = "；设备时钟"  # what was set right stands at the end
NUMBERS = re.compile(r"(?<![A-Za-z0-9])\d[\d.:-]*")
METRES = 1.0
ABOUT_M = 1.0  # the reference's geometry is another one
PLACES = frozenset({Kind.ZONE_EXIT, Kind.CURFEW, Kind.LEAVE_OVERDUE, Kind.LEAVE_ASTRAY, Kind.ZONE_ENTER})


def wrong(change: Change, episode: Episode, must: Says, zone: ZoneInfo) -> str:
    """What is wrong with the words of an episode that opens or is updated; empty when nothing is."""
    if change is Change.CLOSED or must == SILENT:
        return ""
    said = list(_numbers(episode.reason))
    expected = list(_expected(must, zone))
    if len(said) != len(expected) or not all(map(_is_met, said, expected)):
        return f"says {said}, not {expected}: {episode.reason}"
    if episode.kind in PLACES:
        return _wrong_fixes(episode, must)
    return ""


def _numbers(reason: str) -> Iterator[str]:
    sentence, _, clock = reason.partition(CLOCK)
    for part in (sentence, clock):
        yield from NUMBERS.findall(NAMES.sub("", part))


def _expected(must: Says, zone: ZoneInfo) -> Iterator[str | int | float]:
    if must.since_ms is not None:
        yield from f"{from_ms(must.since_ms, zone):%m-%d %H:%M:%S}".split()
    yield from must.numbers
    if must.behind_ms:
        yield clocks.said(must.behind_ms)


def _is_met(said: str, expected: str | float) -> bool:
    if isinstance(expected, float):
        return abs(float(said) - expected) <= METRES
    return said == str(expected)


def _wrong_fixes(episode: Episode, must: Says) -> str:
    shown: Sequence[dict[str, float]] = episode.evidence["fixes"]
    if len(shown) != len(must.shown_by):
        return f"{len(shown)} fixes as evidence, not {len(must.shown_by)}"
    for fix, (t_ms, lon, lat, doubt_m, beyond_m) in zip(shown, must.shown_by, strict=True):
        here = (fix["t"], fix["lon"], fix["lat"]) == (t_ms, round(lon, 7), round(lat, 7))
        sure = abs(fix["acc"] - doubt_m) <= 0.1
        if not (here and sure and abs(fix["beyond_m"] - beyond_m) <= ABOUT_M + 0.001 * abs(beyond_m)):
            return f"{fix} as evidence, not {(t_ms, lon, lat, doubt_m, beyond_m)}"
    return "" if shown[-1]["beyond_m"] > 0 else f"evidence of nothing: {shown}"
