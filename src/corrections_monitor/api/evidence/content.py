"""What a pack says: titled parts of facts and tables, each with the SHA-256 of what it was made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from corrections_monitor.api.evidence import words
from corrections_monitor.api.tracks import facts
from corrections_monitor.cases.writer import zone_feature
from corrections_monitor.model.alerts import Disposition
from corrections_monitor.model.cases import CaseSet, Order, Person, Zone
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.model.schedule import format_schedule
from corrections_monitor.model.settings import Language
from corrections_monitor.model.telemetry import Source
from corrections_monitor.model.times import DAY_MS, HOUR_MS, MINUTE_MS, from_ms
from corrections_monitor.rules.phrases import KIND_NAMES, SEVERITY_NAMES
from corrections_monitor.store.api_evidence import Evidence
from corrections_monitor.store.api_rows import Row

FIXES_PRINTED = 240
MINOR = "〔未成年人 · 依法封存，不得外传〕"

Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Read:
    """Who made the pack, when and why: the row ``seq`` of the audit."""

    seq: int
    officer_id: str
    officer_name: str
    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Content:
    """The pack before it is laid out; ``timeline`` and ``fixes`` are table rows under their headings;
    ``hashes`` are (part, SHA-256 in hex) in the order of the parts."""

    title: str
    violation: Facts
    person: Facts
    rule: Facts
    order: Facts
    timeline: Sequence[Sequence[str]]
    fixes: Sequence[Sequence[str]]
    fixes_note: str
    read: Facts
    hashes: Facts


def content_of(found: Evidence, read: Read, zone: ZoneInfo) -> Content:
    """The words of a pack; times are civil time of ``zone``."""
    episode, cases = found.episode, found.cases
    kind = Kind(episode["kind"])
    order = order_at(cases, episode["person_id"], episode["started_ms"])
    decisive = decisive_times(episode)
    who = episode["person_name"] or episode["person_id"] or "—"
    return Content(
        title=f"{mark_of(episode)}{KIND_NAMES[Language.ZH][kind]}：{who}",
        violation=_violation(found, kind, zone),
        person=_person(cases, episode),
        rule=_rule(cases.zones.get(episode["zone_id"]), kind),
        order=_order(order, zone),
        timeline=_timeline(found, zone),
        fixes=[
            (
                _clock(f.t_ms, zone), _clock(f.arrival_ms, zone), f.device_id, f"{f.lon:.6f}", f"{f.lat:.6f}",
                f"{f.acc_m:.0f}", "" if f.spd_mps is None else f"{f.spd_mps:.1f}",
                words.SOURCES[Source(f.src).name.lower()], "●" if f.t_ms in decisive else "",
            )
            for f in found.fixes[:FIXES_PRINTED]
        ],
        fixes_note=f"时段内共 {len(found.fixes)} 个定位点，列出 {min(len(found.fixes), FIXES_PRINTED)} 个；"
        "● 为判定所依据的定位点。坐标系 WGS-84。",
        read=(
            ("制作人", f"{read.officer_name}（{read.officer_id}）"),
            ("制作时间", _time(read.at_ms, zone)),
            ("事由", read.reason),
            ("审计记录", f"第 {read.seq} 条"),
        ),
        hashes=_hashes(found, order, zone),
    )  # fmt: skip


def mark_of(episode: Row) -> str:
    """What stands on every page about a minor."""
    return MINOR if episode["minor"] else ""


def order_at(cases: CaseSet, person_id: str, t_ms: int) -> Order | None:
    """The order in force, as the cases have it."""
    return next((o for o in cases.orders.values() if o.person_id == person_id and o.span.holds(t_ms)), None)


def decisive_times(episode: Row) -> frozenset[int]:
    """The event times of the fixes that decided."""
    fixes = (episode["evidence"] or {}).get("fixes") or ()
    return frozenset(int(fix["t"]) for fix in fixes if "t" in fix)


def _violation(found: Evidence, kind: Kind, zone: ZoneInfo) -> Facts:
    episode, alert = found.episode, found.alert
    end_ms = episode["ended_ms"]
    disposition = alert["disposition"]
    return (
        ("编号", episode["episode_id"]),
        ("情形", f"{KIND_NAMES[Language.ZH][kind]}（{kind.value}）"),
        ("级别", SEVERITY_NAMES[Language.ZH][Severity(episode["severity"])]),
        ("开始", _time(episode["started_ms"], zone)),
        ("发现", _time(episode["detected_ms"], zone) + ("（补报）" if episode["late"] else "")),
        ("结束", "仍在持续" if end_ms is None else _time(end_ms, zone)),
        ("历时", _lasted((end_ms or found.span.to_ms) - episode["started_ms"]) if end_ms else "—"),
        ("依据", episode["reason"]),
        ("警情", f"{alert['alert_id']}，{words.STATES[alert['state']]}"),
        ("处置结论", "尚无" if disposition is None else words.DISPOSITIONS[Disposition(disposition)]),
        ("处置说明", alert["note"] or "—"),
    )


def _person(cases: CaseSet, episode: Row) -> Facts:
    person: Person | None = cases.people.get(episode["person_id"])
    office = cases.offices.get(episode["office_id"])
    office_name = office.name if office else episode["office_id"]
    if person is None:
        return (("对象", episode["person_name"] or "—"), ("机构", office_name))
    officer = cases.officers.get(person.officer_id)
    return (
        ("姓名", person.name),
        ("编号", person.person_id),
        ("类别", f"{words.CATEGORIES[person.category]}，{words.LEVELS[person.level]}"),
        ("机构", office_name),
        ("责任人", f"{officer.name}（{officer.officer_id}）" if officer else person.officer_id),
    )


def _rule(zone: Zone | None, kind: Kind) -> Facts:
    facts = [("规则", words.RULES[kind])]
    if zone is not None:
        windows = format_schedule(zone.schedule)
        hours = (
            "全时段" if windows is None else "；".join(f"{w['days']} {w['from']}–{w['to']}" for w in windows)
        )
        buffer = f"，外扩 {zone.buffer_m:g} 米" if zone.buffer_m else ""
        facts += [
            ("区域", f"{zone.name}（{zone.zone_id}），{words.ZONE_KINDS[zone.kind]}{buffer}"),
            ("时段", hours),
        ]
    return facts


def _order(order: Order | None, zone: ZoneInfo) -> Facts:
    if order is None:
        return (("电子定位决定", "发生时没有在期的决定"),)
    return (
        ("决定编号", order.order_id),
        ("适用情形", f"社区矫正法第二十九条第一款（{order.ground}）：{words.GROUNDS.get(order.ground, '')}"),
        ("批准", f"{order.approved_by}，{order.approved_on.isoformat()}"),
        ("期限", f"{_time(order.span.from_ms, zone)} 至 {_time(order.span.to_ms, zone)}"),
        ("延长自", order.extends or "—"),
    )


def _timeline(found: Evidence, zone: ZoneInfo) -> list[Sequence[str]]:
    """Changes of the episode, pages, and what officers did, in order of time."""
    rows: list[tuple[int, str, str, str]] = [
        (line["at_ms"], f"情形{words.CHANGES[line['change']]}", "系统", line["reason"])
        for line in found.history.lines
        if line["episode_id"] == found.episode["episode_id"]
    ]
    for p in found.history.pages:
        sent = f"{p['channel']}：{words.PAGES[p['state']]}"
        rows.append((p["due_ms"], f"通知第 {p['step'] + 1} 级", p["officer_id"], sent))
    for t in found.history.timeline:
        what = words.EVENTS.get(str(t["what"]), str(t["what"]))
        rows.append((t["at_ms"], what, t["who"] or "系统", _detail(t["detail"])))
    return [(_time(at_ms, zone), what, who, detail) for at_ms, what, who, detail in sorted(rows)]


def _detail(detail: Mapping[str, Any]) -> str:
    told = {k: v for k, v in detail.items() if v is not None}
    if "disposition" in told:
        told["disposition"] = words.DISPOSITIONS[Disposition(told["disposition"])]
    return "；".join("、".join(v) if isinstance(v, list) else str(v) for v in told.values())


def _hashes(found: Evidence, order: Order | None, zone: ZoneInfo) -> Facts:
    """SHA-256 of each part as canonical JSON (RFC 8785 for what it holds: sorted keys, no spaces, UTF-8)."""
    place = found.cases.zones.get(found.episode["zone_id"])
    episode = {k: v for k, v in found.episode.items() if k not in ("person_name", "state", "disposition")}
    return (
        ("违规记录", digest(episode)),
        ("定位决定", digest(None if order is None else dict(_order(order, zone)))),
        ("区域", digest(None if place is None else zone_feature(place))),
        ("经过", digest([found.history.timeline, found.history.lines, found.history.pages])),
        ("定位点", digest(facts(found.fixes, zone))),
    )


def digest(value: object) -> str:
    """SHA-256 in hex of a value as canonical JSON."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def zones_of(cases: CaseSet, person_id: str, office_id: str) -> Iterable[Zone]:
    """The zones that apply to the person, smaller ones drawn last."""
    above = {office.office_id for office in cases.offices_up(office_id)}
    return [z for z in cases.zones.values() if z.applies_to in above | {person_id, "*"}]


def _time(t_ms: int, zone: ZoneInfo) -> str:
    return from_ms(t_ms, zone).strftime("%Y-%m-%d %H:%M:%S")


def _clock(t_ms: int, zone: ZoneInfo) -> str:
    return from_ms(t_ms, zone).strftime("%m-%d %H:%M:%S")


def _lasted(ms: int) -> str:
    days, rest = divmod(ms, DAY_MS)
    hours, rest = divmod(rest, HOUR_MS)
    minutes = rest // MINUTE_MS
    return (f"{days} 天 " if days else "") + (f"{hours} 小时 " if days or hours else "") + f"{minutes} 分"
