"""A real PostgreSQL for every test that asks for one.

``CORRECTIONS_TEST_DATABASE_URL`` names a server (its user may create databases and roles); without it the
embedded one is started once.  The schema is migrated once into a template; each test gets a copy.

Properties draw the same examples in every run, so that a red test speaks of the change at hand;
``HYPOTHESIS_PROFILE=explore`` draws new ones each time (``make explore``).
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import conninfo

# The real broker of ingest's tests serves in all rooms.
sys.path.append(str(Path(__file__).parent / "ingest"))

from mqtt_world import Mosquitto

from corrections_monitor.store import Store
from corrections_monitor.store.embedded import EmbeddedServer
from corrections_monitor.store.migrate import migrate

hypothesis.settings.register_profile("settled", derandomize=True)
hypothesis.settings.register_profile("explore", derandomize=False, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "settled"))

# Tests care for what is committed, not for what survives a power cut.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}

# Never a bound of the broker's in the way: what is lost must have been lost by the program.
_LOSSLESS = "allow_anonymous true\nmax_queued_messages 1000000000\nmax_inflight_messages 65535"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that lets everyone in and has a queue without bound."""
    broker = Mosquitto(tmp_path, _LOSSLESS)
    broker.start()
    yield broker
    broker.end()


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL server: URL of its maintenance database, as a user who may create databases."""
    given = os.environ.get("CORRECTIONS_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with (
        tempfile.TemporaryDirectory(prefix="corrections-test-", ignore_cleanup_errors=True) as folder,
        EmbeddedServer.start(Path(folder) / "data", _FAST) as server,
    ):
        yield server.url()


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """The name of a migrated database from which each test's own is copied."""
    with _database(server_url) as name:
        migrate(conninfo.make_conninfo(server_url, dbname=name))
        yield name


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """A database with nothing in it: owner's connection string."""
    with _database(server_url) as name:
        yield conninfo.make_conninfo(server_url, dbname=name)


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """A fresh migrated database: owner's connection string."""
    with _database(server_url, template) as name:
        yield conninfo.make_conninfo(server_url, dbname=name)


@pytest.fixture(scope="module")
def module_database_url(server_url: str, template: str) -> Iterator[str]:
    """The same for all tests of a module, where what stands on it takes long to set up."""
    with _database(server_url, template) as name:
        yield conninfo.make_conninfo(server_url, dbname=name)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """The daemon's store on a fresh migrated database."""
    opened = await Store.open(database_url, "engine")
    yield opened
    await opened.close()


@pytest.fixture
async def api_store(database_url: str) -> AsyncIterator[Store]:
    """The API's store on the same database as ``store``."""
    opened = await Store.open(database_url, "api")
    yield opened
    await opened.close()


class _database:
    """A database that lives as long as the block."""

    def __init__(self, server_url: str, template: str = "template0") -> None:
        self._server_url = server_url
        self._template = template
        self._name = f"corrections_test_{secrets.token_hex(6)}"

    def __enter__(self) -> str:
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute(
                f'CREATE DATABASE "{self._name}" TEMPLATE "{self._template}" ENCODING \'UTF8\''
            )
        return self._name

    def __exit__(self, *_: object) -> None:
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')
