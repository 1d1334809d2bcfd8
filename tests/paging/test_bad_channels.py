"""Channels that are dead, hang, drip, flap, lie or talk nonsense: nobody else's page is later for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count
from signal import Signals

import aiomqtt
import mqtt5
import psycopg
import pytest
from endpoint_world import QOS1, World
from mqtt_world import Mosquitto, needs_mosquitto, until
from outgoing import Outgoing, quick
from receivers import (
    BadServer,
    HttpReceiver,
    MailServer,
    RunningClock,
    Says,
    SilentServer,
    after_request,
    at_once,
)
from town import T0, TOWN, an_episode, opened, person

from corrections_monitor.ingest.broker import BrokerSession
from corrections_monitor.ingest.endpoint import DeviceEndpoint
from corrections_monitor.ingest.inbox import Inbox
from corrections_monitor.ingest.principal import Principal, PrincipalKind
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.episodes import Kind, Transition
from corrections_monitor.model.times import MINUTE_MS
from corrections_monitor.paging.by_apprise import AppriseChannel
from corrections_monitor.paging.channels import Channel, Ways
from corrections_monitor.paging.mqtt import MqttChannel
from corrections_monitor.paging.settings import ChannelSettings, OutboxSettings
from corrections_monitor.paging.webhook import WebhookChannel
from corrections_monitor.store import Store

SECRET = "0123456789abcdef"
LATE_S = 2.0
VICTIMS = [f"v{number}" for number in range(5)]
OK = b"HTTP/1.1 200 OK\r\n"
FOREVER = [b"x"] * 10_000

HTTP: dict[str, Says] = {
    "slow": after_request(OK + b"Content-Length: 0\r\n\r\n", wait_s=3),
    "lying": after_request(OK + b"Content-Length: 0\r\n\r\n"),
    "garbage": after_request(b"\x00\xff\x16\x03nonsense\r\n\r\n"),
    "closes amid the headers": after_request(OK + b"Content-Le"),
    "closes after the headers": after_request(OK + b"Content-Length: 100\r\n\r\n"),
    "drips": after_request(OK + b"X-Drip: ", *FOREVER, pause_s=0.5),
    "never ends": after_request(OK + b"Content-Length: 99999999999\r\n\r\n", *FOREVER, pause_s=0.5),
}
SMTP: dict[str, Says] = {
    "garbage": at_once(b"\x00\xff\x16\x03nonsense\r\n"),
    "refuses": at_once(b"554 no service here\r\n"),
    "drips": at_once(*([b"220-x\r\n"] * 10_000), pause_s=0.5),
    "says nothing after the greeting": at_once(b"220 mail.example ESMTP\r\n"),
}


@pytest.fixture
def outgoing(store: Store, database_url: str, clock: RunningClock) -> Outgoing:
    cases = replace(TOWN, people={**TOWN.people, **{who: person(who, "s2", "own2") for who in VICTIMS}})
    return Outgoing(store, database_url, clock, Metrics(), cases=cases)


async def _officers_only(username: str, _password: str) -> Principal | None:
    return Principal(PrincipalKind.OFFICER, username)


@pytest.fixture
async def world(clock: RunningClock) -> AsyncIterator[World]:
    inbox = Inbox(1_000, 10**6, clock)
    endpoint = DeviceEndpoint("127.0.0.1:0", _officers_only, inbox, clock)
    await endpoint.start()
    yield World(inbox, endpoint)
    await endpoint.close()


def mailto(port: int) -> str:
    return f"mailto://127.0.0.1:{port}?from=jz@pj.cn&to=li@pj.cn&mode=insecure"


def of(office_id: str, who: str, at: float = 0.0) -> Transition:
    """A critical alert at that minute."""
    return opened(replace(an_episode(Kind.ZONE_EXIT, at, who=who, subject=who), office_id=office_id))


async def test_whatever_is_bad_all_at_once_nobody_elses_page_is_late(
    outgoing: Outgoing,
    world: World,
    receiver: HttpReceiver,
    mail: MailServer,
    silent: SilentServer,
    database_url: str,
) -> None:
    """One officer's MQTT client never acknowledges, and every kind of bad webhook and mail server has
    pages of his, older and as grave; meanwhile others are paged over good ones of each kind."""
    flaps = count()
    flapping = HttpReceiver(lambda _: ("503 Busy", None, "200 OK")[next(flaps) % 3])
    async with AsyncExitStack() as stack:
        hooks = {"dead": "http://127.0.0.1:1/", "hanging": f"http://127.0.0.1:{silent.port}/"}
        hooks["flapping"] = (await stack.enter_async_context(flapping)).url
        for name, says in HTTP.items():
            hooks[name] = f"http://127.0.0.1:{(await stack.enter_async_context(BadServer(says))).port}/"
        mails = [mailto(1), mailto(silent.port)]
        for says in SMTP.values():
            mails.append(mailto((await stack.enter_async_context(BadServer(says))).port))
        mute = await world.raw("own2", client_id="mute")
        mute.send(mqtt5.SubscribePacket(1, [mqtt5.TopicFilter("cm/v1/officers/own2/page", max_qos=QOS1)]))
        await mute.receive()
        good = await stack.enter_async_context(world.client("duty1"))
        await good.subscribe("cm/v1/officers/duty1/page", qos=1)

        channels: dict[str, Channel] = {
            "apprise": AppriseChannel(),
            "mqtt": MqttChannel([world.endpoint.publish], direct=world.endpoint.publish),
            "webhook:good": WebhookChannel(receiver.url, SECRET),
            **{f"webhook:{name}": WebhookChannel(url, SECRET) for name, url in hooks.items()},
        }

        async def page_others(name: str, alerts: int) -> None:
            """Two officers on duty over mail and webhook, one of them over MQTT."""
            before = len(receiver.posts)
            for number in range(alerts):
                await outgoing.decide(
                    of("s1", f"{name}{number}", (outgoing.clock.wall_ms() - T0) / MINUTE_MS),
                    urls=(mailto(mail.port),),
                    ways=Ways(mqtt=True, webhooks=("good",)),
                )
                worker.wake()
                await _payload(good)
                await asyncio.sleep(0.7)
            await until(lambda: len(receiver.posts) == len(mail.mails) == before + 2 * alerts)
            await asyncio.sleep(0.3)

        settings = OutboxSettings(ChannelSettings(timeout_s=4, concurrency=4))
        async with outgoing.worker(channels, settings) as worker:
            await page_others("usual", 2)
            victims = [of("s2", who) for who in VICTIMS]
            await outgoing.decide(*victims, urls=tuple(mails), ways=Ways(mqtt=True, webhooks=tuple(hooks)))
            worker.wake()
            await until(lambda: silent.connections >= 5)  # the lanes fill and hang
            await page_others("good", 6)  # while time-outs end and retries begin
        for channel in channels.values():
            if isinstance(channel, WebhookChannel):
                await channel.close()
        mute.writer.close()
    # What this machine is busy with besides is in both.
    assert _slowest_s(database_url, "good", 6) < _slowest_s(database_url, "usual", 2) + LATE_S


def _slowest_s(url: str, name: str, alerts: int) -> float:
    """Of the pages of these alerts, from due to handed over; all of them were."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT (handed_ms - due_ms) / 1000.0, channel, p.state "
            "FROM pages p JOIN alerts USING (alert_id) WHERE person_id LIKE %s "
            "AND NOT (channel = 'mqtt' AND officer_id = 'duty2')",  # who has no MQTT client
            [f"{name}%"],
        ).fetchall()
    assert len(rows) == 5 * alerts
    assert all(state in ("sent", "delivered") for _, _, state in rows)
    return float(max(seconds for seconds, _, _ in rows))


