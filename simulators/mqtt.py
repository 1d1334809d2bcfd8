"""A small MQTT 5 client for senders: one connection, QoS 1, acknowledgements as they come.

Frames sent often are written by hand (a PUBLISH costs about a microsecond); the rest by ``mqtt5``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import mqtt5

CONNECT_TIMEOUT_S = 10.0
REFUSED_FROM = 0x80  # reason codes from here on are refusals

_CONNACK, _PUBLISH, _PUBACK, _DISCONNECT = 0x20, 0x30, 0x40, 0xE0
_PINGREQ = b"\xc0\x00"


class Refused(ConnectionError):
    """The server did not accept the connection: ``reason`` is the name of its reason code."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect to and as whom."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None

    def as_user(self, username: str, password: str) -> Server:
        """The same server for another user."""
        return Server(self.host, self.port, username, password)


def parse_url(url: str) -> Server:
    """Read ``mqtt://user:password@host:port`` or ``host:port``.  Raises ValueError."""
    parts = urlsplit(url if "://" in url else f"mqtt://{url}")
    if parts.scheme not in ("mqtt", "tcp") or not parts.hostname:
        raise ValueError(f"{url!r} is not a broker: expected mqtt://host:port")
    user = unquote(parts.username) if parts.username else None
    return Server(
        parts.hostname, parts.port or 1883, user, unquote(parts.password) if parts.password else None
    )


def publish_frame(topic: bytes, payload: bytes, packet_id: int, *, again: bool = False) -> bytes:
    """A PUBLISH at QoS 1 without properties (MQTT 5 §3.3)."""
    length = 2 + len(topic) + 3 + len(payload)
    head = bytearray((0x3A if again else 0x32,))
    while length > 127:
        head.append(length & 127 | 128)
        length >>= 7
    head.append(length)
    return b"%b%b%b%b\x00%b" % (bytes(head), len(topic).to_bytes(2), topic, packet_id.to_bytes(2), payload)


def frame_at(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the frame at ``at`` begins and where the frame ends; None if it is not whole."""
    length, shift, body = 0, 0, at + 1
    while body < len(data):
        byte = data[body]
        length |= (byte & 127) << shift
        shift += 7
        body += 1
        if byte < 128:
            return (body, body + length) if body + length <= len(data) else None
    return None


class Connection(asyncio.Protocol):
    """One connection.  ``on_ack(packet_id, reason_code)`` is called for every PUBACK,
    ``on_message(topic, payload)`` for what the server sends (answered at once where it asks for it)."""

    def __init__(
        self,
        on_ack: Callable[[int, int], None],
        on_message: Callable[[str, bytes], None] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        self._on_ack = on_ack
        self._on_message = on_message
        self._on_lost = on_lost
        loop = asyncio.get_running_loop()
        self._greeted: asyncio.Future[mqtt5.ConnAckPacket] = loop.create_future()
        self.alive = True
        self.writable = asyncio.Event()
        self.writable.set()
        self.receive_max = 65_535
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(
        cls,
        server: Server,
        client_id: str,
        on_ack: Callable[[int, int], None],
        *,
        will: mqtt5.Will | None = None,
        keep_alive_s: int = 60,
        on_message: Callable[[str, bytes], None] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> Connection:
        """Connect and be accepted.  Raises OSError, Refused, TimeoutError."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, made = await loop.create_connection(
                lambda: cls(on_ack, on_message, on_lost), server.host, server.port
            )
            packet = mqtt5.ConnectPacket(
                client_id,
                username=server.username,
                password=server.password.encode() if server.password is not None else None,
                clean_start=True,
                will=will,
                keep_alive=keep_alive_s,
            )
            made.write(packet.write())
            try:
                answer = await made._greeted
            except BaseException:
                made.close()
                raise
        if answer.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            made.close()
            raise Refused(f"refused: {answer.reason_code.name.lower()}")
        made.receive_max = answer.receive_max
        made._keep_alive(keep_alive_s)
        return made

    def write(self, data: bytes) -> None:
        """Hand bytes to the socket; dropped when the connection is lost."""
        if self._transport is not None and self.alive:
            self._transport.write(data)

    def close(self) -> None:
        """Hang up without a word, as a device that loses its network does."""
        if self._transport is not None:
            self._transport.abort()

    def leave(self) -> None:
        """Disconnect in order: no will is sent."""
        self.write(b"\xe0\x00")
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self.alive = False
        if not self._greeted.done():
            self._greeted.set_exception(ConnectionResetError("hung up before answering"))
        self.writable.set()
        if self._on_lost is not None:
            self._on_lost()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        buffer = self._rest + data if self._rest else data
        at, end = 0, len(buffer)
        while at < end and (bounds := frame_at(buffer, at)) is not None:
            body, stop = bounds
            if buffer[at] == _PUBACK:
                reason = buffer[body + 2] if stop - body > 2 else 0
                self._on_ack(buffer[body] << 8 | buffer[body + 1], reason)
            else:
                self._other(buffer[at] & 0xF0, buffer[at:stop])
            at = stop
        self._rest = bytes(buffer[at:])

    def _other(self, kind: int, frame: bytes) -> None:
        if kind == _CONNACK and not self._greeted.done():
            packet, _ = mqtt5.read(memoryview(frame))
            self._greeted.set_result(packet)  # type: ignore[arg-type]
        elif kind == _PUBLISH:
            packet, _ = mqtt5.read(memoryview(frame))
            assert isinstance(packet, mqtt5.PublishPacket)
            if packet.packet_id is not None:
                self.write(mqtt5.PubAckPacket(packet.packet_id).write())
            if self._on_message is not None:
                self._on_message(packet.topic, packet.payload)
        elif kind == _DISCONNECT:
            self.close()

    def _keep_alive(self, every_s: int) -> None:
        def ping() -> None:
            if self.alive:
                self.write(_PINGREQ)
                loop.call_later(every_s / 2, ping)

        loop = asyncio.get_running_loop()
        loop.call_later(every_s / 2, ping)
