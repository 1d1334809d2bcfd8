"""Logs for people or as JSON, on standard error, fit for the journal.

What a log may hold: ids of devices, alerts, episodes and offices, counts, reasons.  What it never holds:
a name, a position, a credential.  Facts are passed as ``extra=`` and written as ``key=value``; the keys
that would break this rule are withheld here whatever the caller does, and passwords within URLs are
masked.  A message repeated too often within a minute is counted instead of written, so that a broken
peer cannot fill the disk.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from corrections_monitor.config import Log
from corrections_monitor.config_schema import LogFormat
from corrections_monitor.config_values import masked
from corrections_monitor.model.times import format_time

PERSONAL = frozenset(
    {
        "person_name", "officer_name", "username", "phone", "address",
        "lon", "lat", "lng", "position", "positions", "fix", "fixes", "track", "payload",
        "password", "token", "secret", "credentials", "otp",
    }
)  # fmt: skip
"""Keys of ``extra=`` whose values are withheld."""

REPEATS_MAX = 20  # of one message of one logger within REPEATS_WINDOW_S
REPEATS_WINDOW_S = 60.0
_TEXT_CHARS_MAX = 8_192
_TEMPLATES_MAX = 1_000
_STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {
    "message",
    "asctime",
    "taskName",
}
# The journal reads a leading <n> as the syslog priority of a line.
_PRIORITY = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


def set_up(log: Log, zone: ZoneInfo, environ: Mapping[str, str], stream: TextIO | None = None) -> None:
    """Send all logging of the process to ``stream`` (standard error) in the configured form."""
    target = stream if stream is not None else sys.stderr
    handler = logging.StreamHandler(target)
    if log.format is LogFormat.JSON:
        handler.setFormatter(JsonFormatter(zone))
    else:
        handler.setFormatter(PeopleFormatter(zone, in_journal=_is_journal(target, environ)))
    handler.addFilter(RepeatFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(log.level.upper())
    # These tell every request or step at INFO, and with it addresses and tokens in URLs.
    for chatty in ("httpx", "httpcore", "apprise", "uvicorn", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, logger, message, the facts, and a traceback if there is one."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self._zone = zone

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": format_time(int(record.created * 1_000), self._zone),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _text_of(record),
            **_facts(record),
        }
        if record.exc_info:
            line["traceback"] = _clean(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class PeopleFormatter(logging.Formatter):
    """``14:03:22.120 WARNING ingest.broker: connection lost  host=…``; in the journal, which stamps lines
    itself, the priority in place of time and level."""

    def __init__(self, zone: ZoneInfo, *, in_journal: bool) -> None:
        super().__init__()
        self._zone = zone
        self._in_journal = in_journal

    def format(self, record: logging.LogRecord) -> str:
        if self._in_journal:
            head = f"<{_PRIORITY.get(record.levelno, 6)}>"
        else:
            civil = format_time(int(record.created * 1_000), self._zone) or ""
            head = f"{civil[11:23]} {record.levelname:<7} "
        facts = "".join(f" {key}={value}" for key, value in _facts(record).items())
        line = f"{head}{record.name.removeprefix('corrections_monitor.')}: {_text_of(record)}{facts}"
        if record.exc_info:
            line += "\n" + _clean(self.formatException(record.exc_info))
        # Every line of a traceback needs its own priority, or the journal takes it for "info".
        return line.replace("\n", "\n" + head) if self._in_journal else line


class RepeatFilter(logging.Filter):
    """Lets a message template through ``REPEATS_MAX`` times a minute; then counts, and tells the count."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}  # → window start, times

    def filter(self, record: logging.LogRecord) -> bool:
        key = (record.name, record.levelno, str(record.msg)[:200])
        start, times = self._seen.get(key, (record.created, 0))
        if record.created - start >= REPEATS_WINDOW_S:
            if times > REPEATS_MAX:
                record.suppressed = times - REPEATS_MAX
            start, times = record.created, 0
        if len(self._seen) >= _TEMPLATES_MAX and key not in self._seen:
            self._seen.clear()
        self._seen[key] = (start, times + 1)
        return times < REPEATS_MAX


def _is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether the stream goes straight to the journal (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM", "") == f"{status.st_dev}:{status.st_ino}"


def _text_of(record: logging.LogRecord) -> str:
    return _clean(record.getMessage())


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    return {
        key: "(withheld)" if key in PERSONAL else _clean(value) if isinstance(value, str) else value
        for key, value in vars(record).items()
        if key not in _STANDARD
    }


def _clean(text: str) -> str:
    """Without passwords in URLs, and of bounded length."""
    # Cut with room to spare before masking, so that a cut never parts a password from its mark.
    text = masked(text[: 2 * _TEXT_CHARS_MAX])
    return text if len(text) <= _TEXT_CHARS_MAX else text[:_TEXT_CHARS_MAX] + "…"
