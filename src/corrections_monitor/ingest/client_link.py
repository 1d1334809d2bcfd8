"""One connection to the daemon's own endpoint: a device, an officer or a service."""

from __future__ import annotations

import asyncio
import logging
from enum import Enum
from typing import TYPE_CHECKING

import mqtt5
import msgspec

from corrections_monitor.ingest import hello
from corrections_monitor.ingest.frames import (
    MalformedFrame,
    Version,
    connect_level,
    read_packet,
    write_packet,
    write_pubacks,
)
from corrections_monitor.ingest.inbox import NO_PACKET_ID
from corrections_monitor.ingest.message import Message
from corrections_monitor.ingest.principal import Principal, heard_as, may_publish, may_subscribe
from corrections_monitor.ingest.reader import PacketReader

if TYPE_CHECKING:
    from corrections_monitor.ingest.endpoint import DeviceEndpoint

log = logging.getLogger(__name__)

FAIR_SHARE_BYTES = 16_384
SUBSCRIPTIONS_MAX = 8
FIRST_PACKET_BYTES_MAX = 16_384
_AT_MOST_ONCE = mqtt5.QoS.AT_MOST_ONCE
_AT_LEAST_ONCE = mqtt5.QoS.AT_LEAST_ONCE


class _State(Enum):
    WAITING = "waiting for CONNECT"
    ASKING = "being authenticated"
    READY = "ready"
    CLOSED = "closed"


