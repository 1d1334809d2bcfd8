"""Many connections at full rate: everything said is acknowledged, whatever becomes of connections."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter

import pytest
from endpoint_world import authenticate
from mqtt_world import Mosquitto, needs_mosquitto, until

from corrections_monitor.clock import SystemClock
from corrections_monitor.ingest.endpoint import DeviceEndpoint
from corrections_monitor.ingest.inbox import Inbox
from simulators.crowd import Crowd
from simulators.mqtt import Server, parse_url


class Sayer:
    """A crowd in a thread of its own that says ``each`` messages on every connection."""

    def __init__(self, port: int, connections: int, each: int) -> None:
        self.acked: Counter[int] = Counter()
        server = Server("127.0.0.1", port)
        logins = [(f"d{n}", server.as_user(f"d{n}", "secret")) for n in range(connections)]
        self._crowd = Crowd[int](logins, lambda key, refused: self.acked.update([-1 if refused else key]))
        self._each = [(n, i * connections + n) for i in range(each) for n in range(connections)]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        for number, key in self._each:
            self._crowd.put(number, key, f"cm/v1/c/d{number}/fix".encode(), b"%d" % key)
            if key % 50 == 0:
                self._crowd.turn()
        until_s = time.monotonic() + 20
        while self._crowd.unacknowledged and time.monotonic() < until_s:
            self._crowd.turn()
        self._crowd.close()

    async def ended(self) -> None:
        await asyncio.to_thread(self._thread.join)


async def test_what_was_said_is_acknowledged_once_though_everyone_is_cut_off() -> None:
    inbox, taken = Inbox(1_000, 10**6, SystemClock()), Counter[bytes]()

    async def daemon() -> None:
        while True:
            intake = await inbox.take(300, 0.01)
            taken.update(m.payload for m in intake.messages)
            intake.ack()

    endpoint = DeviceEndpoint("127.0.0.1:0", authenticate, inbox, SystemClock(), receive_max=3)
    await endpoint.start()
    port = endpoint.port
    worker = asyncio.create_task(daemon())
    sayer = Sayer(port, connections=100, each=30)
    await until(lambda: len(sayer.acked) > 500)
    await endpoint.close()
    assert len(sayer.acked) < 3_000
    endpoint = DeviceEndpoint(f"127.0.0.1:{port}", authenticate, inbox, SystemClock(), receive_max=3)
    await endpoint.start()
    await sayer.ended()
    worker.cancel()
    await endpoint.close()
    assert sayer.acked == Counter(range(3_000))
    assert set(taken) == {b"%d" % key for key in range(3_000)}


@needs_mosquitto
def test_one_connection_says_more_than_a_socket_takes_at_once(mosquitto: Mosquitto) -> None:
    acked = []
    crowd = Crowd[int]([("one", parse_url(mosquitto.url()))], lambda key, refused: acked.append(key))
    crowd.open(5)
    for key in range(1_000):
        crowd.put(0, key, b"crowd/t", bytes(20_000))
    until_s = time.monotonic() + 20
    while crowd.unacknowledged and time.monotonic() < until_s:
        crowd.turn()
    crowd.close()
    assert acked == list(range(1_000))


async def test_who_is_refused_is_told_in_words() -> None:
    endpoint = DeviceEndpoint("127.0.0.1:0", authenticate, Inbox(10, 10**6, SystemClock()), SystemClock())
    await endpoint.start()
    crowd = Crowd[int]([("d1", Server("127.0.0.1", endpoint.port, "d1", "wrong"))], lambda *_: None)
    with pytest.raises(TimeoutError, match="0 of 1 connected: refused: bad_user_name_or_password"):
        await asyncio.to_thread(crowd.open, 1.0)
    crowd.close()
    await endpoint.close()
