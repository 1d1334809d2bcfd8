"""The daily digest of an office (每日简报): what waits and for whom, in figures and in words.

CONTRACT §3: minor and info stand on the board and in the daily digest.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.settings import Language
from corrections_monitor.model.times import DAY_MS, HOUR_MS, from_ms, to_ms
from corrections_monitor.rules.phrases import KIND_NAMES
from corrections_monitor.rules.text import Naming, PageText, named

LISTED_MAX = 10  # names in one line of the text; the digest itself has them all
LATE_MS = HOUR_MS  # made so long after its time, it says so


class Owner(msgspec.Struct, frozen=True):
    """Unresolved alerts by who has them: who acknowledged, else the person's own officer (empty: nobody)."""

    officer_id: str
    name: str
    alerts: int
    oldest_ms: int


class Named(msgspec.Struct, frozen=True):
    """A person and, of an order, its end."""

    person_id: str
    name: str
    to_ms: int | None = None


class Gap(msgspec.Struct, frozen=True):
    """Hours to come with nobody on call."""

    office_name: str
    from_ms: int
    to_ms: int


class Digest(msgspec.Struct, frozen=True):
    """How an office with all below it stood at ``made_ms``; drills are in none of it.

    ``by_age``: unresolved alerts younger than a day, than three, and older.  ``minor``: minor and info alerts
    of the day before, by kind.  ``expiring``: orders about to end, or over with the device still on.
    """

    office_id: str
    office_name: str
    day: str
    due_ms: int
    made_ms: int
    open: int
    acknowledged: int
    by_age: tuple[int, int, int]
    owners: list[Owner]
    minor: dict[str, int]
    expiring: list[Named]
    unmonitored: list[Named]
    silent: int
    gaps: list[Gap]

    @property
    def late(self) -> bool:
        """Whether it was made long after its time: nobody was there to make it."""
        return self.made_ms - self.due_ms > LATE_MS


def due_day(now_ms: int, at_ms: int, zone: ZoneInfo) -> date:
    """The newest civil day whose digest is due; ``at_ms`` is the time of day."""
    today = from_ms(now_ms, zone).date()
    return today if due_ms(today, at_ms, zone) <= now_ms else today - timedelta(days=1)


def due_ms(day: date, at_ms: int, zone: ZoneInfo) -> int:
    """The instant of a civil time of day."""
    hours, rest = divmod(at_ms, HOUR_MS)
    return to_ms(datetime.combine(day, time(hours, rest // 60_000), tzinfo=zone))


_WORDS: dict[Language, dict[str, str]] = {
    Language.ZH: {
        "title": "【每日简报】{} {}月{}日",
        "late": "（补发）",
        "open": "未处置警情 {} 条：未确认 {}，处置中 {}",
        "age": "其中超过三天 {} 条，一至三天 {} 条",
        "calm": "没有未处置警情。",
        "owners": "责任人：{}",
        "owner": "{} {} 条（最久 {}）",
        "nobody": "无人负责",
        "minor": "近一天一般事项：{}",
        "expiring": "定位决定将到期或已过期 {} 人：{}",
        "census": "覆盖缺口：漏管 {} 人，失联 {} 人",
        "who": "漏管：{}",
        "gaps": "未来一天空岗：{}",
        "and": "、",
        "more": "等",
        "hours": "{} 小时",
        "days": "{} 天",
        "link": "查看：{}",
    },
    Language.EN: {
        "title": "[digest] {0}, {1}/{2}",
        "late": " (late)",
        "open": "Unresolved alerts: {}; not acknowledged {}, being handled {}",
        "age": "Older than three days {}, than one {}",
        "calm": "No alert is unresolved.",
        "owners": "Owners: {}",
        "owner": "{} {} (oldest {})",
        "nobody": "nobody",
        "minor": "Minor matters of the day before: {}",
        "expiring": "Orders about to end or over, {}: {}",
        "census": "Holes: {} unmonitored, {} silent",
        "who": "Unmonitored: {}",
        "gaps": "Nobody on call within a day: {}",
        "and": ", ",
        "more": " …",
        "hours": "{} h",
        "days": "{} d",
        "link": "Open: {}",
    },
}


def digest_text(
    digest: Digest, language: Language, naming: Naming, zone: ZoneInfo, link: str = ""
) -> PageText:
    """The digest in words; times are civil time in ``zone``, persons are named as ``naming`` says."""
    words = _WORDS[language]
    day = date.fromisoformat(digest.day)
    title = words["title"].format(digest.office_name, day.month, day.day) + (
        words["late"] if digest.late else ""
    )
    rows = [words["calm"]]
    if total := digest.open + digest.acknowledged:
        _, days, older = digest.by_age
        rows = [words["open"].format(total, digest.open, digest.acknowledged)]
        if days or older:
            rows.append(words["age"].format(older, days))
        owners = [
            words["owner"].format(o.name or o.officer_id or words["nobody"], o.alerts, _age(digest, o, words))
            for o in digest.owners
        ]
        rows.append(words["owners"].format(_listed(owners, words)))
    if digest.minor:
        names = KIND_NAMES[language]
        rows.append(
            words["minor"].format(_listed([f"{names[Kind(k)]} {n}" for k, n in digest.minor.items()], words))
        )
    if digest.expiring:
        told = [
            _person(p, naming) + (f" {from_ms(p.to_ms, zone):%m-%d}" if p.to_ms else "")
            for p in digest.expiring
        ]
        rows.append(words["expiring"].format(len(told), _listed(told, words)))
    if digest.unmonitored or digest.silent:
        rows.append(words["census"].format(len(digest.unmonitored), digest.silent))
    if digest.unmonitored:
        rows.append(words["who"].format(_listed([_person(p, naming) for p in digest.unmonitored], words)))
    if digest.gaps:
        spans = [
            f"{g.office_name} {from_ms(g.from_ms, zone):%m-%d %H:%M}–{from_ms(g.to_ms, zone):%m-%d %H:%M}"
            for g in digest.gaps
        ]
        rows.append(words["gaps"].format(_listed(spans, words)))
    if link:
        rows.append(words["link"].format(link))
    return PageText(title, "\n".join(rows))


def _age(digest: Digest, owner: Owner, words: dict[str, str]) -> str:
    age_ms = max(digest.made_ms - owner.oldest_ms, 0)
    if age_ms < DAY_MS:
        return words["hours"].format(age_ms // HOUR_MS)
    return words["days"].format(age_ms // DAY_MS)


def _person(person: Named, naming: Naming) -> str:
    return named(person.person_id, person.name, naming)


def _listed(parts: list[str], words: dict[str, str]) -> str:
    more = words["more"] if len(parts) > LISTED_MAX else ""
    return words["and"].join(parts[:LISTED_MAX]) + more
