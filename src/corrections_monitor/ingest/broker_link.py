"""One network connection to a broker, from CONNECT to its loss."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import mqtt5

from corrections_monitor.clock import Clock
from corrections_monitor.ingest.frames import MalformedFrame, Version, write_packet, write_pubacks
from corrections_monitor.ingest.inbox import NO_PACKET_ID, Inbox
from corrections_monitor.ingest.message import Message
from corrections_monitor.ingest.reader import PacketReader

READ_BYTES = 262_144
PAUSE_AFTER_BYTES = 16_384
PAUSE_S = 0.005
"""Reading in gulps: 5 ms of rest after a large read gave 7.5 times more messages per CPU second than reading
at every event (DESIGN, measured facts)."""

MAX_PACKET_BYTES = 1_048_576
_AT_LEAST_ONCE = mqtt5.QoS.AT_LEAST_ONCE
_SUBSCRIBE_ID = 1


class BrokerLink(asyncio.BufferedProtocol):
    """Puts what comes into the inbox, and acknowledges it when told to.

    Acknowledgements for a connection that is gone are dropped: the broker delivers again over the next.
    """

    def __init__(self, inbox: Inbox, clock: Clock, version: Version, keepalive_s: int) -> None:
        self._inbox = inbox
        self._clock = clock
        self._keepalive_s = keepalive_s
        self._version = version
        self._buffer = memoryview(bytearray(READ_BYTES))
        self._reader = PacketReader(version, MAX_PACKET_BYTES)
        self._transport: asyncio.Transport | None = None
        self._connack: asyncio.Future[mqtt5.ConnAckPacket] | None = None
        self._suback: asyncio.Future[list[int]] | None = None
        self._published: dict[int, asyncio.Future[bool]] = {}
        self._next_id = _SUBSCRIBE_ID
        self._publish_max = 0
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._reason = "connection closed"
        self._heard_s = clock.monotonic_s()
        self._waits_for_room = False
        self._timer: asyncio.TimerHandle | None = None
        self.ready = False

    # What the session asks for.

    async def connect(self, packet: mqtt5.ConnectPacket) -> mqtt5.ConnAckPacket:
        """Send CONNECT and wait for the answer.  Raises ConnectionError if the broker hangs up."""
        self._connack = asyncio.get_running_loop().create_future()
        self._write(write_packet(packet, self._version))
        answer = await self._connack
        if answer.server_keep_alive is not None:
            self._keepalive_s = answer.server_keep_alive
        self._publish_max = answer.receive_max
        self._ping_later()
        return answer

    async def subscribe(self, topics: Sequence[str]) -> list[int]:
        """Ask for QoS 1 on every topic; the broker's code for each.  Raises ConnectionError."""
        self._suback = asyncio.get_running_loop().create_future()
        # A live message must not look retained, or a device's own ``online:true`` would be no contact.
        filters = [
            mqtt5.TopicFilter(topic, max_qos=_AT_LEAST_ONCE, retain_as_published=False) for topic in topics
        ]
        self._write(write_packet(mqtt5.SubscribePacket(_SUBSCRIBE_ID, filters), self._version))
        codes = await self._suback
        self.ready = True
        return codes

    async def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> bool:
        """Whether the broker took it.  False too where it allows no more at once."""
        if not qos:
            packet = mqtt5.PublishPacket(topic, payload, retain=retain)
            return self._write(write_packet(packet, self._version))
        if len(self._published) >= self._publish_max:
            return False
        packet_id = self._free_id()
        packet = mqtt5.PublishPacket(topic, payload, qos=_AT_LEAST_ONCE, retain=retain, packet_id=packet_id)
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._published[packet_id] = answer
        self._write(write_packet(packet, self._version))
        # An answer that comes after the caller gave up still frees the packet id, and only it does.
        return await asyncio.shield(answer)

    @property
    def silent_s(self) -> float:
        """For how long nothing was heard; not counting that we do not read."""
        return 0.0 if self._waits_for_room else self._clock.monotonic_s() - self._heard_s

    async def until_lost(self) -> str:
        """Wait for the end of the connection; why it ended."""
        return await asyncio.shield(self._lost)

    def close(self) -> None:
        """Say goodbye (which keeps the session) and hang up."""
        if self._transport is not None and not self._transport.is_closing():
            self._write(write_packet(mqtt5.DisconnectPacket(), self._version))
            self._transport.close()

    def acknowledge(self, packet_ids: list[int], size: int) -> None:
        """See ``inbox.Source``."""
        wanted = [packet_id for packet_id in packet_ids if packet_id != NO_PACKET_ID]
        if wanted:
            self._write(write_pubacks(wanted))

    # What the network does.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._heard_s = self._clock.monotonic_s()
        try:
            self._handle(self._reader.feed(self._buffer[:nbytes]))
        except MalformedFrame as error:
            self._abort(f"the broker sent what is no MQTT: {error}")
            return
        if self._inbox.full:
            self._pause_until_room()
        elif nbytes >= PAUSE_AFTER_BYTES and self._transport is not None:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(PAUSE_S, self._resume)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ready = False
        if self._timer is not None:
            self._timer.cancel()
        reason = f"{self._reason}: {exc}" if exc else self._reason
        for waiting in (self._connack, self._suback):
            if waiting is not None and not waiting.done():
                waiting.set_exception(ConnectionResetError(reason))
        for answer in self._published.values():
            if not answer.done():
                answer.set_result(False)
        self._published.clear()
        if not self._lost.done():
            self._lost.set_result(reason)

    # What follows from it.

    def _handle(self, packets: Sequence[mqtt5.Packet]) -> None:
        arrival_ms = self._inbox.stamp()
        put = self._inbox.put
        for packet in packets:
            if isinstance(packet, mqtt5.PublishPacket):
                message = Message(
                    packet.topic, packet.payload, arrival_ms, packet.retain, packet.duplicate, None
                )
                put(message, self, packet.packet_id or NO_PACKET_ID)
            elif isinstance(packet, mqtt5.PubAckPacket):
                answer = self._published.pop(packet.packet_id, None)
                if answer is not None and not answer.done():
                    answer.set_result(int(packet.reason_code) < 0x80)
            elif isinstance(packet, mqtt5.ConnAckPacket):
                if self._connack is not None and not self._connack.done():
                    self._connack.set_result(packet)
            elif isinstance(packet, mqtt5.SubAckPacket):
                if self._suback is not None and not self._suback.done():
                    self._suback.set_result([int(code) for code in packet.reason_codes])
            elif isinstance(packet, mqtt5.DisconnectPacket):
                self._abort(f"the broker hangs up: {packet.reason_code.name.lower().replace('_', ' ')}")

    def _pause_until_room(self) -> None:
        if self._waits_for_room or self._transport is None:
            return
        self._waits_for_room = True
        self._transport.pause_reading()
        self._inbox.when_room(self._room)

    def _room(self) -> None:
        self._waits_for_room = False
        # What came meanwhile lies in the socket: silence during a pause is ours, not the broker's.
        self._heard_s = self._clock.monotonic_s()
        self._resume()

    def _resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing() and not self._waits_for_room:
            self._transport.resume_reading()

    def _ping(self) -> None:
        """Every half keep-alive: ping, and give the connection up if nothing came for one and a half."""
        if self.silent_s > 1.5 * self._keepalive_s:
            self._abort(f"nothing heard for {self.silent_s:.0f} s")
            return
        self._write(mqtt5.PingReqPacket().write())
        self._ping_later()

    def _ping_later(self) -> None:
        if self._keepalive_s:
            self._timer = asyncio.get_running_loop().call_later(self._keepalive_s / 2, self._ping)

    def _abort(self, reason: str) -> None:
        self._reason = reason
        self.ready = False
        if self._transport is not None:
            self._transport.abort()

    def _write(self, data: bytes) -> bool:
        if self._transport is None or self._transport.is_closing():
            return False
        self._transport.write(data)
        return True

    def _free_id(self) -> int:
        while True:
            self._next_id = self._next_id % 65_535 + 1
            if self._next_id not in self._published and self._next_id != _SUBSCRIBE_ID:
                return self._next_id
