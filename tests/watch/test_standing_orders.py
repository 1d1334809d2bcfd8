"""Whom to tell and whom to check by hand, from what was known last."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from receivers import RunningClock
from town import DAWN, DUSK, FULL_DUTY, T0, duty, person, town

from corrections_monitor.model.cases import CaseSet, Duty, Order, Suspension
from corrections_monitor.model.episodes import Severity
from corrections_monitor.model.settings import Language
from corrections_monitor.model.times import HOUR_MS, MINUTE_MS, Interval
from corrections_monitor.paging.notices import Manner
from corrections_monitor.rules.text import Naming
from corrections_monitor.watch.blindness import Word
from corrections_monitor.watch.orders import (
    ORDERS,
    blind_by_heartbeat,
    read_orders,
    standing_orders,
    write_heartbeat,
    write_orders,
)
from corrections_monitor.watch.standing import NO_DATABASE
from corrections_monitor.watch.words import alert_of, text_of

SPAN = Interval(DAWN, DUSK)
MANNER = Manner(Language.ZH, Naming.INITIALS, ZoneInfo("Asia/Shanghai"))


def a_town(turns: dict[tuple[str, str, int], Duty] = FULL_DUTY) -> CaseSet:
    cases = town(turns, [person("calm"), person("loud"), person("away"), person("free")])
    ordered = [p for p in cases.people if p != "free"]
    return replace(
        cases,
        orders={p: Order(p, p, "29.2", "head", date(2026, 1, 1), SPAN) for p in ordered},
        suspensions={("away", DAWN): Suspension("away", SPAN, "住院")},
    )


@dataclass
class At:
    """A clock that stands still."""

    now_s: float

    def wall_ms(self) -> int:
        return T0

    def monotonic_s(self) -> float:
        return self.now_s


HEARD = {"p1": T0 - HOUR_MS, "p2": T0 - 2 * HOUR_MS, "loud": T0, "strict": T0, "calm": T0 - MINUTE_MS}


def test_people_stand_by_risk_and_only_those_under_order() -> None:
    orders = standing_orders(a_town(), HEARD, {"loud": Severity.CRITICAL, "calm": Severity.MAJOR}, T0)
    (county,) = orders.charges
    # Strict supervision, then an open critical alert, then the longest silent.
    assert [p.person_id for p in county.people] == ["strict", "loud", "p2", "p1", "calm"]
    assert [p.strict for p in county.people] == [True, False, False, False, False]


def test_those_on_duty_are_told_and_otherwise_the_supervisors() -> None:
    on_duty = standing_orders(a_town(), {}, {}, T0).charges[0]
    assert [o.officer_id for o in on_duty.on_call(T0)] == ["county-duty"]
    assert [o.officer_id for o in on_duty.on_call(DUSK)] == ["supervisor-a", "supervisor-b"]
    nobody = standing_orders(a_town(duty(("s1", "duty1"))), {}, {}, T0).charges[0]
    assert [o.officer_id for o in nobody.on_call(T0)] == ["supervisor-a", "supervisor-b"]


def test_what_is_written_is_read_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    orders = standing_orders(a_town(), HEARD, {}, T0)
    assert read_orders(tmp_path) is None
    write_orders(tmp_path / "state", lambda: orders)
    assert read_orders(tmp_path / "state") == orders
    assert (tmp_path / "state" / ORDERS).stat().st_mode & 0o777 == 0o600
    (tmp_path / ORDERS).write_bytes(b'{"written_ms":1')
    assert read_orders(tmp_path) is None


def test_a_heartbeat_says_how_the_daemon_stands_until_it_is_stale(tmp_path: Path) -> None:
    clock = RunningClock()
    assert blind_by_heartbeat(tmp_path, clock) == "no daemon is in charge"
    write_heartbeat(tmp_path, clock, None)
    assert blind_by_heartbeat(tmp_path, clock) is None
    write_heartbeat(tmp_path, clock, "nothing committed for 5 s")
    assert blind_by_heartbeat(tmp_path, clock) == "nothing committed for 5 s"
    for now_s in (1e9, 0.0):  # long after, and after the machine was started anew
        assert blind_by_heartbeat(tmp_path, At(now_s)) == "the daemon in charge has stopped"


def test_what_the_duty_reads_at_three_in_the_morning() -> None:
    (county,) = standing_orders(a_town(), HEARD, {"loud": Severity.CRITICAL}, T0).charges
    now_ms = T0 + 20_000
    text = text_of(Word.BLIND, county, "the daemon in charge has stopped", T0, now_ms, MANNER)
    assert text.title == "【紧急】监测失明：双台子区司法局 无人被监测"
    assert text.body.splitlines() == [
        "原因：监控进程停止响应（the daemon in charge has stopped）",
        "起始：2027-01-15 16:00:00",
        "处置：立即按下列名单逐人电话核查（风险高者在前），并通知技术人员；恢复后另行通知。",
        "名单（5 人）：",
        "1. 姓某某某某某某某 红旗司法所 Own 严管 最后联系 刚刚",
        "2. 姓某某某某某 红旗司法所 Own 有紧急警情 最后联系 刚刚",
        "3. 姓某某某 建设司法所 Own2 最后联系 2 小时前",
        "4. 姓某某某 红旗司法所 Own 最后联系 60 分钟前",
        "5. 姓某某某某某 红旗司法所 Own 最后联系 1 分钟前",
    ]
    back = text_of(Word.BACK, county, "", T0, T0 + 600_000, MANNER)
    assert back.title == "【恢复】监测已恢复：双台子区司法局"
    assert "失明 10 分钟" in back.body
    assert "名单" not in back.body
    alert = alert_of(Word.BLIND, county, "x", T0, now_ms, MANNER)
    assert [p["person_id"] for p in alert["check_by_hand"]] == ["strict", "loud", "p2", "p1", "calm"]
    assert not any("lon" in p or "position" in p for p in alert["check_by_hand"])


@pytest.mark.parametrize(
    "reason",
    [
        "starting",
        NO_DATABASE,
        "the database's schema is 0007, this program wants 0008: run corrections-monitor migrate",
        "no longer in charge: the session with the database was lost",
        "nothing committed for 12 s",
        "judging what is 130 s old",
        "the clock is 90 s behind the time already used",
        "the clock jumped by +3600 s",
        "the broker does not answer: connecting",
        "pages are stuck: 3 not tried for over 5 s",
    ],
)
def test_every_reason_is_told_in_chinese_first(reason: str) -> None:
    charge = standing_orders(a_town(), HEARD, {}, T0).charges[0]
    line = text_of(Word.BLIND, charge, reason, T0, T0, MANNER).body.splitlines()[0]
    told = line.removeprefix("原因：")
    assert told.endswith(f"（{reason}）")
    assert not told[0].isascii()
