"""What holds for every answer and request: headers that browsers heed, and a bound on bodies."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from corrections_monitor.api.problems import Problem, answer, not_found

BODY_BYTES_MAX = 4 * 1_048_576
"""A zone of a county's size has some ten thousand vertices, about 0.5 MiB of GeoJSON."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # The pages bring a wider one of their own; whatever else is opened as a page may do nothing.
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}
_TLS_ONLY = "max-age=31536000; includeSubDomains"
"""For a year a browser comes by TLS alone."""


class Guards:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, *, behind_tls: bool) -> None:
        """``behind_tls``: officers come by TLS though it ends before us."""
        self._app, self._behind_tls = app, behind_tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if self._behind_tls or scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", _TLS_ONLY)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared) > BODY_BYTES_MAX:
            await answer(_too_large())(scope, receive, guarded_send)
            return
        if "\x00" in scope["path"]:
            # No id holds it, and PostgreSQL refuses to look for one that does.
            await answer(not_found("记录"))(scope, receive, guarded_send)
            return
        await self._app(scope, _counted(receive), guarded_send)


def _counted(receive: Receive) -> Receive:
    """The same body, which ends in an error once a chunked request has sent too much."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > BODY_BYTES_MAX:
            raise _too_large()
        return message

    return counted


def _too_large() -> Problem:
    return Problem("too-large", f"请求正文超过 {BODY_BYTES_MAX} 字节。")
