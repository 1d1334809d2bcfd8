"""Panjin (盘锦市): its four districts with their real outlines, and the towns that have a 司法所.

Codes, names and the number of villages and communities (the weight of a town) are facts from the npm
package china-division 2.7.0 (MIT) as of the statistical division codes of 2023; the outlines are in
``data/`` (see ``data/ATTRIBUTION.md``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

CITY_CODE = "211100"
CITY_NAME = "盘锦市"
COUNTIES = {"211102": "双台子区", "211103": "兴隆台区", "211104": "大洼区", "211122": "盘山县"}

_OUTLINES = "panjin_districts_tianditu.geojson"


@dataclass(frozen=True, slots=True)
class Town:
    """A street office (街道) or town (镇) with a 司法所."""

    code: str
    name: str
    villages: int

    @property
    def county(self) -> str:
        """The code of its district."""
        return self.code[:6]


# fmt: off
TOWNS: tuple[Town, ...] = (
    Town("211102002", "胜利街道", 6),
    Town("211102003", "建设街道", 9),
    Town("211102004", "红旗街道", 6),
    Town("211102005", "辽河街道", 8),
    Town("211102008", "铁东街道", 4),
    Town("211102009", "双盛街道", 6),
    Town("211102100", "统一镇", 6),
    Town("211102101", "陆家镇", 6),
    Town("211103001", "振兴街道", 13),
    Town("211103002", "兴隆街道", 14),
    Town("211103003", "渤海街道", 12),
    Town("211103004", "新工街道", 7),
    Town("211103007", "曙光街道", 9),
    Town("211103008", "欢喜岭街道", 6),
    Town("211103013", "沈采街道", 5),
    Town("211103016", "创新街道", 12),
    Town("211103017", "兴盛街道", 14),
    Town("211103018", "兴海街道", 14),
    Town("211103019", "惠宾街道", 13),
    Town("211104002", "二界沟街道", 16),
    Town("211104004", "大洼街道", 20),
    Town("211104005", "田家街道", 26),
    Town("211104006", "榆树街道", 12),
    Town("211104007", "王家街道", 12),
    Town("211104009", "于楼街道", 4),
    Town("211104101", "田庄台镇", 13),
    Town("211104103", "东风镇", 12),
    Town("211104104", "新开镇", 9),
    Town("211104106", "清水镇", 11),
    Town("211104107", "新兴镇", 9),
    Town("211104108", "西安镇", 12),
    Town("211104109", "新立镇", 8),
    Town("211104112", "唐家镇", 12),
    Town("211104113", "平安镇", 11),
    Town("211104114", "赵圈河镇", 5),
    Town("211122001", "太平街道", 19),
    Town("211122002", "高升街道", 18),
    Town("211122003", "得胜街道", 11),
    Town("211122004", "东郭街道", 9),
    Town("211122101", "沙岭镇", 21),
    Town("211122103", "胡家镇", 22),
    Town("211122104", "石新镇", 9),
    Town("211122106", "羊圈子镇", 10),
    Town("211122107", "古城子镇", 11),
    Town("211122108", "坝墙子镇", 11),
    Town("211122110", "陈家镇", 12),
    Town("211122111", "甜水镇", 15),
    Town("211122112", "吴家镇", 9),
)
# fmt: on


@cache
def outline_features() -> dict[str, dict[str, Any]]:
    """The GeoJSON geometry of each district by its code, WGS-84."""
    text = files("simulators").joinpath("data", _OUTLINES).read_text(encoding="utf-8")
    features = json.loads(text)["features"]
    return {str(f["properties"]["district_adcode"]): f["geometry"] for f in features}


@cache
def outline(county: str) -> BaseGeometry:
    """A district's outline, degrees."""
    return shape(outline_features()[county])
