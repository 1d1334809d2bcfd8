"""One daemon writes; a second waits, and takes over from one that is gone or stands still.

A session-level advisory lock says who is in charge.  Its session speaks every ``BEAT_EVERY_S``, from a
thread of its own, so that a long calculation is not taken for a standstill (a loop that hangs, the watchdog
ends).  Whoever waits and finds the session silent for ``STILL_AFTER_LOOKS`` looks in a row ends the session,
and with it the lock.  Looks are counted, not seconds: who waits may have stood still itself.

Fencing: each lead has a term, a number that only grows, and every session that writes for it carries the term
in its name.  Who takes over draws the next term first, then ends all sessions of terms before and waits until
they are gone; a session opened later under an old term finds that it is over (``in_charge``) and is closed
before it is used.  So one that was frozen and wakes has no way to write, whatever it was about to do.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, NamedTuple

import psycopg
from psycopg import AsyncConnection, Connection, conninfo

from corrections_monitor.store.journal import NotLeadingError
from corrections_monitor.store.queries import query

BEAT_EVERY_S = 1.0
LOOK_EVERY_S = 1.0
STILL_AFTER_LOOKS = 6
LEAVE_S = 2.0  # how long an end waits for the thread; a database that hangs is left to itself
_BOUNDS = {"connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
_NAME = "corrections-engine term "


class Lead(NamedTuple):
    """Held while the block runs.  ``lost`` is set when the session, and so the lock, is gone."""

    term: int
    lost: asyncio.Event


Leadership = AbstractAsyncContextManager[Lead]


@asynccontextmanager
async def lead(url: str, waiting: Callable[[], None] = lambda: None) -> AsyncIterator[Lead]:
    """Wait until no other daemon leads, then lead.  ``waiting`` is called once if another does.

    Raises psycopg.OperationalError when the database is not there.
    """
    loop = asyncio.get_running_loop()
    holder = _Holder(url, loop, waiting)
    holder.start()
    try:
        yield Lead(await asyncio.shield(holder.taken), holder.lost)
    finally:
        holder.leave.set()
        await asyncio.to_thread(holder.join, LEAVE_S)


def named(url: str, term: int) -> str:
    """The connection string of a session that writes for the term."""
    return conninfo.make_conninfo(url, application_name=f"{_NAME}{term}")


def in_charge(term: int) -> Callable[[AsyncConnection[Any]], Awaitable[None]]:
    """What a new session of the term asks before anything else.  Raises NotLeadingError."""

    async def check(connection: AsyncConnection[Any]) -> None:
        async with connection.transaction():
            row = await (await connection.execute(query("leader.term"))).fetchone()
        if row != (term,):
            raise NotLeadingError(f"term {term} is over: another daemon is in charge")

    return check


class _Holder(threading.Thread):
    """Waits for the lock, then holds it until ``leave`` is set or the session breaks."""

    def __init__(self, url: str, loop: asyncio.AbstractEventLoop, waiting: Callable[[], None]) -> None:
        super().__init__(name="lead", daemon=True)
        self._url = url
        self._loop = loop
        self._waiting = waiting
        self.taken: asyncio.Future[int] = loop.create_future()
        self.lost = asyncio.Event()
        self.leave = threading.Event()

    def run(self) -> None:
        try:
            with psycopg.connect(conninfo.make_conninfo(self._url, **_BOUNDS), autocommit=True) as connection:
                if self._take(connection):
                    self._tell(_settle, self.taken, _next_term(connection))
                while not self.leave.wait(BEAT_EVERY_S):
                    connection.execute(query("leader.alive"))
        except psycopg.Error as fault:
            self._tell(_settle, self.taken, fault)
        self._tell(self.lost.set)

    def _take(self, connection: Connection[Any]) -> bool:
        """Whether the lock was had before we were told to leave."""
        before, looks, told = list[tuple[Any, ...]](), 0, False
        while not self.leave.is_set():
            if _one(connection, "leader.take"):
                return True
            if not told:
                self._tell(self._waiting)
                told = True
            seen = _as_login(connection, "leader.holder")
            looks = looks + 1 if seen == before else 0
            before = seen
            if looks >= STILL_AFTER_LOOKS:
                _end(connection, "leader.end_holder", [pid for pid, _ in seen])
                looks = 0
            self.leave.wait(LOOK_EVERY_S)
        return False

    def _tell(self, what: Callable[..., object], *given: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(what, *given)


def _next_term(connection: Connection[Any]) -> int:
    term = int(_one(connection, "leader.next_term"))
    _end(connection, "leader.end_earlier", f"{_NAME}%", f"{_NAME}{term}")
    return term


def _end(connection: Connection[Any], which: str, *given: object) -> None:
    if not all(ended for (ended,) in _as_login(connection, which, *given)):
        raise psycopg.OperationalError("a session of the daemon before does not end")


def _as_login(connection: Connection[Any], name: str, *given: object) -> list[tuple[Any, ...]]:
    """As the login, which opened the other daemon's sessions too: the role taken on may not look at them."""
    with connection.transaction():
        connection.execute(query("leader.as_login"))
        return connection.execute(query(name), given).fetchall()


def _one(connection: Connection[Any], name: str) -> Any:
    row = connection.execute(query(name)).fetchone()
    assert row is not None
    return row[0]


def _settle(future: asyncio.Future[int], given: int | psycopg.Error) -> None:
    if future.done():
        return
    if isinstance(given, int):
        future.set_result(given)
    else:
        future.set_exception(given)
        future.exception()  # whoever waited may have gone