async def _payload(client: aiomqtt.Client) -> bytes:
    async with asyncio.timeout(5):
        payload = (await anext(client.messages)).payload
    assert isinstance(payload, bytes)
    return payload


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("slow", ("webhook", "unconfirmed", 3)),
        ("lying", ("webhook", "delivered", 1)),  # who says it has it is believed; the ladder climbs on
        ("garbage", ("webhook", "unconfirmed", 3)),
        ("closes amid the headers", ("webhook", "unconfirmed", 3)),
        ("closes after the headers", ("webhook", "delivered", 1)),
        ("drips", ("webhook", "unconfirmed", 3)),
        ("never ends", ("webhook", "delivered", 1)),
    ],
)
async def test_how_a_page_ends_at_a_bad_receiver(
    outgoing: Outgoing, name: str, expected: tuple[str, str, int]
) -> None:
    async with BadServer(HTTP[name]) as server:
        hook = WebhookChannel(f"http://127.0.0.1:{server.port}/", SECRET)
        await outgoing.decide(of("s2", "p2"), ways=Ways(webhooks=("x",)))
        async with outgoing.worker({"webhook:x": hook}):
            assert await outgoing.settle("delivered", "unconfirmed", "failed") == [expected]
        await hook.close()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("garbage", ("apprise", "failed", 4)),
        ("refuses", ("apprise", "failed", 4)),
        ("drips", ("apprise", "unconfirmed", 3)),
        ("says nothing after the greeting", ("apprise", "unconfirmed", 3)),
    ],
)
async def test_how_a_page_ends_at_a_bad_mail_server(
    outgoing: Outgoing, name: str, expected: tuple[str, str, int]
) -> None:
    async with BadServer(SMTP[name]) as server:
        await outgoing.decide(of("s2", "p2"), urls=(mailto(server.port),))
        async with outgoing.worker({"apprise": AppriseChannel()}, quick(timeout_s=1)):
            assert await outgoing.settle("sent", "unconfirmed", "failed") == [expected]


