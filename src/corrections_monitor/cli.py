"""``corrections-monitor``: the verbs.  0 fine, 1 the work failed, 2 the call or the configuration is wrong;
errors are one line each on standard error."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from corrections_monitor import __version__
from corrections_monitor.config import Config, ConfigFaults, load
from corrections_monitor.errors import FailedError, WrongCallError
from corrections_monitor.log import set_up
from corrections_monitor.model.episodes import Kind

CHECK = "folders:check"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit status."""
    options = _parser().parse_args(argv)
    try:
        config = _config(options)
        set_up(config.log, config.site.timezone, os.environ)
        module, _, function = options.verb.partition(":")
        verb = getattr(importlib.import_module(f"corrections_monitor.verbs.{module}"), function)
        return int(verb(options, config))
    except WrongCallError as wrong:
        _complain(wrong.lines)
        return 2
    except FailedError as failed:
        _complain(failed.lines)
        return 1
    except BaseExceptionGroup as group:  # out of a task group
        known, rest = group.split(FailedError)
        if rest is not None or known is None:
            raise
        _complain([line for failed in _leaves(known) for line in str(failed).splitlines()])
        return 1
    except BrokenPipeError:
        # The reader went away (``| head``); nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _complain(lines: Sequence[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)


def _config(options: argparse.Namespace) -> Config:
    try:
        return load(options.config, os.environ)
    except ConfigFaults as faults:
        lines = [str(f) for f in faults.faults]
        if options.verb == CHECK:
            folders = importlib.import_module("corrections_monitor.verbs.folders")
            lines += folders.case_faults(options, Config().site.timezone)
        raise WrongCallError(*lines) from None


