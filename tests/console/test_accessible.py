"""axe-core (npm 4.14.1, MPL-2.0, beside this file) finds no fault of WCAG 2.1 AA in any view and theme."""

from __future__ import annotations

from pathlib import Path

import pytest
from console_world import Browser

from corrections_monitor.model.cases import Role

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")
RUN = """
const done = arguments[arguments.length - 1];
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
axe.run({ runOnly: tags }).then((found) => done(found.violations.map((v) => `${v.id}: ${v.nodes[0].html}`)));
"""


def faults(browser: Browser) -> list[str]:
    browser.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE})
    found: list[str] = browser.driver.execute_async_script(RUN)
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_view_can_be_read_by_everybody(browser: Browser, theme: str) -> None:
    alert_id = browser.server.violate("p-a1")
    browser.server.report("p-a1", 60_000, 122.07, 41.12)
    browser.driver.get(browser.server.url)
    browser.driver.execute_script("localStorage.setItem('console.theme', arguments[0])", theme)
    browser.driver.refresh()
    browser.find("#username")
    assert not faults(browser), "login"
    browser.log_in(Role.SUPERVISOR, "city")
    for view, text in (
        (f"board?alert={alert_id}", "经过"),
        ("map", "在图人员 1"),
        ("people", "姓名p-a1"),
        ("people/p-a1", "电子定位决定"),
        ("violations", "离开住所"),
        ("census", "从未联系"),
        ("offices", "警情负荷"),
        ("offices/digest", "还没有简报"),
        ("cases/duty", "交接班记录"),
        ("drills", "还没有组织过演练"),
        ("cases/orders", "第 2 项"),
        ("cases/zones", "住所"),
        ("system", "待办"),
        ("system/quarantine", "隔离区"),
        ("system/audit", "登录"),
        ("system/account", "绑定验证器"),
    ):
        browser.show(view)
        browser.find("main", text)
        assert not faults(browser), view
    browser.show("board")
    browser.find("li [data-do=resolve]").click()
    browser.find(".findings")
    assert not faults(browser), "resolve"
