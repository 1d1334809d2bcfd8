"""The store: one pool of connections under one role, and what can be done with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Literal

import msgspec
import numpy as np
from psycopg import AsyncConnection, conninfo
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool

from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.telemetry import I32
from corrections_monitor.store import cases, journal, quarantine, schema, telemetry
from corrections_monitor.store.audit import AuditLog
from corrections_monitor.store.commands import Commands
from corrections_monitor.store.credentials import Credentials
from corrections_monitor.store.leader import Leadership, in_charge, lead, named
from corrections_monitor.store.listening import listen
from corrections_monitor.store.maintenance import Maintenance
from corrections_monitor.store.outbox import Outbox
from corrections_monitor.store.queries import query
from corrections_monitor.store.tx import Tx

Role = Literal["engine", "api", "owner"]
Connection = AsyncConnection[tuple[Any, ...]]

set_json_loads(msgspec.json.decode)  # a nation's zones are a gigabyte of it

asking_officer: ContextVar[str] = ContextVar("asking_officer", default="")
"""Who asks in this request, as the database is told; nobody: the service itself."""

opened_file: ContextVar[str] = ContextVar("opened_file", default="")
"""The person whose guarded file this request has given a reason for (``api_minors.open_file``)."""

EVERYTHING: Sequence[str] = ("*",)
"""The jurisdiction of the service itself, for work that is nobody's reading."""


