"""Many MQTT connections driven by one loop of ``epoll``, for sending as fast as a receiver can take.

``sender`` is for devices that wait most of the time.  Here what one message costs is what limits the test:
no protocol objects and no tasks; one write for all that a connection has to say, one read for all it is told.
"""

from __future__ import annotations

import errno
import heapq
import random
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import mqtt5

from simulators.mqtt import CONNECT_TIMEOUT_S, REFUSED_FROM, Server, frame_at, publish_frame
from simulators.sender import BACKOFF_FIRST_S, BACKOFF_MAX_S

K = TypeVar("K")

TICK_S = 0.002  # a turn takes at least so long: what comes meanwhile is read at once
WINDOW = 4_000  # unacknowledged messages a connection, if the receiver allows as many
OPENING_MAX = 200  # connections being opened; more would only wait in the receiver's backlog
READ_BYTES = 16_384
KEEP_ALIVE_S = 65_535  # whoever sends needs no pings

_CONNACK, _PUBACK, _DISCONNECT = 0x20, 0x40, 0xE0
_READABLE = select.EPOLLIN
_BOTH = select.EPOLLIN | select.EPOLLOUT


class _Message(NamedTuple, Generic[K]):
    key: K
    topic: bytes
    payload: bytes


class _Wire(Generic[K]):
    """One connection, and what it has to say: ``in_flight`` by packet id was sent, ``waiting`` was not."""

    __slots__ = (
        "client_id", "failures", "in_flight", "last_id", "number", "ready", "rest", "server", "socket",
        "unsent", "waiting", "window",
    )  # fmt: skip

    def __init__(self, number: int, client_id: str, server: Server) -> None:
        self.number = number
        self.client_id = client_id
        self.server = server
        self.socket: socket.socket | None = None
        self.ready = False
        self.failures = 0
        self.window = 0
        self.last_id = 0
        self.in_flight: dict[int, _Message[K]] = {}
        self.waiting: deque[_Message[K]] = deque()
        self.unsent = b""  # what the socket has not taken yet
        self.rest = b""  # what came of a frame that is not whole

    def frames(self) -> bytes:
        """PUBLISH frames of all that waits and has room in the window."""
        made = []
        while self.waiting and len(self.in_flight) < self.window:
            message = self.waiting.popleft()
            packet_id = self.last_id % 65_535 + 1
            while packet_id in self.in_flight:
                packet_id = packet_id % 65_535 + 1
            self.last_id = packet_id
            self.in_flight[packet_id] = message
            made.append(publish_frame(message.topic, message.payload, packet_id))
        return b"".join(made)

    def frames_again(self) -> bytes:
        """The frames of all that was in flight when the connection was lost, in the order of sending."""
        return b"".join([publish_frame(m.topic, m.payload, i, again=True) for i, m in self.in_flight.items()])


