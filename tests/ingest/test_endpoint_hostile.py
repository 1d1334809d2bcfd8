"""A crowd that means harm: it is bounded and counted, and an honest device is answered all the while."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Coroutine

import mqtt5
import pytest
from endpoint_world import BOTH, FIX, Raw, World, authenticate, publish
from mqtt_world import DEVICES, SETTINGS, ZONE, fix, until

from corrections_monitor.clock import SystemClock
from corrections_monitor.ingest.client_link import SUBSCRIPTIONS_MAX
from corrections_monitor.ingest.decode import decode
from corrections_monitor.ingest.endpoint import DeviceEndpoint
from corrections_monitor.ingest.frames import Version, write_packet
from corrections_monitor.ingest.inbox import Inbox

CROWD = 300
HELLO = write_packet(mqtt5.ConnectPacket("x", username="d2", password=b"guess", clean_start=True), Version.V5)


async def idle(world: World) -> None:
    """Connects, says nothing, and waits to be hung up on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.endpoint.port)
    with contextlib.suppress(OSError):
        await reader.read()
    writer.close()


async def slow(world: World) -> None:
    """Slowloris: a byte of CONNECT now and then."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.endpoint.port)
    with contextlib.suppress(OSError):
        for byte in HELLO[:-1]:
            writer.write(bytes([byte]))
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await reader.read()
                    break
        else:
            pytest.fail("it may speak as slowly as it likes")
    writer.close()


async def oversized(world: World) -> None:
    """A first packet that claims 256 MB."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.endpoint.port)
    with contextlib.suppress(OSError):
        writer.write(b"\x10\xff\xff\xff\x7f" + b"x" * 100_000)
        await writer.drain()
        await reader.read()
    writer.close()


async def guessing(world: World) -> None:
    """A storm of connections with a wrong password, each hung up in the middle."""
    for _ in range(3):
        _, writer = await asyncio.open_connection("127.0.0.1", world.endpoint.port)
        writer.write(HELLO)
        writer.transport.abort()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("hostile", [idle, slow, oversized, guessing])
async def test_an_honest_device_is_answered_beside_a_crowd(
    hostile: Callable[[World], Coroutine[None, None, None]],
) -> None:
    inbox = Inbox(1_000, 10**6, SystemClock())
    endpoint = DeviceEndpoint(
        "127.0.0.1:0", authenticate, inbox, SystemClock(), connect_timeout_s=1, connections_max=CROWD + 20
    )
    await endpoint.start()
    world = World(inbox, endpoint)
    honest = await world.raw()
    crowd = [asyncio.create_task(hostile(world)) for _ in range(CROWD)]
    slowest = 0.0
    for number in range(1, 11):
        began = asyncio.get_running_loop().time()
        honest.send(publish(number))
        assert (await world.take(1))[0].login == "d1"
        assert isinstance(await honest.receive(), mqtt5.PubAckPacket)
        slowest = max(slowest, asyncio.get_running_loop().time() - began)
        await asyncio.sleep(0.05)
    assert slowest < 5
    async with asyncio.timeout(20):
        await asyncio.gather(*crowd)
    await until(lambda: endpoint.connection_count == 1)
    assert len(inbox) == 0, "nothing of the crowd came in"
    await endpoint.close()


@BOTH
async def test_a_subscribe_bomb_leaves_no_more_than_its_bound(world: World, version: Version) -> None:
    client = await world.raw(version=version)
    patterns = [f"cm/v1/{n}/d1/cmd" for n in range(1_000)] + ["#", "+/+/+/+/+", "$SYS/#", "cm/v1/x/d2/cmd"]
    client.send(mqtt5.SubscribePacket(1, [mqtt5.TopicFilter(p) for p in patterns]))
    answer = await client.receive()
    assert isinstance(answer, mqtt5.SubAckPacket)
    granted = [int(code) < 0x80 for code in answer.reason_codes]
    assert granted == [True] * SUBSCRIPTIONS_MAX + [False] * (len(patterns) - SUBSCRIPTIONS_MAX)


def spoofs(random_: random.Random) -> tuple[str, bytes]:
    """A topic and a payload in the name of d2 or d3, by a client that is d1."""
    other = random_.choice(("d2", "d3"))
    county = random_.choice(("x", "d1", "211102", "officers"))
    inner = random_.choice((b'{"fixes":[%s],"device":"d1"}', b'[{"fixes":[%s]}]', b"%s"))
    return random_.choice(
        (
            f"cm/v1/{county}/{other}/fix",
            f"cm/v1/{county}/{other}/band",
            f"cm/v1/{county}/{other}/status",
            f"cm/v1/{county}/{other}/ack",
            f"owntracks/d1/{other}",
            "traccar/positions",
            f"cm/v1/d1/{other}/cmd",
            f"/cm/v1/{county}/d1/fix",
            f"cm/v1/{county}/d1//fix",
            f"CM/v1/{county}/d1/fix",
        )
    ), inner % str(fix()).replace("'", '"').encode()


@BOTH
async def test_a_thousand_tries_to_speak_for_another_are_no_row(world: World, version: Version) -> None:
    seed = 7
    print("seed", seed)
    random_ = random.Random(seed)
    client: Raw = await world.raw(version=version, receive_max=10)
    tries = [spoofs(random_) for _ in range(1_000)]
    messages = []
    for start in range(0, 1_000, 50):
        for number, (topic, payload) in enumerate(tries[start : start + 50], 1):
            client.send(publish(number, topic, payload))
        messages += await world.take(50)
        for _ in range(50):
            assert isinstance(await client.receive(), mqtt5.PubAckPacket)
    decoded = decode(messages, DEVICES, ZONE, SETTINGS)
    assert (len(decoded.batch.fixes), len(decoded.batch.events), len(decoded.acks)) == (0, 0, 0)
    assert sum(decoded.counts.values()) == 1_000
    assert Counter(reject.reason for reject in decoded.rejects)["identity"] > 500
    assert len(decoded.rejects) == 1_000
    client.send(publish(1, FIX))
    assert (await world.take(1))[0].login == "d1", "it may still speak for itself"
