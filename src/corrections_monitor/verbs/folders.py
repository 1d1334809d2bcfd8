"""``check``, ``import``, ``export``: case folders."""

from __future__ import annotations

import argparse
import asyncio
import getpass
from zoneinfo import ZoneInfo

from corrections_monitor import cases as case_folder
from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Config
from corrections_monitor.config_values import is_open_to_plaintext
from corrections_monitor.errors import FailedError
from corrections_monitor.exchange.holes import holes, with_initials
from corrections_monitor.exchange.plan import in_words, plan
from corrections_monitor.exchange.roster import shown
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.store.api_minors import guarded_ids
from corrections_monitor.verbs.common import counted, guarded, opened, read_cases, say
from corrections_monitor.verbs.roster import lines_of

EARLIEST_PLAUSIBLE_MS = 1_767_225_600_000  # 2026-01-01: a clock before this was never set
CLOCKS_APART_MS = 60_000


def check(options: argparse.Namespace, config: Config) -> int:
    """Configuration faults have stopped us before this; here come cases, clock and database."""
    faults = case_faults(options, config.site.timezone)
    now_ms = SystemClock().wall_ms()
    if now_ms < EARLIEST_PLAUSIBLE_MS:
        faults.append(f"clock: {now_ms} ms since 1970 is before this program was written; set the clock")
    faults += _plaintext_faults(config)
    if config.database.url is not None:
        faults += asyncio.run(_database_faults(config))
    if faults:
        raise FailedError(*faults)
    say("configuration, cases and clock are sound")
    return 0


def case_faults(options: argparse.Namespace, zone: ZoneInfo) -> list[str]:
    """Every fault of the case folder that ``check`` was given, if it was given one."""
    folder = options.cases or options.folder
    if folder is None:
        return []
    try:
        say(f"{folder}: {counted(case_folder.read(folder, zone))}")
    except case_folder.CaseFaults as wrong:
        return [str(f) for f in wrong.faults]
    return []


def _plaintext_faults(config: Config) -> list[str]:
    urls = {name: getattr(config.database, name) for name in ("url", "engine_url", "api_url")}
    return [
        f"database.{name}: expected sslmode in a URL to another machine (verify-full; see TLS in "
        "docs/operations.md): without it plaintext would be taken"
        for name, url in urls.items()
        if url is not None and is_open_to_plaintext(url)
    ]


async def _database_faults(config: Config) -> list[str]:
    try:
        async with opened(config) as store:
            apart_ms = abs(await store.wall_ms() - SystemClock().wall_ms())
    except FailedError as fault:
        return list(fault.lines)
    if apart_ms > CLOCKS_APART_MS:
        return [f"clock: {apart_ms / 1_000:.0f} s away from the database's"]
    return []


def import_(options: argparse.Namespace, config: Config) -> int:
    if options.dry_run:
        return _dry_run(options, config)

    async def work() -> dict[str, int]:
        async with opened(config) as store:
            base, version = await store.load_cases()
            found = read_cases(options.folder, config, base)
            say(f"{options.folder}: {counted(found)}; comparing with what is recorded")
            actor = f"cli:{getpass.getuser()}"
            return await store.save_cases(found, actor, SystemClock().wall_ms(), base_version=version)

    changed = asyncio.run(guarded(work(), "import"))
    say("changed: " + (", ".join(f"{n} {name}" for name, n in changed.items()) or "nothing"))
    return 0


def _dry_run(options: argparse.Namespace, config: Config) -> int:
    """What an import would change, and whom it would leave unmonitored; nothing is written."""

    async def work() -> tuple[CaseSet, CaseSet, frozenset[str]]:
        async with opened(config) as store:
            base, _ = await store.load_cases()
            return base, read_cases(options.folder, config, base), await guarded_ids(store)

    base, found, guarded_people = asyncio.run(guarded(work(), "import"))
    now_ms = SystemClock().wall_ms()
    would = plan(base, found, {}, whole=False, now_ms=now_ms)
    torn = with_initials(holes(would, now_ms, config.roster.fewer_max), guarded_people)
    for line in lines_of(in_words(would, config.site.timezone, guarded_people), shown(torn, config)):
        print(line)
    return 0


def export(options: argparse.Namespace, config: Config) -> int:
    async def work() -> CaseSet:
        async with opened(config) as store:
            return (await store.load_cases())[0]

    found = asyncio.run(guarded(work(), "export"))
    try:
        options.folder.mkdir(parents=True, exist_ok=True)
        case_folder.write(found, options.folder, config.site.timezone)
    except OSError as fault:
        raise FailedError(f"{fault.filename}: {fault.strerror}") from None
    say(f"{options.folder}: {counted(found)}")
    return 0
