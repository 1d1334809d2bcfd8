"""The sender against the daemon's own device endpoint: a connection per device, PUBACK means taken."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

from endpoint_world import authenticate
from mqtt_world import until

from corrections_monitor.clock import SystemClock
from corrections_monitor.ingest.endpoint import DeviceEndpoint
from corrections_monitor.ingest.inbox import Inbox
from simulators import encode
from simulators.ledger import Ledger, Message, replay
from simulators.mqtt import Server
from simulators.sender import Sender


def messages(devices: int, each: int) -> list[Message]:
    return [
        Message(0, encode.fix_topic("c", f"d{d}"), encode.fix_payload(n, [encode.fix(n, 122.0, 41.0)]))
        for n in range(each)
        for d in range(devices)
    ]


async def test_every_device_on_its_own_connection_is_acknowledged_after_it_is_taken() -> None:
    inbox = Inbox(1_000, 10**6, SystemClock())
    taken: Counter[tuple[str, int]] = Counter()
    ledger = Ledger()

    async def daemon() -> None:
        while True:
            intake = await inbox.take(500, 0.01)
            taken.update((m.topic, json.loads(m.payload)["seq"]) for m in intake.messages)
            intake.ack()

    endpoint = DeviceEndpoint("127.0.0.1:0", authenticate, inbox, SystemClock())
    await endpoint.start()
    port = endpoint.port
    passwords = {f"d{i}": "secret" for i in range(150)}
    sending = asyncio.create_task(
        replay(
            messages(150, 8),
            Server("127.0.0.1", port),
            rate=2_000,
            ledger=ledger,
            passwords=passwords,
            timeout_s=30,
        )
    )
    worker = asyncio.create_task(daemon())
    await until(lambda: len(ledger.acked) > 300)
    await endpoint.close()  # everyone is cut off in the middle …
    endpoint = DeviceEndpoint(f"127.0.0.1:{port}", authenticate, inbox, SystemClock())
    await endpoint.start()  # … and comes back
    await sending
    worker.cancel()
    await endpoint.close()
    assert ledger.acked == set(range(1_200))
    assert len(taken) == 1_200
    assert ledger.reconnects >= 150


async def test_a_wrong_password_is_told_and_tried_again() -> None:
    inbox = Inbox(10, 10**6, SystemClock())
    endpoint = DeviceEndpoint("127.0.0.1:0", authenticate, inbox, SystemClock())
    await endpoint.start()
    sender: Sender[None] = Sender(Server("127.0.0.1", endpoint.port, "d1", "wrong"), "d1", lambda *_: None)
    task = asyncio.create_task(sender.run())
    await until(lambda: "bad_user_name_or_password" in sender.last_error)
    assert not sender.connected
    task.cancel()
    await endpoint.close()
