"""The duty desk on the real program: who took the duty over is paged, a drill goes the whole way, and the
daily digest is made."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from chaos_run import only_whole
from one_station import Band, station, write
from program import Api, Daemon, call_well, device_passwords, wait_for
from test_daemon import speaking, until

from corrections_monitor.model.cases import Duty, Officer, Role
from corrections_monitor.model.times import ALWAYS

SECRET = "0123456789abcdef"


@contextmanager
def platform() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A webhook that takes everything: its address, and what it was given."""
    given: list[dict[str, Any]] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Taking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", given
    server.shutdown()
    server.server_close()


def digests(url: str) -> list[tuple[str]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT office_id FROM digests").fetchall()


async def logged_in(base: str, database_url: str, officer: str, username: str) -> httpx.AsyncClient:
    issued = json.loads(call_well("credentials", "issue", "officer", officer, database_url=database_url))
    client = httpx.AsyncClient(base_url=f"{base}/api/v1", timeout=30)
    body = {"username": username, "password": issued["password"]}
    token = (await client.post("/session", json=body)).json()["token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return client


@pytest.mark.chaos
@only_whole
async def test_who_took_the_duty_over_is_paged_and_a_drill_goes_the_whole_way(
    tmp_path: Path, database_url: str, daemon: Callable[..., Daemon]
) -> None:
    li = Officer("li", "station", "李某", Role.OFFICER, "li")
    cases = station("a")
    turn = Duty("station", "li", ALWAYS)
    cases = replace(
        cases, officers={**cases.officers, "li": li}, duty={("station", "li", ALWAYS.from_ms): turn}
    )
    call_well("import", write(cases, tmp_path / "cases"), database_url=database_url)
    passwords = device_passwords(tmp_path, database_url)
    with psycopg.connect(database_url) as connection:  # as a daemon of long ago has left it
        connection.execute("INSERT INTO state VALUES ('digest', '\"2026-01-01\"', 0)")
    with platform() as (url, given):
        hook = {
            "CORRECTIONS_PAGING__WEBHOOKS__PLATFORM__URL": url,
            "CORRECTIONS_PAGING__WEBHOOKS__PLATFORM__SECRET": SECRET,
            "CORRECTIONS_DUTY__DIGEST": "00:00",
        }
        run, api = daemon(endpoint=True, **hook), Api(tmp_path, database_url)
        run.start(wait=False)
        api.start()
        run.wait_ready()
        base = f"http://127.0.0.1:{api.port}"
        officer = await logged_in(base, database_url, "li", "li")
        chief = await logged_in(base, database_url, "chief", "wang")
        band = Band(run.device_port, "a", passwords["band-a"])
        try:
            async with speaking([band]):
                await until(lambda: band.acked > 3, "the band is heard")
                done = await officer.post("/duty/handover", json={"to": "chief", "note": "有事先走"})
                assert done.status_code == 200, done.text
                wait_for(lambda: "cases changed" in run.log.read_text(), "the roster is in force")
                band.says("strap_cut")
                await until(lambda: given, "a page has gone out")
                [alert] = (await chief.get("/alerts")).json()["items"]
                whole = (await chief.get(f"/alerts/{alert['alert_id']}")).json()
                assert {page["officer_id"] for page in whole["pages"]} == {"chief"}
                before = (await chief.get("/offices/station/summary")).json()["alerts"]

                order = {"officers": ["li"], "reason": "夜间演练", "minutes": 5}
                drill = (await chief.post("/drills", json=order)).json()
                await until(lambda: any(a["drill"] for a in given), "the drill's page has gone out")
                mine = drill["officers"][0]["alert_id"]
                assert (await officer.post(f"/alerts/{mine}/ack")).status_code == 200
                finding = {"disposition": "drill", "note": "完成"}
                assert (await officer.post(f"/alerts/{mine}/resolve", json=finding)).status_code == 200
                told = (await chief.get(f"/drills/{drill['drill_id']}")).json()["officers"][0]
                assert (
                    0
                    <= told["paged_after_s"]
                    <= told["acknowledged_after_s"]
                    <= told["resolved_after_s"]
                    < 30
                )
                assert (await chief.get("/offices/station/summary")).json()["alerts"] == before
                await until(lambda: digests(database_url) == [("station",)], "the daily digest was made")
                [digest] = (await officer.get("/offices/station/digests")).json()["items"]
                assert digest["office_name"] == "司法所"
                assert [v["kind"] for v in (await chief.get("/violations")).json()["items"]] == ["strap.cut"]
        finally:
            await officer.aclose()
            await chief.aclose()
            api.stop()
            assert run.stop() == 0
