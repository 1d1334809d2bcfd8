"""A session with a real mosquitto: nothing is acknowledged early, nothing is lost, it never gives up."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
import mqtt5
import pytest
from mqtt_world import HandClock, Mosquitto, needs_mosquitto, until

from corrections_monitor.clock import SystemClock
from corrections_monitor.ingest import broker as broker_module
from corrections_monitor.ingest.broker import BrokerSession
from corrections_monitor.ingest.frames import Version
from corrections_monitor.ingest.inbox import Inbox, Intake

pytestmark = needs_mosquitto
BOTH = pytest.mark.parametrize("version", list(Version))
TOPIC = "cm/v1/xlt/d1/fix"


@asynccontextmanager
async def session(
    broker: Mosquitto, inbox: Inbox, version: Version | None = None, **options: Any
) -> AsyncIterator[BrokerSession]:
    """Ready when entered; the connection is cut, not said goodbye to, when left."""
    running = BrokerSession(broker.url(), "daemon", inbox, SystemClock(), version=version, **options)
    task = asyncio.create_task(running.run())
    try:
        await until(lambda: running.connected)
        yield running
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def publish(broker: Mosquitto, texts: list[str], topic: str = TOPIC, **fields: Any) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        for text in texts:
            await client.publish(topic, text.encode(), qos=1, **fields)


async def take_all(inbox: Inbox, count: int) -> list[Intake]:
    intakes: list[Intake] = []
    async with asyncio.timeout(20):
        while sum(len(intake.messages) for intake in intakes) < count:
            intakes.append(await inbox.take(10_000, 0.05))
    return intakes


def texts_of(intakes: list[Intake]) -> list[str]:
    return [m.payload.decode() for intake in intakes for m in intake.messages]


@BOTH
async def test_what_is_published_arrives_in_order(mosquitto: Mosquitto, version: Version) -> None:
    inbox = Inbox(10_000, 10**7, SystemClock())
    async with session(mosquitto, inbox, version):
        sent = [str(n) for n in range(300)]
        await publish(mosquitto, sent)
        intakes = await take_all(inbox, 300)
        assert texts_of(intakes) == sent
        message = intakes[0].messages[0]
        assert (message.topic, message.retained, message.dup, message.login) == (TOPIC, False, False, None)


@BOTH
async def test_only_what_was_acknowledged_stays_away_after_a_break(
    mosquitto: Mosquitto, version: Version
) -> None:
    inbox = Inbox(10_000, 10**7, SystemClock())
    async with session(mosquitto, inbox, version) as running:
        await publish(mosquitto, ["a", "b"])
        (await take_all(inbox, 2))[0].ack()
        await publish(mosquitto, ["c", "d"])
        unanswered = await take_all(inbox, 2)
        assert texts_of(unanswered) == ["c", "d"]
        # A ping is answered after the acknowledgements before it were read.
        assert await running.publish("cm/v1/xlt/d9/cmd", b"{}")
    inbox = Inbox(10_000, 10**7, SystemClock())
    async with session(mosquitto, inbox, version):
        again = await take_all(inbox, 2)
        assert texts_of(again) == ["c", "d"]
        assert again[0].messages[0].dup
        for intake in again:
            intake.ack()


@BOTH
async def test_what_came_while_we_were_away_is_delivered(mosquitto: Mosquitto, version: Version) -> None:
    inbox = Inbox(10_000, 10**7, SystemClock())
    async with session(mosquitto, inbox, version):
        pass
    sent = [str(n) for n in range(2_500)]
    await publish(mosquitto, sent)
    async with session(mosquitto, inbox, version):
        assert texts_of(await take_all(inbox, 2_500)) == sent


@BOTH
async def test_a_broker_killed_and_started_again_is_found_again(
    mosquitto: Mosquitto, version: Version
) -> None:
    inbox = Inbox(10_000, 10**7, SystemClock())
    async with session(mosquitto, inbox, version) as running:
        mosquitto.end(signal.SIGKILL)
        await until(lambda: not running.connected and bool(running.last_error))
        assert not await running.publish("x", b"")
        mosquitto.start()
        await until(lambda: running.connected)
        await publish(mosquitto, ["after"])
        assert texts_of(await take_all(inbox, 1)) == ["after"]
        assert running.connections == 2


async def test_acknowledging_over_a_dead_connection_does_no_harm(mosquitto: Mosquitto) -> None:
    inbox = Inbox(10_000, 10**7, SystemClock())
    async with session(mosquitto, inbox):
        await publish(mosquitto, ["a"])
        intake = (await take_all(inbox, 1))[0]
        mosquitto.end(signal.SIGKILL)
        mosquitto.start()
        intake.ack()


@BOTH
async def test_live_and_retained_are_told_apart(mosquitto: Mosquitto, version: Version) -> None:
    inbox, status = Inbox(10_000, 10**7, SystemClock()), "cm/v1/xlt/d1/status"
    await publish(mosquitto, ["old"], status, retain=True)
    async with session(mosquitto, inbox, version):
        assert (await take_all(inbox, 1))[0].messages[0].retained
        await publish(mosquitto, ["new"], status, retain=True)
        assert not (await take_all(inbox, 1))[0].messages[0].retained


@BOTH
async def test_a_full_inbox_holds_the_broker_back(mosquitto: Mosquitto, version: Version) -> None:
    inbox = Inbox(50, 10**7, SystemClock())
    async with session(mosquitto, inbox, version) as running:
        payload = "x" * 20_000
        await publish(mosquitto, [payload] * 400)
        await until(lambda: inbox.full)
        await asyncio.sleep(0.2)
        assert len(inbox) < 400
        assert running.connected
        assert len(texts_of(await take_all(inbox, 400))) == 400
        assert running.connections == 1


@BOTH
async def test_what_waits_for_us_may_take_longer_than_an_answer(
    mosquitto: Mosquitto, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to SUBSCRIBE comes behind all that the session kept; hanging up would begin it anew."""
    inbox = Inbox(50, 10**7, SystemClock())
    async with session(mosquitto, inbox, version):
        pass
    sent = [str(n) for n in range(600)]
    await publish(mosquitto, sent)
    monkeypatch.setattr(broker_module, "CONNECT_TIMEOUT_S", 0.5)
    running = BrokerSession(mosquitto.url(), "daemon", inbox, SystemClock(), version=version)
    task = asyncio.create_task(running.run())
    taken: list[str] = []
    async with asyncio.timeout(20):
        while len(taken) < len(sent):
            intake = await inbox.take(50, 0.05)
            await asyncio.sleep(0.15)  # committing
            intake.ack()
            taken += [m.payload.decode() for m in intake.messages]
    assert taken == sent, "each once, in order: it was not hung up and begun anew"
    await until(lambda: running.connected)
    assert running.connections == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_receive_maximum_bounds_what_is_unacknowledged(mosquitto: Mosquitto) -> None:
    inbox = Inbox(10_000, 10**7, SystemClock())
    async with session(mosquitto, inbox, receive_max=10):
        await publish(mosquitto, [str(n) for n in range(30)])
        first = await take_all(inbox, 10)
        nothing = await inbox.take(10, 0.2)
        assert nothing.messages == []
        for intake in first:
            intake.ack()
        # How many follow at once is the broker's affair: mosquitto 2.0.11 sends two for each acknowledged.
        assert texts_of(await take_all(inbox, 20)) == [str(n) for n in range(10, 30)]


