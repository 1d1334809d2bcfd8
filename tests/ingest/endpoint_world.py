"""An endpoint with an inbox, real clients and hand-made ones, for the tests of the endpoint."""

from __future__ import annotations

import asyncio
from typing import Any

import aiomqtt
import mqtt5
import pytest
from aiomqtt import ProtocolVersion
from mqtt_world import until

from corrections_monitor.ingest.endpoint import DeviceEndpoint
from corrections_monitor.ingest.frames import Version, write_packet
from corrections_monitor.ingest.inbox import Inbox, Intake
from corrections_monitor.ingest.message import Message
from corrections_monitor.ingest.principal import Principal, PrincipalKind
from corrections_monitor.ingest.reader import PacketReader

VERSIONS = {Version.V311: ProtocolVersion.V311, Version.V5: ProtocolVersion.V5}
BOTH = pytest.mark.parametrize("version", list(Version))
QOS1 = mqtt5.QoS.AT_LEAST_ONCE
FIX = "cm/v1/xlt/d1/fix"
KINDS = {"d": PrincipalKind.DEVICE, "o": PrincipalKind.OFFICER, "s": PrincipalKind.SERVICE}


async def authenticate(username: str, password: str) -> Principal | None:
    if username == "down":
        raise ConnectionError("no database")
    if password != "secret":
        return None
    return Principal(KINDS[username[0]], username)


class World:
    """An endpoint with its inbox, and clients to speak to it."""

    def __init__(self, inbox: Inbox, endpoint: DeviceEndpoint) -> None:
        self.inbox = inbox
        self.endpoint = endpoint

    def client(self, login: str = "d1", version: Version = Version.V5, **options: Any) -> aiomqtt.Client:
        return aiomqtt.Client(
            "127.0.0.1",
            self.endpoint.port,
            username=login,
            password=options.pop("password", "secret"),
            identifier=options.pop("identifier", login),
            protocol=VERSIONS[version],
            **options,
        )

    async def raw(self, login: str = "d1", version: Version = Version.V5, **fields: Any) -> Raw:
        """A hand-made client, connected."""
        client = Raw(version, *await asyncio.open_connection("127.0.0.1", self.endpoint.port))
        client.send(
            mqtt5.ConnectPacket(
                fields.pop("client_id", login), username=login, password=b"secret", clean_start=True, **fields
            )
        )
        answer = await client.receive()
        assert isinstance(answer, mqtt5.ConnAckPacket)
        assert int(answer.reason_code) == 0
        return client

    async def take(self, count: int = 1) -> list[Message]:
        """Take and acknowledge."""
        messages: list[Message] = []
        async with asyncio.timeout(10):
            while len(messages) < count:
                intake = await self.inbox.take(1_000, 0.05)
                messages += intake.messages
                intake.ack()
        return messages

    async def hold(self, count: int = 1) -> Intake:
        """Take without acknowledging."""
        await until(lambda: len(self.inbox) >= count)
        return await self.inbox.take(1_000, 0)


class Raw:
    """Frames in and out, nothing done by itself."""

    def __init__(self, version: Version, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.version = version
        self.reader, self.writer = reader, writer
        self._packets = PacketReader(version, 1_000_000)
        self._waiting: list[mqtt5.Packet] = []

    def send(self, *packets: mqtt5.Packet) -> None:
        self.writer.write(b"".join(write_packet(packet, self.version) for packet in packets))

    async def receive(self, timeout_s: float = 10.0) -> mqtt5.Packet | None:
        """The next packet, None at the end of the connection."""
        async with asyncio.timeout(timeout_s):
            while not self._waiting:
                try:
                    data = await self.reader.read(65_536)
                except ConnectionResetError:
                    return None
                if not data:
                    return None
                self._waiting += self._packets.feed(data)
        return self._waiting.pop(0)


def publish(number: int, topic: str = FIX, payload: bytes = b"{}", **fields: Any) -> mqtt5.PublishPacket:
    return mqtt5.PublishPacket(topic, payload, qos=QOS1, packet_id=number, **fields)
