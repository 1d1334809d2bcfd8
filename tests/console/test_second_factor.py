"""A second factor is bound in the console; from then on a password alone does not open it."""

from __future__ import annotations

import pyotp
from console_world import Browser, world

from corrections_monitor.clock import SystemClock
from corrections_monitor.model.cases import Role


def test_a_second_factor_is_bound_and_then_asked_for(browser: Browser) -> None:
    browser.log_in(Role.OFFICER, "station-a1")
    browser.press(".who")
    browser.press("#factor-begin")
    browser.find(".qr path")
    browser.picture("factor")
    totp = pyotp.TOTP(browser.find("#factor-secret").text.replace(" ", ""))
    now_s = SystemClock().wall_ms() // 1_000
    browser.find("#factor-code").send_keys(totp.at(now_s))
    browser.press("#factor-confirm")
    browser.find(".card", "已绑定验证器")
    browser.find("tbody tr", "本次登录")
    browser.press("#logout")
    browser.find("#username").send_keys(world.officer_id(Role.OFFICER, "station-a1"))
    browser.find("#password").send_keys(world.PASSWORD)
    browser.press("button[type=submit]")
    browser.find("#login-fault", "六位数字")
    assert browser.driver.switch_to.active_element.get_attribute("id") == "otp"
    # A code works once; the next step's counts already.
    browser.find("#otp").send_keys(totp.at(now_s + 30))
    browser.press("button[type=submit]")
    browser.find(".live.on")
    assert all("401" in entry for entry in browser.complaints()), "the browser itself notes the refusal"
