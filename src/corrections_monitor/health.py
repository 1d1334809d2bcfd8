"""healthz, readyz and metrics of ``run``: a very small HTTP/1.1 server on the daemon's own event loop.

Being answered at all proves that the loop turns, which is what ``healthz`` says.  Everything is bounded:
connections, request size, time; one request per connection.  Bodies and status codes are the same as
those of ``serve``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from types import TracebackType

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from corrections_monitor.config_values import Listen

_REQUEST_BYTES_MAX = 8_192
_CONNECTIONS_MAX = 64
_TIMEOUT_S = 5.0
_JSON = "application/json"
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}

Answer = tuple[int, str, bytes]  # status, content type, body


class HealthServer:
    """Listens from ``start`` (or ``async with``) to ``close``.

    ``is_ready`` gives whether the process is fit to monitor, and if not, why; ``lag_s``, how old what it
    judges is.  Both must return at once.
    """

    def __init__(
        self,
        listen: Listen,
        is_ready: Callable[[], tuple[bool, str]],
        registry: CollectorRegistry,
        lag_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._listen = listen
        self._is_ready = is_ready
        self._lag_s = lag_s
        self._registry = registry
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Begin to listen.  Raises OSError when the address cannot be had."""
        self._server = await asyncio.start_server(
            self._serve, self._listen.host, self._listen.port, limit=_REQUEST_BYTES_MAX
        )

    async def close(self) -> None:
        """Stop listening and end what is under way."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in tuple(self._connections):
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    @property
    def port(self) -> int:
        """The port in use, also when the system chose it."""
        assert self._server is not None, "start() comes first"
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> HealthServer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            # A peer beyond the bound is turned away without being read.
            if len(self._connections) <= _CONNECTIONS_MAX:
                async with asyncio.timeout(_TIMEOUT_S):
                    await self._exchange(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # The peer went away or was too slow: nobody is left to tell.
        finally:
            self._connections.discard(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            method, answer = "", _problem(400)
        else:
            method, answer = self._answer(head)
        status, content_type, body = answer
        writer.write(
            f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n".encode()
        )
        if method != "HEAD":
            writer.write(body)
        await writer.drain()

    def _answer(self, head: bytes) -> tuple[str, Answer]:
        """The request's method and what to answer."""
        line = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(line) != 3 or not line[2].startswith("HTTP/1."):
            return "", _problem(400)
        method, target = line[0], line[1].partition("?")[0]
        if method not in ("GET", "HEAD"):
            return method, _problem(405)
        if target == "/healthz":
            return method, (200, _JSON, _json(status="alive"))
        if target == "/readyz":
            return method, self._readiness()
        if target == "/metrics":
            return method, (200, CONTENT_TYPE_LATEST, generate_latest(self._registry))
        return method, _problem(404)

    def _readiness(self) -> Answer:
        try:
            is_ready, reason = self._is_ready()
        except Exception as error:  # A check that fails proves nothing, and nothing proven is blind.
            is_ready, reason = False, f"readiness cannot be told: {type(error).__name__}"
        lag_s = round(self._lag_s(), 1)
        if is_ready:
            return 200, _JSON, _json(status="ready", lag_s=lag_s)
        return 503, _JSON, _json(status="blind", reason=reason, lag_s=lag_s)


def _json(**members: str | float) -> bytes:
    return json.dumps(members, ensure_ascii=False).encode()


def _problem(status: int) -> Answer:
    return (
        status,
        "application/problem+json",
        json.dumps({"status": status, "title": _REASONS[status]}).encode(),
    )
