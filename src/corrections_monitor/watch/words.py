"""What the county's duty officers read when monitoring is blind, and when it sees again."""

from __future__ import annotations

from typing import Any

from corrections_monitor.api.render import bare_alert
from corrections_monitor.model.episodes import Severity
from corrections_monitor.model.settings import Language
from corrections_monitor.model.times import format_time, from_ms
from corrections_monitor.paging.notices import Manner
from corrections_monitor.rules.text import PageText, named
from corrections_monitor.rules.whereabouts import age_text
from corrections_monitor.watch.blindness import Word
from corrections_monitor.watch.orders import Charge, Checked

LISTED_MAX = 40  # in a text; the alert object has them all

_WORDS: dict[Language, dict[str, str]] = {
    Language.ZH: {
        "blind": "【紧急】监测失明：{} 无人被监测",
        "back": "【恢复】监测已恢复：{}",
        "why": "原因：{}",
        "since": "起始：{}",
        "until": "恢复：{}，失明 {} 分钟",
        "do": "处置：立即按下列名单逐人电话核查（风险高者在前），并通知技术人员；恢复后另行通知。",
        "after": "处置：人工核查可以停止；失明期间的数据补传后补判，补报警情会标明“补报”。",
        "people": "名单（{} 人）：",
        "more": "……另有 {} 人",
        "strict": "严管",
        "critical": "有紧急警情",
        "heard": "最后联系 {}",
        "never": "从未联系",
    },
    Language.EN: {
        "blind": "[critical] Monitoring is blind: nobody of {} is watched",
        "back": "[back] Monitoring sees again: {}",
        "why": "Why: {}",
        "since": "Since: {}",
        "until": "Back: {}, blind for {} min",
        "do": "Do: call everyone below, highest risk first, and tell your engineers; you will hear the end.",
        "after": "Do: stop checking by hand; what was missed is judged as it comes in and marked late.",
        "people": "People ({}):",
        "more": "… and {} more",
        "strict": "strict",
        "critical": "critical alert open",
        "heard": "last heard {}",
        "never": "never heard",
    },
}

# What operators read in logs, in the words of who is to act on it.
_REASONS_ZH = (
    ("no daemon is in charge", "监控进程未运行"),
    ("the daemon in charge has stopped", "监控进程停止响应"),
    ("starting", "监控进程正在启动"),
    ("judging what is", "数据处理滞后"),
    ("the clock", "系统时钟异常"),
    ("pages ", "通知发不出去"),
    ("the broker", "消息服务器连接中断"),
    ("nothing committed", "数据库或处理停滞"),
    ("no longer in charge", "与数据库的连接中断"),
    ("the database's schema", "数据库结构尚未升级"),
    ("the database", "数据库无应答"),
)


def text_of(word: Word, charge: Charge, reason: str, since_ms: int, now_ms: int, manner: Manner) -> PageText:
    """The message to a county's duty."""
    words = _WORDS[manner.language]
    since = from_ms(since_ms, manner.zone).strftime("%Y-%m-%d %H:%M:%S")
    rows = [words["why"].format(_reason(reason, manner.language)), words["since"].format(since)]
    if word is Word.BACK:
        at = from_ms(now_ms, manner.zone).strftime("%H:%M:%S")
        rows += [words["until"].format(at, max(1, round((now_ms - since_ms) / 60_000))), words["after"]]
        return PageText(words["back"].format(charge.name), "\n".join(rows))
    rows += [words["do"], words["people"].format(len(charge.people))]
    rows += [
        f"{number}. {_person(p, now_ms, manner)}" for number, p in enumerate(charge.people[:LISTED_MAX], 1)
    ]
    if len(charge.people) > LISTED_MAX:
        rows.append(words["more"].format(len(charge.people) - LISTED_MAX))
    return PageText(words["blind"].format(charge.name), "\n".join(rows))


def alert_of(
    word: Word, charge: Charge, reason: str, since_ms: int, now_ms: int, manner: Manner
) -> dict[str, Any]:
    """The same as an alert object (CONTRACT §6) for topics and webhooks, with ``check_by_hand``."""
    back = word is Word.BACK
    since, now = format_time(since_ms, manner.zone), format_time(now_ms, manner.zone)
    reason = f"monitoring {'sees again' if back else 'is blind'}: {reason}"
    alert_id = f"blind-{since_ms}-{charge.office_id}"
    return bare_alert(alert_id, charge.office_id, Severity.CRITICAL, since, now, reason) | {
        "state": "resolved" if back else "open",
        "resolved_at": now if back else None,
        "blind": not back,
        "check_by_hand": []
        if back
        else [
            {
                "person_id": p.person_id,
                "person_name": p.name,
                "office": p.office_name,
                "officer": p.officer_name,
                "level": "strict" if p.strict else "normal",
                "open_critical": p.gravest >= Severity.CRITICAL,
                "last_contact": format_time(p.heard_ms, manner.zone),
            }
            for p in charge.people
        ],
    }


def _person(person: Checked, now_ms: int, manner: Manner) -> str:
    words = _WORDS[manner.language]
    heard = words["never"]
    if person.heard_ms is not None:
        heard = words["heard"].format(age_text(now_ms - person.heard_ms, manner.language))
    flags = [words["strict"]] if person.strict else []
    flags += [words["critical"]] if person.gravest >= Severity.CRITICAL else []
    parts = [named(person.person_id, person.name, manner.naming), person.office_name, person.officer_name]
    return " ".join(part for part in [*parts, *flags, heard] if part)


def _reason(reason: str, language: Language) -> str:
    if language is not Language.ZH:
        return reason
    for start, words in _REASONS_ZH:
        if reason.startswith(start):
            return f"{words}（{reason}）"
    return reason
