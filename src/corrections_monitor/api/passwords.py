"""Checking people's passwords: Argon2id in threads of its own, a few at a time.

One check takes 64 MiB and tens of milliseconds of CPU by design (RFC 9106, second recommended option), so
the number at once and the number waiting are bounded: a flood of logins cannot starve the alerts.
"""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2
WAITING_MAX = 32


@cache
def _hash_of_nobody() -> str:
    """Checked in place of the hash of a user who does not exist; nobody knows a password that fits it."""
    return PasswordHasher().hash(secrets.token_bytes(32))


class Crowded(Exception):
    """Too many logins are waiting already."""


class PasswordDesk:
    """Verifies passwords against Argon2id hashes; an unknown user costs the same time as a known one."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobody = _hash_of_nobody()

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """Whether the password is the one hashed; ``password_hash`` None is a user we do not know.

        Raises Crowded.
        """
        if self._waiting >= WAITING_MAX:
            raise Crowded
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            fits = await loop.run_in_executor(
                self._threads, self._verify, password_hash or self._nobody, password
            )
        finally:
            self._waiting -= 1
        return fits and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
