"""What verbs share: the database opened by hand, faults as one line, cases read and counted."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from corrections_monitor import cases as case_folder
from corrections_monitor.config import Config
from corrections_monitor.errors import FailedError, WrongCallError, first_line
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.store import Store
from corrections_monitor.store.api_rows import Away, DatabaseFault
from corrections_monitor.store.schema import SchemaBehindError

T = TypeVar("T")


def read_cases(folder: Path, config: Config, base: CaseSet | None = None) -> CaseSet:
    """The case folder, over what is recorded (``base``).  Raises FailedError with every fault."""
    try:
        return case_folder.read(folder, config.site.timezone, base)
    except case_folder.CaseFaults as wrong:
        raise FailedError(*map(str, wrong.faults)) from None


def counted(found: CaseSet) -> str:
    """How much there is of each."""
    return (
        f"{len(found.people)} people, {len(found.devices)} devices, {len(found.orders)} orders, "
        f"{len(found.zones)} zones, {len(found.offices)} offices, {len(found.officers)} officers"
    )


def owner_url(config: Config) -> str:
    """Where the database is, for work by hand.  Raises WrongCallError when none is named."""
    if config.database.url is None:
        raise WrongCallError("database.url: no database is named (CORRECTIONS_DATABASE_URL)")
    return config.database.url


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[Store]:
    """The store as the database's owner, for work by hand."""
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # the operator is told once, by us
    try:
        store = await Store.open(owner_url(config), "owner", max_size=2, timeout_s=8)
    except Away as fault:
        raise FailedError(f"database.url: the database cannot be reached: {first_line(fault)}") from None
    except SchemaBehindError as fault:
        raise FailedError(str(fault)) from None
    try:
        yield store
    finally:
        await store.close()


async def guarded(work: Awaitable[T], what: str) -> T:
    """Await; a fault of the database becomes one line."""
    try:
        return await work
    except DatabaseFault as fault:
        raise FailedError(f"{what}: {first_line(fault)}") from None


def say(line: str) -> None:
    """One line of progress, on standard error."""
    print(line, file=sys.stderr, flush=True)