class Crowd(Generic[K]):
    """A connection for each of ``logins`` (client id, server and user), kept up until ``close``.

    Messages are sent again until acknowledged, over as many connections as it takes; ``on_acked(key,
    refused)`` is called once for each.  Everything happens in ``turn``.  Raises OSError for an unknown host.
    """

    def __init__(self, logins: Sequence[tuple[str, Server]], on_acked: Callable[[K, bool], None]) -> None:
        self._on_acked = on_acked
        self._wires = [_Wire[K](number, *login) for number, login in enumerate(logins)]
        host = self._wires[0].server
        self._addresses = socket.getaddrinfo(host.host, host.port, type=socket.SOCK_STREAM)
        self._epoll = select.epoll()
        self._by_fd: dict[int, _Wire[K]] = {}
        self._to_say: set[_Wire[K]] = set()
        self._opening: dict[_Wire[K], float] = {}  # and since when, the oldest first
        self._to_open = [(0.0, number) for number in range(len(self._wires))]  # a heap: when, and which
        self._turned_s = time.monotonic()
        self.unacknowledged = 0
        self.last_error = ""

    @property
    def connected(self) -> int:
        """How many connections stand."""
        return sum(wire.ready for wire in self._wires)

    def open(self, timeout_s: float) -> None:
        """Connect all.  Raises TimeoutError, telling what stood in the way."""
        until_s = time.monotonic() + timeout_s
        while self._to_open or self._opening:
            if time.monotonic() > until_s:
                raise TimeoutError(f"{self.connected} of {len(self._wires)} connected: {self.last_error}")
            self.turn()

    def put(self, number: int, key: K, topic: bytes, payload: bytes) -> None:
        """Have connection ``number`` say this at the next turn."""
        wire = self._wires[number]
        wire.waiting.append(_Message(key, topic, payload))
        self._to_say.add(wire)
        self.unacknowledged += 1

    def turn(self) -> None:
        """Send what was put, take what came, and rest until the tick is over."""
        to_say, self._to_say = self._to_say, set()
        for wire in to_say:
            if wire.ready:
                self._send(wire, wire.frames())
        self._connect_some()
        by_fd = self._by_fd
        for fd, event in self._epoll.poll(0, len(self._wires) + 1):
            wire = by_fd[fd]
            if event & ~select.EPOLLOUT:
                self._receive(wire)
            elif wire.unsent:
                self._send(wire, b"")
        now_s = time.monotonic()
        time.sleep(max(0.0, self._turned_s + TICK_S - now_s))
        self._turned_s = max(now_s, self._turned_s + TICK_S)

    def close(self) -> None:
        """Disconnect in order."""
        for wire in self._wires:
            if wire.socket is not None:
                if wire.ready:
                    self._send(wire, b"\xe0\x00")
                if wire.socket is not None:
                    wire.socket.close()
        self._epoll.close()

    def _send(self, wire: _Wire[K], data: bytes) -> None:
        """Write, and leave to ``epoll`` what the socket does not take."""
        assert wire.socket is not None
        waited = bool(wire.unsent)
        data = wire.unsent + data
        try:
            sent = wire.socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._lost(wire, str(error))
            return
        wire.unsent = data[sent:]
        if waited != bool(wire.unsent):
            self._epoll.modify(wire.socket.fileno(), _BOTH if wire.unsent else _READABLE)

    def _receive(self, wire: _Wire[K]) -> None:
        assert wire.socket is not None
        try:
            data = wire.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(wire, str(error))
            return
        if not data:
            self._lost(wire, "hung up")
            return
        data = wire.rest + data
        at, end = 0, len(data)
        while at < end and (bounds := frame_at(data, at)) is not None:
            body, stop = bounds
            if data[at] == _PUBACK:
                refused = stop - body > 2 and data[body + 2] >= REFUSED_FROM
                self._acked(wire, data[body] << 8 | data[body + 1], refused)
            elif data[at] == _CONNACK and not wire.ready:
                self._greeted(wire, data[at:stop])
            elif data[at] == _DISCONNECT:
                self._lost(wire, "disconnected")
            if wire.socket is None:
                return
            at = stop
        wire.rest = data[at:]

    def _acked(self, wire: _Wire[K], packet_id: int, refused: bool) -> None:
        message = wire.in_flight.pop(packet_id, None)
        if message is None:
            return
        self.unacknowledged -= 1
        if wire.waiting:  # for room in the window
            self._to_say.add(wire)
        self._on_acked(message.key, refused)

    def _connect_some(self) -> None:
        now_s = time.monotonic()
        while self._opening and now_s - next(iter(self._opening.values())) > CONNECT_TIMEOUT_S:
            self._lost(next(iter(self._opening)), "no answer")
        while self._to_open and self._to_open[0][0] <= now_s and len(self._opening) < OPENING_MAX:
            self._connect(self._wires[heapq.heappop(self._to_open)[1]], now_s)

    def _connect(self, wire: _Wire[K], now_s: float) -> None:
        family, kind, protocol, _, address = self._addresses[wire.failures % len(self._addresses)]
        wire.socket = socket.socket(family, kind, protocol)
        wire.socket.setblocking(False)
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._by_fd[wire.socket.fileno()] = wire
        self._epoll.register(wire.socket.fileno(), _BOTH)
        self._opening[wire] = now_s
        user, password = wire.server.username, wire.server.password
        wire.unsent = mqtt5.ConnectPacket(
            wire.client_id,
            username=user,
            password=password.encode() if password is not None else None,
            clean_start=True,
            keep_alive=KEEP_ALIVE_S,
        ).write()
        wire.rest = b""
        if (code := wire.socket.connect_ex(address)) not in (0, errno.EINPROGRESS):
            self._lost(wire, errno.errorcode.get(code, str(code)).lower())

    def _greeted(self, wire: _Wire[K], frame: bytes) -> None:
        packet, _ = mqtt5.read(memoryview(frame))
        assert isinstance(packet, mqtt5.ConnAckPacket)
        if packet.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            self._lost(wire, f"refused: {packet.reason_code.name.lower()}")
            return
        del self._opening[wire]
        wire.ready, wire.failures = True, 0
        wire.window = min(WINDOW, packet.receive_max)
        self._send(wire, wire.frames_again())
        self._to_say.add(wire)

    def _lost(self, wire: _Wire[K], why: str) -> None:
        """Hang up, and connect again a little later."""
        assert wire.socket is not None
        self.last_error = why
        self._opening.pop(wire, None)
        del self._by_fd[wire.socket.fileno()]
        wire.socket.close()
        wire.socket, wire.ready, wire.unsent = None, False, b""
        backoff_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2**wire.failures) * random.uniform(0.5, 1.5)
        wire.failures += 1
        heapq.heappush(self._to_open, (time.monotonic() + backoff_s, wire.number))
