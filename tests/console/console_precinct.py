"""A precinct as it stands in a bureau: daemon, API and database, and bands that speak MQTT.

Everybody who walks through the console has an account with a second factor and a person of their own.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import psycopg
import pyotp
from argon2 import PasswordHasher
from console_world import ROOT, world

# The real program is the smoke tests' own.
sys.path.append(str(ROOT / "tests" / "smoke"))

import one_station as precinct_cases
from program import Api, Daemon, call_well, device_passwords

from corrections_monitor.model.cases import Officer, Role
from corrections_monitor.model.times import MINUTE_MS
from simulators import encode
from simulators.mqtt import Server as MqttServer
from simulators.sender import Sender

OFFICE_OF = {Role.OFFICER: "station", Role.SUPERVISOR: "county", Role.AUDITOR: "county"}
WAY_OUT = (0.0, 0.001, 0.002, 0.003, 0.008, 0.011, 0.014, 0.017)
"""Degrees of longitude east of the circle's centre, a minute apart: from the fifth on 600 m and more."""
NAMES = ("李建国", "王秀英", "张伟", "刘洋", "陈静", "杨帆", "赵磊", "黄敏", "周强", "吴霞", "徐军", "孙丽")


@dataclass(frozen=True)
class Walker:
    """Who walks: an officer, and the person whose alert it is about."""

    role: Role
    number: int

    @property
    def officer_id(self) -> str:
        return f"{self.role}-{self.number}"

    @property
    def person_id(self) -> str:
        return f"w{self.number:02}"

    @property
    def person_name(self) -> str:
        return NAMES[self.number]


@dataclass
class Precinct:
    """The running programs: ``url`` of the console, a secret for each band and each second factor."""

    url: str
    device_port: int
    passwords: dict[str, str]
    secrets: dict[str, str]

    def leaves_the_circle(self, walker: Walker) -> None:
        """The band has been without a net for a while and now says all at once how its wearer went out."""
        now_ms = precinct_cases.now_ms()
        fixes = [
            encode.fix(
                now_ms - (len(WAY_OUT) - n) * MINUTE_MS,
                precinct_cases.LON + east,
                precinct_cases.LAT,
                8.0,
                1.4,
                90.0,
                "gnss",
            )
            for n, east in enumerate(WAY_OUT)
        ]
        asyncio.run(self._say(precinct_cases.band(walker.person_id), encode.fix_payload(None, fixes, 76)))

    async def _say(self, device_id: str, payload: str) -> None:
        acked = asyncio.Event()
        server = MqttServer("127.0.0.1", self.device_port, device_id, self.passwords[device_id])
        sender: Sender[int] = Sender(server, device_id, lambda _key, refused: refused or acked.set())
        sender.put(0, encode.fix_topic("county", device_id), payload)
        running = asyncio.create_task(sender.run())
        await asyncio.wait_for(acked.wait(), 30)
        running.cancel()


@contextmanager
def open_precinct(folder: Path, database_url: str, walkers: Sequence[Walker]) -> Iterator[Precinct]:
    """The programs for as long as the block."""
    cases = precinct_cases.station(*(w.person_id for w in walkers))
    officers = {
        w.officer_id: Officer(
            w.officer_id, OFFICE_OF[w.role], f"{NAMES[-1 - w.number]}", w.role, w.officer_id
        )
        for w in walkers
    }
    people = {
        w.person_id: replace(cases.people[w.person_id], name=w.person_name, officer_id="chief")
        for w in walkers
    }
    cases = replace(cases, officers={**cases.officers, **officers}, people=people)
    call_well("import", precinct_cases.write(cases, folder / "cases"), database_url=database_url)
    passwords = device_passwords(folder, database_url)
    password = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(world.PASSWORD)
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO credentials (kind, id, hash, created_ms)"
            " SELECT 'officer', id, %s, 0 FROM unnest(%s::text[]) AS id",
            (password, list(officers)),
        )
    run, api = Daemon(folder, database_url, endpoint=True), Api(folder, database_url)
    try:
        run.start(wait=False)
        api.start()
        run.wait_ready()
        precinct = Precinct(f"http://127.0.0.1:{api.port}/", run.device_port, passwords, {})
        for walker in walkers:
            precinct.secrets[walker.officer_id] = _enrolled(precinct, walker)
        yield precinct
    finally:
        api.stop()
        assert run.stop() == 0, run.words()


def _enrolled(precinct: Precinct, walker: Walker) -> str:
    """The secret of a second factor that was just confirmed."""
    with httpx.Client(base_url=f"{precinct.url}api/v1", timeout=30, trust_env=False) as client:
        body = {"username": walker.officer_id, "password": world.PASSWORD}
        token = client.post("/session", json=body).raise_for_status().json()["token"]
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {token}"
        secret = str(client.post("/session/factor").raise_for_status().json()["secret"])
        client.put("/session/factor", json={"otp": pyotp.TOTP(secret).now()}).raise_for_status()
    return secret
