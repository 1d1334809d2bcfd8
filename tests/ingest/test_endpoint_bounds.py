"""What the endpoint bears: slow databases, greedy clients, rubbish, silence, crowds."""

from __future__ import annotations

import asyncio

import mqtt5
import pytest
from endpoint_world import BOTH, FIX, Raw, World, authenticate, publish
from mqtt_world import HandClock, until

from corrections_monitor.clock import SystemClock
from corrections_monitor.ingest.endpoint import DeviceEndpoint
from corrections_monitor.ingest.frames import Version
from corrections_monitor.ingest.inbox import Inbox


@BOTH
async def test_pings_are_answered_while_the_database_is_slow(version: Version) -> None:
    """The inbox is full and nothing is acknowledged; a device within its bound is still read."""
    inbox = Inbox(4, 10**6, SystemClock())
    endpoint = DeviceEndpoint("127.0.0.1:0", authenticate, inbox, SystemClock(), receive_max=20)
    await endpoint.start()
    world = World(inbox, endpoint)
    client = await world.raw(version=version)
    client.send(*(publish(n) for n in range(1, 11)))
    await until(lambda: inbox.full)
    client.send(*(publish(n) for n in range(11, 21)), mqtt5.PingReqPacket())
    assert isinstance(await client.receive(), mqtt5.PingRespPacket)
    assert len(inbox) == 20
    await endpoint.close()


@BOTH
async def test_a_greedy_client_is_not_read_until_it_is_acknowledged(version: Version) -> None:
    inbox = Inbox(4, 10**6, SystemClock())
    endpoint = DeviceEndpoint("127.0.0.1:0", authenticate, inbox, SystemClock(), receive_max=20)
    await endpoint.start()
    world = World(inbox, endpoint)
    greedy, modest = await world.raw(version=version), await world.raw("d2", version)
    total = 60_000
    body = b"x" * 300
    sending = asyncio.create_task(pour(greedy, total, body))
    await until(lambda: inbox.full)
    modest.send(publish(1, "cm/v1/x/d2/fix"), mqtt5.PingReqPacket())
    assert isinstance(await modest.receive(), mqtt5.PingRespPacket)
    # One read brings at most 256 KiB more.
    assert len(inbox) * len(body) < 600_000
    messages = await world.take(total + 1)
    assert [int(m.payload[:6]) for m in messages if m.login == "d1"] == list(range(total))
    await sending
    await endpoint.close()


async def pour(client: Raw, total: int, body: bytes) -> None:
    for n in range(total):
        client.send(publish(n % 65_535 + 1, FIX, b"%06d" % n + body))
        if n % 100 == 0:
            await client.writer.drain()


async def test_the_bound_on_bytes_holds_back_large_messages() -> None:
    inbox = Inbox(1_000, 50_000, SystemClock())
    endpoint = DeviceEndpoint("127.0.0.1:0", authenticate, inbox, SystemClock())
    await endpoint.start()
    world = World(inbox, endpoint)
    client = await world.raw()
    for n in range(1, 61):
        client.send(publish(n, FIX, b"x" * 50_000))
    await until(lambda: inbox.full)
    await asyncio.sleep(0.1)
    assert len(inbox) < 20
    assert len(await world.take(60)) == 60
    await endpoint.close()


@pytest.mark.parametrize(
    "hello",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00" * 100,
        b"\x10\xff\xff\xff\x7f" + b"x" * 20_000,
        b"\x30\x02\x00\x00",
        b"\x10\x10\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x02ab",
        b"\x10\x0c\x00\x04MQTT\x09\x02\x00\x3c\x00\x00",
        b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x02\xff\xfe",
        b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02\xff\xfe",
    ],
    ids=lambda b: repr(b)[:30],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_stranger_who_talks_rubbish_is_hung_up_on(world: World, hello: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.endpoint.port)
    writer.write(hello)
    async with asyncio.timeout(5):
        assert len(await reader.read()) <= 4
    writer.close()
    assert world.endpoint.connection_count == 0


@BOTH
@pytest.mark.parametrize(
    "frame",
    [
        b"\x00\x00",
        b"\x30\x02\x00\x05ab",
        b"\x30\x06\x00\x02\xff\xfe\x00x",
        b"\x10\x02ab",
        b"\x82\x03\x00\x05\x00",
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_malformed_frames_end_their_own_connection_only(
    world: World, version: Version, frame: bytes
) -> None:
    client, other = await world.raw(version=version), await world.raw("d2", version)
    client.writer.write(frame)
    if version is Version.V5:
        assert isinstance(await client.receive(), mqtt5.DisconnectPacket)
    assert await client.receive() is None
    other.send(mqtt5.PingReqPacket())
    assert isinstance(await other.receive(), mqtt5.PingRespPacket)


@BOTH
async def test_a_message_too_large_is_taken_truncated(world: World, version: Version) -> None:
    client = await world.raw(version=version)
    client.send(publish(1, FIX, b"x" * 2_000_000), publish(2))
    messages = await world.take(2)
    assert len(messages[0].payload) <= world.endpoint.packet_bytes_max
    assert messages[1].payload == b"{}"
    assert [(await client.receive()).packet_id for _ in range(2)] == [1, 2]


async def test_silence_is_measured_against_the_keepalive_and_the_time_to_connect() -> None:
    clock = HandClock()
    endpoint = DeviceEndpoint("127.0.0.1:0", authenticate, Inbox(10, 10**6, clock), clock)
    await endpoint.start()
    world = World(endpoint.inbox, endpoint)
    slow, quick = await world.raw("d1", keep_alive=60), await world.raw("d2", keep_alive=10)
    never = await world.raw("d3", keep_alive=0)
    reader, _ = await asyncio.open_connection("127.0.0.1", endpoint.port)
    await until(lambda: len(endpoint._links) == 4)
    clock.now_ms += 16_000
    assert isinstance(await quick.receive(), mqtt5.DisconnectPacket)
    assert await reader.read() == b""
    clock.now_ms += 80_000
    assert isinstance(await slow.receive(), mqtt5.DisconnectPacket)
    never.send(mqtt5.PingReqPacket())
    assert isinstance(await never.receive(), mqtt5.PingRespPacket)
    await endpoint.close()


async def test_connections_are_bounded_in_all_and_by_login() -> None:
    inbox = Inbox(10, 10**6, SystemClock())
    endpoint = DeviceEndpoint("127.0.0.1:0", authenticate, inbox, SystemClock(), connections_max=6)
    await endpoint.start()
    world = World(inbox, endpoint)
    clients = [await world.raw(client_id=str(n)) for n in range(5)]
    assert isinstance(await clients[0].receive(), mqtt5.DisconnectPacket)
    assert endpoint.connection_count == 4
    _ = [await world.raw(f"d{n}") for n in (2, 3)]
    one_too_many = Raw(Version.V5, *await asyncio.open_connection("127.0.0.1", endpoint.port))
    assert await one_too_many.receive() is None
    await endpoint.close()
