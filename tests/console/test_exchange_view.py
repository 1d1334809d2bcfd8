"""A roster is looked at and confirmed in the console; a minor's file opens for a reason and to few."""

from __future__ import annotations

from console_world import PHONE, Browser, world
from selenium.webdriver.common.by import By

from corrections_monitor.clock import SystemClock
from corrections_monitor.model.cases import Role
from corrections_monitor.store.exchanges import Came, confirmed, keep

PART: dict[str, object] = {"count": 0, "rows": []}
ORDER = {
    "key": "order-p-a1", "name": "姓名p-a1", "person_id": "p-a1",
    "columns": {"to": ["2026-12-24", "2026-11-28"], "approved_by": ["县局", "市局"]},
}  # fmt: skip
NEW = {"key": "P-000917", "name": "赵六", "person_id": "P-000917"}
GONE = {"key": "home-q-a1", "name": "住所", "person_id": None}
DIFFERENCE = {
    "people": {"new": {"count": 1, "rows": [NEW]}, "changed": PART, "gone": PART},
    "orders": {"new": PART, "changed": {"count": 1, "rows": [ORDER]}, "gone": PART},
    "zones": {"new": PART, "changed": PART, "gone": {"count": 1, "rows": [GONE]}},
}
NUMBERS = {"before": 0, "after": 0}
SHORTER = {"from": "2026-11-28T00:00:00.000+08:00", "to": "2026-12-24T00:00:00.000+08:00", "to_ms": 1}
NOW = {"from": "2026-11-27T12:00:00.000+08:00", "to": None, "to_ms": None}
HOLES = [
    {"kind": "order-shortened", "subject": "p-a1", "name": "姓名p-a1", **SHORTER, **NUMBERS},
    {"kind": "zone-gone", "subject": "home-q-a1", "name": "住所", **NOW, **NUMBERS},
]
FAULT = 'people.csv:7: office_id: no such office "S-9999"'


def came(browser: Browser) -> None:
    """Last night's was faulty, tonight's waits."""
    server, now_ms = browser.server, SystemClock().wall_ms()

    async def bring() -> None:
        place = "https://jz.example.cn/roster.zip"
        faulty = Came(place, b"\x01" * 32, 1, {}, [], [FAULT])
        await keep(server.store, faulty, "faulty", now_ms - 86_400_000)
        await keep(server.store, Came(place, b"\x02" * 32, 1, DIFFERENCE, HOLES, []), "pending", now_ms, b"x")
        word = {"outcome": "pending", "details": [], "next_ms": now_ms + 43_200_000}
        await server.store.put_state("roster", word, now_ms)

    server.do(bring())


def test_a_roster_that_waits_is_confirmed_and_a_faulty_one_says_where(browser: Browser) -> None:
    came(browser)
    browser.log_in(Role.SUPERVISOR, "city")
    browser.show("system/exchange")
    browser.find("tr[data-exchange]", "有错误")
    browser.press("tr[data-exchange='2'] button")
    browser.find("#exchange-one .holes", "定位决定缩短或移除")
    browser.find("#exchange-one", "赵六")
    browser.find("#exchange-one", "2026-11-28")
    browser.picture("roster")
    browser.resize(PHONE)
    assert browser.overflow_px() <= 0
    browser.picture("roster-phone")
    browser.press("#exchange-confirm")
    browser.press("#ask-do")
    browser.find("dialog .fault", "请填写理由")
    browser.find("#exchange-why").send_keys("已电话核实")
    browser.press("#ask-do")
    browser.find("#toast", "已确认")
    browser.find("#exchange-one", "已确认，正在应用")
    row = browser.server.do(confirmed(browser.server.store))
    assert row is not None
    assert (row["decided_by"], row["reason"]) == ("supervisor-city", "已电话核实")
    browser.press("tr[data-exchange='1'] button")
    browser.find("#exchange-one code", FAULT)


def test_a_minors_file_opens_for_a_reason_and_to_few(browser: Browser) -> None:
    browser.log_in(Role.CHIEF, "station-a1")
    browser.show("people/p-a1")
    browser.find("h1", "姓名p-a1")
    browser.press("#minor-guard")
    browser.press("#minor-officers option[value='officer-station-a1']")
    browser.find("#minor-reason").send_keys("未满十八周岁")
    browser.press("#ask-do")
    browser.find("#toast", "已设为未成年人档案")
    browser.press(".minor .do button")
    named = browser.find("#minor-officers option[value='officer-station-a1']")
    assert named.is_selected(), "who is named stays named when others are"
    browser.press("dialog .do button[type=button]")
    browser.find("h1", "姓某")
    browser.find("#minor-why").send_keys("谈话前了解")
    browser.picture("minor")
    browser.press("#minor-open")
    browser.find(".minor", "已记入审计日志")
    browser.find("h1", "姓名p-a1")
    browser.driver.execute_script("localStorage.clear()")
    browser.driver.get("about:blank")
    browser.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.log_in(Role.SUPERVISOR, "county-a")
    browser.show("people/p-a1")
    browser.find("h1", "姓某")
    assert world.PEOPLE["p-a1"] == "station-a1"
    assert "姓名p-a1" not in browser.driver.find_element(By.TAG_NAME, "body").text


def test_a_hold_is_placed_in_the_file_seen_in_the_list_and_lifted_there(browser: Browser) -> None:
    browser.log_in(Role.SUPERVISOR, "county-a")
    browser.show("people/p-a1")
    browser.press("#hold-set")
    browser.press("#ask-do")
    browser.find("dialog .fault", "请填写理由")
    browser.find("#hold-reason").send_keys("检察建议〔2026〕12 号")
    browser.press("#ask-do")
    browser.find("#toast", "已设为证据保全")
    browser.find(".card.minor", "检察建议〔2026〕12 号")
    browser.picture("hold")
    browser.show("system/holds")
    browser.find("tr[data-held=p-a1]", "检察建议")
    browser.press("tr[data-held=p-a1] button")
    browser.find("dialog", "无法恢复")
    browser.find("#hold-reason").send_keys("已结案")
    browser.press("#ask-do")
    browser.find("#toast", "已解除保全")
    browser.find("main", "没有保全")
