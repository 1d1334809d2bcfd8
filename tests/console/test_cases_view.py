"""Duty, orders, leaves and zones are changed in the console; what the law forbids is not even sent."""

from __future__ import annotations

from console_world import PHONE, Browser
from selenium.webdriver.common.action_chains import ActionChains

from corrections_monitor.clock import SystemClock
from corrections_monitor.model.cases import CaseSet, Leave, Role
from corrections_monitor.model.times import DAY_MS, HOUR_MS, Interval


def test_an_order_lasts_three_months_at_most(browser: Browser) -> None:
    browser.log_in(Role.SUPERVISOR, "county-a")
    browser.show("cases/orders?person=p-a1")
    browser.find("tr[data-row]", "第 2 项")
    browser.press("#k-new")
    browser.find("#f-approved_by").send_keys("县局负责人")
    _put(browser, "f-from", "2026-12-25")
    assert browser.find("#f-to").get_attribute("value") == "2027-03-25", "three calendar months are proposed"
    _put(browser, "f-to", "2027-03-26")
    browser.press("#f-save")
    browser.find("#f-to-fault", "2027-03-25")
    browser.picture("order")
    _put(browser, "f-to", "2027-03-25")
    browser.press("#f-save")
    browser.find("#toast", "已保存")
    browser.find("tr[data-row]", "2027-03-25")


def test_a_leave_is_changed_and_ended_by_the_second_click(browser: Browser) -> None:
    now_ms = SystemClock().wall_ms()
    leave = Leave("leave-now", "p-a1", Interval(now_ms - HOUR_MS, now_ms + DAY_MS), "chief")
    cases = CaseSet(leaves={leave.leave_id: leave})
    browser.server.do(browser.server.store.save_cases(cases, "test", now_ms))
    browser.log_in(Role.OFFICER, "station-a1")
    browser.show("cases/leaves?person=p-a1")
    browser.press("tr[data-row='leave-now'] button")
    browser.find("dialog #f-why").send_keys("本人返回")
    browser.press("#f-end")
    browser.find("#f-end", "再点一次")
    browser.press("#f-end")
    browser.gone("dialog")
    browser.find("#toast", "已结束")


def test_a_zone_is_drawn_with_a_view_of_who_would_be_outside(browser: Browser) -> None:
    browser.server.report("p-a1", 60_000, 122.09, 41.12)
    browser.log_in(Role.OFFICER, "station-a1")
    browser.show("cases/zones?person=p-a1")
    browser.find(".zone-list li", "住所")
    browser.press("[data-new=Point]")
    browser.find(".preview", "圆心")
    browser.find("#zf-name").send_keys("工作单位")
    ActionChains(browser.driver).move_to_element(browser.find(".zone-map")).click().perform()
    browser.find(".preview", "适用 1 人，1 人在外")
    browser.picture("zone")
    browser.resize(PHONE)
    assert browser.overflow_px() <= 0
    browser.picture("zone-phone")
    browser.press("#zf-save")
    browser.find(".zone-list li.chosen", "工作单位")


def test_the_system_says_how_it_is_and_what_it_could_not_use(browser: Browser) -> None:
    browser.log_in(Role.AUDITOR, "city")
    browser.show("system")
    browser.find(".verdict.fault", "尚无监控进程")
    browser.picture("system")
    browser.show("system/quarantine")
    browser.find(".more", "没有")
    browser.show("system/audit")
    browser.find("tbody tr", "登录")
    browser.picture("audit")


def _put(browser: Browser, field: str, value: str) -> None:
    """Dates are typed as the browser's language wants them; what counts is the value."""
    browser.driver.execute_script(
        "const f = document.getElementById(arguments[0]); f.value = arguments[1];"
        " f.dispatchEvent(new Event('input', { bubbles: true }))",
        field,
        value,
    )
