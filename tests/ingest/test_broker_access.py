"""The broker configuration that we ship, in a real mosquitto: nobody speaks or listens for another."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiomqtt
import pytest
from chaos_run import SEED, announce
from mqtt_world import MOSQUITTO, Mosquitto, until

from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Mqtt
from corrections_monitor.ingest.inbox import Inbox
from corrections_monitor.ingest.ways_in import CLIENT_ID, broker_session, own_client_id
from simulators.mqtt import parse_url
from simulators.sender import Sender

SHIPPED = Path(__file__).parents[2] / "config" / "mosquitto"
USERS = ("corrections-monitor", "d1", "d2", "of-1", "of-2", "traccar")
PASSWD = shutil.which("mosquitto_passwd")

pytestmark = pytest.mark.skipif(MOSQUITTO is None or PASSWD is None, reason="mosquitto is not installed")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """mosquitto with the shipped files; every user's password is the own name."""
    assert PASSWD is not None
    passwords = tmp_path / "passwords"
    passwords.touch()
    for user in USERS:
        subprocess.run([PASSWD, "-b", str(passwords), user, user], check=True, capture_output=True)
    shutil.copy(SHIPPED / "acl", tmp_path / "acl")
    for file in (passwords, tmp_path / "acl"):
        file.chmod(0o600)
    lines = (SHIPPED / "mosquitto.conf").read_text("utf-8")
    lines = re.sub(r"(?m)^listener .*$", "", lines).replace("/etc/mosquitto", str(tmp_path))
    made = Mosquitto(tmp_path, lines.replace("/var/lib/mosquitto/", f"{tmp_path}/"))
    made.start()
    yield made
    made.end()


def login(broker: Mosquitto, user: str) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", broker.port, username=user, password=user)


SENT = [
    ("d1", "cm/v1/211102/d1/fix", True),
    ("d1", "cm/v1/211102/d1/band", True),
    ("d1", "cm/v1/211102/d1/status", True),
    ("d1", "owntracks/anyone/d1", True),
    ("traccar", "traccar/positions", True),
    ("of-1", "cm/v1/officers/of-1/ack", True),
    ("d1", "cm/v1/211102/d2/fix", False),
    ("d1", "cm/v1/211102/d2/band", False),
    ("d1", "cm/v1/211102/d2/status", False),
    ("d1", "owntracks/anyone/d2", False),
    ("d1", "traccar/positions", False),
    ("d1", "cm/v1/officers/of-1/ack", False),
    ("of-1", "cm/v1/officers/of-2/ack", False),
    ("of-1", "cm/v1/211102/d1/fix", False),
    ("traccar", "cm/v1/211102/d1/fix", False),
]
HEARD = [
    ("d1", "cm/v1/211102/d1/cmd", True),
    ("of-1", "cm/v1/officers/of-1/page", True),
    ("d2", "cm/v1/211102/d1/cmd", False),
    ("of-2", "cm/v1/officers/of-1/page", False),
    ("d1", "cm/v1/officers/of-1/page", False),
    ("of-1", "cm/v1/211102/d1/cmd", False),
]


async def arrived(client: aiomqtt.Client, last: str) -> set[tuple[str, str]]:
    """What a client hears, as (topic, payload), until the payload ``last``."""
    found = set[tuple[str, str]]()
    async with asyncio.timeout(10):
        async for message in client.messages:
            said = bytes(message.payload).decode()
            if said == last:
                break
            found.add((str(message.topic), said))
    return found


async def test_the_daemon_hears_each_from_the_own_topics_only(broker: Mosquitto) -> None:
    async with login(broker, "corrections-monitor") as daemon:
        for topic in ("cm/v1/+/+/fix", "cm/v1/+/+/band", "cm/v1/+/+/status", "cm/v1/officers/+/ack",
                      "owntracks/+/+", "traccar/positions"):  # fmt: skip
            await daemon.subscribe(topic, qos=1)
        for user, topic, _ in SENT:
            async with login(broker, user) as client:
                await client.publish(topic, f"of {user}", qos=1)
        async with login(broker, "d2") as client:
            await client.publish("cm/v1/211102/d2/status", "the end", qos=1)
        assert await arrived(daemon, "the end") == {(t, f"of {u}") for u, t, allowed in SENT if allowed}


