"""``migrate``, ``status``, ``audit``: the database by hand."""

from __future__ import annotations

import argparse
import asyncio
import sys

from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Config
from corrections_monitor.errors import FailedError, first_line
from corrections_monitor.status import status_screen
from corrections_monitor.store.schema import NEWEST
from corrections_monitor.verbs.common import guarded, opened, owner_url, say
from corrections_monitor.watch.anchors import read_anchors


def migrate(_: argparse.Namespace, config: Config) -> int:
    from corrections_monitor.store.migrate import migrate as migrate_database  # slow to load, and only ours

    url = owner_url(config)
    try:
        schema = migrate_database(url)
    except Exception as fault:
        raise FailedError(f"migrate: {first_line(fault)}") from None
    if schema > NEWEST:
        say(f"the database has schema {schema} of a later version; this one wants {NEWEST} and works on it")
    else:
        say(f"the database is up to date (schema {schema})")
    return 0


def status(_: argparse.Namespace, config: Config) -> int:
    async def work() -> tuple[str, bool]:
        async with opened(config) as store:
            return await status_screen(store, config, SystemClock().wall_ms())

    screen, is_fine = asyncio.run(guarded(work(), "status"))
    print(screen)
    return 0 if is_fine else 1


def audit(_: argparse.Namespace, config: Config) -> int:
    async def work() -> int:
        async with opened(config) as store:
            report = await store.audit.verify(read_anchors(config.state_dir))
        for fault in report.faults:
            print(f"audit: row {fault.seq}: {fault.what}", file=sys.stderr)
        print(f"{report.rows} rows, {len(report.faults)} faults, head {report.head}")
        return 1 if report.faults else 0

    return asyncio.run(guarded(work(), "audit verify"))
