"""The other platform: a real HTTPS server that gives files, takes posts, and can be told to fail."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from authority import Authority


@dataclass
class Post:
    headers: dict[str, str]
    body: bytes


@dataclass
class Platform:
    """``files``: path → content; ``answer``: number of the post → status, or None to hang up."""

    authority: Authority
    files: dict[str, bytes] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)  # path, Authorization
    answer: Callable[[int], int | None] = lambda _number: 200
    on_get: Callable[[str], None] = lambda _path: None

    def __enter__(self) -> Platform:
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                platform.asked.append((self.path, self.headers.get("Authorization", "")))
                content = platform.files.get(self.path)
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")
                platform.on_get(self.path)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                platform.posts.append(Post(dict(self.headers), body))
                status = platform.answer(len(platform.posts))
                if status is None:
                    self.connection.close()
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority.sign("platform"))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
