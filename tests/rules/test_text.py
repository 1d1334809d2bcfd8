"""What an officer reads."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from corrections_monitor.model.alerts import Purpose, Why
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.settings import Language
from corrections_monitor.rules.phrases import KIND_NAMES, SEVERITY_NAMES, WHAT_TO_DO, WORDS
from corrections_monitor.rules.text import Naming, PageFacts, initials, page_text

SHANGHAI = ZoneInfo("Asia/Shanghai")
FACTS = PageFacts(
    alert_id="a0123",
    kinds=(Kind.ZONE_EXIT, Kind.CURFEW),
    severity=Severity.CRITICAL,
    person_id="P-017",
    person_name="王小明",
    office_name="红旗司法所",
    since_ms=1_780_330_500_000,
    reason="王小明在区域外 312 米（精度 8 米），连续 3 个定位点",
    step=0,
)


def test_a_page_in_chinese_says_who_what_since_when_how_sure_and_what_to_do() -> None:
    text = page_text(FACTS, Language.ZH, Naming.FULL, SHANGHAI)
    assert text.title == "【紧急】王小明 离开规定区域，规定时段外出"
    assert text.body.splitlines() == [
        "对象：王小明，红旗司法所",
        "情况：离开规定区域，规定时段外出",
        "起始：2026-06-02 00:15:00",
        "依据：王小明在区域外 312 米（精度 8 米），连续 3 个定位点",
        "处置：立即电话联系本人核实位置，联系不上的到场查找。",
        "警情编号：a0123",
    ]


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(("naming", "shown"), [(Naming.INITIALS, "王某某"), (Naming.NUMBER, "P-017")])
def test_the_name_stands_nowhere_unless_it_may(language: Language, naming: Naming, shown: str) -> None:
    text = page_text(FACTS, language, naming, SHANGHAI)
    assert "小明" not in text.title + text.body
    assert shown in text.title
    assert f"{shown}在区域外" in text.body


def test_a_page_in_english_has_no_chinese_but_names_and_reasons() -> None:
    facts = replace(FACTS, person_name="Li Lei", office_name="Hongqi", reason="312 m outside")
    text = page_text(facts, Language.EN, Naming.INITIALS, SHANGHAI)
    assert text.title == "[critical] L. L. left the permitted area, out during curfew"
    assert text.body.isascii()


@pytest.mark.parametrize("language", list(Language))
def test_a_page_says_why_it_comes(language: Language) -> None:
    def note(**of: object) -> list[str]:
        lines = page_text(replace(FACTS, **of), language, Naming.FULL, SHANGHAI).body.splitlines()  # type: ignore[arg-type]
        return [line.replace(":", "：").split("：", 1)[1].strip() for line in lines[6:]]

    words = WORDS[language]
    assert note() == []
    assert note(step=2) == [words["escalated"].format(2)]
    assert note(round=2, why=Why.WORSENED) == [words["worsened"]]
    assert note(round=2, why=Why.WORSENED, why_who="张三") == [words["worsened despite"].format("张三")]
    assert note(round=2, step=1, why=Why.EXPIRED, why_who="张三") == [
        words["escalated"].format(1),
        words["expired"].format("张三"),
    ]
    assert note(purpose=Purpose.BEATEN, holder="李四") == [words["beaten"].format("李四")]
    for purpose in (Purpose.REPEAT, Purpose.REMINDER, Purpose.HANDED_OVER):
        assert note(purpose=purpose, round=2, why=Why.WORSENED) == [words[purpose]]
    assert len({words[p] for p in (Purpose.REPEAT, Purpose.REMINDER, Purpose.HANDED_OVER)}) == 3


def test_drills_late_and_escalated_pages_say_so() -> None:
    text = page_text(replace(FACTS, drill=True, late=True, step=2), Language.ZH, Naming.NUMBER, SHANGHAI)
    assert text.title.startswith("【演练】【补报】【紧急】")
    assert text.body.endswith("说明：前面 2 级未确认，现上报。")


def test_an_outage_names_the_office() -> None:
    facts = replace(FACTS, kinds=(Kind.OUTAGE,), person_id="", person_name="", reason="42 台设备同时失联")
    text = page_text(facts, Language.ZH, Naming.INITIALS, SHANGHAI)
    assert text.title == "【紧急】红旗司法所 大面积失联"


@pytest.mark.parametrize(
    ("name", "short"), [("王小明", "王某某"), ("欧阳修", "欧阳某"), ("李", "李某"), ("Li Lei", "L. L.")]
)
def test_initials(name: str, short: str) -> None:
    assert initials(name) == short


def test_every_kind_has_words_in_every_language() -> None:
    for language in Language:
        assert set(KIND_NAMES[language]) == set(WHAT_TO_DO[language]) == set(Kind)
        assert set(SEVERITY_NAMES[language]) == set(Severity)
        assert set(WORDS[language]) == set(WORDS[Language.ZH])
