"""``credentials``: passwords and tokens, one by one or for a whole delivery of devices."""

from __future__ import annotations

import argparse
import asyncio
import csv
import getpass
import json
import os
import re
from datetime import datetime
from pathlib import Path

from corrections_monitor import credentials as doors
from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Config
from corrections_monitor.errors import FailedError, WrongCallError
from corrections_monitor.store import Store
from corrections_monitor.verbs.common import guarded, opened


def credentials(options: argparse.Namespace, config: Config) -> int:
    _check(options)
    scopes = sorted(doors.SCOPES) if options.scopes is None else _scopes(options.scopes)
    actor, now_ms = f"cli:{getpass.getuser()}", SystemClock().wall_ms()

    async def work() -> dict[str, object]:
        async with opened(config) as store:
            if options.all_devices is not None:
                return await _in_bulk(store, options, config, actor, now_ms)
            if options.kind == "factor":
                return {**await doors.reset_factor(store, options.id, actor=actor, now_ms=now_ms)}
            if options.scopes is not None or options.office is not None:
                given = await doors.issue_service(
                    store, options.id, actor=actor, now_ms=now_ms, scopes=scopes, office_id=options.office
                )
                return {**given}
            action = {"issue": doors.issue, "rotate": doors.rotate, "revoke": doors.revoke}[options.action]
            return {**await action(store, options.kind, options.id, actor=actor, now_ms=now_ms)}

    try:
        print(json.dumps(asyncio.run(guarded(work(), "credentials")), ensure_ascii=False))
    except doors.NoSuchHolderError as fault:
        raise FailedError(*str(fault).splitlines()) from None
    except FileExistsError as fault:
        raise FailedError(
            f"{fault.filename}: exists already; it may hold passwords kept nowhere else"
        ) from None
    except OSError as fault:
        raise FailedError(f"{fault.filename}: {fault.strerror}") from None
    return 0


def _check(options: argparse.Namespace) -> None:
    if options.all_devices is not None and (options.kind != "device" or options.action == "revoke"):
        raise WrongCallError("--all-devices: goes with `issue device` or `rotate device`")
    if (options.id is None) == (options.all_devices is None):
        raise WrongCallError("credentials: give either an ID or --all-devices FILE.csv")
    if options.kind == "factor" and options.action != "revoke":
        raise WrongCallError("credentials: a factor is enrolled by its officer; here it can be revoked")
    narrowed = options.scopes is not None or options.office is not None
    if narrowed and (options.kind != "service" or options.action != "issue"):
        raise WrongCallError("--scopes, --office: go with `issue service`")
    if (options.of or options.slips) and options.all_devices is None:
        raise WrongCallError("--of, --slips: go with --all-devices FILE.csv")
    if (options.slips is None) != (options.address is None):
        raise WrongCallError("--slips, --address: go together")
    if options.address is not None and not re.fullmatch(r"mqtts?://[^/?#@\s]+:\d{1,5}", options.address):
        raise WrongCallError("--address: expected mqtts://host:port, where devices connect to")


def _scopes(text: str) -> list[str]:
    """``read,locate`` or ``none``, for a service that only speaks MQTT."""
    given = [] if text == "none" else [part.strip() for part in text.split(",")]
    if unknown := sorted(set(given) - doors.SCOPES):
        expected = ", ".join(sorted(doors.SCOPES))
        raise WrongCallError(f"--scopes: {unknown[0]!r}: expected none, or some of {expected}")
    return given


async def _in_bulk(
    store: Store, options: argparse.Namespace, config: Config, actor: str, now_ms: int
) -> dict[str, object]:
    """Passwords into the file, and slips of the same."""
    only = None if options.of is None else _listed(options.of)
    slips = None if options.slips is None else _new_file(options.slips)
    renew = options.action == "rotate"
    try:
        count = await doors.issue_all_devices(
            store, options.all_devices, actor=actor, now_ms=now_ms, renew=renew, only=only
        )
    except BaseException:
        if slips is not None:
            os.close(slips)
            options.slips.unlink()
        raise
    done: dict[str, object] = {"file": str(options.all_devices), "devices": count}
    if slips is not None:
        from corrections_monitor.slips import slips_of, slips_pdf  # slow to load

        with options.all_devices.open(encoding="utf-8", newline="") as text:
            issued = [(row["username"], row["password"]) for row in csv.DictReader(text)]
        made = slips_of(issued, (await store.load_cases())[0], now_ms)
        with os.fdopen(slips, "wb") as out:
            out.write(
                slips_pdf(
                    made,
                    options.address,
                    str(datetime.fromtimestamp(now_ms / 1_000, config.site.timezone).date()),
                )
            )
        done["slips"] = str(options.slips)
    return done


def _new_file(file: Path) -> int:
    """Made before anything is issued, for its owner alone.  Raises OSError."""
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _listed(file: Path) -> list[str]:
    """The column ``device_id`` of a CSV.  Raises OSError, FailedError."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text)
            if "device_id" not in (reader.fieldnames or ()):
                raise FailedError(f"{file}:1: no column device_id")
            return list(dict.fromkeys(row["device_id"].strip() for row in reader if row["device_id"]))
    except UnicodeDecodeError:
        raise FailedError(f"{file}: not UTF-8") from None
