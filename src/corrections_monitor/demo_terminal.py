"""What an onlooker of the demo sees: alerts as they open and pages as they are handed to a channel.

The pages come over a real webhook: this process receives them, checks the signature, and writes a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, TextIO
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import httpx

from corrections_monitor.api.render import alert_object
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.paging.webhook import SIGNATURE_HEADER, signature
from corrections_monitor.store import Store
from corrections_monitor.store.notices import alert_to_tell

_COLOURS = {"critical": "\x1b[1;31m", "major": "\x1b[33m", "minor": "\x1b[36m", "info": "\x1b[2m"}
_PLAIN = "\x1b[0m"
_BODY_BYTES_MAX = 1_048_576
_SHOWN = ("critical", "major")


class Terminal:
    """Writes to ``out``, civil times in ``zone``; in colour where that is a terminal."""

    def __init__(self, out: TextIO, zone: ZoneInfo) -> None:
        self._out = out
        self._zone = zone
        self._colour = out.isatty()
        self._opened: Counter[str] = Counter()
        self._paged: Counter[str] = Counter()
        self._seen: set[str] = set()
        self._cases: CaseSet | None = None
        self._server: asyncio.Server | None = None

    def say(self, line: str) -> None:
        """One line about the demo itself."""
        print(f"== {line}", file=self._out, flush=True)

    def ready(
        self,
        api_port: int,
        run_port: int,
        device_port: int,
        logins: list[tuple[str, dict[str, str]]],
        after_s: float,
    ) -> None:
        """Addresses and logins."""
        self.say(f"ready after {after_s:.1f} s")
        lines = [
            f"   API       http://127.0.0.1:{api_port}/api/openapi.json   console http://127.0.0.1:{api_port}/",
            f"   daemon    http://127.0.0.1:{run_port}/readyz   /metrics",
            f"   devices   mqtt://127.0.0.1:{device_port}",
            "   logins",
        ]
        lines += [f"     {label:<24} {login['username']:<16} {login['password']}" for label, login in logins]
        print("\n".join(lines), file=self._out, flush=True)
        self.say("what happens now (警情 and 通知); Ctrl-C ends everything")

    def summary(self) -> None:
        """What was seen, in two lines."""
        self.say("alerts: " + (", ".join(f"{k} {n}" for k, n in sorted(self._opened.items())) or "none"))
        self.say(
            "pages handed over: " + (", ".join(f"{k} {n}" for k, n in sorted(self._paged.items())) or "none")
        )

    # -- alerts -----------------------------------------------------------------------------------
    async def follow(self, store: Store) -> None:
        """Write a line for every alert that opens, until cancelled."""
        async for _, alert_id in store.listen("alerts"):
            if not alert_id:
                continue
            with contextlib.suppress(LookupError):
                found = await alert_to_tell(store, alert_id)
                self._alert(alert_object(found.alert, self._zone, sees_locations=False), found.office_name)

    def _alert(self, alert: dict[str, Any], office_name: str) -> None:
        for episode in alert["episodes"]:
            if episode["episode_id"] in self._seen:
                continue
            self._seen.add(episode["episode_id"])
            self._opened[episode["kind"]] += 1
            if episode["severity"] in _SHOWN:
                self._line(
                    "警情", {**alert, "kinds": [episode["kind"]]}, f"{office_name}：{episode['reason']}"
                )

    # -- pages ------------------------------------------------------------------------------------
    async def listen_for_pages(self, cases: CaseSet, secret: str) -> str:
        """Receive pages on a free port; returns the webhook's URL."""
        self._cases = cases

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
                while await self._receive(reader, writer, secret.encode()):
                    pass
            writer.close()

        self._server = await asyncio.start_server(serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/pages"

    async def _receive(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, secret: bytes
    ) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:])}
        length = int(headers.get("content-length", "0"))
        if length > _BODY_BYTES_MAX:
            return False
        body = await reader.readexactly(length)
        genuine = hmac.compare_digest(headers.get(SIGNATURE_HEADER.lower(), ""), signature(secret, body))
        status = b"204 No Content" if genuine else b"403 Forbidden"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        if genuine:
            self._page(json.loads(body), unquote(headers.get("x-corrections-officer", "")))
        return True

    def _page(self, alert: dict[str, Any], officer_id: str) -> None:
        cases = self._cases
        assert cases is not None
        officer = cases.officers.get(officer_id)
        office = cases.offices.get(officer.office_id) if officer else None
        who = f"{office.name if office else ''} {officer.name if officer else officer_id}"
        for kind in alert["kinds"]:
            self._paged[kind] += 1
        self._line("通知", alert, f"→ {who}")

    def _line(self, what: str, alert: dict[str, Any], rest: str) -> None:
        colour, plain = (_COLOURS[alert["severity"]], _PLAIN) if self._colour else ("", "")
        kinds = ",".join(alert["kinds"])
        print(
            f"{alert['updated_at'][11:19]} {what} {colour}{alert['severity']:<8} {kinds:<16}{plain} "
            f"{alert['person_name'] or '—'} {rest}",
            file=self._out,
            flush=True,
        )

    # -- children ---------------------------------------------------------------------------------
    async def wait_until_answers(
        self, url: str, ended: Callable[[], Awaitable[str]], within_s: float
    ) -> None:
        """Wait until a GET gives 200.  Raises RuntimeError when a child ends or time runs out."""
        watch = asyncio.ensure_future(ended())
        try:
            async with asyncio.timeout(within_s), httpx.AsyncClient(trust_env=False) as client:
                while not watch.done():
                    with contextlib.suppress(httpx.HTTPError):
                        if (await client.get(url)).status_code == 200:
                            return
                    await asyncio.sleep(0.05)
            raise RuntimeError(
                f"{watch.result()} ended before it was ready; see its log in the state directory"
            )
        except TimeoutError:
            raise RuntimeError(f"{url} did not answer within {within_s:.0f} s") from None
        finally:
            watch.cancel()
