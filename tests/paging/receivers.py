"""What stands at the other end of the channels: real servers, good and bad."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP
from town import T0


class RunningClock:
    """Runs like a real one from the tests' minute 0; ``skip`` moves it forward by hand."""

    def __init__(self) -> None:
        self._zero_s = time.monotonic()
        self._skipped_ms = 0
        self._slept_s = 0.0

    def wall_ms(self) -> int:
        return T0 + self._skipped_ms + round((time.monotonic() - self._zero_s) * 1_000)

    def monotonic_s(self) -> float:
        return time.monotonic() + self._slept_s

    def skip(self, minutes: float, *, steadily: bool = False) -> None:
        """Forward; ``steadily``: for the monotonic clock too, as if that time had passed."""
        self._skipped_ms += round(minutes * 60_000)
        self._slept_s += minutes * 60 if steadily else 0


@dataclass
class Post:
    headers: dict[str, str]
    body: bytes
    at_s: float


class SilentServer:
    """Accepts, reads, and says nothing."""

    async def __aenter__(self) -> SilentServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.connections = 0
        self._writers: list[asyncio.StreamWriter] = []
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        await asyncio.sleep(0)  # those who serve see the end, and end

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        while await reader.read(65_536):
            pass


@dataclass
class HttpReceiver:
    """Answers POSTs; ``answer`` decides the status line and headers, or None to hang up without a word."""

    answer: Callable[[int], str | None] = lambda _number: "200 OK"
    posts: list[Post] = field(default_factory=list)

    async def __aenter__(self) -> HttpReceiver:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/pages"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {k.lower(): v for k, _, v in (row.partition(": ") for row in head[1:] if row)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.posts.append(Post(headers, body, time.monotonic()))
            said = self.answer(len(self.posts))
            if said is not None:
                writer.write(f"HTTP/1.1 {said}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
        finally:
            writer.close()


class MailServer:
    """aiosmtpd on a port of its own; ``mails`` are the messages it took.

    ``answers`` are said, one each, to the first messages that come: those are not kept.
    """

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.answers: list[str] = []
        self.refused = 0

    async def __aenter__(self) -> MailServer:
        self._server = await asyncio.get_running_loop().create_server(lambda: SMTP(self), "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.answers:
            self.refused += 1
            return self.answers.pop(0)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


def plain(mail: Any) -> str:
    """What somebody reads who is shown no HTML."""
    return str(mail.get_body(("plain",)).get_content()).replace("\r\n", "\n")


Says = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class BadServer:
    """Does with every connection what ``says`` does; then hangs up."""

    says: Says
    connections: int = 0

    async def __aenter__(self) -> BadServer:
        self._serving: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self.says(reader, writer)
        writer.close()
        self._serving.discard(task)


def after_request(*parts: bytes, wait_s: float = 0.0, pause_s: float = 0.0) -> Says:
    """Reads a request whole, waits, and writes the parts with a pause after each."""

    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        await asyncio.sleep(wait_s)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return says


def at_once(*parts: bytes, pause_s: float = 0.0) -> Says:
    """Speaks first, as mail servers do, and then reads whatever comes until it is hung up on."""

    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        while await reader.read(65_536):
            pass

    return says
