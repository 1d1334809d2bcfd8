"""``python -m simulators``: write a city, drive its fleet, make scenarios, load the daemon, score it.

Each verb is a module with ``register(subparsers)``, which adds its parser and sets ``run``: a function
of the parsed arguments that returns the exit status (0 fine, 1 the work failed, 2 the call is wrong).
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Sequence

VERBS = ("city", "fleet", "scenario", "load", "score")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; errors are one line each on standard error."""
    parser = argparse.ArgumentParser(prog="python -m simulators", description="simulated corrections city")
    subparsers = parser.add_subparsers(metavar="VERB", required=True)
    for verb in VERBS:
        if importlib.util.find_spec(f"simulators.{verb}"):
            importlib.import_module(f"simulators.{verb}").register(subparsers)
    called = parser.parse_args(arguments)
    try:
        status: int = called.run(called)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"{error.filename or 'simulators'}: {error.strerror or error}", file=sys.stderr)
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
