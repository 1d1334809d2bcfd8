"""The HTTP server of ``serve``: uvicorn that stops when told, streams included."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterator
from socket import AF_INET, AF_INET6, IPPROTO_TCP, TCP_NODELAY, create_server, socket

import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from corrections_monitor.api.app import create_app
from corrections_monitor.api.hub import Hub
from corrections_monitor.clock import Clock
from corrections_monitor.config import Config
from corrections_monitor.config_values import Listen
from corrections_monitor.store import Store

STOP_WITHIN_S = 8
"""Requests under way may finish for this long; then they are cut off."""

CONNECTIONS_MAX = 4_000


class ApiServer(uvicorn.Server):
    """Signals belong to the caller; open streams are ended before the wait for requests begins."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub
        self.is_listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signal: the caller says when to stop."""
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """As uvicorn's; then ``is_listening`` is set."""
        await super().startup(sockets)
        self.is_listening.set()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """As uvicorn's, which waits for requests under way; a stream would never end by itself."""
        self._hub.close()
        await super().shutdown(sockets)


def server_config(app: FastAPI, config: Config) -> uvicorn.Config:
    """uvicorn as we run it: our own logging, no proxy header believed, TLS when configured."""
    tls = config.http.tls
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # URLs hold case numbers; what was read of whom stands in the audit log
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_WITHIN_S,
        timeout_keep_alive=30,
        limit_concurrency=CONNECTIONS_MAX,
        ssl_certfile=tls.certificate,
        ssl_keyfile=tls.key,
        ssl_ca_certs=str(tls.client_ca) if tls.client_ca else None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if tls.client_ca else ssl.CERT_NONE,
        lifespan="on",
    )


async def serve(
    store: Store,
    config: Config,
    clock: Clock,
    registry: CollectorRegistry,
    stop: asyncio.Event,
    listening: Callable[[int], None] = lambda _port: None,
) -> None:
    """Serve API and console until ``stop`` is set; ``listening`` is told the port once it is open.

    ``store`` is under the API's role and stays the caller's to close.  Raises OSError when the address
    cannot be listened on.
    """
    app = create_app(store, config, clock, registry)
    server = ApiServer(server_config(app, config), app.state.api.hub)
    with _bound(config.http.listen) as listener:
        serving = asyncio.create_task(server.serve([listener]))
        began = asyncio.create_task(server.is_listening.wait())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({serving, began}, return_when=asyncio.FIRST_COMPLETED)
            if began.done():
                listening(listener.getsockname()[1])
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            began.cancel()
            stopping.cancel()
            server.should_exit = True
            await serving


def _bound(address: Listen) -> socket:
    """The listening socket, bound here so that a taken address is an OSError and not an exit."""
    family = AF_INET6 if ":" in address.host else AF_INET
    listener = create_server((address.host, address.port), family=family, backlog=512)
    # asyncio sets this only on sockets that say they are TCP, which those of create_server do not; without
    # it every small answer waits 40 ms for the peer's delayed acknowledgement.  Connections inherit it.
    listener.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    return listener
