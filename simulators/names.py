"""Synthetic Chinese names: common surnames with common given names, joined at random."""

from __future__ import annotations

import numpy as np

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
)
_GIVEN_LAST = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰飞鹏波斌宇浩凯健俊帆雪荣琴宁"
_GIVEN_MIDDLE = "建国志文晓海春立永新德庆玉学红金天少东成家凤美云"


def names(count: int, rng: np.random.Generator) -> list[str]:
    """So many names; four in five have two given characters."""
    surnames = rng.integers(len(_SURNAMES), size=count).tolist()
    middles = rng.integers(len(_GIVEN_MIDDLE), size=count).tolist()
    lasts = rng.integers(len(_GIVEN_LAST), size=count).tolist()
    two = (rng.random(count) < 0.8).tolist()
    return [
        _SURNAMES[s] + (_GIVEN_MIDDLE[m] if has_middle else "") + _GIVEN_LAST[g]
        for s, m, g, has_middle in zip(surnames, middles, lasts, two, strict=True)
    ]
