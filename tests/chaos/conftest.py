from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# The real broker of ingest's tests and the processes of smoke's serve here as well.
sys.path += [str(Path(__file__).parent.parent / room) for room in ("ingest", "smoke")]

from mqtt_world import Mosquitto
from program import Daemon, daemons

LOSSLESS = "allow_anonymous true\nmax_queued_messages 1000000000\nmax_inflight_messages 65535"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path, LOSSLESS)
    broker.start()
    yield broker
    broker.end()


@pytest.fixture
def daemon(tmp_path: Path, database_url: str) -> Iterator[Callable[..., Daemon]]:
    """Makes daemons on this test's database, none started; whatever still runs at the end is killed."""
    with daemons(tmp_path, database_url) as make:
        yield make


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """For a database server of the test's own, which runs as another user: pytest's own folder is closed to
    others by every session of pytest that begins."""
    with tempfile.TemporaryDirectory(prefix="corrections-test-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
