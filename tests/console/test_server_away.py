"""A server that dies under an open console, and comes back."""

from __future__ import annotations

from pathlib import Path

from console_precinct import Api
from console_world import Server, only_whole, window
from selenium import webdriver

from corrections_monitor.model.cases import Role


@only_whole
def test_the_console_says_that_it_stands_still_and_catches_up(
    chromium: webdriver.Chrome, server: Server, database_url: str, tmp_path: Path
) -> None:
    api = Api(tmp_path, database_url)
    api.start(wait=False)
    url = f"http://127.0.0.1:{api.port}/"
    api.wait_alive()
    # The browser itself notes every request that fails meanwhile.
    with window(chromium, url, server, (url,)) as browser:
        browser.log_in(Role.OFFICER, "station-a1")
        api.kill()
        browser.find("#banner", "连不上服务器")
        browser.picture("server-away")
        alert_id = server.violate("p-a1")
        api.start(wait=False)
        api.wait_alive()
        browser.find(f"li[data-alert='{alert_id}']")
        browser.until(lambda d: not d.find_element("css selector", "#banner").text, "no banner")
    api.stop()