@BOTH
async def test_a_message_too_large_is_no_stumbling_block(mosquitto: Mosquitto, version: Version) -> None:
    inbox = Inbox(10_000, 10**8, SystemClock())
    async with session(mosquitto, inbox, version):
        await publish(mosquitto, ["x" * 3_000_000, "after"])
        intakes = await take_all(inbox, 2)
        messages = [m for intake in intakes for m in intake.messages]
        assert 500_000 < len(messages[0].payload) < 1_100_000
        assert messages[1].payload == b"after"


async def test_publish_is_true_once_the_broker_has_it(mosquitto: Mosquitto) -> None:
    inbox = Inbox(10_000, 10**7, SystemClock())
    async with (
        session(mosquitto, inbox) as running,
        aiomqtt.Client("127.0.0.1", mosquitto.port) as officer,
    ):
        await officer.subscribe("cm/v1/officers/o1/page", qos=1)
        assert await running.publish("cm/v1/officers/o1/page", b"{}")
        async for message in officer.messages:
            assert message.payload == b"{}"
            break


@asynccontextmanager
async def quiet_broker(*after: mqtt5.Packet) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answers CONNECT and SUBSCRIBE, sends ``after``, then only listens: its address, and what it hears."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(mqtt5.ConnAckPacket().write())
        await reader.read(1_000)
        granted = [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE] * 6
        writer.write(mqtt5.SubAckPacket(1, granted).write() + b"".join(packet.write() for packet in after))
        while data := await reader.read(1_000):
            heard.append(data)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard


