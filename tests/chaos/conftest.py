from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# The real broker of ingest's tests and the processes of smoke's serve here as well.
sys.path += [str(Path(__file__).parent.parent / room) for room in ("ingest", "smoke")]

from mqtt_world import Mosquitto

LOSSLESS = "allow_anonymous true\nmax_queued_messages 1000000000\nmax_inflight_messages 65535"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path, LOSSLESS)
    broker.start()
    yield broker
    broker.end()
