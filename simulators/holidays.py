"""Public holidays (节假日) of 2026 and 2027 for holidays.csv.

2026: 国务院办公厅关于2026年部分节假日安排的通知, with its exchanged working days (调休).  2027: the
statutory days of 全国年节及纪念日放假办法 (2024) alone; a demonstration does not need the exchanges.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

# First day, number of days off.
_OFF = (
    ("2026-01-01", 3),  # 元旦
    ("2026-02-15", 9),  # 春节
    ("2026-04-04", 3),  # 清明
    ("2026-05-01", 5),  # 劳动节
    ("2026-06-19", 3),  # 端午
    ("2026-09-25", 3),  # 中秋
    ("2026-10-01", 7),  # 国庆
    ("2027-01-01", 1),
    ("2027-02-05", 4),
    ("2027-04-05", 1),
    ("2027-05-01", 2),
    ("2027-06-09", 1),
    ("2027-09-15", 1),
    ("2027-10-01", 3),
)
_WORK = ("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10")


def holiday_rows() -> Iterator[tuple[str, str]]:
    """Rows of holidays.csv: date, kind."""
    for first, days in _OFF:
        for offset in range(days):
            yield str(date.fromisoformat(first) + timedelta(days=offset)), "off"
    for day in _WORK:
        yield day, "work"
