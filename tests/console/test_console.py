"""What an officer sees and does in the console."""

from __future__ import annotations

from console_world import DESKTOP, PHONE, Browser
from selenium.webdriver.common.keys import Keys

from corrections_monitor.model.cases import Role
from corrections_monitor.model.episodes import Kind


def test_the_board_is_worked_from_the_keyboard(browser: Browser) -> None:
    browser.log_in(Role.OFFICER, "station-a1")
    alert_id = browser.server.violate("p-a1")
    browser.find("li[data-alert]")
    browser.type("j")
    browser.type("a")
    browser.find(f"li[data-alert='{alert_id}']", "处置中")
    browser.type(Keys.ENTER)
    browser.find(".panel h2", "越界")
    browser.type("r")
    browser.find("dialog .findings")
    browser.type(Keys.ENTER)
    browser.gone("li[data-alert]")


def test_a_filter_says_what_it_hides(browser: Browser) -> None:
    browser.log_in(Role.OFFICER, "station-a1")
    browser.show("board?severity=minor")
    browser.server.violate("p-a1")
    browser.find(".hidden-note", "另有 1 条未显示")
    browser.find(".hidden-note button").click()
    browser.find("li[data-alert]")


def test_who_only_reads_is_offered_no_answer(browser: Browser) -> None:
    alert_id = browser.server.violate("p-a1")
    browser.log_in(Role.AUDITOR, "county-a")
    browser.find(f"li[data-alert='{alert_id}']").click()
    browser.find(".panel h2", "越界")
    assert "确认" not in [b.text for b in browser.driver.find_elements("css selector", "button")]


def test_a_track_opens_for_a_reason_only(browser: Browser) -> None:
    for minute in range(6):
        browser.server.report("p-a1", (6 - minute) * 60_000, 122.07 + minute * 0.002, 41.12)
    browser.log_in(Role.OFFICER, "station-a1")
    browser.show("people/p-a1")
    browser.find(".card", "社区矫正法第二十九条第 2 项")
    # Around midnight the day's track could be short of some.
    browser.driver.execute_script(
        "for (const [id, d] of [['track-from', -1], ['track-to', 1]])"
        " document.getElementById(id).value = new Date(Date.now() + d * 864e5).toISOString().slice(0, 16)"
    )
    browser.find("#track-open").click()
    browser.find(".fault", "请先填写申请理由")
    browser.find("#track-reason").send_keys("核实警情")
    browser.find("#track-open").click()
    browser.find(".card", "6 个定位点")
    browser.find(".reading", "5.4 km/h")
    before = browser.find(".reading").text
    browser.find("#track-slider").send_keys(Keys.ARROW_RIGHT)
    browser.until(lambda _: browser.find(".reading").text != before, "another fix")
    browser.picture("file")


def test_everybody_is_on_the_map_and_moves(browser: Browser) -> None:
    browser.server.report("p-a1", 60_000, 122.07, 41.12)
    browser.log_in(Role.SUPERVISOR, "county-a")
    browser.show("map/p-a1")
    browser.find(".counts", "在图人员 1 · 无位置 2")
    drawn = "return document.querySelector('.leaflet-people-pane canvas').toDataURL()"
    before = browser.driver.execute_script(drawn)
    browser.server.report("p-a1", 0, 122.0701, 41.12)
    browser.until(lambda d: d.execute_script(drawn) != before, "the disc to move")
    browser.picture("map")


def test_every_view_in_both_languages_and_widths(browser: Browser) -> None:
    browser.log_in(Role.SUPERVISOR, "city")
    for view, text in (
        ("people", "姓名p-a1"),
        ("census", "从未联系"),
        ("offices", "甲县司法局"),
        ("map", "在图人员"),
    ):
        browser.show(view)
        browser.find("main", text)
        for size in (PHONE, DESKTOP):
            browser.resize(size)
            assert browser.overflow_px() <= 0, (view, size)
        browser.picture(view)
    browser.find("#language").click()
    browser.find("header", "Duty board")
    assert browser.driver.execute_script("return document.documentElement.lang") == "en"


