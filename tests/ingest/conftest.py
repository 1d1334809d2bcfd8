from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from endpoint_world import World, authenticate
from mqtt_world import HandClock, Mosquitto

from corrections_monitor.clock import SystemClock
from corrections_monitor.ingest.endpoint import DeviceEndpoint
from corrections_monitor.ingest.inbox import Inbox

LOSSLESS = "allow_anonymous true\nmax_queued_messages 1000000000\nmax_inflight_messages 65535"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that lets everyone in and has a queue without bound."""
    broker = Mosquitto(tmp_path, LOSSLESS)
    broker.start()
    yield broker
    broker.end()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    inbox = Inbox(1_000, 10**6, SystemClock())
    endpoint = DeviceEndpoint("127.0.0.1:0", authenticate, inbox, SystemClock())
    await endpoint.start()
    yield World(inbox, endpoint)
    await endpoint.close()
