"""One listener of the database, many open streams: what changed is handed to everyone who may see it.

A stream that reads too slowly is ended rather than buffered without bound; its client reconnects and
reads the list of alerts anew, so nothing is lost that the database still has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

QUEUE_MAX = 1_000
STREAMS_MAX = 2_000


Told = tuple[str, str]
"""An SSE event name and its data."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something to tell: an SSE event name, the office it belongs to, and its data as JSON.

    ``unlocated`` is the same for those who may not see where anybody is; None: nothing for them.
    """

    event: str
    office_id: str
    data: str
    unlocated: str | None


@dataclass(frozen=True, slots=True, eq=False)  # each is itself, whatever it may see
class _Subscriber:
    offices: frozenset[str]
    sees_locations: bool
    queue: asyncio.Queue[Told | None]


class Hub:
    """Fans changes out to subscribers by jurisdiction.  Used from one event loop only."""

    def __init__(self) -> None:
        self._subscribers: set[_Subscriber] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._subscribers)

    @property
    def is_full(self) -> bool:
        return len(self._subscribers) >= STREAMS_MAX

    @property
    def offices(self) -> frozenset[str]:
        """Every office somebody is listening to."""
        return frozenset().union(*(s.offices for s in self._subscribers))

    def publish(self, change: Change) -> None:
        """Queue the change for every subscriber who may see it; never waits."""
        for subscriber in list(self._subscribers):
            if change.office_id not in subscriber.offices:
                continue
            data = change.data if subscriber.sees_locations else change.unlocated
            if data is None:
                continue
            if subscriber.queue.qsize() >= QUEUE_MAX:
                self._end(subscriber)
            else:
                subscriber.queue.put_nowait((change.event, data))

    async def subscribe(
        self, offices: frozenset[str], sees_locations: bool, heartbeat_s: float
    ) -> AsyncIterator[Told | None]:
        """Yield (event, data) as changes come, and None after every ``heartbeat_s`` without one.

        Ends when the hub closes, is full, or the subscriber falls behind.
        """
        if self._closed or self.is_full:
            return
        # One place more than QUEUE_MAX, so that the end mark always fits.
        subscriber = _Subscriber(offices, sees_locations, asyncio.Queue(QUEUE_MAX + 1))
        self._subscribers.add(subscriber)
        try:
            while True:
                try:
                    told = await asyncio.wait_for(subscriber.queue.get(), heartbeat_s)
                except TimeoutError:
                    yield None
                    continue
                if told is None:
                    return
                yield told
        finally:
            self._subscribers.discard(subscriber)

    def close(self) -> None:
        """End every stream; later ones end at once."""
        self._closed = True
        self.end_streams()

    def end_streams(self) -> None:
        """End every open stream: something may have been missed, so everyone shall read anew."""
        for subscriber in list(self._subscribers):
            self._end(subscriber)

    def _end(self, subscriber: _Subscriber) -> None:
        self._subscribers.discard(subscriber)
        subscriber.queue.put_nowait(None)
