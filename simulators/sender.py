"""A device that keeps its messages until each has been acknowledged, over as many connections as it takes."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import mqtt5

from simulators.mqtt import REFUSED_FROM, Connection, Server, publish_frame

K = TypeVar("K")

BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 5.0


@dataclass(slots=True)
class Waiting(Generic[K]):
    """A message that has not been acknowledged; ``key`` is the sender's own name for it."""

    key: K
    topic: bytes
    payload: bytes
    sent: bool = False


@dataclass
class Sender(Generic[K]):
    """Sends messages in order until each has been acknowledged, reconnecting for ever.

    ``on_acked(key, refused)`` is called once per message.  At most ``window`` messages (and the server's
    receive maximum) are in flight.
    """

    server: Server
    client_id: str
    on_acked: Callable[[K, bool], None]
    will: mqtt5.Will | None = None
    window: int = 1_000
    on_message: Callable[[str, bytes], None] | None = None
    queue: deque[Waiting[K]] = field(default_factory=deque)
    connects: int = 0
    last_error: str = ""

    def __post_init__(self) -> None:
        self._in_flight: dict[int, Waiting[K]] = {}
        self._ids = itertools.cycle(range(1, 65_536))
        self._news = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()
        self._connection: Connection | None = None

    @property
    def unacknowledged(self) -> int:
        """Messages put and not yet acknowledged."""
        return len(self.queue) + len(self._in_flight)

    @property
    def connected(self) -> bool:
        """Whether a connection stands at this moment."""
        return self._connection is not None and self._connection.alive

    def move(self, server: Server) -> None:
        """Hang up and go on at another server."""
        self.server = server
        if self._connection is not None:
            self._connection.close()

    def put(self, key: K, topic: str, payload: str | bytes) -> None:
        """Queue one message."""
        body = payload.encode() if isinstance(payload, str) else payload
        self.queue.append(Waiting(key, topic.encode(), body))
        self.idle.clear()
        self._news.set()

    def hang_up(self) -> None:
        """Lose the connection on purpose; ``run`` connects anew."""
        if self._connection is not None:
            self._connection.close()

    async def run(self) -> None:
        """Connect, send, reconnect, until cancelled."""
        backoff_s = BACKOFF_FIRST_S
        try:
            while True:
                try:
                    self._connection = await Connection.open(
                        self.server,
                        self.client_id,
                        self._acked,
                        will=self.will,
                        on_message=self.on_message,
                        on_lost=self._news.set,
                    )
                except (OSError, TimeoutError) as error:
                    self.last_error = str(error) or type(error).__name__
                    await asyncio.sleep(backoff_s * random.uniform(0.5, 1.5))
                    backoff_s = min(BACKOFF_MAX_S, backoff_s * 2)
                    continue
                self.connects += 1
                backoff_s = BACKOFF_FIRST_S
                await self._pump(self._connection)
                self._requeue()
        finally:
            if self._connection is not None:
                self._connection.leave()

    async def _pump(self, connection: Connection) -> None:
        """Write what waits, as long as the connection stands."""
        window = min(self.window, connection.receive_max)
        while connection.alive:
            self._news.clear()  # before looking, so that whatever comes from here on wakes us
            frames = []
            while self.queue and len(self._in_flight) < window:
                message = self.queue.popleft()
                packet_id = self._free_id()
                self._in_flight[packet_id] = message
                frames.append(publish_frame(message.topic, message.payload, packet_id, again=message.sent))
                message.sent = True
            if frames:
                connection.write(b"".join(frames))
                await connection.writable.wait()
            if not self.queue or len(self._in_flight) >= window:
                await self._news.wait()

    def _acked(self, packet_id: int, reason: int) -> None:
        message = self._in_flight.pop(packet_id, None)
        if message is None:
            return
        if self.queue:  # it waited for room in the window
            self._news.set()
        self.on_acked(message.key, reason >= REFUSED_FROM)
        if not self.queue and not self._in_flight:
            self.idle.set()

    def _requeue(self) -> None:
        """What was in flight goes to the front again, in the order in which it was sent."""
        self.queue.extendleft(reversed(self._in_flight.values()))
        self._in_flight.clear()

    def _free_id(self) -> int:
        return next(i for i in self._ids if i not in self._in_flight)