class Store:
    """Open with ``await Store.open(url, role)``, end with ``await store.close()``.

    ``engine`` writes telemetry and decisions; ``api`` sees what row-level security shows for the offices
    named; ``owner`` is whoever the URL says, for maintenance by hand.  All methods may raise
    ``psycopg.Error``; a transaction that raised has changed nothing.
    """

    def __init__(self, pool: AsyncConnectionPool[Connection], conninfo: str) -> None:
        self._pool = pool
        self._conninfo = conninfo
        self._device_no: dict[str, int] = {}
        self.audit = AuditLog(pool)
        self.credentials = Credentials(pool)
        self.outbox = Outbox(pool)
        self.commands = Commands(pool)
        self.maintenance = Maintenance(pool)

    @classmethod
    async def open(
        cls,
        url: str,
        role: Role,
        *,
        term: int | None = None,
        min_size: int = 1,
        max_size: int = 8,
        timeout_s: float = 30.0,
    ) -> Store:
        """Connect, and become the role unless the URL's user is meant (``owner``).

        With ``term`` (of ``lead``) no connection is had once that term is over.  Raises
        psycopg_pool.PoolTimeout when the database cannot be reached within ``timeout_s``, and
        SchemaBehindError when it has to be migrated first.
        """
        info = _with_role(url, role)
        if term is not None:
            info = named(info, term)
        pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            info,
            min_size=min_size,
            max_size=max_size,
            open=False,
            name=f"store-{role}",
            configure=None if term is None else in_charge(term),
        )
        try:
            await pool.open(wait=True, timeout=timeout_s)
            async with pool.connection() as connection:
                await schema.check(connection)
        except BaseException:
            await pool.close()
            raise
        return cls(pool, info)

    @staticmethod
    def lead(url: str, waiting: Callable[[], None] = lambda: None) -> Leadership:
        """``async with Store.lead(url) as lead``: waits until no other daemon leads, telling ``waiting`` once
        if one does.  Stores opened with ``lead.term`` write as long as that lasts, and no longer."""
        return lead(_with_role(url, "engine"), waiting)

    async def close(self) -> None:
        """Give all connections back."""
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """One transaction: everything done with the Tx is committed together at the end, or nothing."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(query("access.see"), ["*", "", ""])
            yield Tx(connection)

    @asynccontextmanager
    async def seeing(self, offices: Collection[str]) -> AsyncIterator[Connection]:
        """A transaction in which the API's role sees these offices with all below them, nothing else.

        ``EVERYTHING`` is for the service's own work.  The bare connection is for ``store`` modules only.
        """
        async with self._pool.connection() as connection, connection.transaction():
            everything = "*" in offices
            seen = "*" if everything else array_literal(offices)
            await connection.execute(query("access.see"), [seen, asking_officer.get(), opened_file.get()])
            yield connection

    async def load_cases(
        self, as_of_ms: int | None = None, known: tuple[CaseSet, int] | None = None
    ) -> tuple[CaseSet, int]:
        """The cases in force (or as recorded at ``as_of_ms``) and the version they stand at.

        ``known``: earlier ones and their version; then only what differs is read.
        """
        async with self.seeing(EVERYTHING) as connection:
            return await cases.load(connection, as_of_ms, known)

    async def cases_version(self) -> int:
        """The version that the cases in force stand at; 0 before the first import."""
        async with self.seeing(EVERYTHING) as connection:
            return await cases.version(connection)

    async def load_cases_of(self, version: int, known: tuple[CaseSet, int] | None = None) -> CaseSet:
        """The cases as they stood at a version, 0 for none; ``known`` as for ``load_cases``.

        Raises KeyError when there is no such version.
        """
        async with self.seeing(EVERYTHING) as connection:
            return await cases.load_version(connection, version, known)

    async def save_cases(
        self,
        new: CaseSet,
        actor: str,
        recorded_ms: int,
        *,
        withdrawn: Mapping[str, Collection[Any]] | None = None,
        base_version: int | None = None,
    ) -> dict[str, int]:
        """Record the rows of ``new`` that differ from those in force; rows absent from it stay.

        ``withdrawn`` names keys (as CaseSet keys them) by table that end without a successor.  With
        ``base_version`` the save is refused by cases.CasesMoved when others have saved since.  Returns
        the number of changed rows by table; audited, told on the channel 'cases'.
        """
        async with self.seeing(EVERYTHING) as connection:
            return await cases.save(connection, new, actor, recorded_ms, withdrawn or {}, base_version)

    async def device_numbers(self, device_ids: Sequence[str]) -> I32:
        """The stored numbers of devices, allotted at first sight; int32[n] in the order asked."""
        missing = {d for d in device_ids if d not in self._device_no}
        if missing:
            async with self._pool.connection() as connection:
                self._device_no |= await telemetry.allot_numbers(connection, missing)
        return np.fromiter((self._device_no[d] for d in device_ids), np.int32, len(device_ids))

    async def load_snapshot(self) -> tuple[int, bytes] | None:
        """The newest snapshot: (batch_no, body)."""
        async with self._pool.connection() as connection:
            return await journal.load_snapshot(connection)

    async def journal_since(self, batch_no: int) -> AsyncIterator[tuple[int, bytes]]:
        """The journal rows after a batch, in order: (batch_no, body)."""
        async with self._pool.connection() as connection, connection.transaction():
            async for row in journal.rows_since(connection, batch_no):
                yield row

    def listen(self, *channels: str) -> AsyncIterator[tuple[str, str]]:
        """What is told on 'cases', 'alerts', 'answers', 'pages', 'commands': (channel, payload), for ever.

        On a connection of its own, made anew when it breaks; every connect is told as (channel, ""),
        which means: look at everything, something may have been missed.
        """
        return listen(self._conninfo, channels)

    async def wall_ms(self) -> int:
        """The database's clock."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(query("journal.wall_ms"))).fetchone()
            assert row is not None
            return int(row[0])

    async def rejects_ahead(self, since_ms: int, after: int, limit: int) -> list[tuple[int, int, str, bytes]]:
        """Of the quarantine what was ahead of our clock and came since: (reject_id, arrival_ms, topic,
        payload), in order, after a reject_id."""
        async with self._pool.connection() as connection:
            return await quarantine.ahead(connection, since_ms, after, limit)

    async def drop_rejects(self, reject_ids: Sequence[int]) -> None:
        """Take rows out of the quarantine."""
        async with self._pool.connection() as connection:
            await quarantine.drop(connection, reject_ids)

    async def put_state(self, key: str, value: Any, at_ms: int) -> None:
        """Leave a word (JSON) for the other processes."""
        async with self._pool.connection() as connection:
            await journal.put_state(connection, key, value, at_ms)

    async def get_state(self, key: str) -> tuple[Any, int] | None:
        """The word last left under the key, and when (epoch ms)."""
        async with self._pool.connection() as connection:
            return await journal.get_state(connection, key)


def array_literal(items: Collection[str]) -> str:
    """A PostgreSQL text[] literal, quoted whatever the items hold."""
    quoted = ('"' + i.replace("\\", "\\\\").replace('"', '\\"') + '"' for i in items)
    return "{" + ",".join(quoted) + "}"


def _with_role(url: str, role: Role) -> str:
    """The connection string that takes on the role at connect and names itself in pg_stat_activity."""
    given = conninfo.conninfo_to_dict(url)
    options = str(given.get("options") or "")
    if role != "owner":
        options = f"{options} -c role=corrections_{role}".strip()
    if role == "api":
        # Under the names of guarded tables it finds what it may read of them.
        options += " -c search_path=api,public"
        # A statement has many filters and each asker uses a few: one plan for all would fit none.
        options += " -c plan_cache_mode=force_custom_plan"
    return conninfo.make_conninfo(
        url, **({"options": options} if options else {}), application_name=f"corrections-{role}"
    )
