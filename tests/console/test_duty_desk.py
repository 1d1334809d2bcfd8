"""The duty desk: the roster handed over, stood in for and planned; drills; load; an alert followed up."""

from __future__ import annotations

from console_world import DESKTOP, PHONE, Browser, Server, world
from selenium.webdriver.support.select import Select

from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Config
from corrections_monitor.live.digests import DigestDesk
from corrections_monitor.model.alerts import Page
from corrections_monitor.model.cases import CaseSet, Duty, Role
from corrections_monitor.model.episodes import Severity
from corrections_monitor.model.times import DAY_MS, HOUR_MS, Interval
from corrections_monitor.paging.channels import Ways
from corrections_monitor.rules.outcome import Noted
from corrections_monitor.store.decisions import Entry

STATION = "station-a1"
MINE, CHIEF = f"officer-{STATION}", f"chief-{STATION}"


def on_duty(server: Server, office: str, who: str, since_h: float, until_h: float) -> None:
    now_ms = SystemClock().wall_ms() // 60_000 * 60_000
    span = Interval(now_ms + round(since_h * HOUR_MS), now_ms + round(until_h * HOUR_MS))
    cases = CaseSet(duty={(office, who, span.from_ms): Duty(office, who, span)})
    server.do(server.store.save_cases(cases, "test", now_ms))


def both_widths(browser: Browser, name: str) -> None:
    """Pictures, and nothing wider than the page."""
    for size, suffix in ((PHONE, "-phone"), (DESKTOP, "")):
        browser.resize(size)
        assert browser.overflow_px() <= 0, f"{name}{suffix}"
        browser.picture(name + suffix)


def test_an_officer_hands_his_duty_over_and_the_note_stands_there(browser: Browser) -> None:
    on_duty(browser.server, STATION, MINE, -1, 10)
    browser.log_in(Role.OFFICER, STATION)
    browser.show("cases/duty")
    browser.find(".card", "空岗提示")
    both_widths(browser, "duty")
    browser.press("[data-do=handover]")
    browser.find("#d-to").send_keys(f"chief@{STATION}")
    browser.find("#d-note").send_keys("张某今晚返回，留意")
    browser.picture("handover")
    browser.press("#ask-do")
    browser.find("#toast", "已交班给 chief@station-a1")
    browser.find(".timeline", "张某今晚返回，留意")
    browser.find("tr[data-row]", f"chief@{STATION}")
    browser.gone("[data-do=handover]")


def test_a_chief_plans_a_rotation_and_has_somebody_stand_in(browser: Browser) -> None:
    browser.log_in(Role.CHIEF, STATION)
    browser.show("cases/duty")
    browser.find(".card", "没有排班")
    browser.press("#k-rotate")
    browser.press(f".pick [data-officer={CHIEF}]")
    browser.press(f".pick [data-officer={MINE}]")
    browser.find(f".pick [data-officer={MINE}]", "2. ")
    browser.press("#ask-do", "预览")
    browser.find("#d-plan", "将写入 4 班")
    both_widths(browser, "rotation")
    assert not browser.driver.find_elements("css selector", "tr[data-row]"), "a preview writes nothing"
    browser.press("#ask-do", "按预览写入")
    browser.find("#toast", "已写入 4 班")
    assert len(browser.until(lambda d: d.find_elements("css selector", "tr[data-row]"), "rows")) == 4
    browser.press("[data-do=stand-in]")
    browser.find("dialog", "替班：chief@station-a1")
    browser.press("#ask-do")
    browser.find("#toast", "已保存")
    browser.find(".timeline", f"chief@{STATION} → ")


def test_the_county_sees_ahead_where_nobody_is_on_call_and_which_step_found_nobody(browser: Browser) -> None:
    on_duty(browser.server, STATION, MINE, -1, 10)
    browser.server.miss(browser.server.violate("p-a1"))
    browser.log_in(Role.SUPERVISOR, "county-a")
    browser.find(".note.missed", "县区局值班，1 次")
    browser.press(".note.gaps summary")
    browser.find("[data-gap=station-a1]", "由责任人代接")
    browser.find("[data-gap=station-a2]", "没有排班")
    both_widths(browser, "board-gaps")


