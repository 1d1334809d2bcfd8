"""Several windows of one browser: a server is given six connections by all of them together (HTTP/1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from console_world import Browser, only_whole

from corrections_monitor.model.cases import Role

WINDOWS = 7  # more than there are connections


@contextmanager
def another_window(browser: Browser) -> Iterator[None]:
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    try:
        yield
    finally:
        browser.driver.close()
        browser.driver.switch_to.window(first)


def test_every_window_is_live_however_many_there_are(browser: Browser) -> None:
    browser.log_in(Role.OFFICER, "station-a1")
    first = browser.driver.current_window_handle
    handles = [first]
    try:
        for _ in range(WINDOWS - 1):
            browser.driver.switch_to.new_window("tab")
            handles.append(browser.driver.current_window_handle)
            browser.show("board")
            browser.find(".live.on")
            browser.find(".hidden-note", "没有未处置的警情")
        alert_id = browser.server.violate("p-a1")
        for handle in handles:
            browser.driver.switch_to.window(handle)
            browser.find(f"li[data-alert='{alert_id}']")
        browser.show("people/p-a1")
        browser.find(".card", "社区矫正法第二十九条第 2 项")
    finally:
        for handle in handles[1:]:
            browser.driver.switch_to.window(handle)
            browser.driver.close()
        browser.driver.switch_to.window(first)


@only_whole
def test_a_window_left_behind_by_the_back_button_holds_no_connection(browser: Browser) -> None:
    browser.log_in(Role.OFFICER, "station-a1")
    for _ in range(WINDOWS):
        browser.driver.get("about:blank")
        browser.show("board")
        browser.find(".live.on")
    browser.driver.back()
    browser.driver.back()
    alert_id = browser.server.violate("p-a1")
    browser.find(f"li[data-alert='{alert_id}']")


def test_who_logs_in_by_another_window_is_who_all_windows_belong_to(browser: Browser) -> None:
    """One browser has one session: what the one before might see must not stay on a screen."""
    browser.log_in(Role.SUPERVISOR, "city")
    elsewhere = browser.server.violate("p-b1")
    browser.find(f"li[data-alert='{elsewhere}']")
    browser.driver.execute_script("localStorage.removeItem('console.entered')")
    with another_window(browser):
        browser.log_in(Role.OFFICER, "station-a1")
        assert browser.driver.find_elements("css selector", "li[data-alert]") == []
    browser.find(".who", "officer@station-a1")
    browser.gone("li[data-alert]")
