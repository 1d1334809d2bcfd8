"""What the daemon found out live, replay finds out from the recording: the same episodes, open and closed."""

from __future__ import annotations

import asyncio
import json
import math
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import psycopg
from mqtt_world import Mosquitto, needs_mosquitto
from one_station import LAT, LON, ZONE, band, now_ms, station, write
from program import COMMAND, Daemon, call_well, environment, wait_for

from corrections_monitor.model.cases import CaseSet, Circle, Zone, ZoneKind
from corrections_monitor.model.times import parse_time
from simulators import encode
from simulators.mqtt import parse_url
from simulators.sender import Sender

pytestmark = needs_mosquitto
QUICK = """
[detection]
silence_min = "4s"
evidence_gap = "1s"
unheard = "30d"
"""
LASTS_S = 22.0
EVERY_S = 0.5
SPEED_MPS = 40.0
METRES_PER_LON = 111_320 * math.cos(math.radians(LAT))
WITHIN_MS = 1_000  # two processes stamp the arrival of a message, each when it comes to it

# Where who walks is heading from which second on: metres east of the middle of the circle (500 m).
WALKS = {
    "leaves": ((0.0, 460.0), (3.0, 660.0), (12.0, 300.0)),
    "leaves-unheard": ((0.0, 460.0), (5.0, 660.0), (11.0, 460.0)),
    "enters": ((0.0, 0.0), (3.0, -200.0), (12.0, 0.0)),
}
UNHEARD_S = {"unheard": (4.0, 14.0), "gone": (8.0, LASTS_S), "leaves-unheard": (4.0, 17.0)}
SAYS = {
    "strap": {4.0: "strap_loose", 10.0: "strap_ok", 14.0: "strap_cut"},
    "power": {5.0: "power_off", 12.0: "power_on", 15.0: "sos"},
    "shield": {5.0: "shielded", 11.0: "unshielded", 16.0: "separated"},
}
LOSES_S = (6.0, 9.0)  # the numbers of "gap" are not there between these, and come at the end of LATE_S
LATE_S = 16.0
PEOPLE = ("stays", *WALKS, "unheard", "gone", *SAYS, "battery", "gap")
EXPECTED = {
    ("leaves", "zone.exit", False),
    ("leaves-unheard", "zone.exit", False),
    ("leaves-unheard", "silence.device", False),
    ("enters", "zone.enter", False),
    ("unheard", "silence.device", False),
    ("gone", "silence.device", True),
    ("strap", "strap.loose", False),
    ("strap", "strap.cut", True),
    ("power", "power.off", False),
    ("power", "sos", True),
    ("shield", "shielded", False),
    ("shield", "separated", True),
    ("battery", "battery.low", False),
    ("gap", "data.gap", False),
}


class Found(NamedTuple):
    """An episode as both tell it."""

    person_id: str
    kind: str
    zone_id: str
    started_ms: int
    detected_ms: int
    ended_ms: int | None


def cases() -> CaseSet:
    """Devices that report every second, and a place within the circle where nobody may be."""
    found = station(*PEOPLE)
    school = Zone(
        "school", "学校", ZoneKind.EXCLUSION, "station", Circle(LON - 200 / METRES_PER_LON, LAT, 60.0)
    )
    return replace(
        found,
        devices={key: replace(device, report_every_s=1) for key, device in found.devices.items()},
        zones={**found.zones, "school": school},
    )


def east_m(person_id: str, at_s: float) -> float:
    """Where a person is."""
    legs = WALKS.get(person_id, ((0.0, 0.0),))
    here_m, before_s, goal_m = legs[0][1], 0.0, legs[0][1]
    for since_s, next_m in (*legs[1:], (math.inf, 0.0)):
        reach_m = SPEED_MPS * max(0.0, min(at_s, since_s) - before_s)
        here_m += max(-reach_m, min(reach_m, goal_m - here_m))
        before_s, goal_m = min(at_s, since_s), next_m
    return here_m


def messages(began_ms: int, step: int) -> Iterator[tuple[str, str]]:
    """What everyone's band says at a step of the whole: topic and payload."""
    for person_id in PEOPLE:
        at_s = step * EVERY_S
        seq: int | None = None
        pct = 15 if person_id == "battery" and 5 <= at_s < 12 else 80
        first_s, last_s = UNHEARD_S.get(person_id, (math.inf, math.inf))
        steps = [step]
        if first_s <= at_s < last_s:
            continue
        if person_id == "leaves-unheard" and at_s == last_s:  # all that it kept, at once
            steps = [*range(int(first_s / EVERY_S), step + 1)]
        if person_id == "gap":
            seq = step
            if LOSES_S[0] <= at_s < LOSES_S[1]:
                continue
            if at_s == LATE_S:
                for late in range(int(LOSES_S[0] / EVERY_S), int(LOSES_S[1] / EVERY_S)):
                    yield _fixes(person_id, began_ms, [late], late, pct)
        said = _fixes(person_id, began_ms, steps, seq, pct)
        yield said
        if person_id == "leaves":  # as a device that never heard that it arrived
            yield said
        if (event := SAYS.get(person_id, {}).get(at_s)) is not None:
            t_ms = began_ms + round(at_s * 1_000)
            yield encode.band_topic("county", band(person_id)), encode.band_payload(None, t_ms, event)


