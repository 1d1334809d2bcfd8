"""What the daily digest of an office says, and when it is due."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from town import DAWN, T0, duty, town

from corrections_monitor.model.alerts import AlertState
from corrections_monitor.model.cases import Duty
from corrections_monitor.model.settings import Language
from corrections_monitor.model.times import DAY_MS, HOUR_MS, MINUTE_MS, Interval
from corrections_monitor.rules.digest import Digest, Named, digest_text, due_day, due_ms
from corrections_monitor.rules.digesting import Standing, Unresolved, digests
from corrections_monitor.rules.text import Naming

ZONE = ZoneInfo("Asia/Shanghai")
EIGHT = 8 * HOUR_MS
TODAY = date(2027, 1, 15)
ALERTS = [
    Unresolved("s1", AlertState.OPEN, T0 - HOUR_MS, "own"),
    Unresolved("s1", AlertState.ACKNOWLEDGED, T0 - 2 * DAY_MS, "duty1"),
    Unresolved("s2", AlertState.OPEN, T0 - 5 * DAY_MS, "own2"),
    Unresolved("k1", AlertState.OPEN, T0 - 3 * DAY_MS, ""),
]
STANDING = Standing(
    unresolved=ALERTS,
    minor=[("s1", "battery.low", 2), ("s2", "battery.low", 1), ("s2", "data.gap", 4)],
    expiring=[("s1", Named("p1", "王小明", T0 + DAY_MS))],
    unmonitored=[("s2", Named("p2", "李雷"))],
    silent=[("s1", 2), ("s2", 1)],
)


def of(office: str, standing: Standing = STANDING, due: int = T0 - MINUTE_MS) -> Digest:
    turns = duty(("s1", "duty1"))
    turns["s2", "own2", DAWN] = Duty("s2", "own2", Interval(DAWN, T0 + 6 * HOUR_MS))
    return next(d for d in digests(town(turns), standing, TODAY, due, T0) if d.office_id == office)


def test_a_station_has_its_own_and_the_county_all_below_it() -> None:
    station, county = of("s1"), of("k1")
    assert (station.open, station.acknowledged, station.by_age) == (1, 1, (1, 1, 0))
    assert [(o.officer_id, o.alerts) for o in station.owners] == [("duty1", 1), ("own", 1)]
    assert (station.minor, station.silent, station.unmonitored) == ({"battery.low": 2}, 2, [])
    assert (county.open, county.acknowledged, county.by_age) == (3, 1, (1, 1, 2))
    assert [o.officer_id for o in county.owners] == ["own2", "", "duty1", "own"]
    assert county.minor == {"data.gap": 4, "battery.low": 3}
    assert [p.person_id for p in county.unmonitored] == ["p2"]
    assert [(g.office_name, g.from_ms) for g in county.gaps] == [("建设司法所", T0 + 6 * HOUR_MS)]


def test_it_reads_in_chinese_and_names_people_as_set() -> None:
    text = digest_text(of("k1"), Language.ZH, Naming.INITIALS, ZONE, "https://jz/#/offices/digest")
    assert text.title == "【每日简报】双台子区司法局 1月15日"
    assert text.body.splitlines() == [
        "未处置警情 4 条：未确认 3，处置中 1",
        "其中超过三天 2 条，一至三天 1 条",
        "责任人：Own2 1 条（最久 5 天）、无人负责 1 条（最久 3 天）、Duty1 1 条（最久 2 天）、"
        "Own 1 条（最久 1 小时）",
        "近一天一般事项：数据缺段 4、电量低 3",
        "定位决定将到期或已过期 1 人：王某某 01-16",
        "覆盖缺口：漏管 1 人，失联 3 人",
        "漏管：李某",
        "未来一天空岗：建设司法所 01-15 22:00–01-16 16:00",
        "查看：https://jz/#/offices/digest",
    ]


def test_a_calm_office_is_told_so_and_a_late_digest_says_that_it_is() -> None:
    calm = of("s1", Standing())
    assert digest_text(calm, Language.ZH, Naming.FULL, ZONE).body == "没有未处置警情。"
    late = of("s1", due=T0 - 2 * HOUR_MS)
    assert digest_text(late, Language.ZH, Naming.FULL, ZONE).title.endswith("（补发）")
    assert digest_text(late, Language.EN, Naming.FULL, ZONE).title.endswith(" (late)")


@pytest.mark.parametrize(
    ("hours_from_midnight", "day"),
    [(7.99, date(2027, 1, 14)), (8, TODAY), (23.9, TODAY), (0, date(2027, 1, 14))],
)
def test_the_newest_day_that_is_due(hours_from_midnight: float, day: date) -> None:
    midnight = due_ms(TODAY, 0, ZONE)
    assert due_day(midnight + round(hours_from_midnight * HOUR_MS), EIGHT, ZONE) == day
