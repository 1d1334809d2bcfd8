"""The one bounded queue between the sockets and the pipeline.

Sources (MQTT connections) put, the pipeline takes.  A source looks at ``full`` after each read and, when it
is, stops reading until ``when_room`` calls it back: the bound may be passed by what one read brought, never
by more.  Nothing is acknowledged before the pipeline calls ``Intake.ack`` after its commit.

Time is a promise here: a tick at ``Intake.now_ms`` means that no later row arrives at or before it.  So a
message left behind in the queue, or put after the cut, is stamped at least one millisecond later.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec

from corrections_monitor.clock import Clock
from corrections_monitor.ingest.message import Message

NO_PACKET_ID = 0
"""Stands where a message wants no acknowledgement (QoS 0, a last will)."""


class Source(Protocol):
    """Whoever is told that messages are safe: one network connection."""

    def acknowledge(self, packet_ids: list[int], size: int) -> None:
        """``packet_ids`` in order of arrival, NO_PACKET_ID among them; ``size``: their payload bytes."""


class Entry(msgspec.Struct, gc=False):
    """A message with its payload's bytes and the connection that waits for its acknowledgement."""

    message: Message
    size: int
    source: Source | None
    packet_id: int


class Intake:
    """What the pipeline took in one go; to be answered by ``ack`` or ``retry``, once."""

    __slots__ = ("_entries", "_floor_before", "_inbox", "_open", "messages", "now_ms")

    def __init__(self, inbox: Inbox, entries: list[Entry], now_ms: int, floor_before: int) -> None:
        self.messages = [entry.message for entry in entries]
        self.now_ms = now_ms
        self._entries = entries
        self._inbox = inbox
        self._floor_before = floor_before
        self._open = True

    def ack(self) -> None:
        """All that follows from these messages is committed: tell the senders, one buffer per connection."""
        self._close()
        by_source: dict[Source, list[Entry]] = {}
        for entry in self._entries:
            source = entry.source
            if source in by_source:
                by_source[source].append(entry)
            elif source is not None:
                by_source[source] = [entry]
        for source, entries in by_source.items():
            source.acknowledge([e.packet_id for e in entries], sum([e.size for e in entries]))

    def retry(self) -> None:
        """The transaction failed: the messages return to the front, in order and with their arrivals."""
        self._close()
        self._inbox._put_back(self._entries, self.now_ms, self._floor_before)

    def _close(self) -> None:
        assert self._open, "an intake is answered once"
        self._open = False


class Inbox:
    """Bounded by ``max_messages`` and ``max_bytes`` of payload, whichever comes first."""

    def __init__(self, max_messages: int, max_bytes: int, clock: Clock) -> None:
        assert max_messages > 0
        assert max_bytes > 0
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._clock = clock
        self._queue: deque[Entry] = deque()
        self._bytes = 0
        self._floor_ms = 0  # no message taken from now on may carry an earlier arrival
        self._stamp_ms = 0
        self._wanted = 0  # how many messages the waiting taker wants; 0: nobody waits
        self._waiter: asyncio.Future[None] | None = None
        self._waiting_for_room: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def full(self) -> bool:
        """Whether sources must stop reading."""
        return len(self._queue) >= self._max_messages or self._bytes >= self._max_bytes

    def stamp(self) -> int:
        """The arrival for messages being read now: epoch ms, never decreasing even if the clock does."""
        self._stamp_ms = max(self._clock.wall_ms(), self._floor_ms, self._stamp_ms)
        return self._stamp_ms

    def not_before(self, now_ms: int) -> None:
        """What waits was stamped by a clock that has since been set forward to ``now_ms``."""
        self._floor_ms = max(self._floor_ms, now_ms)

    def put(self, message: Message, source: Source | None = None, packet_id: int = NO_PACKET_ID) -> None:
        """Append; always accepted, since it has been read from the socket already."""
        size = len(message.payload)
        self._queue.append(Entry(message, size, source, packet_id))
        self._bytes += size
        if self._wanted and len(self._queue) >= self._wanted:
            self._wake()

    def when_room(self, callback: Callable[[], None]) -> None:
        """Call back, once, when the queue has fallen to half its bound."""
        self._waiting_for_room.append(callback)

    async def take(self, max_messages: int, max_wait_s: float) -> Intake:
        """Up to ``max_messages``, as soon as there are so many or the first has waited ``max_wait_s``.

        Nothing within ``max_wait_s``: an empty intake, whose ``now_ms`` is as good for a tick.
        """
        assert max_messages > 0
        if not self._queue:
            await self._wait_for(1, max_wait_s)
        if self._queue and len(self._queue) < max_messages and not self.full:
            waited_s = (self._clock.wall_ms() - self._queue[0].message.arrival_ms) / 1000
            if waited_s < max_wait_s:
                await self._wait_for(max_messages, min(max_wait_s, max_wait_s - waited_s))
        return self._cut(max_messages)

    async def _wait_for(self, count: int, max_wait_s: float) -> None:
        assert self._waiter is None, "the inbox has one taker"
        self._wanted = min(count, self._max_messages)
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(max_wait_s):
                await self._waiter
        except TimeoutError:
            pass
        finally:
            self._waiter, self._wanted = None, 0

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _cut(self, max_messages: int) -> Intake:
        count = min(max_messages, len(self._queue))
        entries = [self._queue.popleft() for _ in range(count)]
        last_ms = self._floor_ms
        for entry in entries:
            arrival_ms = entry.message.arrival_ms
            if arrival_ms < last_ms:
                entry.message = msgspec.structs.replace(entry.message, arrival_ms=last_ms)
            else:
                last_ms = arrival_ms
        self._bytes -= sum([entry.size for entry in entries])
        # With more waiting, the cut stands right behind the last row; otherwise it stands at now.
        if self._queue:
            now_ms = last_ms
        else:
            now_ms = max(last_ms, self._clock.wall_ms())
        intake = Intake(self, entries, now_ms, self._floor_ms)
        self._floor_ms = now_ms + 1
        self._tell_room()
        return intake

    def _put_back(self, entries: list[Entry], now_ms: int, floor_before: int) -> None:
        self._queue.extendleft(reversed(entries))
        self._bytes += sum([entry.size for entry in entries])
        if self._floor_ms == now_ms + 1:
            # Nothing was promised since: the promise of the failed transaction is void.
            self._floor_ms = floor_before
        if self._wanted and len(self._queue) >= self._wanted:
            self._wake()

    def _tell_room(self) -> None:
        room = len(self._queue) * 2 <= self._max_messages and self._bytes * 2 <= self._max_bytes
        if self._waiting_for_room and room:
            callbacks, self._waiting_for_room = self._waiting_for_room, []
            for callback in callbacks:
                callback()