def _fixes(person_id: str, began_ms: int, steps: list[int], seq: int | None, pct: int) -> tuple[str, str]:
    fixes = [
        encode.fix(
            began_ms + round(step * EVERY_S * 1_000),
            LON + east_m(person_id, step * EVERY_S) / METRES_PER_LON,
            LAT,
            8.0,
        )
        for step in steps
    ]
    return encode.fix_topic("county", band(person_id)), encode.fix_payload(seq, fixes, pct)


@contextmanager
def recording(file: Path, config: Path, database_url: str, mqtt: str) -> Iterator[None]:
    """``record`` beside it; ended as by Ctrl-C."""
    command = [COMMAND, "record", str(file), "--reason", "test", "--config", str(config)]
    with subprocess.Popen(command, env=environment(database_url, CORRECTIONS_MQTT_URL=mqtt)) as child:
        try:
            yield
        finally:
            child.send_signal(signal.SIGINT)


async def test_replay_of_a_recording_and_the_daemon_find_the_same_episodes(
    tmp_path: Path, database_url: str, mosquitto: Mosquitto, daemon: Callable[..., Daemon]
) -> None:
    folder, config, file = (
        write(cases(), tmp_path / "cases"),
        tmp_path / "quick.toml",
        tmp_path / "rec.ndjson",
    )
    config.write_text(QUICK)
    call_well("import", folder, database_url=database_url)
    run = daemon(mqtt=mosquitto.url(), config=config)
    await asyncio.to_thread(run.start)
    sent = 0

    def counted(_key: int, refused: bool) -> None:
        nonlocal sent
        assert not refused
        sent += 1

    sender: Sender[int] = Sender(parse_url(mosquitto.url()), "fleet", counted)
    with recording(file, config, database_url, mosquitto.url()):
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(sender.run())
            await _is_recorded(sender, file)
            began_ms = now_ms()
            for step in range(int(LASTS_S / EVERY_S)):
                await asyncio.sleep(max(0.0, began_ms / 1_000 + step * EVERY_S - now_ms() / 1_000))
                for said in messages(began_ms, step):
                    sender.put(0, *said)
            await asyncio.wait_for(sender.idle.wait(), 30)
            sending.cancel()
        await asyncio.to_thread(wait_for, lambda: run.metric("messages_total") >= sent, "all is taken in")
        until_ms = now_ms()
        assert await asyncio.to_thread(run.stop) == 0
        last = (band(PEOPLE[-1]), str(began_ms + round((LASTS_S - EVERY_S) * 1_000)))
        await asyncio.to_thread(
            wait_for, lambda: all(word in _last_line(file) for word in last), "all is recorded", 30
        )

    live = _live(database_url)
    output = tmp_path / "episodes.ndjson"
    call_well(
        "replay", "--config", config, "--cases", folder, "--input", file, "--output", output,
        "--until", until_ms,
    )  # fmt: skip
    replayed = _replayed(output)
    assert {(e.person_id, e.kind, e.ended_ms is None) for e in live} == EXPECTED
    assert [e[:3] for e in live] == [e[:3] for e in replayed]
    for one, other in zip(live, replayed, strict=True):
        assert (one.ended_ms is None) == (other.ended_ms is None), (one, other)
        apart_ms = [abs((a or 0) - (b or 0)) for a, b in zip(one[3:], other[3:], strict=True)]
        assert max(apart_ms) <= WITHIN_MS, (one, other)


async def _is_recorded(sender: Sender[int], file: Path) -> None:
    """Somebody reports until the recording has begun: only then may anything happen."""
    async with asyncio.timeout(30):
        while not _last_line(file):
            sender.put(0, *_fixes("stays", now_ms(), [0], None, 80))
            await asyncio.sleep(0.2)


def _last_line(file: Path) -> str:
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return lines[-1] if lines else ""


def _live(url: str) -> list[Found]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT person_id, kind, coalesce(zone_id, ''), started_ms, detected_ms, ended_ms FROM episodes"
        ).fetchall()
    return sorted((Found(*row) for row in rows), key=lambda e: e[:4])


def _replayed(output: Path) -> list[Found]:
    last: dict[str, Found] = {}  # the last line of an episode says how it stands
    for line in output.read_text(encoding="utf-8").splitlines():
        r = json.loads(line)
        times = (r[k] and parse_time(r[k], ZONE) for k in ("started_at", "detected_at", "ended_at"))
        last[r["episode_id"]] = Found(r["person_id"], r["kind"], r["zone_id"] or "", *times)
    return sorted(last.values(), key=lambda e: e[:4])
