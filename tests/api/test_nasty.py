"""Whatever is sent, the answer is a problem that blames the sender, never a failure of ours."""

from __future__ import annotations

import base64
import json
from typing import Any

from conftest import Api

from corrections_monitor.model.cases import Role

JSON = {"Content-Type": "application/json"}
TEXTS = ("\x00", "\ud800", "a" * 5_000, "'; DROP TABLE alerts --", "%", "{}", "\u202e", "../etc", "𝕏", "")
TIMES = ("9999999999999999", "-9999999999999999", "0001-01-01", "9999-12-31", "2026-02-30", "NaN", "1e400")
VALUES: tuple[Any, ...] = (*TEXTS, None, True, -1, 1e308, 10**30, [], [[]], {}, {"a": [None]}, ["\ud800"])


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


CURSORS = (
    "",
    "!",
    "é",
    _cursor(r'[1,"\u0000"]'),
    _cursor(r'[1,"\ud800"]'),
    _cursor('[1e400,""]'),
    _cursor("[" * 200),
)


async def test_no_query_makes_the_server_fail(api: Api) -> None:
    client = await api.login(Role.SUPERVISOR, "city")
    paths: dict[str, dict[str, Any]] = (await api.client().get("/api/openapi.json")).json()["paths"]
    for path, operations in paths.items():
        if "get" not in operations or "{" in path or path == "/api/v1/stream":
            continue
        for parameter in operations["get"].get("parameters", ()):
            name = parameter["name"]
            values = {"from": TIMES, "to": TIMES, "cursor": CURSORS}.get(name, TEXTS)
            for value in values:
                answer = await client.get(path, params={name: value.encode("utf-8", "surrogatepass")})
                assert answer.status_code < 500, (path, name, value, answer.text)
    for t in TIMES:
        track = await client.get("/api/v1/people/p-a1/track", params={"reason": "x", "from": t, "to": t})
        assert track.status_code < 500, t


async def test_no_path_makes_the_server_fail(api: Api) -> None:
    client = await api.login(Role.SUPERVISOR, "city")
    for nasty in ("%00", "%ff", "%ed%a0%80", "..", "%2e%2e%2f", "a" * 3_000, "%F0%9F%98%80", "%20"):
        for path in ("alerts/{}", "people/{}", "people/{}/track?reason=x", "orders/{}", "offices/{}/summary"):
            answer = await client.get("/api/v1/" + path.format(nasty))
            assert answer.status_code in (200, 404, 422), (path, nasty, answer.text)


async def test_no_body_makes_the_server_fail(api: Api) -> None:
    client = await api.login(Role.SUPERVISOR, "city")
    leave = {"leave_id": "l", "person_id": "p-a1", "from": "", "to": "", "approved_by": "x", "zone_ids": ""}
    names = {"zone_id": "z", "name": "n", "kind": "inclusion", "applies_to": "p-a1", "radius_m": 5}
    point = {"type": "Point", "coordinates": [122, 41]}
    zone = {"type": "Feature", "properties": names, "geometry": point}
    await client.post("/api/v1/leaves", json=leave)
    for value in VALUES:
        bodies: list[tuple[str, str, Any]] = [("POST", "session", value), ("POST", "alerts/x/ack", value)]
        bodies += [("POST", "session", {"username": value, "password": value, "otp": value})]
        bodies += [("POST", "alerts/x/resolve", {"disposition": value, "note": value})]
        bodies += [("POST", "leaves", leave | {column: value}) for column in leave]
        bodies += [("PATCH", "leaves/l", {column: value}) for column in leave]
        bodies += [("POST", "leaves/l/end", {"at": value}), ("POST", "leaves", {str(value): value})]
        bodies += [("POST", "zones", zone | {member: value}) for member in zone]
        bodies += [("POST", "zones", zone | {"properties": names | {name: value}}) for name in names]
        bodies += [("POST", "zones", zone | {"geometry": point | {"coordinates": [value, value]}})]
        bodies += [("PATCH", "zones/home-p-a1", {"properties": value}), ("PATCH", "zones/home-p-a1", value)]
        for method, path, body in bodies:
            answer = await client.request(method, f"/api/v1/{path}", content=json.dumps(body), headers=JSON)
            assert answer.status_code < 500, (method, path, body, answer.text)
