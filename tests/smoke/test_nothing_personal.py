"""Of a day of the daemon and the API, with what can go wrong at their doors: neither logs nor metrics tell
who somebody is, where somebody was, or a secret."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

import httpx
from one_station import LAT, LON, Band, forbidden_here, station, write
from program import Api, Daemon, call_well, device_passwords, wait_for

from simulators import encode
from simulators.mqtt import Server
from simulators.sender import Sender

POSITION = re.compile(rf"{LON:.2f}\d*|{LAT:.2f}\d*")


async def _report(band: Band) -> None:
    while True:
        band.fix()
        await asyncio.sleep(0.2)


async def _speak(band: Band, others: list[Sender[int]], reads: Callable[[], object]) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(sender.run()) for sender in (band.sender, *others)]
        tasks.append(group.create_task(_report(band)))
        band.says("strap_cut")
        band.says("not an event")
        await asyncio.to_thread(wait_for, lambda: band.acked > 20, "the band is heard")
        await asyncio.to_thread(reads)
        for task in tasks:
            task.cancel()


async def test_logs_and_metrics_tell_no_name_place_or_secret(
    tmp_path: Path, database_url: str, daemon: Callable[..., Daemon]
) -> None:
    cases = forbidden_here(station("a", "b"))
    call_well("import", write(cases, tmp_path / "cases"), database_url=database_url)
    passwords = device_passwords(tmp_path, database_url)
    chief = json.loads(call_well("credentials", "issue", "officer", "chief", database_url=database_url))
    loud = {"CORRECTIONS_LOG__LEVEL": "debug", "CORRECTIONS_DETECTION__EVIDENCE_GAP": "1s"}
    webhook = {
        "CORRECTIONS_PAGING__WEBHOOKS__GONE__URL": "http://user:hunter2@127.0.0.1:9/",
        "CORRECTIONS_PAGING__WEBHOOKS__GONE__SECRET": "a secret of some length",
    }
    run, api = daemon(endpoint=True, **loud, **webhook), Api(tmp_path, database_url, **loud)
    run.start()
    api.start()
    band = Band(run.device_port, "a", passwords["band-a"])
    # A stranger, a guess, and one who speaks for another in words that cannot be read.
    doors = [("band-x", "guessed-password"), ("band-b", "another-guess"), ("band-b", passwords["band-b"])]
    others: list[Sender[int]] = [
        Sender(Server("127.0.0.1", run.device_port, name, word), name, lambda *_: None)
        for name, word in doors
    ]
    others[2].put(1, encode.fix_topic("county", "band-a"), f'{{"fixes":[{{"t":1,"lon":{LON},"lat":{LAT}}}]}}')
    others[2].put(2, encode.fix_topic("county", "band-b"), f'{{"fixes":[{{"lon":{LON},"lat":{LAT}')

    def officer_reads() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{api.port}") as client:
            client.post("/api/v1/session", json={"username": "wang", "password": "a-wrong-password"})
            token = client.post("/api/v1/session", json=chief).json()["token"]
            client.headers["Authorization"] = f"Bearer {token}"
            secrets.append(token)
            for path in (
                "alerts",
                "people/a",
                "people/a/track?reason=查岗",
                "people?q=张a",
                "violations?format=csv",
            ):
                client.get(f"/api/v1/{path}")

    secrets = [*passwords.values(), chief["password"], "hunter2", "a secret of some length"]
    secrets += ["guessed-password", "another-guess", "a-wrong-password"]
    try:
        await _speak(band, others, officer_reads)
        metrics = run.get("/metrics")[1] + api.get("/metrics")[1]
    finally:
        assert [await asyncio.to_thread(one.stop) for one in (api, run)] == [0, 0]
    logs = run.log.read_text("utf-8") + api.log.read_text("utf-8")
    assert "band-a" in logs + metrics or len(logs) > 500  # there is something to look at
    names = {one.name for table in (cases.people, cases.officers) for one in table.values()}
    for where in (logs, metrics):
        assert not [word for word in {*names, *secrets, "查岗"} if word in where]
        assert not POSITION.findall(where)
