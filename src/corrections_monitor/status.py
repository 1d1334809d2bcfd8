"""``status``: one screen at 3 a.m.: what is monitored, what is silent, what waits, is it blind."""

from __future__ import annotations

from typing import Any

from corrections_monitor.config import Config
from corrections_monitor.model.episodes import Severity
from corrections_monitor.model.times import format_time
from corrections_monitor.store import Store
from corrections_monitor.store.situation import Situation, situation

STALE_MS = 5_000


async def status_screen(store: Store, config: Config, now_ms: int) -> tuple[str, bool]:
    """The screen, and whether all is well (somebody monitors, and no page is stuck)."""
    word = await store.get_state("monitor")
    found = await situation(store, now_ms)
    is_seeing = word is not None and now_ms - word[1] <= STALE_MS
    lines = [_sight(word, now_ms, config)]
    if word is not None:
        told: dict[str, Any] = word[0]
        lines += [
            f"监控对象 monitored   {told['monitored']:>6}",
            f"失联 silent          {told['silent']:>6}",
            f"待处理消息 waiting   {told['waiting_messages']:>6}",
        ]
        if told["open"]:
            lines.append("未结束 open          " + ", ".join(f"{k} {n}" for k, n in told["open"].items()))
    lines += _waiting(found, now_ms)
    return "\n".join(lines), is_seeing and found.pages_overdue == 0


def _sight(word: tuple[Any, int] | None, now_ms: int, config: Config) -> str:
    if word is None:
        return "监测失明 BLIND       no daemon has ever monitored on this database (corrections-monitor run)"
    age_s = (now_ms - word[1]) / 1_000
    if now_ms - word[1] > STALE_MS:
        since = format_time(word[1], config.site.timezone)
        return f"监测失明 BLIND       nothing committed since {since} ({age_s:.0f} s)"
    return f"监测正常 in sight    last proof {max(0.0, age_s):.1f} s ago"


def _waiting(found: Situation, now_ms: int) -> list[str]:
    lines = []
    for severity in reversed(Severity):
        count, oldest_ms = found.unanswered.get(int(severity), (0, None))
        if count:
            age_min = (now_ms - (oldest_ms or now_ms)) / 60_000
            lines.append(f"未确认 unanswered    {count:>6} {severity}, oldest {age_min:.0f} min")
    lines.append(f"待发通知 pages due   {found.pages_due:>6}, {found.pages_overdue} for over a minute")
    lines.append(f"隔离区 quarantine    {found.quarantined:>6}")
    return lines
