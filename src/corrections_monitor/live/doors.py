"""Who may connect to the daemon's own endpoint: devices, officers, services, by what the store holds.

Device secrets are random and kept as SHA-256, so they are held in memory and a reconnect storm costs no
query; a name or secret that is not known is looked up anew, at most once a second for everybody.
"""

from __future__ import annotations

import asyncio

from corrections_monitor.clock import Clock
from corrections_monitor.ingest.principal import Principal, PrincipalKind
from corrections_monitor.store import Store
from corrections_monitor.store.api_access import find_login
from corrections_monitor.store.credentials import secret_matches
from corrections_monitor.store.holders import officer_username

REFRESH_S = 1.0
KNOWN_S = 60.0
"""How long a revoked secret may still open a new connection."""


class Doors:
    """``authenticate`` is what ``ingest.endpoint.DeviceEndpoint`` asks."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._hashes: dict[str, str] = {}
        self._read_s = -KNOWN_S
        self._reading = asyncio.Lock()

    async def authenticate(self, username: str, password: str) -> Principal | None:
        """Who this is; None for a wrong name or secret.  Raises what the database raises."""
        await self._refresh(KNOWN_S)  # also whoever comes while it is being read waits for it
        if not self._is_device(username, password):
            await self._refresh(REFRESH_S)
        if self._is_device(username, password):
            return Principal(PrincipalKind.DEVICE, username)
        if username in self._hashes:
            return None
        officer_id = await self._officer(username)
        if officer_id is not None:  # Argon2id is dear: only names that are an officer's are given it
            known = await self._store.credentials.check("officer", officer_id, password)
            return Principal(PrincipalKind.OFFICER, officer_id) if known else None
        if await self._store.credentials.check("service", username, password):
            return Principal(PrincipalKind.SERVICE, username)
        return None

    async def _officer(self, username: str) -> str | None:
        """An officer connects under the user name of the console, or under the officer_id."""
        login = await find_login(self._store, username)
        if login is not None:
            return login.officer_id
        return username if await officer_username(self._store, username) is not None else None

    def _is_device(self, username: str, password: str) -> bool:
        stored = self._hashes.get(username)
        return stored is not None and secret_matches(stored, password)

    async def _refresh(self, older_than_s: float) -> None:
        async with self._reading:
            if self._clock.monotonic_s() - self._read_s < older_than_s:
                return
            self._hashes = await self._store.credentials.hashes("device")
            self._read_s = self._clock.monotonic_s()