def test_a_drill_is_ordered_and_measured(browser: Browser) -> None:
    browser.log_in(Role.SUPERVISOR, "county-a")
    browser.show("drills")
    browser.find("main", "还没有组织过演练")
    browser.press("#drill-new")
    Select(browser.find("#dr-office")).select_by_value(STATION)
    browser.press(f".pick [data-officer={MINE}]")
    browser.press("#ask-do")
    browser.find("dialog .fault", "请选择参加人员，并请写明情境")
    browser.find("#dr-reason").send_keys("夜间越界演练")
    both_widths(browser, "drill-order")
    browser.press("#ask-do")
    browser.find("#toast", "已下达，共 1 人")
    browser.find(f"tr[data-officer={MINE}]", "待系统下发")
    both_widths(browser, "drill")
    browser.press("a", "全部演练")
    browser.find("tr[data-drill]", "夜间越界演练")
    both_widths(browser, "drills")


def test_supervisors_see_who_is_told_too_much(browser: Browser) -> None:
    load(browser.server)
    browser.log_in(Role.SUPERVISOR, "county-a")
    browser.show("offices")
    browser.find(f"[data-load={MINE}]", "1 天超出预算")
    browser.find("svg.columns rect.over")
    both_widths(browser, "load")


def test_the_daily_digest_is_read_day_by_day(browser: Browser) -> None:
    browser.server.violate("p-a1")
    digest(browser.server)
    browser.log_in(Role.SUPERVISOR, "county-a")
    browser.show("offices/digest")
    browser.find(".card", "officer@station-a1")
    browser.find("h2", "甲县司法局")
    both_widths(browser, "digest")
    browser.press(".tabs a", "现况")
    browser.find("main", "警情负荷")


def test_an_alert_is_followed_up_and_its_timeline_tells_the_whole_way(browser: Browser) -> None:
    alert_id = told(browser.server)
    browser.log_in(Role.OFFICER, STATION)
    browser.show(f"board?alert={alert_id}")
    browser.find("[data-what=paged] .page", f"officer@{STATION}")
    browser.find("[data-what=escalated]", "所长")
    browser.press(".panel [data-do=ack]")
    browser.press(".panel [data-do=note]")
    browser.find("#ask-note").send_keys("已电话联系家属")
    browser.press("#ask-do")
    browser.find("[data-what=noted]", "已电话联系家属")
    browser.press(".panel [data-do=handover]")
    browser.find("#ask-note").send_keys("我已下班")
    browser.press("#ask-do")
    browser.find("[data-what=handed-to]", f"chief@{STATION}")
    order = [
        e.get_attribute("data-what") for e in browser.driver.find_elements("css selector", "[data-what]")
    ]
    assert order == ["opened", "paged", "escalated", "acknowledged", "noted", "handed-to"]
    both_widths(browser, "timeline")


def digest(server: Server) -> None:
    """Made by the daemon, an hour late, with a day before that was noted as made."""

    async def make() -> None:
        clock = SystemClock()
        await server.store.put_state("digest", "2026-01-01", clock.wall_ms())
        assert await DigestDesk(server.store, Config, world.cases, Ways(), clock).look() == len(world.OFFICES)

    server.do(make())


def load(server: Server) -> None:
    """Fifteen alerts told today, four the day before."""

    async def commit() -> None:
        now_ms = SystemClock().wall_ms()
        for i in range(19):
            at_ms = now_ms - i if i < 15 else now_ms - DAY_MS - i
            line, alert = world.violation("p-a1", started_ms=at_ms - HOUR_MS)
            async with server.store.transaction() as tx:
                await tx.write_alerts([alert])
                await tx.write_lines([line])
                await tx.write_pages(
                    [(Page(alert.alert_id, 1, 0, MINE, Severity.CRITICAL, at_ms), "mqtt", "t")]
                )

    server.do(commit())


def told(server: Server) -> str:
    """An alert whose first step went to the officer by two ways, and whose second to the chief."""
    alert_id = server.violate("p-a1")

    async def commit() -> None:
        began_ms = SystemClock().wall_ms() - 170_000
        steps = [
            (0, MINE, "station-duty", ("mqtt", "apprise:mailto")),
            (1, CHIEF, "station-chief", ("mqtt",)),
        ]
        async with server.store.transaction() as tx:
            notes = [
                Entry(alert_id, began_ms, Noted.OPENED, None, {"kind": "zone.exit", "severity": "critical"})
            ]
            for step, who, rung, channels in steps:
                at_ms = began_ms + 1_000 + step * 100_000
                page = Page(alert_id, 1, step, who, Severity.CRITICAL, at_ms)
                await tx.write_pages([(page, channel, "x") for channel in channels])
                notes.append(
                    Entry(alert_id, at_ms, Noted.PAGED, who, {"round": 1, "step": step, "rung": rung})
                )
            await tx.write_timeline(notes)

    server.do(commit())
    return alert_id
