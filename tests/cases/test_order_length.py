"""社区矫正法 art. 29: an order to locate runs at most to the same day three months on."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from case_folders import SOUND, told_with
from hypothesis import given
from hypothesis import strategies as st

from corrections_monitor.cases.rows import same_day_later

HEADER = SOUND["orders.csv"].split("\n")[0]


def order(start: str, end: str) -> str:
    return f"{HEADER}\nr1,p1,29.1,局长,2026-01-01,{start},{end},\n"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-01-15", "2026-04-15"),  # a bare date includes that day
        ("2026-01-15T10:00", "2026-04-15T23:59"),  # the law counts days, not hours
        ("2026-01-15", "2026-04-16T00:00"),  # an instant is where it ends
        ("2026-01-15T23:59:59.999", "2026-04-15"),
        ("2026-01-14T16:00Z", "2026-04-15T16:00Z"),  # the days are those of the configured zone
        ("2025-11-30", "2026-02-28"),  # February has no 30th
        ("2027-11-30", "2028-02-29"),
        ("2026-01-31", "2026-04-30"),
        ("2025-12-15", "2026-03-15"),
        ("2026-01-15", "2026-01-15"),
    ],
)
def test_allowed(tmp_path: Path, start: str, end: str) -> None:
    assert told_with(tmp_path, "orders.csv", order(start, end)) == []


@pytest.mark.parametrize(
    ("start", "end", "last_day"),
    [
        ("2026-01-15", "2026-04-16", "2026-04-15"),
        ("2026-01-15T10:00", "2026-04-16T00:00:00.001", "2026-04-15"),
        ("2026-01-14T15:59Z", "2026-04-15", "2026-04-14"),  # still the 14th in Shanghai
        ("2025-11-30", "2026-03-01", "2026-02-28"),
        ("2026-01-31", "2026-05-01", "2026-04-30"),
        ("2026-01-15", "2027-01-15", "2026-04-15"),
    ],
)
def test_too_long(tmp_path: Path, start: str, end: str, last_day: str) -> None:
    (message,) = told_with(tmp_path, "orders.csv", order(start, end))

    assert message.startswith(f'orders.csv:2: to: "{end}" is more than three months after ')
    assert f"the last day allowed is {last_day}" in message


def test_each_extension_has_three_months_of_its_own(tmp_path: Path) -> None:
    again = "r2,p1,29.1,局长,2026-04-10,2026-04-16,{},r1\n"

    first = order("2026-01-15", "2026-04-15")
    assert told_with(tmp_path, "orders.csv", first + again.format("2026-07-16")) == []
    (message,) = told_with(tmp_path, "orders.csv", first + again.format("2026-07-17"))
    assert message.startswith("orders.csv:3: to: ")


def test_the_length_is_judged_though_other_fields_are_wrong(tmp_path: Path) -> None:
    messages = told_with(tmp_path, "orders.csv", order("2026-01-15", "2026-05-01").replace("29.1", "29"))

    assert [message.split(": ")[1] for message in messages] == ["ground", "to"]


@given(day=st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_the_same_day_three_months_on(day: date) -> None:
    later = same_day_later(day, 3)

    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == 3
    assert later.day == day.day or (later.day < day.day and later.day >= 28)