async def test_orders_and_pages_reach_those_they_are_for_only(broker: Mosquitto) -> None:
    async with AsyncExitStack() as stack:
        listeners = {}
        for user in ("d1", "d2", "of-1", "of-2"):
            listeners[user] = await stack.enter_async_context(login(broker, user))
            own = f"cm/v1/officers/{user}/page" if user.startswith("of") else f"cm/v1/211102/{user}/cmd"
            await listeners[user].subscribe([(own, 1), *((t, 1) for u, t, _ in HEARD if u == user), ("#", 1)])
        daemon = await stack.enter_async_context(login(broker, "corrections-monitor"))
        for topic in sorted({t for _, t, _ in HEARD}):
            await daemon.publish(topic, "for you", qos=1)
        for user in listeners:
            own = f"cm/v1/officers/{user}/page" if user.startswith("of") else f"cm/v1/211102/{user}/cmd"
            await daemon.publish(own, "the end", qos=1)
        for user, listener in listeners.items():
            allowed = {(t, "for you") for u, t, may in HEARD if u == user and may}
            assert await arrived(listener, "the end") == allowed


@pytest.mark.parametrize(("user", "password"), [(None, None), ("d1", "d2"), ("nobody", "nobody")])
async def test_who_has_no_password_stays_outside(
    broker: Mosquitto, user: str | None, password: str | None
) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client("127.0.0.1", broker.port, username=user, password=password):
            pass


async def test_nobody_takes_the_daemon_s_session_and_with_it_its_queue(broker: Mosquitto) -> None:
    """mosquitto gives a session to whoever calls himself by its client id, whatever the login."""
    inbox = Inbox(1_000, 10**6, SystemClock())
    url = broker.url("corrections-monitor:corrections-monitor")
    session = broker_session(Mqtt(url), inbox, SystemClock())
    assert session is not None
    task = asyncio.create_task(session.run())
    await until(lambda: session.connected)
    for guess in (CLIENT_ID, own_client_id(broker.url("d1:d1")), f"{CLIENT_ID}-{'0' * 16}"):
        async with aiomqtt.Client("127.0.0.1", broker.port, username="d1", password="d1", identifier=guess):
            await asyncio.sleep(0.2)
    assert session.connected
    assert session.connections == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _spoof(rng: random.Random) -> str:
    """A topic on which d1 has nothing to say, or one that looks like its own."""
    county = rng.choice(("211102", "x", "d1", "officers"))
    other = rng.choice(("d2", "of-1", "corrections-monitor", "+", "d1 ", "D1"))
    return rng.choice(
        (
            f"cm/v1/{county}/{other}/{rng.choice(('fix', 'band', 'status', 'ack', 'cmd'))}".replace("+", "x"),
            f"owntracks/d1/{other}".replace("+", "x"),
            f"cm/v1/officers/{other}/ack".replace("+", "x"),
            f"/cm/v1/{county}/d1/fix",
            f"cm/v1/{county}//d1/fix",
            f"cm/v1/d1/{county}/d1/fix",
            "traccar/positions",
        )
    )


async def test_of_a_thousand_tries_to_speak_for_another_none_arrives(broker: Mosquitto) -> None:
    announce("1,000 tries to speak for another through a broker")
    rng, inbox = random.Random(SEED), Inbox(10_000, 10**7, SystemClock())
    session = broker_session(
        Mqtt(broker.url("corrections-monitor:corrections-monitor")), inbox, SystemClock()
    )
    assert session is not None
    task = asyncio.create_task(session.run())
    await until(lambda: session.connected)
    answered = Counter[bool]()
    thief: Sender[int] = Sender(
        parse_url(broker.url("d1:d1")), "thief", lambda _, refused: answered.update([refused])
    )
    sending = asyncio.create_task(thief.run())
    for number in range(1_000):
        thief.put(number, _spoof(rng), b'{"fixes":[]}')
    thief.put(1_000, "cm/v1/x/d1/fix", b"the end")
    async with asyncio.timeout(60):
        await thief.idle.wait()
    await until(lambda: len(inbox))
    taken = (await inbox.take(10_000, 0.5)).messages
    assert [(m.topic, m.payload) for m in taken] == [("cm/v1/x/d1/fix", b"the end")]
    assert answered == {True: 1_000, False: 1}
    assert thief.connects == 1
    assert session.connections == 1
    for one in (task, sending):
        one.cancel()
    await asyncio.gather(task, sending, return_exceptions=True)
