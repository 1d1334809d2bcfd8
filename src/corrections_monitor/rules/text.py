"""The words of a page (通知文本): who, what, where, since when, how sure, what to do, link.

Chinese by default, English by setting.  How the person is named is a setting as well, because messages
travel over networks that are not ours (个人信息保护法: least data).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from corrections_monitor.model.alerts import Purpose, Why
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.settings import Language
from corrections_monitor.model.times import from_ms
from corrections_monitor.rules.phrases import KIND_NAMES, SEVERITY_NAMES, WHAT_TO_DO, WORDS

COMPOUND_SURNAMES = frozenset(
    {"欧阳", "上官", "司马", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "长孙", "宇文", "司徒", "夏侯"}
)


class Naming(StrEnum):
    """How a page names the person: in full, by initials (王某某), or by case number only."""

    FULL = "full"
    INITIALS = "initials"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a page tells of an alert.  ``kinds`` are the alert's, the leading one first; ``since_ms`` is
    when it began, event time; ``reason`` is the sentence of the leading episode; ``step`` counts from 0;
    ``where`` is ``whereabouts.where_text``, ``link`` the alert's address,
    ``answer_link`` where it can be acknowledged without login; each empty where there is none."""

    alert_id: str
    kinds: tuple[Kind, ...]
    severity: Severity
    person_id: str
    person_name: str
    office_name: str
    since_ms: int
    reason: str
    step: int
    where: str = ""
    link: str = ""
    answer_link: str = ""
    late: bool = False
    drill: bool = False
    purpose: Purpose = Purpose.STEP
    round: int = 1
    why: Why = Why.OPENED
    why_who: str = ""  # whose acknowledgement came to nothing
    holder: str = ""  # who has the matter


@dataclass(frozen=True, slots=True)
class PageText:
    title: str
    body: str


def page_text(facts: PageFacts, language: Language, naming: Naming, zone: ZoneInfo) -> PageText:
    """The page in words; times are civil time in ``zone``.

    The name stands nowhere in the text, the reason included, unless ``naming`` is full.
    """
    title, rows = page_rows(facts, language, naming, zone)
    colon = WORDS[language]["colon"]
    return PageText(title, "\n".join(f"{label}{colon}{value}" for label, value in rows))


def bundle_text(bundle: Sequence[PageFacts], language: Language, naming: Naming, zone: ZoneInfo) -> PageText:
    """Several pages to one officer as one message: an alert a line, the gravest first, each with its link."""
    words = WORDS[language]
    ordered = sorted(bundle, key=lambda facts: -facts.severity)
    counts = Counter(facts.severity for facts in ordered)
    parts = [f"{SEVERITY_NAMES[language][severity]} {count}" for severity, count in counts.items()]
    lines = [_line(facts, language, naming, zone) for facts in ordered]
    body = "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))
    return PageText(words["bundle"].format(len(ordered), words["comma"].join(parts)), body)


def _line(facts: PageFacts, language: Language, naming: Naming, zone: ZoneInfo) -> str:
    words = WORDS[language]
    since = words["since then"].format(from_ms(facts.since_ms, zone).strftime("%m-%d %H:%M"))
    office = [facts.office_name] if facts.person_id else []
    told = words["comma"].join([_title(facts, language, naming), *office, since, *_notes(facts, words)])
    return f"{told} {facts.answer_link or facts.link}".rstrip()


def page_rows(
    facts: PageFacts, language: Language, naming: Naming, zone: ZoneInfo
) -> tuple[str, list[tuple[str, str]]]:
    """As ``page_text``: the title, and what is told as (label, value)."""
    words = WORDS[language]
    who, what = _who(facts, naming), _what(facts, language)
    reason, where = (discreet(text, facts.person_name, who, naming) for text in (facts.reason, facts.where))
    since = from_ms(facts.since_ms, zone).strftime("%Y-%m-%d %H:%M:%S")
    rows = [
        (words["who"], f"{who}{words['comma']}{facts.office_name}" if facts.person_id else who),
        (words["what"], what),
        (words["where"], where),
        (words["since"], since),
        (words["how sure"], reason),
        (words["to do"], WHAT_TO_DO[language][facts.kinds[0]]),
        (words["alert"], facts.alert_id),
        *((words["note"], note) for note in _notes(facts, words)),
        (words["answer link"], facts.answer_link),
        (words["link"], facts.link),
    ]
    return _title(facts, language, naming), [(label, value) for label, value in rows if value]


def _title(facts: PageFacts, language: Language, naming: Naming) -> str:
    words = WORDS[language]
    flags = "".join(words[word] for word, holds in (("drill", facts.drill), ("late", facts.late)) if holds)
    severity = words["severity"].format(SEVERITY_NAMES[language][facts.severity])
    return f"{flags}{severity}{_who(facts, naming)} {_what(facts, language)}"


def _who(facts: PageFacts, naming: Naming) -> str:
    return named(facts.person_id, facts.person_name, naming) or facts.office_name


def _what(facts: PageFacts, language: Language) -> str:
    return WORDS[language]["comma"].join(KIND_NAMES[language][kind] for kind in dict.fromkeys(facts.kinds))


def _notes(facts: PageFacts, words: Mapping[str, str]) -> list[str]:
    """Why this officer is told, and told now."""
    if facts.purpose is Purpose.BEATEN:
        return [words["beaten"].format(facts.holder)]
    if facts.purpose is not Purpose.STEP:
        return [words[facts.purpose]]
    found = [words["escalated"].format(facts.step)] if facts.step > 0 else []
    if facts.why is Why.EXPIRED:
        found.append(words["expired"].format(facts.why_who))
    elif facts.why is Why.WORSENED and facts.round > 1:
        found.append(words["worsened despite" if facts.why_who else "worsened"].format(facts.why_who))
    return found


def discreet(text: str, person_name: str, who: str, naming: Naming) -> str:
    """The text without the person's name, unless it may be told: zones are often named after people."""
    return text if naming is Naming.FULL or not person_name else text.replace(person_name, who)


def named(person_id: str, name: str, naming: Naming) -> str:
    """How the person is called in a message; the case number when there is no name."""
    if naming is Naming.NUMBER or not name:
        return person_id
    return name if naming is Naming.FULL else initials(name)


def initials(name: str) -> str:
    """王小明 → 王某某, 欧阳修 → 欧阳某, Li Lei → L. L."""
    if name.isascii():
        return " ".join(f"{part[0].upper()}." for part in name.split())
    surname = name[:2] if name[:2] in COMPOUND_SURNAMES and len(name) > 2 else name[:1]
    return surname + "某" * max(len(name) - len(surname), 1)
