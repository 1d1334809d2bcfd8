"""The configuration we ship, on a real mosquitto: nobody speaks for another, and queues outlive a kill."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from signal import Signals

import aiomqtt
import pytest
from mqtt_world import Mosquitto, needs_mosquitto, until

from corrections_monitor.clock import SystemClock
from corrections_monitor.ingest.broker import BrokerSession
from corrections_monitor.ingest.inbox import Inbox

pytestmark = needs_mosquitto
SHIPPED = Path(__file__).parents[2] / "config" / "mosquitto"
LOGINS = ("corrections-monitor", "traccar", "d1", "d2", "o1", "o2")


@pytest.fixture
def shipped(tmp_path: Path) -> Iterator[Mosquitto]:
    """Our files, with only their places and the interval of saving changed."""
    for login in LOGINS:
        create = [] if (tmp_path / "passwords").exists() else ["-c"]
        subprocess.run(
            ["mosquitto_passwd", *create, "-b", str(tmp_path / "passwords"), login, "secret"], check=True
        )
    shutil.copy(SHIPPED / "acl", tmp_path / "acl")
    lines = (SHIPPED / "mosquitto.conf").read_text()
    lines = re.sub(r"(?m)^listener .*$", "", lines).replace("/etc/mosquitto", str(tmp_path))
    lines = lines.replace("/var/lib/mosquitto/", f"{tmp_path}/").replace("interval 10", "interval 1")
    for name in ("passwords", "acl"):
        (tmp_path / name).chmod(0o600)
    broker = Mosquitto(tmp_path, lines)
    broker.start()
    yield broker
    broker.end()


def client(broker: Mosquitto, login: str, **options: object) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", broker.port, username=login, password="secret", **options)  # type: ignore[arg-type]


async def daemon(broker: Mosquitto, inbox: Inbox) -> tuple[BrokerSession, asyncio.Task[None]]:
    session = BrokerSession(broker.url("corrections-monitor:secret"), "daemon", inbox, SystemClock())
    task = asyncio.create_task(session.run())
    await until(lambda: session.connected)
    return session, task


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_no_device_speaks_for_another(shipped: Mosquitto) -> None:
    inbox = Inbox(1_000, 10**6, SystemClock())
    session, task = await daemon(shipped, inbox)
    assert session.denied == ()
    allowed = {
        "d1": ("cm/v1/a/d1/fix", "cm/v1/b/d1/band", "cm/v1/a/d1/status", "owntracks/u/d1"),
        "o1": ("cm/v1/officers/o1/ack",),
        "traccar": ("traccar/positions",),
    }
    forbidden = {
        "d1": (
            "cm/v1/a/d2/fix",
            "cm/v1/a/d2/status",
            "owntracks/d1/d2",
            "traccar/positions",
            "cm/v1/a/d1/cmd",
        ),
        "o1": ("cm/v1/officers/o2/ack", "cm/v1/a/d1/fix", "cm/v1/officers/o2/page"),
        "traccar": ("cm/v1/a/d1/fix", "cm/v1/officers/o1/ack"),
    }
    for login in allowed:
        async with client(shipped, login) as speaker:
            # What is denied costs the sender nothing but the message: the same connection goes on.
            for topic in (*forbidden[login], *allowed[login]):
                await speaker.publish(topic, login, qos=1)
    expected = {topic for topics in allowed.values() for topic in topics}
    await until(lambda: len(inbox) >= len(expected))
    topics = [m.topic for m in (await inbox.take(1_000, 0.3)).messages]
    assert sorted(topics) == sorted(expected)
    await end(task)


async def test_everyone_hears_only_what_is_for_them(shipped: Mosquitto) -> None:
    session, task = await daemon(shipped, Inbox(1_000, 10**6, SystemClock()))
    async with client(shipped, "o1") as officer, client(shipped, "d1") as device:
        for pattern in ("#", "cm/v1/officers/+/page", "cm/v1/+/+/cmd", "cm/v1/+/+/fix"):
            for listener in (officer, device):
                await listener.subscribe(pattern, qos=1)
        async with client(shipped, "d2") as other:
            await other.publish("cm/v1/a/d2/fix", "secret place", qos=1)
        sent = ("cm/v1/officers/o2/page", "cm/v1/a/d2/cmd", "cm/v1/officers/o1/page", "cm/v1/a/d1/cmd")
        for topic in sent:
            assert await session.publish(topic, b"{}")
        for listener, own in ((officer, "cm/v1/officers/o1/page"), (device, "cm/v1/a/d1/cmd")):
            async with asyncio.timeout(10):
                first = await anext(aiter(listener.messages))
            assert str(first.topic) == own
    await end(task)


@pytest.mark.parametrize("login", [None, "d1"])
async def test_nobody_is_let_in_without_a_password(shipped: Mosquitto, login: str | None) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client("127.0.0.1", shipped.port, username=login):
            pass


async def test_a_long_queue_survives_the_daemons_absence_and_a_kill(
    shipped: Mosquitto, tmp_path: Path
) -> None:
    """All that was saved: here saving is every second, in the file we ship every ten."""
    inbox = Inbox(10_000, 10**7, SystemClock())
    _, task = await daemon(shipped, inbox)
    await end(task)
    async with client(shipped, "d1", max_queued_outgoing_messages=0) as device:
        for n in range(3_000):
            await device.publish("cm/v1/a/d1/fix", str(n), qos=1)
    saved = tmp_path / "mosquitto.db"
    size = 0

    def settled() -> bool:
        nonlocal size
        before, size = size, saved.stat().st_size if saved.exists() else 0
        return size > 3_000 * 30 and size == before

    await until(settled)
    shipped.end(Signals.SIGKILL)
    shipped.start()
    _, task = await daemon(shipped, inbox)
    await until(lambda: len(inbox) >= 3_000)
    intake = await inbox.take(10_000, 0)
    assert [int(m.payload) for m in intake.messages] == list(range(3_000))
    await end(task)
