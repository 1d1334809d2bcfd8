"""``drill``: order a drill (演练) of chosen officers, and read what became of it."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json

from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Config
from corrections_monitor.errors import FailedError
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.store.api_drills import Matter, drill_report, order_drill
from corrections_monitor.store.api_rows import Row
from corrections_monitor.store.pool import EVERYTHING
from corrections_monitor.verbs.common import guarded, opened


def order(options: argparse.Namespace, config: Config) -> int:
    """One alert for each officer, marked as a drill, through the whole chain; prints the drill's id."""
    matter = Matter(
        Kind(options.kind), Severity[options.severity.upper()], round(options.seconds * 1_000), options.reason
    )

    async def work() -> str:
        async with opened(config) as store:
            cases, _ = await store.load_cases()
            _refuse_strangers(options.officers, cases)
            officers = [cases.officers[name] for name in dict.fromkeys(options.officers)]
            by, now_ms = f"cli:{getpass.getuser()}", SystemClock().wall_ms()
            return await order_drill(store, EVERYTHING, officers, matter, by, now_ms)

    print(asyncio.run(guarded(work(), "drill order")))
    return 0


def report(options: argparse.Namespace, config: Config) -> int:
    """One JSON line an officer: seconds from order to page, acknowledgement, resolution; null: not yet."""

    async def work() -> list[Row]:
        async with opened(config) as store:
            return await drill_report(store, EVERYTHING, options.drill_id)

    found = asyncio.run(guarded(work(), "drill report"))
    if not found:
        raise FailedError(f"drill report: no drill {options.drill_id}")
    for row in found:
        print(json.dumps(_told(row), ensure_ascii=False))
    return 0


def _refuse_strangers(officers: list[str], cases: CaseSet) -> None:
    strangers = [o for o in dict.fromkeys(officers) if o not in cases.officers]
    if strangers:
        raise FailedError(*(f"drill order: no officer {stranger}" for stranger in strangers))


def _told(row: Row) -> Row:
    return {
        "officer_id": row["officer_id"],
        "officer": row["officer_name"],
        "alert_id": row["alert_id"],
        "state": row["state"],
        "pages": row["pages"],
        "paged_after_s": row["paged_after_s"],
        "acknowledged_after_s": row["acknowledged_after_s"],
        "resolved_after_s": row["resolved_after_s"],
    }
