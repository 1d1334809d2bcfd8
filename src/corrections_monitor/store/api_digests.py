"""Daily digests (每日简报): what they are made of, and reading them."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from msgspec.structs import replace

from corrections_monitor.model.alerts import AlertState
from corrections_monitor.model.times import DAY_MS
from corrections_monitor.rules.digest import Digest, Named
from corrections_monitor.rules.digesting import Standing, Unresolved
from corrections_monitor.rules.text import initials
from corrections_monitor.store.api_rows import Row, RowConnection, one, rows
from corrections_monitor.store.pool import EVERYTHING, Store


async def standing(store: Store, now_ms: int) -> Standing:
    """What stands in the whole city now."""
    async with store.seeing(EVERYTHING) as connection:
        return Standing(
            unresolved=[
                Unresolved(row["office_id"], AlertState(row["state"]), row["opened_ms"], row["owner_id"])
                for row in await rows(connection, "digests.unresolved")
            ],
            minor=[
                (row["office_id"], row["kind"], row["alerts"])
                for row in await rows(connection, "digests.minor", since_ms=now_ms - DAY_MS)
            ],
            expiring=[
                (row["office_id"], Named(row["person_id"], row["name"], row["to_ms"]))
                for row in await rows(connection, "digests.expiring")
            ],
            unmonitored=[
                (row["office_id"], Named(row["person_id"], row["name"]))
                for row in await rows(connection, "digests.unmonitored")
            ],
            silent=[(row["office_id"], row["people"]) for row in await rows(connection, "digests.silent")],
        )


async def digest_of(store: Store, digest_id: str) -> Digest:
    """The digest as it was made, minors by initials.  Raises LookupError when there is none."""
    async with store.seeing(EVERYTHING) as connection:
        row = await one(connection, "digests.one", digest_id=digest_id)
        if row is None:
            raise LookupError(f"no digest {digest_id}")
        [digest] = await _told(connection, [row])
    return digest


async def newest_digests(store: Store, offices: Collection[str], office_id: str, limit: int) -> list[Digest]:
    """The newest digests of an office, newest first, as who sees these offices may see them: minors by
    initials."""
    async with store.seeing(offices) as connection:
        found = await rows(connection, "digests.newest", office_id=office_id, limit=limit)
        return await _told(connection, found)


async def _told(connection: RowConnection, found: list[Row]) -> list[Digest]:
    """A digest keeps the names of its day; whoever's file has been guarded since is named by initials."""
    guarded = {row["person_id"] for row in await rows(connection, "api_minors.ids")}

    def named(people: list[Named]) -> list[Named]:
        return [replace(p, name=initials(p.name)) if p.person_id in guarded else p for p in people]

    digests = [msgspec.convert(row["body"], Digest) for row in found]
    return [replace(d, expiring=named(d.expiring), unmonitored=named(d.unmonitored)) for d in digests]
