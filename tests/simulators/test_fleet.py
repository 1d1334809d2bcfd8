"""The fleet over real sockets: devices connect, report, and show violations within the first minute."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import aiomqtt
import pytest
from mqtt_world import Mosquitto, needs_mosquitto, until
from sim_town import START_MS, ZONE, town

from corrections_monitor import cases as case_folder
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.times import HOUR_MS, MINUTE_MS, Interval
from simulators.__main__ import main
from simulators.world import QUICK_KINDS, Plan, build


@needs_mosquitto
@pytest.mark.parametrize("own_connections", [True, False])
async def test_devices_report_over_mqtt(mosquitto: Mosquitto, tmp_path: Path, own_connections: bool) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    cases = town(30)
    for device in cases.devices.values():  # a second between reports, so that a few seconds show many
        object.__setattr__(device, "report_every_s", 1)
        object.__setattr__(device, "span", Interval())
    case_folder.write(cases, folder, ZONE)
    logins = tmp_path / "logins.csv"
    names = [d.device_id for d in cases.devices.values()]
    logins.write_text("username,password\n" + "".join(f"{n},secret\n" for n in names))
    heard: set[str] = set()
    seqs: list[int] = []

    async def hear() -> None:
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
            await client.subscribe("cm/#", qos=1)
            async for message in client.messages:
                heard.add(str(message.topic).split("/")[3])
                seqs.append(json.loads(bytes(message.payload)).get("seq", 0))  # type: ignore[arg-type]

    listener = asyncio.create_task(hear())
    call = ["fleet", "--cases", str(folder), "--mqtt", mosquitto.url(), "--for", "6", "--noise", "clean"]
    if own_connections:
        call += ["--credentials", str(logins)]
    fleet = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", *call, stdout=asyncio.subprocess.PIPE
    )
    await until(lambda: heard == set(names))
    assert len(seqs) > 0
    out, _ = await fleet.communicate()
    listener.cancel()
    assert fleet.returncode == 0
    assert f"fleet: {len(names)} devices" in out.decode()


def test_an_onlooker_sees_five_kinds_in_the_first_minute() -> None:
    span = Interval(START_MS + 14 * HOUR_MS, START_MS + 20 * HOUR_MS)  # 22:00, curfews hold
    world = build(town(60), Plan(span, ZONE, quick=1, lively=True))
    assert not world.unplaced
    shown = {t.kind: t.from_ms for life in world.lives if life.injected for t in life.settled_truths()}
    assert shown.keys() >= set(QUICK_KINDS)
    assert all(shown[kind] <= span.from_ms + MINUTE_MS for kind in QUICK_KINDS)


def test_silent_people_of_the_demonstration_are_strict() -> None:
    span = Interval(START_MS, START_MS + 6 * HOUR_MS)
    world = build(town(60), Plan(span, ZONE, quick=2, lively=True))
    silent = [life for life in world.lives if life.injected is Kind.SILENCE_DEVICE]
    assert [life.subject.person.level for life in silent] == ["strict", "strict"]


def test_a_device_without_a_password_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    case_folder.write(town(4), folder, ZONE)
    logins = tmp_path / "logins.csv"
    logins.write_text("username,password\nband-p000,x\n")
    call = ["fleet", "--cases", str(folder), "--mqtt", "mqtt://127.0.0.1:1", "--credentials", str(logins)]
    assert main(call) == 1
    assert "band-p001" in capsys.readouterr().err
