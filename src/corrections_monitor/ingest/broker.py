"""A session with a broker: everything devices said while we were away comes to us, nothing is lost.

The session outlives connections and restarts (MQTT 5: clean_start false with a long expiry; 3.1.1:
clean_session false).  A message is acknowledged by the pipeline after its commit; what was not acknowledged
when a connection broke comes again over the next.  MQTT 5 is tried first; a broker that does not know it,
or hangs up on it, is asked again in 3.1.1.  There is no giving up: connecting is tried for ever.

Pings are ours to send, so they go on while reading is paused because the inbox is full; a broker is called
dead only when nothing came although we were reading.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import mqtt5

from corrections_monitor.clock import Clock
from corrections_monitor.ingest.broker_link import BrokerLink
from corrections_monitor.ingest.frames import Version
from corrections_monitor.ingest.inbox import Inbox
from corrections_monitor.ingest.topics import SUBSCRIPTIONS

log = logging.getLogger(__name__)

T = TypeVar("T")

BACKOFF_FIRST_S = 0.2
CONNECT_TIMEOUT_S = 10.0
_DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}


class BrokerSession:
    """One persistent session.  ``run`` it as a task; ``publish`` works whenever ``connected``.

    ``url``: ``mqtt://user:password@host:port``, or ``mqtts`` for TLS (``tls`` replaces the system's own
    settings).  ``client_id`` names the session at the broker and must be the daemon's alone.
    ``session_expiry_s``: for how long the broker keeps it while we are away (MQTT 5; in 3.1.1 its own
    setting holds).  ``receive_max`` bounds the messages delivered and not yet acknowledged.
    ``version``: None tries 5, then 3.1.1.  Raises ValueError for a URL that is none.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        inbox: Inbox,
        clock: Clock,
        *,
        version: Version | None = None,
        subscriptions: Sequence[str] = SUBSCRIPTIONS,
        receive_max: int = 10_000,
        keepalive_s: int = 30,
        session_expiry_s: int = 7 * 86_400,
        reconnect_max_s: float = 5.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise ValueError(f"{url!r} is not mqtt://host:port or mqtts://host:port")
        self._host = parts.hostname
        self._port = parts.port or _DEFAULT_PORTS[parts.scheme]
        self._username = unquote(parts.username) if parts.username is not None else None
        self._password = unquote(parts.password) if parts.password is not None else None
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "mqtts" else None
        self._client_id = client_id
        self._inbox = inbox
        self._clock = clock
        self._asked_version = version
        self._version = version or Version.V5
        self._subscriptions = tuple(subscriptions)
        self._receive_max = receive_max
        self._keepalive_s = keepalive_s
        self._session_expiry_s = session_expiry_s
        self._reconnect_max_s = reconnect_max_s
        self._link: BrokerLink | None = None
        self.connections = 0  # how often a session was established
        self.last_error = ""
        self.denied: tuple[str, ...] = ()  # topic filters the broker refused

    @property
    def connected(self) -> bool:
        """Whether messages can come and go: connected, and every topic asked for."""
        return self._link is not None and self._link.ready

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        backoff_s = BACKOFF_FIRST_S
        while True:
            established = self.connections
            try:
                await self._connect_once()
            except (OSError, TimeoutError, ConnectionError) as error:
                self._note(f"{type(error).__name__}: {error}")
            if self.connections > established:
                backoff_s = BACKOFF_FIRST_S
            # Jitter spreads the daemons of many cities over the restart of a broker they share.
            await asyncio.sleep(backoff_s * random.uniform(0.5, 1.0))  # noqa: S311
            backoff_s = min(backoff_s * 2, self._reconnect_max_s)

    async def publish(
        self, topic: str, payload: bytes, qos: int = 1, retain: bool = False, timeout_s: float = 10.0
    ) -> bool:
        """True once the broker has acknowledged (QoS 0: once it is written); False if it did not."""
        link = self._link
        if link is None or not link.ready:
            return False
        try:
            async with asyncio.timeout(timeout_s):
                return await link.publish(topic, payload, qos, retain)
        except TimeoutError:
            return False

    async def _connect_once(self) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, link = await loop.create_connection(
                lambda: BrokerLink(self._inbox, self._clock, self._version, self._keepalive_s),
                self._host,
                self._port,
                ssl=self._tls,
            )
        try:
            if not await self._greet(link):
                return
            self._link = link
            self.connections += 1
            self.last_error = ""
            log.info("connected to broker %s:%d as %s", self._host, self._port, self._client_id)
            self._note(await link.until_lost())
        finally:
            self._link = None
            link.close()

    async def _greet(self, link: BrokerLink) -> bool:
        """CONNECT and SUBSCRIBE; whether both were answered well."""
        try:
            answer = await _answered(link, link.connect(self._connect_packet()))
        except (ConnectionError, TimeoutError):
            self._try_other_version()
            raise
        if int(answer.reason_code) == int(mqtt5.ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION):
            self._try_other_version()
        if int(answer.reason_code):
            self._note(f"refused: {answer.reason_code.name.lower().replace('_', ' ')}")
            return False
        codes = await _answered(link, link.subscribe(self._subscriptions))
        self.denied = tuple(
            name for name, code in zip(self._subscriptions, codes, strict=False) if code >= 0x80
        )
        if self.denied:
            log.error("broker %s refuses the topics %s", self._host, ", ".join(self.denied))
        return True

    def _connect_packet(self) -> mqtt5.ConnectPacket:
        return mqtt5.ConnectPacket(
            self._client_id,
            username=self._username,
            password=self._password.encode() if self._password is not None else None,
            clean_start=False,
            session_expiry_interval=self._session_expiry_s,
            keep_alive=self._keepalive_s,
            receive_max=self._receive_max,
        )

    def _try_other_version(self) -> None:
        if self._asked_version is None:
            self._version = Version.V311 if self._version is Version.V5 else Version.V5

    def _note(self, error: str) -> None:
        if error != self.last_error:
            log.warning("broker %s:%d: %s", self._host, self._port, error)
        self.last_error = error


async def _answered(link: BrokerLink, answer: Coroutine[Any, Any, T]) -> T:
    """The broker's answer.  Raises TimeoutError when nothing at all is heard for ``CONNECT_TIMEOUT_S``.

    What the session kept for us comes before the answer to SUBSCRIBE, and after a long absence that is more
    than can be taken in any fixed time; to hang up over it would be to begin all of it anew.
    """
    asking = asyncio.create_task(answer)
    try:
        while not asking.done():
            await asyncio.wait({asking}, timeout=CONNECT_TIMEOUT_S / 10)
            if not asking.done() and link.silent_s > CONNECT_TIMEOUT_S:
                raise TimeoutError(f"nothing heard for {link.silent_s:.0f} s")
        return asking.result()
    finally:
        asking.cancel()
