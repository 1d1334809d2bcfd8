"""The daemon's own MQTT listener: here a device's PUBACK means that what it said is stored.

MQTT 3.1.1 and 5, QoS 0 and 1.  Who connects gives user name and password; a device may speak only for
itself.  What it says on another's topic is acknowledged (5: with 0x87, not authorized; 3.1.1 has no such
word) and quarantined under ``identity``: hanging up would only make it come back and say it again.

No session is kept between connections: a client sends again what was not acknowledged, and ``publish``
tells its caller at once when nobody is there to hear.  A second connection under a client id in use takes
it over if the login is the same, and is refused if not.

Bounds: connections, connections per login, packet size, time to CONNECT, keep-alive, subscriptions,
unacknowledged messages per connection (``receive_max``), and what a connection may have unacknowledged while
the inbox is full (``FAIR_SHARE_BYTES``).  So what is held is at most the inbox and every connection's fair
share, and a client that keeps within ``receive_max`` is read on, and its pings answered, however slow the
database is.  Only a connection beyond its share is not read until it is acknowledged.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import defaultdict
from collections.abc import Awaitable, Callable

import mqtt5

from corrections_monitor.clock import Clock
from corrections_monitor.ingest.client_link import ClientLink
from corrections_monitor.ingest.inbox import Inbox
from corrections_monitor.ingest.principal import Principal, addressee

log = logging.getLogger(__name__)

Authenticate = Callable[[str, str], Awaitable[Principal | None]]
"""User name and password to who that is; None if they are wrong.  It may raise: then the client is told
that the server is unavailable, and tries again."""

SWEEP_S = 1.0
BACKLOG = 1_024
CONNECTIONS_PER_LOGIN_MAX = 4


class DeviceEndpoint:
    """Listens on ``listen`` (``host:port``, ``[v6]:port``; port 0 takes a free one) between ``start`` and
    ``close``.  ``tls``: speak TLS.  Raises ValueError for an address that is none, OSError if it is taken.
    """

    def __init__(
        self,
        listen: str,
        authenticate: Authenticate,
        inbox: Inbox,
        clock: Clock,
        *,
        tls: ssl.SSLContext | None = None,
        connections_max: int = 20_000,
        receive_max: int = 64,
        packet_bytes_max: int = 262_144,
        connect_timeout_s: float = 10.0,
    ) -> None:
        host, _, port = listen.rpartition(":")
        if not port.isdigit():
            raise ValueError(f"{listen!r} is not host:port")
        self._host = host.strip("[]") or None
        self._port = int(port)
        self._tls = tls
        self._connections_max = connections_max
        self._connect_timeout_s = connect_timeout_s
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._links: set[ClientLink] = set()
        self._by_client_id: dict[str, ClientLink] = {}
        self._by_principal: defaultdict[Principal, list[ClientLink]] = defaultdict(list)
        self.authenticate = authenticate
        self.inbox = inbox
        self.clock = clock
        self.receive_max = receive_max
        self.packet_bytes_max = packet_bytes_max

    @property
    def port(self) -> int:
        """The port listened on; raises RuntimeError before ``start``."""
        if self._server is None:
            raise RuntimeError("the endpoint has not been started")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def connection_count(self) -> int:
        """How many have connected and are known by name."""
        return len(self._by_client_id)

    async def start(self) -> None:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: ClientLink(self), self._host, self._port, ssl=self._tls, backlog=BACKLOG
        )
        self._sweep()

    async def close(self) -> None:
        """Stop listening and hang up.  No last will is spoken: it is we who leave."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._server is not None:
            self._server.close()
        for link in tuple(self._links):
            link.hang_up(mqtt5.DisconnectReasonCode.SERVER_SHUTTING_DOWN, speak_will=False)
        await asyncio.sleep(0)

    async def run(self) -> None:
        """``start``, and ``close`` when cancelled."""
        await self.start()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await self.close()

    async def publish(self, topic: str, payload: bytes, timeout_s: float = 10.0) -> bool:
        """To the officer or device that the topic is for: True once one of its connections acknowledged.

        False if none is connected and subscribed, or none answered in time; the caller tries again.
        """
        principal = addressee(topic)
        links = self._by_principal.get(principal, []) if principal is not None else []
        waiting = [answer for link in links if (answer := link.send(topic, payload)) is not None]
        if not waiting:
            return False
        try:
            for answer in asyncio.as_completed(waiting, timeout=timeout_s):
                if await answer:
                    return True
        except TimeoutError:
            pass
        return False

    def drop(self, principal: Principal) -> None:
        """Hang up on a login whose secret was revoked or replaced."""
        for link in tuple(self._by_principal.get(principal, ())):
            link.hang_up(mqtt5.DisconnectReasonCode.NOT_AUTHORIZED)

    # What connections tell.

    def opened(self, link: ClientLink) -> bool:
        """A socket was accepted; False if there are too many."""
        if len(self._links) >= self._connections_max:
            return False
        self._links.add(link)
        return True

    def admit(self, link: ClientLink, client_id: str, principal: Principal) -> bool:
        """Register a login under its client id; False if that id is another's."""
        before = self._by_client_id.get(client_id)
        if before is not None:
            if before.principal != principal:
                return False
            before.hang_up(mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER)
        same_login = self._by_principal[principal]
        if len(same_login) >= CONNECTIONS_PER_LOGIN_MAX:
            same_login[0].hang_up(mqtt5.DisconnectReasonCode.QUOTA_EXCEEDED)
        self._by_client_id[client_id] = link
        self._by_principal[principal].append(link)
        return True

    def closed(self, link: ClientLink) -> None:
        """A connection ended, for whatever reason; may be told twice."""
        self._links.discard(link)
        if self._by_client_id.get(link.client_id) is link:
            del self._by_client_id[link.client_id]
        if link.principal is not None and link in self._by_principal.get(link.principal, ()):
            self._by_principal[link.principal].remove(link)
            if not self._by_principal[link.principal]:
                del self._by_principal[link.principal]

    def _sweep(self) -> None:
        """One timer for all connections: time to CONNECT, and one and a half keep-alives of silence."""
        now_s = self.clock.monotonic_s()
        for link in tuple(self._links):
            link.check(now_s, self._connect_timeout_s)
        self._sweeper = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)