async def test_pings_go_on_while_a_full_inbox_keeps_us_from_reading() -> None:
    clock = HandClock()
    inbox = Inbox(1, 100, clock)
    message = mqtt5.PublishPacket(TOPIC, b"x", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=1)
    async with quiet_broker(message) as (url, heard):
        running = BrokerSession(url, "daemon", inbox, clock, keepalive_s=1)
        task = asyncio.create_task(running.run())
        await until(lambda: inbox.full)
        clock.now_ms += 60_000  # Nothing heard for long, since nothing was read.
        heard.clear()
        await until(lambda: b"".join(heard).count(b"\xc0\x00") >= 2)
        assert running.connected
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_broker_that_says_nothing_any_more_is_given_up() -> None:
    clock = HandClock()
    async with quiet_broker() as (url, _):
        running = BrokerSession(url, "daemon", Inbox(10, 100, clock), clock, keepalive_s=1)
        task = asyncio.create_task(running.run())
        await until(lambda: running.connected)
        clock.now_ms += 60_000
        await until(lambda: running.connections == 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_broker_that_only_knows_3_1_1_is_spoken_to_in_3_1_1() -> None:
    """It answers a CONNECT of version 5 as 3.1.1 says: return code 1, and hangs up."""
    levels: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await reader.read(1_000)
        levels.append(hello[8])
        if hello[8] == Version.V5:
            writer.write(b"\x20\x02\x00\x01")
        else:
            writer.write(b"\x20\x02\x00\x00")
            await reader.read(1_000)
            writer.write(b"\x90\x08\x00\x01" + b"\x01\x01\x01\x80\x01\x01")
            await writer.drain()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        inbox = Inbox(10, 10_000, SystemClock())
        running = BrokerSession(f"mqtt://127.0.0.1:{port}", "daemon", inbox, SystemClock())
        task = asyncio.create_task(running.run())
        await until(lambda: running.connected)
        assert levels == [Version.V5, Version.V311]
        assert running.denied == ("cm/v1/officers/+/ack",)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\x00", b"\x20\x80\x80\x80\x80\x01"]
)
async def test_rubbish_from_the_other_side_is_survived(answer: bytes) -> None:
    calls = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        await reader.read(1_000)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        running = BrokerSession(
            f"mqtt://127.0.0.1:{port}",
            "daemon",
            Inbox(10, 100, HandClock()),
            HandClock(),
            reconnect_max_s=0.01,
        )
        task = asyncio.create_task(running.run())
        await until(lambda: calls >= 3)
        assert not task.done()
        assert not running.connected
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("url", ["", "localhost", "http://x", "mqtt://", "mqtt:1883"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="mqtt"):
        BrokerSession(url, "daemon", Inbox(1, 1, HandClock()), HandClock())


def test_a_password_may_hold_any_character() -> None:
    running = BrokerSession("mqtt://u%40x:p%2Fw@h", "daemon", Inbox(1, 1, HandClock()), HandClock())
    packet = running._connect_packet()
    assert isinstance(packet, mqtt5.ConnectPacket)
    assert (packet.username, packet.password) == ("u@x", b"p/w")