def test_a_wrong_password_and_the_way_out(browser: Browser) -> None:
    browser.driver.get(browser.server.url)
    browser.find("#username").send_keys("nobody")
    browser.find("#password").send_keys("wrong")
    browser.find("button[type=submit]").click()
    browser.find("#login-fault", "用户名或密码不正确")
    assert [c for c in browser.complaints() if "401" in c], "the browser itself notes the refusal"
    browser.log_in(Role.OFFICER, "station-a1")
    browser.find("#logout").click()
    browser.find("form.login")


def test_no_alert_falls_off_the_page_however_many_there_are(browser: Browser) -> None:
    # More than the 500 of one page of the list.
    browser.server.violate("p-a1", 502)
    browser.log_in(Role.OFFICER, "station-a1")
    browser.find(".counts", "未确认 502")
    browser.until(lambda d: len(d.find_elements("css selector", "li[data-alert]")) == 502, "every row")
    browser.server.violate("q-a1")
    browser.find(".counts", "未确认 503")


def test_tampers_closed_without_a_look_at_the_device_and_steps_with_nobody_are_counted(
    browser: Browser,
) -> None:
    unseen = browser.server.violate("p-a1", kind=Kind.STRAP_CUT)
    seen = browser.server.violate("q-a1", kind=Kind.CASE_OPEN)
    browser.server.miss(seen)
    browser.log_in(Role.SUPERVISOR, "county-a")
    for alert_id, finding in ((unseen, "device_fault"), (seen, "true_violation")):
        browser.find(f"li[data-alert='{alert_id}'] [data-do=resolve]").click()
        if alert_id == seen:
            browser.find("#inspected").click()
        browser.find(f"[data-finding={finding}]").click()
        browser.gone(f"li[data-alert='{alert_id}']")
    browser.show("offices")
    browser.find("tbody tr:first-child", "50% / 2")
    browser.find("tbody tr:first-child td:last-child .fault", "1")
    browser.find("section.card", "县区局值班 · 1 次")


def test_what_is_already_answered_says_by_whom(browser: Browser) -> None:
    alert_id = browser.server.violate("p-a1")
    browser.log_in(Role.OFFICER, "station-a1")
    browser.find(f"li[data-alert='{alert_id}'] [data-do=resolve]").click()
    browser.find(".findings")
    browser.server.answer(alert_id, "chief-station-a1")
    browser.find("[data-finding=drill]").click()
    browser.find("#toast.fault", "已由 chief-station-a1")
    browser.gone("li[data-alert]")
    assert any("409" in entry for entry in browser.complaints()), "the browser itself notes the conflict"


def test_what_happened_while_the_line_was_down_is_there_when_it_is_back(browser: Browser) -> None:
    browser.log_in(Role.OFFICER, "station-a1")
    browser.server.cut_streams()
    browser.find(".live", "实时连接中断")
    # Told to nobody: it must come from the list, which is read anew after every connection.
    alert_id = browser.server.violate("p-a1")
    browser.find(f"li[data-alert='{alert_id}']")
    browser.find(".live.on")


def test_a_video_call_is_opened_and_how_it_went_stands_on_the_timeline(browser: Browser) -> None:
    alert_id = browser.server.violate("p-a1")
    browser.log_in(Role.OFFICER, "station-a1")
    browser.show(f"board?alert={alert_id}")
    # The conference itself is another house's: only that it would be opened is looked at.
    browser.driver.execute_script("window.open = (url) => { window.called = url; }")
    browser.press(".panel [data-do=video]")
    assert browser.driver.execute_script("return window.called") == (
        "https://meet.example.cn/call?who=p-a1&by=officer-station-a1"
    )
    browser.press("[data-outcome=absent]")
    browser.find(".panel .timeline", "视频点名 · 未接通")
    browser.picture("video")
