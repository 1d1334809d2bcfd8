"""Where somebody was last, as an officer reads it."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from corrections_monitor.model.cases import Area, Circle, Corridor, Zone, ZoneKind
from corrections_monitor.model.settings import Language
from corrections_monitor.rules.whereabouts import Position, Surroundings, age_text, surroundings, where_text

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW_MS = 1_780_341_300_000  # 2026-06-02 03:15
RING = ((122.0, 41.0), (122.2, 41.0), (122.2, 41.2), (122.0, 41.2), (122.0, 41.0))
HOME = Zone("home", "住所", ZoneKind.INCLUSION, "p1", Circle(122.05, 41.1, 150.0))
SCHOOL = Zone("school", "第一小学", ZoneKind.EXCLUSION, "k1", Circle(122.06, 41.1, 100.0))
BANK = Zone("bank", "河堤", ZoneKind.EXCLUSION, "*", Corridor(((122.0, 41.15), (122.2, 41.15)), 60.0))
DISTRICT = Zone("district", "双台子区辖区", ZoneKind.INCLUSION, "k1", Area(((RING,),)))
ALL = (BANK, DISTRICT, HOME, SCHOOL)
FIX = Position(122.0602, 41.1078, 10.0, NOW_MS - 4 * 60_000)


def told(position: Position = FIX, zone_id: str | None = None, language: Language = Language.ZH) -> str:
    around = surroundings(ALL, "p1", ("s1", "k1", "c1"), zone_id)
    return where_text(position, around, language, SHANGHAI, NOW_MS)


def test_a_place_is_told_by_district_and_from_home() -> None:
    assert told() == "双台子区辖区，“住所”东北方向 1.2 公里（03:11 定位，4 分钟前，误差约 10 米）"
    assert told(language=Language.EN) == (
        "双台子区辖区, 1.2 km north-east of “住所” (fix of 03:11, 4 min ago, accuracy about 10 m)"
    )


def test_the_zone_of_the_matter_comes_before_home() -> None:
    inside = replace(FIX, lon=122.0601, lat=41.1002)
    assert told(inside, "school").startswith("双台子区辖区，“第一小学”内（")
    assert told(FIX, "school").startswith("双台子区辖区，“第一小学”北方向 ")
    assert told(replace(FIX, lat=41.1501), "bank").startswith("双台子区辖区，“河堤”内（")
    assert told(inside, None).startswith("双台子区辖区，“住所”东方向 ")


def test_outside_the_district_says_so() -> None:
    assert told(replace(FIX, lon=122.3)).startswith("“双台子区辖区”界外，“住所”东方向 21.0 公里")


def test_without_zones_there_are_degrees() -> None:
    text = where_text(FIX, Surroundings(), Language.ZH, SHANGHAI, NOW_MS)
    assert text == "41.10780, 122.06020（03:11 定位，4 分钟前，误差约 10 米）"


def test_an_old_fix_bears_its_day() -> None:
    old = replace(FIX, at_ms=NOW_MS - 50 * 3_600_000)
    assert told(old).endswith("（05-31 01:15 定位，2 天前，误差约 10 米）")


def test_ages() -> None:
    ages = [age_text(m * 60_000, Language.ZH) for m in (-3, 0.5, 1, 119, 120, 2_879, 2_880)]
    assert ages == ["刚刚", "刚刚", "1 分钟前", "119 分钟前", "2 小时前", "47 小时前", "2 天前"]