class _Parser(argparse.ArgumentParser):
    """A wrong call is one line; ``--help`` has the rest."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="corrections-monitor", description="社区矫正监测 · community-corrections monitoring"
    )
    parser.add_argument("--version", action="version", version=__version__)
    _add_config(parser, default=None)
    subparsers = parser.add_subparsers(metavar="VERB", required=True)

    def verb(name: str, action: str, text: str) -> argparse.ArgumentParser:
        sub = subparsers.add_parser(name, help=text, description=text)
        _add_config(sub, default=argparse.SUPPRESS)
        sub.set_defaults(verb=action)
        return sub

    verb("run", "processes:run", "ingest, detection, rules, paging")
    verb("serve", "processes:serve", "API and console")
    demo = verb("demo", "processes:demo", "everything, with an embedded database and a simulated city")
    demo.add_argument("--for", dest="seconds", type=_seconds, metavar="60s", help="stop after so long")
    demo.add_argument("--port", type=_port, metavar="N", help="of the API (default: 8080, or a free one)")
    demo.add_argument("--people", type=int, default=600, metavar="N")
    check = verb("check", CHECK, "look over configuration, case folder and clock")
    check.add_argument("folder", nargs="?", type=Path, metavar="DIR")
    check.add_argument("--cases", dest="cases", type=Path, metavar="DIR")
    verb("migrate", "database:migrate", "bring the database's schema up to date")
    taking = verb("import", "folders:import_", "load a case folder: adds and changes")
    taking.add_argument("folder", type=Path, metavar="DIR")
    taking.add_argument("--dry-run", action="store_true", help="show what would change, change nothing")
    giving = verb("export", "folders:export", "write a case folder that imports to the same")
    giving.add_argument("folder", type=Path, metavar="DIR")
    record = verb("record", "recordings:record", "write what the broker brings as a recording")
    record.add_argument("file", type=Path, metavar="FILE")
    record.add_argument("--reason", required=True, metavar="TEXT", help="why; it is audited")
    record.add_argument("--for", dest="seconds", type=_seconds, metavar="60s", help="stop after so long")
    replay = verb("replay", "recordings:replay", "run engine and rules over a recording on a virtual clock")
    replay.add_argument("--cases", type=Path, required=True, metavar="DIR")
    replay.add_argument("--input", type=Path, required=True, metavar="REC")
    replay.add_argument("--output", type=Path, required=True, metavar="EPISODES")
    replay.add_argument("--until", metavar="TIME")
    replay.add_argument("--ladder", choices=("on", "off"), default="on", help="off: only first pages")
    replay.add_argument("--batch", type=int, default=None, metavar="N", help=argparse.SUPPRESS)
    backtest = verb(
        "backtest", "recordings:backtest", "the rules as edited over stored history, beside what was paged"
    )
    backtest.add_argument("--cases", type=Path, required=True, metavar="DIR")
    backtest.add_argument("--from", dest="start", required=True, metavar="TIME")
    backtest.add_argument("--to", dest="end", required=True, metavar="TIME")
    ack = verb("ack", "alerts:ack", "acknowledge an alert as an officer")
    ack.add_argument("alert_id", metavar="ALERT_ID")
    ack.add_argument("--officer", required=True, metavar="ID")
    ack.add_argument("--note", metavar="TEXT")
    _add_drill(subparsers)
    _add_roster(verb("roster", "roster:roster", "what came from the management system, and what waits"))
    audit = verb("audit", "database:audit", "the audit log")
    audit.add_argument("what", choices=("verify",))
    verb("status", "database:status", "one screen: what is monitored, silent, waiting; is it blind")
    _add_credentials(verb("credentials", "credentials:credentials", "passwords and tokens"))
    return parser


def _add_drill(subparsers: argparse._SubParsersAction[_Parser]) -> None:
    drill = subparsers.add_parser("drill", help="practise the chain of alert, page and answer")
    verbs = drill.add_subparsers(metavar="order|report", required=True)
    order = verbs.add_parser("order", help="one alert, marked as a drill, for each officer")
    order.set_defaults(verb="drills:order")
    order.add_argument("officers", nargs="+", metavar="OFFICER_ID")
    order.add_argument("--reason", required=True, metavar="TEXT", help="what the page says it is about")
    order.add_argument("--kind", choices=[str(kind) for kind in Kind], default=str(Kind.ZONE_EXIT))
    order.add_argument("--severity", choices=("critical", "major"), default="critical")
    order.add_argument(
        "--for", dest="seconds", type=_seconds, default=3_600.0, metavar="1h", help="then it ends"
    )
    report = verbs.add_parser("report", help="seconds to page, acknowledgement and resolution, by officer")
    report.set_defaults(verb="drills:report")
    report.add_argument("drill_id", metavar="DRILL_ID")
    for sub in (order, report):
        _add_config(sub, default=argparse.SUPPRESS)


def _add_roster(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("show", "confirm", "refuse"))
    parser.add_argument("id", nargs="?", type=int, metavar="ID", help="default: what came last")
    parser.add_argument("--reason", metavar="TEXT", help="why it is confirmed or refused; it is audited")


def _add_credentials(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "The first admin is an officer of officers.csv with role admin: import, then `credentials issue "
        "officer ID`. A forgotten password: `credentials rotate officer ID`; a lost second factor: "
        "`credentials revoke factor ID`."
    )
    parser.add_argument("action", choices=("issue", "rotate", "revoke"))
    parser.add_argument("kind", choices=("device", "officer", "service", "factor"))
    parser.add_argument("id", nargs="?", metavar="ID")
    parser.add_argument(
        "--scopes", metavar="read,locate,audit", help="of a service (default: all); none: MQTT only"
    )
    parser.add_argument("--office", metavar="ID", help="of a service: this office and below (default: all)")
    parser.add_argument("--all-devices", type=Path, metavar="FILE.csv", help="every bound device without one")
    parser.add_argument(
        "--of", type=Path, metavar="LIST.csv", help="in bulk: only those in its column device_id"
    )
    parser.add_argument(
        "--slips", type=Path, metavar="FILE.pdf", help="in bulk: slips to hand out, with QR codes"
    )
    parser.add_argument("--address", metavar="mqtts://HOST:PORT", help="of slips: where devices connect to")


def _add_config(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument("--config", type=Path, default=default, metavar="FILE", help="TOML")


def _port(text: str) -> int:
    if text.isdecimal() and 0 < int(text) < 65_536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port between 1 and 65535")


def _seconds(text: str) -> float:
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    with contextlib.suppress(ValueError):
        if text[-1:] in units:
            return float(text[:-1]) * units[text[-1]]
        return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 60s")


if __name__ == "__main__":
    sys.exit(main())
