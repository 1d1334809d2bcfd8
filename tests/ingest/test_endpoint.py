"""The daemon's own listener, with real clients of both versions and with hand-made frames."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import aiomqtt
import mqtt5
import pytest
from endpoint_world import BOTH, FIX, QOS1, Raw, World, authenticate, publish
from mqtt_world import fix

from corrections_monitor.clock import SystemClock
from corrections_monitor.ingest.endpoint import DeviceEndpoint
from corrections_monitor.ingest.frames import Version
from corrections_monitor.ingest.inbox import Inbox
from corrections_monitor.ingest.principal import Principal, PrincipalKind


@BOTH
async def test_a_device_is_told_stored_only_after_the_commit(world: World, version: Version) -> None:
    async with world.client(version=version) as device:
        sending = asyncio.create_task(device.publish(FIX, b"1", qos=1))
        intake = await world.hold()
        await asyncio.sleep(0.05)
        assert not sending.done()
        intake.ack()
        await asyncio.wait_for(sending, 5)
        message = intake.messages[0]
        assert (message.topic, message.payload, message.login) == (FIX, b"1", "d1")


@BOTH
async def test_a_failed_commit_acknowledges_nothing_until_it_is_tried_again(
    world: World, version: Version
) -> None:
    client = await world.raw(version=version)
    client.send(publish(1), publish(2))
    (await world.hold(2)).retry()
    client.send(mqtt5.PingReqPacket())
    assert isinstance(await client.receive(), mqtt5.PingRespPacket)
    await world.take(2)
    assert [(await client.receive()).packet_id for _ in range(2)] == [1, 2]


@BOTH
async def test_acknowledgements_of_a_batch_come_in_order(world: World, version: Version) -> None:
    client, other = await world.raw(version=version), await world.raw("d2", version)
    client.send(*(publish(n) for n in range(1, 21)))
    other.send(publish(7, "cm/v1/x/d2/fix"))
    await world.take(21)
    assert [(await client.receive()).packet_id for _ in range(20)] == list(range(1, 21))
    assert (await other.receive()).packet_id == 7


@BOTH
async def test_a_device_may_not_speak_for_another(world: World, version: Version) -> None:
    client = await world.raw(version=version)
    topics = ["cm/v1/xlt/d2/fix", "cm/v1/xlt/d2/status", "owntracks/u/d2", "traccar/positions", "x"]
    client.send(*(publish(n, topic) for n, topic in enumerate(topics, 1)), publish(9))
    messages = await world.take(6)
    assert [m.login for m in messages] == ["device/d1"] * 5 + ["d1"]
    codes = [int((await client.receive()).reason_code) for _ in range(6)]
    assert codes == ([0x87] * 5 if version is Version.V5 else [0] * 5) + [0]


@BOTH
async def test_officers_and_services_have_topics_of_their_own(world: World, version: Version) -> None:
    officer, service = await world.raw("o1", version), await world.raw("s1", version)
    officer.send(publish(1, "cm/v1/officers/o1/ack"), publish(2, "cm/v1/officers/o2/ack"), publish(3))
    service.send(publish(1, "traccar/positions"), publish(2), publish(3, "cm/v1/x/s1/fix"))
    messages = await world.take(6)
    assert sorted((m.topic, m.login or "") for m in messages) == sorted(
        [
            ("cm/v1/officers/o1/ack", "o1"),
            ("cm/v1/officers/o2/ack", "officer/o1"),
            (FIX, "officer/o1"),
            ("traccar/positions", ""),
            (FIX, "service/s1"),
            ("cm/v1/x/s1/fix", "service/s1"),
        ]
    )


@BOTH
@pytest.mark.parametrize(
    ("login", "pattern", "allowed"),
    [
        ("d1", "cm/v1/+/d1/cmd", True),
        ("d1", "cm/v1/xlt/d1/cmd", True),
        ("d1", "cm/v1/+/d2/cmd", False),
        ("d1", "cm/v1/+/+/cmd", False),
        ("d1", "cm/v1/+/d1/#", False),
        ("d1", "cm/v1/+/d1/fix", False),
        ("d1", "#", False),
        ("d1", "cm/v1/officers/d1/page", False),
        ("o1", "cm/v1/officers/o1/page", True),
        ("o1", "cm/v1/officers/+/page", False),
        ("o1", "cm/v1/officers/o2/page", False),
        ("s1", "cm/v1/+/s1/cmd", False),
    ],
)
async def test_one_hears_only_what_is_for_oneself(
    world: World, version: Version, login: str, pattern: str, allowed: bool
) -> None:
    client = await world.raw(login, version)
    client.send(mqtt5.SubscribePacket(5, [mqtt5.TopicFilter(pattern, max_qos=mqtt5.QoS.EXACTLY_ONCE)]))
    answer = await client.receive()
    assert isinstance(answer, mqtt5.SubAckPacket)
    assert [int(code) < 0x80 for code in answer.reason_codes] == [allowed]


@BOTH
async def test_a_page_is_delivered_when_the_officer_acknowledged_it(world: World, version: Version) -> None:
    topic = "cm/v1/officers/o1/page"
    assert not await world.endpoint.publish(topic, b"{}")
    async with world.client("o1", version) as officer:
        assert not await world.endpoint.publish(topic, b"{}")
        await officer.subscribe(topic, qos=1)
        sending = asyncio.create_task(world.endpoint.publish(topic, b"page"))
        async for message in officer.messages:
            assert (str(message.topic), message.payload) == (topic, b"page")
            break
        assert await sending
        assert not await world.endpoint.publish("cm/v1/officers/o2/page", b"{}")
        await officer.unsubscribe(topic)
        assert not await world.endpoint.publish(topic, b"{}")


async def test_a_page_nobody_answers_is_not_delivered(world: World) -> None:
    client = await world.raw("o1")
    client.send(mqtt5.SubscribePacket(1, [mqtt5.TopicFilter("cm/v1/officers/o1/page", max_qos=QOS1)]))
    await client.receive()
    assert not await world.endpoint.publish("cm/v1/officers/o1/page", b"{}", timeout_s=0.05)
    sending = asyncio.create_task(world.endpoint.publish("cm/v1/officers/o1/page", b"{}"))
    await asyncio.sleep(0)
    client.writer.close()
    assert not await asyncio.wait_for(sending, 5)


@BOTH
@pytest.mark.parametrize(("login", "password"), [("d1", "wrong"), ("d1", ""), ("down", "secret")])
async def test_who_cannot_be_told_is_not_let_in(
    world: World, version: Version, login: str, password: str
) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with world.client(login, version, password=password):
            pass
    assert world.endpoint.connection_count == 0


@BOTH
async def test_a_client_id_is_taken_over_by_the_same_login_only(world: World, version: Version) -> None:
    first = await world.raw(version=version, client_id="c")
    second = await world.raw(version=version, client_id="c")
    if version is Version.V5:
        told = await first.receive()
        assert told == mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER)
    assert await first.receive() is None
    with pytest.raises(AssertionError):
        await world.raw("d2", version, client_id="c")
    second.send(mqtt5.PingReqPacket())
    assert isinstance(await second.receive(), mqtt5.PingRespPacket)
    assert world.endpoint.connection_count == 1


@BOTH
async def test_the_last_will_is_spoken_unless_one_says_goodbye(world: World, version: Version) -> None:
    status = "cm/v1/xlt/d1/status"
    will = mqtt5.Will(status, payload=b"gone", qos=QOS1, retain=True)
    polite = await world.raw(version=version, will=will)
    polite.send(mqtt5.DisconnectPacket())
    assert await polite.receive() is None
    lost = await world.raw(version=version, will=will)
    lost.writer.close()
    messages = await world.take(1)
    assert [(m.topic, m.payload, m.login) for m in messages] == [(status, b"gone", "d1")]


async def test_no_will_is_spoken_when_the_endpoint_closes(world: World) -> None:
    client = await world.raw(will=mqtt5.Will("cm/v1/xlt/d1/status", payload=b"gone", qos=QOS1))
    await world.endpoint.close()
    told = await client.receive()
    assert told == mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SERVER_SHUTTING_DOWN)
    assert (await world.inbox.take(1, 0.05)).messages == []


@BOTH
@pytest.mark.parametrize("topic", ["cm/v1/xlt/d2/status", "cm/v1/xlt/d1/fix", "x"])
async def test_a_will_in_the_name_of_another_is_refused(world: World, version: Version, topic: str) -> None:
    with pytest.raises(AssertionError):
        await world.raw(version=version, will=mqtt5.Will(topic, payload=b"{}", qos=QOS1))


@BOTH
async def test_quality_0_is_taken_and_quality_2_is_not(world: World, version: Version) -> None:
    client = await world.raw(version=version)
    client.send(mqtt5.PublishPacket(FIX, b"0"))
    assert [m.payload for m in await world.take(1)] == [b"0"]
    client.send(mqtt5.PublishPacket(FIX, b"2", qos=mqtt5.QoS.EXACTLY_ONCE, packet_id=1))
    if version is Version.V5:
        told = await client.receive()
        assert told == mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.QOS_NOT_SUPPORTED)
    assert await client.receive() is None


async def test_what_a_device_asks_to_be_retained_is_live_to_us(world: World) -> None:
    client = await world.raw()
    client.send(publish(1, "cm/v1/xlt/d1/status", b'{"online":true}', retain=True))
    assert not (await world.take(1))[0].retained


@BOTH
async def test_a_revoked_login_is_hung_up_on(world: World, version: Version) -> None:
    client = await world.raw(version=version)
    world.endpoint.drop(Principal(PrincipalKind.DEVICE, "d1"))
    if version is Version.V5:
        assert isinstance(await client.receive(), mqtt5.DisconnectPacket)
    assert await client.receive() is None


@BOTH
async def test_one_may_send_without_waiting_for_the_answer(world: World, version: Version) -> None:
    client = Raw(version, *await asyncio.open_connection("127.0.0.1", world.endpoint.port))
    hello = mqtt5.ConnectPacket("c", username="d1", password=b"secret", clean_start=True)
    client.send(hello, publish(1), mqtt5.PingReqPacket())
    answers = [type(await client.receive()) for _ in range(2)]
    assert answers == [mqtt5.ConnAckPacket, mqtt5.PingRespPacket]
    assert len(await world.take(1)) == 1


async def test_it_speaks_tls(tmp_path: Any) -> None:
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key -out cert"
    make = await asyncio.create_subprocess_exec(
        *command.split(), cwd=tmp_path, stderr=asyncio.subprocess.DEVNULL
    )
    assert await make.wait() == 0
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_tls.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    client_tls = ssl.create_default_context(cafile=str(tmp_path / "cert"))
    client_tls.check_hostname = False
    inbox = Inbox(10, 10**6, SystemClock())
    endpoint = DeviceEndpoint("127.0.0.1:0", authenticate, inbox, SystemClock(), tls=server_tls)
    await endpoint.start()
    world = World(inbox, endpoint)
    async with world.client(tls_context=client_tls) as device:
        sending = asyncio.create_task(device.publish(FIX, str(fix()), qos=1))
        await world.take(1)
        await sending
    await endpoint.close()


async def test_a_device_hears_its_commands_under_the_county_it_asked_for(world: World) -> None:
    """``{county}`` is for routing only: it may differ from the one in the cases."""
    async with world.client("d1") as device:
        await device.subscribe("cm/v1/its-own/d1/cmd", qos=1)
        sending = asyncio.create_task(world.endpoint.publish("cm/v1/county-a/d1/cmd", b"locate"))
        async with asyncio.timeout(5):
            message = await anext(device.messages)
        assert str(message.topic) == "cm/v1/its-own/d1/cmd"
        assert await sending
        assert not await world.endpoint.publish("cm/v1/county-a/d2/cmd", b"locate")
