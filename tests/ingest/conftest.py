from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from endpoint_world import World, authenticate
from mqtt_world import HandClock

from corrections_monitor.clock import SystemClock
from corrections_monitor.ingest.endpoint import DeviceEndpoint
from corrections_monitor.ingest.inbox import Inbox


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    inbox = Inbox(1_000, 10**6, SystemClock())
    endpoint = DeviceEndpoint("127.0.0.1:0", authenticate, inbox, SystemClock())
    await endpoint.start()
    yield World(inbox, endpoint)
    await endpoint.close()
