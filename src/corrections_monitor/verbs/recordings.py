"""``record``, ``replay``, ``backtest``: what was, judged again."""

from __future__ import annotations

import argparse
import asyncio
import getpass

from corrections_monitor.backtest import backtest_report
from corrections_monitor.config import Config
from corrections_monitor.errors import FailedError, WrongCallError
from corrections_monitor.model.times import parse_time
from corrections_monitor.recorder import record_to
from corrections_monitor.replay import RecordingError, first_step_only, line_json, read_recording
from corrections_monitor.replay import replay as replay_lines
from corrections_monitor.verbs.common import guarded, opened, read_cases, say


def record(options: argparse.Namespace, config: Config) -> int:
    if config.mqtt.url is None:
        raise WrongCallError("mqtt.url: no broker is named (CORRECTIONS_MQTT_URL); record listens to one")

    async def work() -> int:
        async with opened(config) as store:
            return await record_to(
                options.file, options.reason, options.seconds, store, config, getpass.getuser(), say
            )

    try:
        count = asyncio.run(guarded(work(), "record"))
    except OSError as fault:
        raise FailedError(f"{fault.filename}: {fault.strerror}") from None
    say(f"{options.file}: {count} messages")
    return 0


def replay(options: argparse.Namespace, config: Config) -> int:
    zone = config.site.timezone
    found = read_cases(options.cases, config)
    rules = first_step_only(config.rules) if options.ladder == "off" else config.rules
    until_ms = None
    if options.until:
        try:
            until_ms = parse_time(options.until, zone, end=True)
        except ValueError as fault:
            raise WrongCallError(f"--until: {fault}") from None
    sizes = {"batch_messages": options.batch} if options.batch else {}
    partial = options.output.with_name(options.output.name + ".partial")
    try:
        with partial.open("wb") as out:
            for line in replay_lines(
                found, read_recording(options.input, zone), zone, config.detection, rules,
                until_ms=until_ms, told=say, **sizes,
            ):  # fmt: skip
                out.write(line_json(line, zone) + b"\n")
        partial.replace(options.output)
    except RecordingError as fault:
        partial.unlink(missing_ok=True)
        raise FailedError(str(fault)) from None
    except OSError as fault:
        raise FailedError(f"{fault.filename or options.output}: {fault.strerror}") from None
    return 0


def backtest(options: argparse.Namespace, config: Config) -> int:
    zone = config.site.timezone
    found = read_cases(options.cases, config)
    try:
        start_ms = parse_time(options.start, zone)
        end_ms = parse_time(options.end, zone, end=True)
    except ValueError as fault:
        raise WrongCallError(f"--from, --to: {fault}") from None
    if end_ms <= start_ms:
        raise WrongCallError("--to: is not after --from")

    async def work() -> str:
        async with opened(config) as store:
            return await backtest_report(store, found, config, start_ms, end_ms, say)

    print(asyncio.run(guarded(work(), "backtest")))
    return 0