class ClientLink(asyncio.Protocol):
    """From the accepted socket to its end.

    ``unacked`` counts what lies in the inbox or with the pipeline; the connection is not read while it is
    beyond its bound.
    """

    __slots__ = (
        "_answers",
        "_choked",
        "_denied",
        "_endpoint",
        "_heard_s",
        "_keepalive_s",
        "_next_id",
        "_own_topic",
        "_paused",
        "_reader",
        "_receive_max",
        "_state",
        "_subscriptions",
        "_task",
        "_transport",
        "_unacked",
        "_unacked_bytes",
        "_version",
        "_will",
        "client_id",
        "principal",
    )

    def __init__(self, endpoint: DeviceEndpoint) -> None:
        self._endpoint = endpoint
        self._state = _State.WAITING
        self._version = Version.V5
        self._reader = PacketReader(Version.V5, FIRST_PACKET_BYTES_MAX)
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._heard_s = endpoint.clock.monotonic_s()
        self._keepalive_s = 0
        self._will: Message | None = None
        self._subscriptions: dict[str, mqtt5.QoS] = {}
        self._unacked = 0
        self._unacked_bytes = 0
        self._denied: set[int] = set()
        self._paused = False
        self._choked = False  # the client does not read what we write
        self._answers: dict[int, asyncio.Future[bool]] = {}
        self._next_id = 0
        self._own_topic = ""  # the last that was found to be this login's to speak under
        self._receive_max = 65_535  # what the client takes at once
        self.client_id = ""
        self.principal: Principal | None = None

    # Called by the network.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self._endpoint.opened(self):
            self._state = _State.CLOSED
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._state is _State.READY:  # the time to CONNECT runs from accepting, however slowly one speaks
            self._heard_s = self._endpoint.clock.monotonic_s()
        try:
            if self._state is _State.WAITING:
                frame = self._reader.first_frame(data)
                if frame is not None:
                    self._connect(frame)
            elif self._state is _State.READY:
                self._handle(self._reader.feed(data))
            elif self._state is _State.ASKING:
                self._reader.keep(data)
        except MalformedFrame as error:
            log.info("%s sent what is no MQTT: %s", self.principal or "a stranger", error)
            self.hang_up(mqtt5.DisconnectReasonCode.MALFORMED_PACKET)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(speak_will=True)

    def pause_writing(self) -> None:
        self._choked = True
        self._look_at_bounds()

    def resume_writing(self) -> None:
        self._choked = False
        self._look_at_bounds()

    # Called by the endpoint and the inbox.

    def acknowledge(self, packet_ids: list[int], size: int) -> None:
        """See ``inbox.Source``.  One buffer; what was not this login's to say is told so where it can be."""
        self._unacked -= len(packet_ids)
        self._unacked_bytes -= size
        wanted = packet_ids
        if NO_PACKET_ID in packet_ids:
            wanted = [packet_id for packet_id in packet_ids if packet_id != NO_PACKET_ID]
        if self._denied:
            self._write(b"".join(self._puback(packet_id) for packet_id in wanted))
        elif wanted:
            self._write(write_pubacks(wanted))
        self._look_at_bounds()

    def send(self, topic: str, payload: bytes) -> asyncio.Future[bool] | None:
        """Publish to this client; None if it has not subscribed or takes no more at once.

        The future is True at the client's PUBACK (or at once if it asked for QoS 0), False if it is lost.
        """
        heard = [
            (name, q) for p, q in self._subscriptions.items() if (name := heard_as(p, topic)) is not None
        ]
        granted = [qos for _, qos in heard]
        if self._state is not _State.READY or not granted or len(self._answers) >= self._receive_max:
            return None
        topic = heard[0][0]
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if all(int(qos) == 0 for qos in granted):
            self._write(write_packet(mqtt5.PublishPacket(topic, payload), self._version))
            answer.set_result(True)
            return answer
        while True:
            self._next_id = self._next_id % 65_535 + 1
            if self._next_id not in self._answers:
                break
        packet = mqtt5.PublishPacket(topic, payload, qos=_AT_LEAST_ONCE, packet_id=self._next_id)
        self._answers[self._next_id] = answer
        self._write(write_packet(packet, self._version))
        return answer

    def check(self, now_s: float, connect_timeout_s: float) -> None:
        """Hang up on who has been silent too long; not on whom we do not read."""
        silent_s = now_s - self._heard_s
        if self._state in (_State.WAITING, _State.ASKING):
            if silent_s > connect_timeout_s:
                self.hang_up(mqtt5.DisconnectReasonCode.MAX_CONNECT_TIME)
        elif self._keepalive_s and not self._paused and silent_s > 1.5 * self._keepalive_s:
            self.hang_up(mqtt5.DisconnectReasonCode.KEEP_ALIVE_TIMEOUT)

    def hang_up(self, reason: mqtt5.DisconnectReasonCode, speak_will: bool = True) -> None:
        """End the connection, telling why where the protocol can."""
        if self._state is _State.READY and self._version is Version.V5:
            self._write(mqtt5.DisconnectPacket(reason_code=reason).write())
        self._end(speak_will)

    # CONNECT.

    def _connect(self, frame: bytes) -> None:
        level = connect_level(frame)
        if level not in (Version.V311, Version.V5):
            if level is not None:
                self._write(b"\x20\x02\x00\x01")  # CONNACK, unacceptable protocol version (3.1.1 §3.2.2.3)
            self._end(speak_will=False)
            return
        self._version = Version(level)
        packet = read_packet(frame, self._version)
        assert isinstance(packet, mqtt5.ConnectPacket)
        self._state = _State.ASKING
        self._pause()
        self._task = asyncio.get_running_loop().create_task(self._greet(packet))

    async def _greet(self, packet: mqtt5.ConnectPacket) -> None:
        refusal = await self._identify(packet)
        if self._state is not _State.ASKING:
            return
        if refusal is not None:
            log.info("login %r refused: %s", packet.username, refusal.name)
            self._write(write_packet(mqtt5.ConnAckPacket(reason_code=refusal), self._version))
            self._end(speak_will=False)
            return
        self._state = _State.READY
        self._keepalive_s = packet.keep_alive
        self._receive_max = packet.receive_max
        bounds = self._endpoint.receive_max, self._endpoint.packet_bytes_max
        self._write(write_packet(hello.connack(packet, self.client_id, *bounds), self._version))
        rest, self._reader = self._reader, PacketReader(self._version, self._endpoint.packet_bytes_max)
        self._resume()
        self.data_received(rest.rest)

    async def _identify(self, packet: mqtt5.ConnectPacket) -> mqtt5.ConnAckReasonCode | None:
        """Why the client is refused, None if it is let in."""
        codes = mqtt5.ConnAckReasonCode
        if packet.authentication_method is not None:
            return codes.BAD_AUTHENTICATION_METHOD
        if packet.username is None or packet.password is None:
            return codes.NOT_AUTHORIZED
        try:
            password = packet.password.decode()
            principal = await self._endpoint.authenticate(packet.username, password)
        except UnicodeDecodeError:
            return codes.BAD_USER_NAME_OR_PASSWORD
        except Exception:
            log.exception("the login of %r could not be checked", packet.username)
            return codes.SERVER_UNAVAILABLE
        if principal is None:
            return codes.BAD_USER_NAME_OR_PASSWORD
        if self._state is not _State.ASKING:
            return None
        refusal = hello.refusal(packet, principal)
        if refusal is not None:
            return refusal
        client_id = packet.client_id or f"{principal.kind}:{principal.id}:{id(self):x}"
        if not self._endpoint.admit(self, client_id, principal):
            return codes.CLIENT_ID_NOT_VALID
        self.client_id, self.principal = client_id, principal
        self._will = hello.will_message(packet, principal)
        return None

    # Everything after it.

    def _handle(self, packets: list[mqtt5.Packet]) -> None:
        arrival_ms = self._endpoint.inbox.stamp()
        for packet in packets:
            if isinstance(packet, mqtt5.PublishPacket):
                self._publish(packet, arrival_ms)
            elif isinstance(packet, mqtt5.PingReqPacket):
                self._write(b"\xd0\x00")
            elif isinstance(packet, mqtt5.PubAckPacket):
                answer = self._answers.pop(packet.packet_id, None)
                if answer is not None and not answer.done():
                    answer.set_result(int(packet.reason_code) < 0x80)
            elif isinstance(packet, mqtt5.SubscribePacket):
                self._subscribe(packet)
            elif isinstance(packet, mqtt5.UnsubscribePacket):
                self._unsubscribe(packet)
            elif isinstance(packet, mqtt5.DisconnectPacket):
                with_will = packet.reason_code == mqtt5.DisconnectReasonCode.DISCONNECT_WITH_WILL_MESSAGE
                self._end(speak_will=with_will)
            else:
                self.hang_up(mqtt5.DisconnectReasonCode.PROTOCOL_ERROR)
            if self._state is not _State.READY:
                return
        self._look_at_bounds()

    def _publish(self, packet: mqtt5.PublishPacket, arrival_ms: int) -> None:
        assert self.principal is not None
        packet_id = packet.packet_id or NO_PACKET_ID
        if packet_id == NO_PACKET_ID and packet.qos != _AT_MOST_ONCE:
            self.hang_up(mqtt5.DisconnectReasonCode.PROTOCOL_ERROR)
            return
        if int(packet.qos) > 1:
            self.hang_up(mqtt5.DisconnectReasonCode.QOS_NOT_SUPPORTED)
            return
        login = self.principal.login
        if packet.topic == self._own_topic or may_publish(self.principal, packet.topic):
            self._own_topic = packet.topic
        else:
            # No topic level holds a slash: the decoder finds this login at odds with every owner.
            login = f"{self.principal.kind}/{self.principal.id}"
            if packet_id != NO_PACKET_ID and self._version is Version.V5:
                self._denied.add(packet_id)
        self._unacked += 1
        self._unacked_bytes += len(packet.payload)
        # To retain is the sender's wish for others; to us the message is live.
        message = Message(packet.topic, packet.payload, arrival_ms, False, packet.duplicate, login)
        self._endpoint.inbox.put(message, self, packet_id)

    def _puback(self, packet_id: int) -> bytes:
        if packet_id not in self._denied:
            return write_pubacks([packet_id])
        self._denied.discard(packet_id)
        return mqtt5.PubAckPacket(packet_id, reason_code=mqtt5.PubAckReasonCode.NOT_AUTHORIZED).write()

    def _subscribe(self, packet: mqtt5.SubscribePacket) -> None:
        assert self.principal is not None
        if not packet.topic_filters:
            self.hang_up(mqtt5.DisconnectReasonCode.PROTOCOL_ERROR)
            return
        codes = []
        for wanted in packet.topic_filters:
            known = wanted.pattern in self._subscriptions
            if not may_subscribe(self.principal, wanted.pattern):
                codes.append(mqtt5.SubAckReasonCode.NOT_AUTHORIZED)
            elif not known and len(self._subscriptions) >= SUBSCRIPTIONS_MAX:
                codes.append(mqtt5.SubAckReasonCode.QUOTA_EXCEEDED)
            elif int(wanted.max_qos) == 0:
                self._subscriptions[wanted.pattern] = _AT_MOST_ONCE
                codes.append(mqtt5.SubAckReasonCode.GRANTED_QOS_AT_MOST_ONCE)
            else:
                self._subscriptions[wanted.pattern] = _AT_LEAST_ONCE
                codes.append(mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE)
        self._write(write_packet(mqtt5.SubAckPacket(packet.packet_id, codes), self._version))

    def _unsubscribe(self, packet: mqtt5.UnsubscribePacket) -> None:
        codes = [
            mqtt5.UnsubAckReasonCode.SUCCESS
            if self._subscriptions.pop(pattern, None) is not None
            else mqtt5.UnsubAckReasonCode.NO_SUBSCRIPTION_EXISTED
            for pattern in packet.patterns
        ]
        self._write(write_packet(mqtt5.UnsubAckPacket(packet.packet_id, codes), self._version))

    # Bounds.

    def _look_at_bounds(self) -> None:
        """Read on, or not; see the head of ``endpoint``."""
        if self._state is not _State.READY:
            return
        beyond = (
            self._choked
            or self._unacked > self._endpoint.receive_max
            or (self._unacked_bytes > FAIR_SHARE_BYTES and self._endpoint.inbox.full)
        )
        if beyond:
            self._pause()
        else:
            self._resume()

    def _pause(self) -> None:
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = False
            self._heard_s = self._endpoint.clock.monotonic_s()
            self._transport.resume_reading()

    def _end(self, speak_will: bool) -> None:
        if self._state is _State.CLOSED:
            return
        self._state = _State.CLOSED
        self._endpoint.closed(self)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(False)
        self._answers.clear()
        if self._will is not None and speak_will:
            inbox = self._endpoint.inbox
            inbox.put(msgspec.structs.replace(self._will, arrival_ms=inbox.stamp()))
        if self._transport is not None:
            self._transport.close()

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
