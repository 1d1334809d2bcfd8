"""Stretches of time for which a question has one answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from corrections_monitor.model.times import OPEN_END_MS, OPEN_START_MS

Span = tuple[int, int]
"""From (inclusive) to (exclusive), epoch ms."""


def stretches(holds: Callable[[int], bool], edges: Iterable[int]) -> list[Span]:
    """When ``holds`` is true, given every instant at which its answer may change."""
    points = sorted({OPEN_START_MS, *(e for e in edges if OPEN_START_MS < e < OPEN_END_MS)})
    found: list[Span] = []
    for start, end in zip(points, [*points[1:], OPEN_END_MS], strict=True):
        if not holds(start):
            continue
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def around(spans: Sequence[Span], t_ms: int) -> Span | None:
    """The stretch that holds at an instant, if any does."""
    return next(((a, b) for a, b in spans if a <= t_ms < b), None)


def last_end(spans: Sequence[Span], t_ms: int) -> int:
    """When the last stretch that is over at an instant ended; OPEN_START_MS if none is."""
    return max((b for _, b in spans if b <= t_ms), default=OPEN_START_MS)
