"""Reading a request's query: times, lists of names, limits, cursors; an unknown parameter is a fault."""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Query, Request

from corrections_monitor.api.problems import FieldFault, Problem, invalid
from corrections_monitor.model.times import Interval, parse_interval, parse_time, to_ms

# Epoch milliseconds can name years that no calendar has.
_EARLIEST_MS = to_ms(datetime(1900, 1, 1, tzinfo=UTC))
_LATEST_MS = to_ms(datetime(9998, 12, 31, tzinfo=UTC))

LIMIT_DEFAULT = 100
LIMIT_MAX = 500

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="items per page")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next` of the page before")]
Time = Annotated[
    str | None, Query(max_length=40, description="ISO 8601 (civil in the configured zone) or epoch ms")
]
Names = Annotated[
    str | None, Query(max_length=2_000, description="one value, or several with commas between")
]
Text = Annotated[
    str | None, Query(max_length=100, pattern=r"^[^\x00]*$", description="part of a reason, a note or a name")
]
Id = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]


async def known_parameters(request: Request) -> None:
    """Refuse query parameters the route does not have: a misspelt filter must not show everything."""
    path = request.scope["route"].path_format
    operation = request.app.openapi()["paths"].get(path, {}).get(request.method.lower(), {})
    known = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"}
    given = Counter(name for name, _ in request.query_params.multi_items())
    faults = [FieldFault(name, "不认识的参数（unknown parameter）") for name in given if name not in known]
    faults += [FieldFault(name, "参数重复（given more than once）") for name, n in given.items() if n > 1]
    if faults:
        raise Problem("invalid", "; ".join(f"{f.field}: {f.message}" for f in faults), faults=faults)


def read_interval(start: str | None, end: str | None, zone: ZoneInfo) -> Interval:
    """``from`` and ``to`` of a query; absent is open.  Raises the 422 naming the field."""
    for field, value in (("from", start), ("to", end)):
        if value:
            read_time(field, value, zone)
    try:
        return parse_interval(start or "", end or "", zone)
    except ValueError as fault:
        raise invalid("to", str(fault)) from None


def read_time(field: str, value: str | int, zone: ZoneInfo, *, end: bool = False) -> int:
    """A time of a request as epoch ms.  Raises the 422 naming the field."""
    try:
        t_ms = parse_time(value, zone, end=end)
    except ValueError as fault:
        raise invalid(field, str(fault)) from None
    if not _EARLIEST_MS <= t_ms <= _LATEST_MS:
        raise invalid(field, "超出可用的日期范围（outside the years 1900 to 9998）")
    return t_ms


def read_names(field: str, value: str | None, allowed: Iterable[str]) -> tuple[str, ...]:
    """``a,b`` as names out of ``allowed``; absent is the empty tuple, which filters nothing."""
    if value is None:
        return ()
    names = tuple(part.strip() for part in value.split(","))
    choices = tuple(allowed)
    wrong = [name for name in names if name not in choices]
    if wrong:
        raise invalid(field, f"{wrong[0]!r}: 应为下列之一（expected one of） {', '.join(choices)}")
    return names


def write_cursor(*place: int | str) -> str:
    """The place after an item — what the list is sorted by, its id last — opaque to the asker."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def read_cursor(text: str | None) -> tuple[int, str] | None:
    """The place a cursor names: (sort_ms, item_id).  Raises the 422 for one we did not write."""
    place = read_place(text, int, str)
    return None if place is None else (int(place[0]), str(place[1]))


def read_place(text: str | None, *kinds: type[int] | type[str]) -> tuple[int | str, ...] | None:
    """The place a cursor names, of these kinds of value.  Raises the 422 for one we did not write."""
    if text is None:
        return None
    try:
        place = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        place = None
    if (
        isinstance(place, list)
        and [type(part) for part in place] == list(kinds)
        and all(is_storable(p) if isinstance(p, str) else abs(p) < 2**62 for p in place)
    ):
        return tuple(place)
    raise invalid("cursor", "不是上一页给出的 next（not a cursor of ours）")


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold the text: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)
