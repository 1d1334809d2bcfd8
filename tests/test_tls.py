"""Who comes or answers without TLS 1.2, or with a certificate too old or strange, is not spoken to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import mqtt5
import pytest
import uvicorn
from authority import Authority
from fastapi import FastAPI
from psycopg_pool import PoolTimeout

from corrections_monitor.api.server import server_config
from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Tls, load
from corrections_monitor.ingest.broker import BrokerSession
from corrections_monitor.ingest.endpoint import DeviceEndpoint
from corrections_monitor.ingest.frames import Version, write_packet
from corrections_monitor.ingest.inbox import Inbox
from corrections_monitor.ingest.principal import Principal, PrincipalKind
from corrections_monitor.ingest.ways_in import broker_session, server_tls
from corrections_monitor.store import Store

pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")


def _old(context: ssl.SSLContext) -> ssl.SSLContext:
    """TLS 1.1 and nothing else."""
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "theirs")


# -- doors at which others knock ------------------------------------------------------------------
CALLERS = ["good", "plaintext", "1.1", "expired", "wrong authority", "no certificate"]
CONNECT = write_packet(
    mqtt5.ConnectPacket("c", username="d1", password=b"secret", clean_start=True), Version.V5
)
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def caller(name: str, ours: Authority, theirs: Authority) -> ssl.SSLContext | None:
    if name == "plaintext":
        return None
    context = ssl.create_default_context(cafile=str(ours.file))
    if name == "expired":
        context.load_cert_chain(ours.sign("late", days=1))
    elif name == "wrong authority":
        context.load_cert_chain(theirs.sign("stranger"))
    elif name != "no certificate":
        context.load_cert_chain(ours.sign("device"))
    return _old(context) if name == "1.1" else context


async def answer(port: int, tls: ssl.SSLContext | None, hello: bytes) -> bytes:
    """What comes back to ``hello``; nothing if one is refused."""
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        writer.write(hello)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                return await reader.read(100)
        writer.close()
    return b""


async def _device(username: str, password: str) -> Principal | None:
    return Principal(PrincipalKind.DEVICE, username)


@contextlib.asynccontextmanager
async def device_endpoint(tls: Tls) -> AsyncIterator[int]:
    inbox = Inbox(10, 10**6, SystemClock())
    endpoint = DeviceEndpoint("127.0.0.1:0", _device, inbox, SystemClock(), tls=server_tls(tls))
    await endpoint.start()
    try:
        yield endpoint.port
    finally:
        await endpoint.close()


@contextlib.asynccontextmanager
async def http(tls: Tls) -> AsyncIterator[int]:
    config = load(None, {})
    config = replace(config, http=replace(config.http, tls=tls))
    settings = server_config(FastAPI(), config)
    settings.load()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(settings)
    server.lifespan = settings.lifespan_class(settings)
    await server.startup([listener])
    try:
        yield listener.getsockname()[1]
    finally:
        await server.shutdown([listener])


@pytest.mark.parametrize("name", CALLERS)
@pytest.mark.parametrize(
    ("door", "hello"), [(device_endpoint, CONNECT), (http, GET)], ids=["device endpoint", "http"]
)
async def test_who_knocks(
    door: Callable[[Tls], contextlib.AbstractAsyncContextManager[int]],
    hello: bytes,
    name: str,
    ours: Authority,
    theirs: Authority,
) -> None:
    server = ours.sign("server")
    async with door(Tls(certificate=server, key=server, client_ca=ours.file)) as port:
        said = await answer(port, caller(name, ours, theirs), hello)
    assert said.startswith((b"\x20", b"HTTP/1.1 404")) == (name == "good"), said


# -- doors at which we knock ----------------------------------------------------------------------
SERVERS = ["good", "plaintext", "1.1", "expired", "wrong authority", "wrong host"]


def server(name: str, ours: Authority, theirs: Authority) -> ssl.SSLContext | None:
    if name == "plaintext":
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if name == "expired":
        context.load_cert_chain(ours.sign("late", days=1))
    elif name == "wrong authority":
        context.load_cert_chain(theirs.sign("stranger"))
    elif name == "wrong host":
        context.load_cert_chain(ours.sign("elsewhere", address="127.0.0.2"))
    else:
        context.load_cert_chain(ours.sign("server"))
    return _old(context) if name == "1.1" else context


class OneCall:
    """Takes one connection and keeps what was said in it, once TLS stood."""

    def __init__(self, tls: ssl.SSLContext | None, *, postgresql: bool) -> None:
        self._tls, self._postgresql = tls, postgresql
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(2)
        self.port: int = self._listener.getsockname()[1]
        self.heard = b""
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError), self._listener:
            connection, _ = self._listener.accept()
            connection.settimeout(2)
            if self._postgresql:
                assert connection.recv(8) == b"\0\0\0\x08\x04\xd2\x16\x2f", "asks for TLS first"
                connection.sendall(b"S" if self._tls else b"N")
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                self.heard = connection.recv(100)

    async def end(self) -> bytes:
        await asyncio.to_thread(self._thread.join)
        return self.heard


async def call_broker(port: int, ca: Path) -> None:
    """As the daemon does."""
    config = load(
        None, {"CORRECTIONS_MQTT_URL": f"mqtts://127.0.0.1:{port}", "CORRECTIONS_MQTT__CA": str(ca)}
    )
    session = broker_session(config.mqtt, Inbox(10, 10**6, SystemClock()), SystemClock())
    assert isinstance(session, BrokerSession)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            await session.run()


async def call_database(port: int, ca: Path) -> None:
    url = f"postgresql://x:y@127.0.0.1:{port}/z?sslmode=verify-full&sslrootcert={ca}"
    with pytest.raises(PoolTimeout):
        await Store.open(url, "engine", timeout_s=0.5)


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("postgresql", [False, True], ids=["broker", "PostgreSQL"])
async def test_where_we_knock(postgresql: bool, name: str, ours: Authority, theirs: Authority) -> None:
    other = OneCall(server(name, ours, theirs), postgresql=postgresql)
    await (call_database if postgresql else call_broker)(other.port, ours.file)
    heard = await other.end()
    spoken = heard.startswith((b"\x10", b"\0\0"))  # CONNECT, StartupMessage
    assert spoken == (name == "good"), heard