async def test_a_mail_server_that_takes_it_and_drops_it_was_sent_it(
    outgoing: Outgoing, mail: MailServer
) -> None:
    mail.answers = ["250 OK"]
    await outgoing.decide(of("s2", "p2"), urls=(mailto(mail.port),))
    async with outgoing.worker({"apprise": AppriseChannel()}, quick(timeout_s=5)):
        assert await outgoing.settle("sent", "failed") == [("apprise", "sent", 1)]
    assert mail.mails == []


async def test_an_officers_client_that_acknowledges_has_been_delivered_to(
    outgoing: Outgoing, world: World
) -> None:
    """Mute at first, then gone, then back: the same page is taken under a later attempt."""
    await outgoing.decide(of("s2", "p2"), ways=Ways(mqtt=True))
    mute = await world.raw("own2", client_id="phone")
    mute.send(mqtt5.SubscribePacket(1, [mqtt5.TopicFilter("cm/v1/officers/own2/page", max_qos=QOS1)]))
    await mute.receive()
    channels = {"mqtt": MqttChannel([world.endpoint.publish], direct=world.endpoint.publish)}
    async with outgoing.worker(channels, quick(timeout_s=0.6)):
        await until(lambda: outgoing.states()[0][2] == 2)
        mute.writer.close()
        async with world.client("own2", identifier="phone") as back:
            await back.subscribe("cm/v1/officers/own2/page", qos=1)
            (found,) = await outgoing.settle("delivered", "failed", "unconfirmed")
            await _payload(back)
    assert found[1] == "delivered"
    with psycopg.connect(outgoing.url) as connection:
        row = connection.execute("SELECT what, who, detail FROM alert_timeline").fetchone()
    assert row == ("delivered", "own2", {"channels": ["mqtt"]})


@needs_mosquitto
async def test_a_broker_that_hangs_does_not_hold_up_an_officer_at_the_endpoint(
    outgoing: Outgoing, world: World, mosquitto: Mosquitto
) -> None:
    """The page is published on both roads at once; the officer's own receipt is the better word."""
    broker = BrokerSession(mosquitto.url(), "daemon", world.inbox, outgoing.clock)
    running = asyncio.create_task(broker.run())
    await until(lambda: broker.connected)
    mosquitto.tell(Signals.SIGSTOP)
    try:
        async with world.client("own2") as phone:
            await phone.subscribe("cm/v1/officers/own2/page", qos=1)
            await outgoing.decide(of("s2", "p2"), ways=Ways(mqtt=True))
            mqtt = MqttChannel([broker.publish, world.endpoint.publish], direct=world.endpoint.publish)
            async with outgoing.worker({"mqtt": mqtt}, quick(timeout_s=10)):
                assert await outgoing.settle("delivered", "sent", within_s=LATE_S) == [
                    ("mqtt", "delivered", 1)
                ]
    finally:
        mosquitto.tell(Signals.SIGCONT)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
