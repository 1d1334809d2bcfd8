"""What stands in a log, and what never does."""

from __future__ import annotations

import io
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from corrections_monitor.config import Log
from corrections_monitor.config_schema import LogFormat, LogLevel
from corrections_monitor.log import REPEATS_MAX, RepeatFilter, set_up

SHANGHAI = ZoneInfo("Asia/Shanghai")
LOGGER = logging.getLogger("corrections_monitor.ingest.broker")


@pytest.fixture(autouse=True)
def root_logger_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def logged_to(form: LogFormat) -> io.StringIO:
    stream = io.StringIO()
    set_up(Log(form, LogLevel.INFO), SHANGHAI, {}, stream)
    return stream


def test_json_is_one_object_a_line_with_the_facts() -> None:
    stream = logged_to(LogFormat.JSON)
    LOGGER.warning("connection %s", "丢失", extra={"device_id": "B-1", "tries": 3})
    line = json.loads(stream.getvalue())
    assert line.pop("at").endswith("+08:00")
    assert line == {
        "level": "warning",
        "logger": "corrections_monitor.ingest.broker",
        "message": "connection 丢失",
        "device_id": "B-1",
        "tries": 3,
    }


def test_people_read_time_level_room_and_facts() -> None:
    stream = logged_to(LogFormat.TEXT)
    LOGGER.info("connected", extra={"broker": "h:1883"})
    time_of_day, rest = stream.getvalue().split(" ", 1)
    assert len(time_of_day) == len("14:03:22.120")
    assert rest == "INFO    ingest.broker: connected broker=h:1883\n"


def test_the_journal_gets_priorities_in_place_of_times() -> None:
    with tempfile.TemporaryFile("w+") as stream:
        status = os.fstat(stream.fileno())
        set_up(Log(), SHANGHAI, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}, stream)
        try:
            raise ValueError("x")
        except ValueError:
            LOGGER.exception("failed")
        stream.seek(0)
        lines = stream.read().splitlines()
    assert lines[0] == "<3>ingest.broker: failed"
    assert len(lines) > 2
    assert all(line.startswith("<3>") for line in lines)


@pytest.mark.parametrize("form", list(LogFormat))
def test_no_position_name_or_password_reaches_a_log(form: LogFormat) -> None:
    stream = logged_to(form)
    LOGGER.info("cannot reach postgresql://me:hunter2@db/x", extra={"lon": 122.07, "person_name": "张三"})
    LOGGER.info("login", extra={"password": "hunter2", "url": "mqtt://d:hunter2@h"})
    try:
        raise OSError("mqtt://d:hunter2@h refused")
    except OSError:
        LOGGER.exception("lost")
    for secret in ("hunter2", "122.07", "张三"):
        assert secret not in stream.getvalue()
    assert "postgresql://me:***@db/x" in stream.getvalue()


def test_a_flood_of_one_message_is_counted_and_others_pass() -> None:
    flood = RepeatFilter()

    def passes(text: str, at_s: float) -> logging.LogRecord | None:
        record = logging.LogRecord("room", logging.WARNING, "", 0, text, (), None)
        record.created = at_s
        return record if flood.filter(record) else None

    shown = [passes("refused %s", 100.0 + i / 100) for i in range(500)]
    assert sum(record is not None for record in shown) == REPEATS_MAX
    assert passes("another", 101.0) is not None
    later = passes("refused %s", 161.0)
    assert later is not None
    assert vars(later)["suppressed"] == 500 - REPEATS_MAX


def test_a_message_is_bounded() -> None:
    stream = logged_to(LogFormat.TEXT)
    LOGGER.info("x" * 1_000_000)
    assert len(stream.getvalue()) < 10_000
