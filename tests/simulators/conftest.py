from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# The real broker of ingest's tests serves here as well.
sys.path.append(str(Path(__file__).parent.parent / "ingest"))

from mqtt_world import Mosquitto


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path, "allow_anonymous true\npersistence false")
    broker.start()
    yield broker
    broker.end()
