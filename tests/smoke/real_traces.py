"""Real phones' traces as a case folder and messages, and an account of what must become of each.

Nothing here is the daemon's: rows are read from the data files, the account is kept by the sender.  All
times of a data set are moved by one constant, so that its last row was written just now.  Rows come in the
order in which they were written; what one phone wrote within a second is one message, as a phone that was
offline uploads.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from corrections_monitor.model.cases import (
    CaseSet,
    Category,
    Circle,
    Device,
    DeviceKind,
    Level,
    Office,
    Officer,
    Order,
    Person,
    Role,
    Zone,
    ZoneKind,
)
from corrections_monitor.model.times import DAY_MS, Interval
from simulators import encode
from simulators.ledger import Key, Message

TRAJECTORIES = Path(__file__).parents[3] / "shared" / "data" / "trajectories"
FILES = {"odc": "odc2017_dev.ndjson.gz", "mobilitynet": "mobilitynet_dev.ndjson.gz"}
needs_traces = pytest.mark.skipif(
    not TRAJECTORIES.is_dir(), reason=f"real traces are not here ({TRAJECTORIES})"
)
FIXES_PER_MESSAGE_MAX = 50
SRC = "gnss"
ORDER_DAYS = 85  # at most three months (社区矫正法 第二十九条), so that a chain of them is needed


class Row(NamedTuple):
    """One fix of one phone; degrees, metres, seconds as in the file."""

    phone: str
    t_s: float
    written_s: float
    lon: float
    lat: float
    acc_m: float


def rows_of(source: str) -> list[Row]:
    """The fixes of a data set in the order in which they were written, of all phones."""
    found: list[tuple[float, Row]] = []
    written: dict[str, float] = {}  # a phone's rows stay in its own order, whatever its clock did
    with gzip.open(TRAJECTORIES / FILES[source], "rt", encoding="utf-8") as lines:
        for line in lines:
            r: dict[str, Any] = json.loads(line)
            if r["k"] == "loc":
                phone = r["u"] if source == "odc" else r["ph"].removeprefix("ucb-sdb-")
                written[phone] = max(r["wt"], written.get(phone, 0.0))
                found.append((written[phone], Row(phone, r["t"], r["wt"], r["lon"], r["lat"], r["acc"])))
    found.sort(key=lambda pair: pair[0])
    return [row for _, row in found]


@dataclass
class Account:
    """What was sent, and what must come of it."""

    messages: list[Message] = field(default_factory=list)
    stored: dict[Key, str] = field(default_factory=dict)  # key → what the fix said
    refused: Counter[str] = field(default_factory=Counter)
    contradicting: Counter[str] = field(default_factory=Counter)  # how often each such fix was said
    repeated: int = 0
    late: int = 0  # taken before one that came earlier

    def send(self, topic: str, payload: str) -> None:
        self.messages.append(Message(0, topic, payload))

    def unusable(self, reason: str, topic: str, payload: str) -> None:
        """A message that must be in quarantine under this reason."""
        self.send(topic, payload)
        self.refused[reason] += 1


def account_of(rows: list[Row], now_ms: int) -> Account:
    """The rows as messages up to now, and what must come of each."""
    account = Account()
    by_s = now_ms / 1_000 - max(r.written_s for r in rows)
    newest: dict[str, float] = {}
    for phone, uploaded in _uploads(rows):
        texts = []
        for row in uploaded:
            t_ms = round((row.t_s + by_s) * 1_000)
            text = encode.fix(t_ms, row.lon, row.lat, row.acc_m, src=SRC)
            key = Key(phone, t_ms, SRC)
            account.late += row.t_s < newest.get(phone, 0.0)
            newest[phone] = max(row.t_s, newest.get(phone, 0.0))
            texts.append(text)
            if key not in account.stored:
                account.stored[key] = text
            elif account.stored[key] == text:
                account.repeated += 1
            else:
                account.contradicting[text] += 1
        account.send(encode.fix_topic("county", phone), encode.fix_payload(None, texts))
    return account


def _uploads(rows: list[Row]) -> Iterator[tuple[str, list[Row]]]:
    """Neighbouring rows that one phone wrote within a second."""
    held: list[Row] = []
    for row in rows:
        if held and (
            row.phone != held[0].phone
            or row.written_s - held[0].written_s > 1
            or len(held) == FIXES_PER_MESSAGE_MAX
        ):
            yield held[0].phone, held
            held = []
        held.append(row)
    if held:
        yield held[0].phone, held


def cases_of(rows: list[Row], now_ms: int) -> CaseSet:
    """A person for each phone, under order since long before the first row, bound to stay at one place:
    a circle around its first fix, so that there is much to judge."""
    since_ms = now_ms - 400 * DAY_MS
    firsts = {r.phone: r for r in reversed(rows)}
    people, devices, orders, zones = {}, {}, {}, {}
    for phone, first in sorted(firsts.items()):
        person_id = f"p-{phone}"
        people[person_id] = Person(person_id, person_id, Category.PROBATION, "station", "officer")
        span = Interval(since_ms, now_ms + 30 * DAY_MS)
        devices[(phone, span.from_ms)] = Device(phone, DeviceKind.PHONE, person_id, 60, span)
        before, from_ms = None, span.from_ms
        while from_ms < span.to_ms:
            term = Interval(from_ms, from_ms + ORDER_DAYS * DAY_MS)
            order_id = f"o-{phone}-{len(orders)}"
            orders[order_id] = Order(order_id, person_id, "29.2", "chief", date(2000, 1, 1), term, before)
            before, from_ms = order_id, term.to_ms
        home = Circle(first.lon, first.lat, 20_000.0)
        zones[f"home-{phone}"] = Zone(f"home-{phone}", phone, ZoneKind.INCLUSION, person_id, home)
    return CaseSet(
        offices={
            "city": Office("city", None, Level.CITY, "city"),
            "county": Office("county", "city", Level.COUNTY, "county"),
            "station": Office("station", "county", Level.STATION, "station"),
        },
        officers={"officer": Officer("officer", "station", "officer", Role.OFFICER, "officer")},
        people=people,
        devices=devices,
        orders=orders,
        zones=zones,
    )
