"""``run``, ``serve``, ``demo``: what stays until it is stopped."""

from __future__ import annotations

import argparse
import asyncio

from corrections_monitor.config import Config
from corrections_monitor.errors import FailedError, WrongCallError
from corrections_monitor.verbs.common import say


def run(options: argparse.Namespace, config: Config) -> int:
    from corrections_monitor.app import run_daemon

    asyncio.run(run_daemon(config, options.config, say))
    return 0


def serve(_: argparse.Namespace, config: Config) -> int:
    from corrections_monitor.app import run_api

    asyncio.run(run_api(config, lambda port: say(f"listening on {config.http.listen.host}:{port}")))
    return 0


def demo(options: argparse.Namespace, config: Config) -> int:
    from corrections_monitor.demo import run_demo
    from corrections_monitor.store.embedded import EmbeddedError

    if config.database.url is not None:
        raise WrongCallError("demo: brings its own database; unset CORRECTIONS_DATABASE_URL")
    try:
        return asyncio.run(run_demo(options.seconds, options.port, options.people, config))
    except EmbeddedError as fault:
        raise FailedError(f"demo: {fault}") from None
