"""Who may connect to the daemon's own endpoint: devices, officers, services, by what the store holds.

Who there is, and the secrets of devices and services, which are random and kept as SHA-256, are held in
memory: neither a reconnect storm nor a storm of guesses costs a query.  A name or secret that is not known is
looked up anew, at most once a second for everybody.  Only an officer's password costs a query and Argon2id,
one at a time.  Whose secret has changed is hung up on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from corrections_monitor.clock import Clock
from corrections_monitor.ingest.principal import Principal, PrincipalKind
from corrections_monitor.store import Store
from corrections_monitor.store.credentials import secret_matches
from corrections_monitor.store.holders import officers

log = logging.getLogger(__name__)

REFRESH_S = 1.0
KNOWN_S = 60.0
"""How long a revoked secret may still be good, when nobody told us that it is."""


class Doors:
    """``authenticate`` is what ``ingest.endpoint.DeviceEndpoint`` asks."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._hashes: dict[PrincipalKind, dict[str, str]] = {}
        self._officers: dict[str, str] = {}
        self._read_s = -KNOWN_S
        self._reading = asyncio.Lock()
        self._checking = asyncio.Lock()
        self.changed = asyncio.Event()
        self.on_revoked: Callable[[Principal], None] | None = None

    async def run(self) -> None:
        """Look again whenever ``changed`` is set: credentials were issued or revoked."""
        while True:
            await self.changed.wait()
            self.changed.clear()
            try:
                await self._refresh(0.0)
            except Exception as fault:
                log.warning("credentials have changed and cannot be read: %s", type(fault).__name__)
                self.changed.set()
            await asyncio.sleep(REFRESH_S)

    async def authenticate(self, username: str, password: str) -> Principal | None:
        """Who this is; None for a wrong name or secret.  Raises what the database raises."""
        await self._refresh(KNOWN_S)  # also whoever comes while it is being read waits for it
        found = self._by_secret(username, password)
        if found is None and username not in self._officers:
            await self._refresh(REFRESH_S)
            found = self._by_secret(username, password)
        if found is not None or username not in self._officers:
            return found
        officer_id = self._officers[username]
        async with self._checking:
            known = await self._store.credentials.check("officer", officer_id, password)
        return Principal(PrincipalKind.OFFICER, officer_id) if known else None

    def _by_secret(self, username: str, password: str) -> Principal | None:
        """A device or a service; the device where there are both."""
        for kind in (PrincipalKind.DEVICE, PrincipalKind.SERVICE):
            hashes = self._hashes.get(kind, {})
            if username in hashes:
                return Principal(kind, username) if secret_matches(hashes[username], password) else None
        return None

    async def _refresh(self, older_than_s: float) -> None:
        async with self._reading:
            if self._clock.monotonic_s() - self._read_s < older_than_s:
                return
            before = self._hashes
            self._hashes = {kind: await self._store.credentials.hashes(kind.value) for kind in PrincipalKind}
            self._officers = await officers(self._store)
            self._read_s = self._clock.monotonic_s()
        for kind, known in before.items():
            for name in [name for name, was in known.items() if self._hashes[kind].get(name) != was]:
                if self.on_revoked is not None:
                    self.on_revoked(Principal(kind, name))
