"""sqlmap at every parameter of the API's own description, and first at a door that is open, which it finds.

Values, paths and bodies are such that a request gets as far as the database; each is marked, so that all are
tried.  Twenty minutes: for ``make chaos`` (``apt-get install sqlmap``).
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
import pytest
import small_city as world
from chaos_run import announce, only_whole
from conftest import Api

from corrections_monitor.model.cases import Role
from corrections_monitor.model.times import DAY_MS, format_time

SQLMAP = shutil.which("sqlmap")
pytestmark = [
    pytest.mark.chaos,
    only_whole,
    pytest.mark.skipif(SQLMAP is None, reason="sqlmap is not installed: apt-get install sqlmap"),
]
WITHIN_S = 900  # one operation
CLEAN = "do not appear to be injectable"
FOUND = "identified the following injection point"

APART = {
    ("get", "/api/v1/stream"): "does not end, and takes no parameter",
    ("delete", "/api/v1/session"): "ends the asking",
}
"""Operations that are left out, and why."""

_AT, _LATER = (format_time(world.NOW_MS + n * DAY_MS, world.ZONE) for n in (1, 2))
PERSON, STATION, OFFICER = "p-a1", "station-a1", "officer-station-a1"
VALUES: Mapping[str, str] = {
    "officer": OFFICER, "officer_id": OFFICER, "session_id": "12345", "person_id": PERSON, "person": PERSON,
    "office": STATION, "office_id": STATION, "limit": "10", "state": "open", "kind": "zone.exit",
    "severity": "critical", "disposition": "drill", "q": "离开", "sort": "-detected", "format": "json",
    "by": "day", "name": "姓名", "category": "probation", "reason": "核查", "why": "更正", "actor": OFFICER,
    "action": "session.open", "target": OFFICER, "device": "band-p-a1", "drill_id": "d1", "code": "c",
    "cursor": "WzEsIngiXQ", "if-match": '"1"',
    "from": str(world.NOW_MS - 9 * DAY_MS), "to": str(world.NOW_MS + DAY_MS),
}  # fmt: skip
"""By parameter; of others the description has an example."""

ITEMS = {"zones": "home-p-a1", "orders": "order-p-a1", "leaves": "leave-p-a1"}

BODIES: Mapping[str, dict[str, Any]] = {
    "session": {"username": OFFICER, "password": "x", "otp": "123456"},
    "session/factor": {"otp": "123456"},
    "ack": {"note": "已出发"}, "notes": {"note": "已出发"},
    "resolve": {"disposition": "drill", "note": "演练"},
    "alerts handover": {"officer_id": "chief-station-a1", "note": "交"},
    "holds": {"reason": "核查"}, "lift": {"reason": "核查"},
    "commands": {"cmd": "message", "arg": "请回电", "device_id": "band-p-a1", "key": "k1"},
    "drills": {"officers": [OFFICER], "reason": "演练", "kind": "zone.exit", "severity": "critical"},
    "duty handover": {"to": OFFICER, "office_id": STATION, "at": _AT, "note": "交"},
    "stand-in": {"office_id": STATION, "officer_id": OFFICER, "other_id": "chief-station-a1", "from": _AT,
                 "to": _LATER, "note": "替"},
    "rotation": {"office_id": STATION, "officers": [OFFICER], "every": "day", "from": _AT, "to": _LATER,
                 "at": "08:00", "plan": "p", "note": "轮"},
    "end": {"at": _LATER},
    "zones": {"type": "Feature", "properties": {"zone_id": "z1", "name": "家", "kind": "inclusion",
              "applies_to": PERSON, "radius_m": "50"},
              "geometry": {"type": "Point", "coordinates": [122, 41]}},
    "orders": {"order_id": "o1", "person_id": PERSON, "ground": "29.2", "approved_by": "县局",
               "approved_on": "2026-11-01", "from": "2026-11-01", "to": "2027-01-01", "extends": ""},
    "leaves": {"leave_id": "l1", "person_id": PERSON, "from": _AT, "to": _LATER, "approved_by": "县局",
               "zone_ids": "home-p-a1"},
    "suspensions": {"person_id": PERSON, "from": _AT, "to": _LATER, "reason": "住院"},
    "duty": {"office_id": STATION, "officer_id": OFFICER, "from": _AT, "to": _LATER},
    "devices": {"device_id": "b9", "kind": "band", "person_id": PERSON, "report_every_s": "60", "from": _AT,
                "to": _LATER},
}  # fmt: skip


@asynccontextmanager
async def open_door(database_url: str) -> AsyncIterator[str]:
    """A server that builds SQL from what it is asked: its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ")[1]
        [person_id] = parse_qs(urlsplit(line).query).get("person", [""])
        async with await psycopg.AsyncConnection.connect(database_url) as db:
            try:
                asked = await db.execute(f"SELECT name FROM people WHERE person_id = '{person_id}'".encode())
                body = json.dumps(await asked.fetchall()).encode()
            except psycopg.Error as error:
                body = str(error).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def sqlmap(folder: Path, method: str, url: str, body: str | None, headers: list[str]) -> str:
    """What it says of one operation with ``*`` at each place to try."""
    asked = [f"--header={header}" for header in headers] + ([f"--data={body}"] if body else [])
    child = await asyncio.create_subprocess_exec(
        str(SQLMAP), "-u", url, "--method", method, *asked, "--batch", "--flush-session", "--level=2",
        "--risk=1", "--technique=BEUT", "--time-sec=2", "--dbms=PostgreSQL", "--ignore-code=*", "--threads=1",
        "--disable-coloring", "--retries=1", "--timeout=15", "--output-dir", str(folder),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(WITHIN_S):
            said, _ = await child.communicate()
    except TimeoutError:
        child.kill()
        await child.wait()
        return "it took too long"
    return said.decode(errors="replace")


def marked(value: Any) -> Any:
    """A body with a mark behind every text of it."""
    if isinstance(value, dict):
        return {key: marked(one) for key, one in value.items()}
    if isinstance(value, list):
        return [marked(one) for one in value]
    return f"{value}*" if isinstance(value, str) else value


def body_of(path: str, operation: Mapping[str, Any]) -> str | None:
    """JSON for an operation that takes some."""
    if "requestBody" not in operation:
        return None
    parts = [part for part in path.split("/")[3:] if "{" not in part]
    names = ("/".join(parts), f"{parts[0]} {parts[-1]}", parts[-1])
    example = operation["requestBody"]["content"]["application/json"].get("example")
    found = next((BODIES[name] for name in names if name in BODIES), example)
    assert found is not None, f"no body is known for {path}"
    return json.dumps(marked(found), ensure_ascii=False)


@pytest.mark.timeout(0)
async def test_no_parameter_reaches_into_the_sql(api: Api, tmp_path: Path, database_url: str) -> None:
    announce("sqlmap at every parameter")
    async with open_door(database_url) as url:
        said = await sqlmap(tmp_path, "GET", f"{url}/?person={PERSON}*", None, [])
        assert FOUND in said, said[-3_000:]

    line, alert = world.violation(PERSON)
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert])
        await tx.write_lines([line])
    asker = await api.login(Role.SUPERVISOR, "county-a")
    token = f"Authorization: {asker.headers['Authorization']}"
    ids = {"alert_id": alert.alert_id, "episode_id": line.episode.episode_id}
    paths = (await asker.get("/api/openapi.json")).json()["paths"]
    asked, wrong = 0, list[str]()
    for path, operations in paths.items():
        for method, operation in operations.items():
            parameters = operation.get("parameters", [])
            if (
                (method, path) in APART
                or not path.startswith("/api/")
                or not (parameters or "requestBody" in operation)
            ):
                continue
            examples = {p["name"]: str(p["example"]) for p in parameters if "example" in p}
            named = examples | VALUES | ids
            if (table := path.split("/")[3]) in ITEMS:
                named["item_id"] = ITEMS[table]
            url = api.url + path
            for name in re.findall(r"{(\w+)}", path):
                url = url.replace(f"{{{name}}}", quote(named[name], safe="") + "*")
            query = [p["name"] for p in parameters if p["in"] == "query"]
            if query:
                url += "?" + "&".join(f"{name}={quote(named[name])}*" for name in query)
            headers = [token] + [f"If-Match: {named['if-match']}*" for p in parameters if p["in"] == "header"]
            body = body_of(path, operation)
            if body is not None:
                headers.append("Content-Type: application/json")
            said = await sqlmap(tmp_path, method.upper(), url, body, headers)
            tried = len(re.findall(r"testing if .+ is dynamic", said))
            print(f"sqlmap: {method} {path}: {tried} places", flush=True)
            asked += tried
            if CLEAN not in said or FOUND in said:
                wrong.append(f"{method} {path}: {said[-1_500:]}")
    print(f"sqlmap: {asked} places tried, {len(wrong)} operations not clean", flush=True)
    assert not wrong, "\n".join(wrong)
    assert asked > 150
