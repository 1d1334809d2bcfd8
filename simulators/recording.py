"""Recordings: NDJSON, one message a line, in order of arrival; ``.gz`` accepted.  CONTRACT §4."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal, Protocol, TextIO
from zoneinfo import ZoneInfo

from corrections_monitor.model.times import format_time


class Arrival(Protocol):
    """What a line needs of a message."""

    @property
    def arrival_ms(self) -> int: ...

    @property
    def topic(self) -> str: ...

    @property
    def payload(self) -> str: ...


@contextmanager
def open_text(path: Path, mode: Literal["r", "w"]) -> Iterator[TextIO]:
    """Open for reading or writing as UTF-8, gzip by the name's end.

    Written archives carry no time of writing, so that the same content is the same bytes.
    """
    with ExitStack() as opened:
        if path.suffix != ".gz":
            yield opened.enter_context(path.open(mode, encoding="utf-8", newline="\n"))
            return
        raw = opened.enter_context(path.open(mode + "b"))
        packed = opened.enter_context(
            gzip.GzipFile(filename="", mode=mode + "b", fileobj=raw, compresslevel=5, mtime=0)
        )
        yield opened.enter_context(io.TextIOWrapper(packed, encoding="utf-8", newline="\n"))


def lines(rows: Iterable[Arrival], zone: ZoneInfo) -> Iterator[str]:
    """The recording's lines for rows in order of arrival."""
    second, text = -1, ""
    for row in rows:
        whole, rest = divmod(row.arrival_ms, 1_000)
        if whole != second:
            second, text = whole, format_time(whole * 1_000, zone) or ""
        # ISO 8601 with milliseconds: the second's text is reused, only its fraction changes.
        yield f'{{"at":"{text[:20]}{rest:03d}{text[23:]}","topic":"{row.topic}","payload":{row.payload}}}\n'
