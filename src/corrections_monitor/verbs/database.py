"""``migrate``, ``status``, ``audit``, ``credentials``: the database by hand."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import sys

from corrections_monitor import credentials as doors
from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Config
from corrections_monitor.errors import FailedError, WrongCallError, first_line
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


def credentials(options: argparse.Namespace, config: Config) -> int:
    actor = f"cli:{getpass.getuser()}"
    now_ms = SystemClock().wall_ms()
    if options.all_devices is not None and (options.kind != "device" or options.action == "revoke"):
        raise WrongCallError("--all-devices: goes with `issue device` or `rotate device`")
    if (options.id is None) == (options.all_devices is None):
        raise WrongCallError("credentials: give either an ID or --all-devices FILE.csv")
    if options.kind == "factor" and options.action != "revoke":
        raise WrongCallError("credentials: a factor is enrolled by its officer; here it can be revoked")
    narrowed = options.scopes is not None or options.office is not None
    if narrowed and (options.kind != "service" or options.action != "issue"):
        raise WrongCallError("--scopes, --office: go with `issue service`")
    scopes = sorted(doors.SCOPES) if options.scopes is None else _scopes(options.scopes)

    async def work() -> str:
        async with opened(config) as store:
            if options.all_devices is not None:
                renew = options.action == "rotate"
                count = await doors.issue_all_devices(
                    store, options.all_devices, actor=actor, now_ms=now_ms, renew=renew
                )
                return json.dumps({"file": str(options.all_devices), "devices": count}, ensure_ascii=False)
            if options.kind == "factor":
                return json.dumps(await doors.reset_factor(store, options.id, actor=actor, now_ms=now_ms))
            if narrowed:
                given = await doors.issue_service(
                    store, options.id, actor=actor, now_ms=now_ms, scopes=scopes, office_id=options.office
                )
                return json.dumps(given)
            action = {"issue": doors.issue, "rotate": doors.rotate, "revoke": doors.revoke}[options.action]
            made = await action(store, options.kind, options.id, actor=actor, now_ms=now_ms)
            return json.dumps(made, ensure_ascii=False)

    try:
        print(asyncio.run(guarded(work(), "credentials")))
    except doors.NoSuchHolderError as fault:
        raise FailedError(str(fault)) from None
    except FileExistsError:
        raise FailedError(
            f"{options.all_devices}: exists already; it may hold passwords kept nowhere else"
        ) from None
    except OSError as fault:
        raise FailedError(f"{fault.filename}: {fault.strerror}") from None
    return 0


def _scopes(text: str) -> list[str]:
    """``read,locate`` or ``none``, for a service that only speaks MQTT."""
    given = [] if text == "none" else [part.strip() for part in text.split(",")]
    if unknown := sorted(set(given) - doors.SCOPES):
        expected = ", ".join(sorted(doors.SCOPES))
        raise WrongCallError(f"--scopes: {unknown[0]!r}: expected none, or some of {expected}")
    return given
