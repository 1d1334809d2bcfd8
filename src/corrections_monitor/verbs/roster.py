"""``roster``: what came from the management system (名册交换), shown, confirmed or refused by hand."""

from __future__ import annotations

import argparse
import asyncio
import getpass
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Config
from corrections_monitor.errors import FailedError, WrongCallError
from corrections_monitor.model.times import format_time
from corrections_monitor.store.api_rows import Row
from corrections_monitor.store.exchanges import decide, list_exchanges, one_exchange
from corrections_monitor.store.pool import EVERYTHING
from corrections_monitor.verbs.common import guarded, opened, say

_SIGNS = {"new": "+", "changed": "~", "gone": "-"}


def roster(options: argparse.Namespace, config: Config) -> int:
    """``show`` prints what came and what it would change; ``confirm`` lets the daemon apply what waits."""
    if options.action != "show" and not (options.reason or "").strip():
        raise WrongCallError(f"roster {options.action}: --reason is missing; it goes into the audit log")
    row = asyncio.run(guarded(_work(options, config), "roster"))
    if row is None:
        raise FailedError(
            "roster: nothing has come yet" if options.id is None else f"roster: no {options.id}"
        )
    if options.action != "show":
        done = "confirmed; `run` applies it" if options.action == "confirm" else "refused"
        say(f"{row['exchange_id']}: {done}")
        return 0
    came_at = format_time(row["came_ms"], config.site.timezone)
    print(f"{row['exchange_id']}  {came_at}  {row['state']}  {row['source']}")
    for line in (*row["faults"], *lines_of(row["difference"], row["holes"])):
        print(line)
    return 0


async def _work(options: argparse.Namespace, config: Config) -> Row | None:
    async with opened(config) as store:
        if options.id is None:
            row = next(iter(await list_exchanges(store, EVERYTHING, None, 1)), None)
        else:
            row = await one_exchange(store, EVERYTHING, options.id)
        if row is None or options.action == "show":
            return row
        done = await decide(
            store,
            EVERYTHING,
            row["exchange_id"],
            confirm=options.action == "confirm",
            actor=f"cli:{getpass.getuser()}",
            reason=options.reason.strip(),
            now_ms=SystemClock().wall_ms(),
        )
        if not done:
            raise FailedError(
                f"roster {options.action}: {row['exchange_id']} does not wait, it is {row['state']}"
            )
        return row


def lines_of(difference: Mapping[str, Any], holes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A difference and its holes, a line for each row; holes first."""
    for hole in holes:
        numbers = f" {hole['before']} -> {hole['after']}" if hole["before"] or hole["after"] else ""
        until = f" to {hole['to']}" if hole["to"] else ""
        yield f"! {hole['kind']}: {hole['subject']} {hole['name']}: from {hole['from']}{until}{numbers}"
    for table, parts in difference.items():
        for part, sign in _SIGNS.items():
            yield from (f"{sign} {table} {_row(row)}" for row in parts[part]["rows"])
            more = parts[part]["count"] - len(parts[part]["rows"])
            if more:
                yield f"{sign} {table}: and {more} more"
    if not difference:
        yield "no difference"


def _row(row: Mapping[str, Any]) -> str:
    columns = "; ".join(f"{name}: {was!r} -> {now!r}" for name, (was, now) in row.get("columns", {}).items())
    return " ".join(filter(None, (row["key"], row["name"], columns)))
