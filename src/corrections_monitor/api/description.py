"""The API's description of itself (OpenAPI 3.1), finished: every parameter in words, every answer with an
example, every refusal as the problem document that it is.

Routes say what they do where they stand; what holds for all of them is said here.  The examples are answers
that the API gave in ``tests/api/test_description.py``, which holds them to what it gives now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from corrections_monitor.api.problems import PROBLEM_TYPE, TITLES

EXAMPLES_FILE = Path(__file__).with_name("openapi_examples.json")
PROBLEM_JSON = "application/problem+json"
Json = dict[str, Any]

# Asked by nobody in particular: logging in, and what machines watch.
_OPEN = {
    "POST /api/v1/session",
    "GET /api/v1/session/oidc",
    "GET /api/v1/session/oidc/open",
    "GET /api/v1/session/oidc/callback",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
}

_PARAMETERS: Mapping[str, str] = {
    "office": "an office_id: it and all below it",
    "person": "a person_id",
    "officer": "an officer_id",
    "name": "part of a name, or a person_id",
    "format": "how the answer is written",
    "reason": "why it is read (申请理由); kept in the audit log",
    "actor": "who did it: an officer_id, or the name of a service",
    "action": "what was done, such as track.read or alert.resolved",
    "target": "what it was done to: an id",
    "device": "a device_id",
    "code": "of the identity provider",
    "state": "of the login attempt",
    "if-match": "the ETag of the item that the change was made from; 412 when it has changed since",
    "alert_id": "of an alert",
    "episode_id": "of an episode (违规)",
    "person_id": "of a person",
    "office_id": "of an office",
    "officer_id": "of an officer",
    "drill_id": "of a drill",
    "session_id": "of a session",
    "exchange_id": "of an exchange of rosters",
    "item_id": "the item's `id` as the list gives it",
}
"""What parameters mean whose routes do not say it."""

_PARAMETERS_OF: Mapping[tuple[str, str], str] = {
    ("/api/v1/quarantine", "reason"): "why it could not be used, such as undecodable or unknown_device",
}

_SUMMARY = """
实时社区矫正监测 · Real-time monitoring for community corrections.

Log in with `POST /api/v1/session` and send the token as `Authorization: Bearer …`; browsers have it as a
cookie.  Everybody sees their own office and all below it; what lies elsewhere is answered as if it did not
exist (404).  Lists are `{"items": […], "next": cursor or null}`; the next page is asked for with `cursor=`.
A cursor names a place in the order, so that what is added meanwhile neither repeats nor hides an item.  An
unknown or repeated parameter is refused (422).  Errors are problem details (RFC 9457) whose `type` programs
compare; `errors` names each field.
"""


def install(app: FastAPI) -> None:
    """Make ``app.openapi()`` the finished description."""

    def description() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = _finished(
                get_openapi(title=app.title, version=app.version, description=_SUMMARY, routes=app.routes)
            )
        return app.openapi_schema

    app.openapi = description  # type: ignore[method-assign]


def _finished(described: Json) -> Json:
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            operation["operationId"] = _operation_id(name)
            for parameter in operation.get("parameters", ()):
                words = _PARAMETERS_OF.get((path, parameter["name"])) or _PARAMETERS.get(parameter["name"])
                if words:
                    parameter.setdefault("description", words)
            _refuse(operation, name)
            _show(operation, _examples().get(name, {}))
    components = described.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "of a session or a service"},
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": "__Host-corrections_session",
            "description": "without TLS: corrections_session",
        },
    }
    return described


def _operation_id(name: str) -> str:
    """``POST /api/v1/alerts/{alert_id}/ack`` is ``post_alerts_alert_id_ack``, for ever."""
    method, path = name.split(" ", 1)
    words = path.removeprefix("/api/v1").replace("{", "").replace("}", "").replace("-", "_")
    return method.lower() + "_".join(words.split("/"))


def _refuse(operation: Json, name: str) -> None:
    """Which problems it may answer with."""
    method, path = name.split(" ", 1)
    slugs: list[str] = []
    if name not in _OPEN:
        operation["security"] = [{"token": []}, {"cookie": []}]
        slugs += ["not-logged-in", "not-permitted"]
    if name == "POST /api/v1/session":
        slugs += ["wrong-credentials", "second-factor-needed", "too-many"]
    has_office = any(p["name"] == "office" for p in operation.get("parameters", ()))
    if "{" in path or has_office:
        slugs.append("not-found")
    if method != "GET" and path.startswith("/api/v1/alerts"):
        slugs.append("already-answered")
    if method == "POST" and "{" not in path and name not in _OPEN:
        slugs.append("conflict")
    if any(p["name"] == "if-match" for p in operation.get("parameters", ())):
        slugs += ["conflict", "changed-meanwhile"]
    if "422" in operation["responses"] or name not in _OPEN:
        slugs.append("invalid")
    if path not in ("/healthz", "/readyz", "/metrics"):
        slugs.append("unavailable")
    by_status: dict[str, Json] = {}
    for slug in slugs:
        status, title = TITLES[slug]
        problem = {"type": PROBLEM_TYPE + slug, "title": title, "status": status, "detail": title}
        if slug == "invalid":
            problem |= {
                "detail": "limit: 应不大于 500",
                "errors": [{"field": "limit", "message": "应不大于 500"}],
            }
        answer = by_status.setdefault(
            str(status),
            {
                "description": title,
                "content": {
                    PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
                },
            },
        )
        answer["content"][PROBLEM_JSON]["examples"][slug] = {"value": problem}
    operation["responses"].pop("422", None)
    operation["responses"].update(by_status)


def _show(operation: Json, example: Json) -> None:
    """Put the examples where readers and tools look for them."""
    if "request" in example:
        for content in operation.get("requestBody", {}).get("content", {}).values():
            content["example"] = example["request"]
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in example.get("parameters", {}):
            parameter["example"] = example["parameters"][parameter["name"]]
    for status, answer in operation["responses"].items():
        if status.startswith("2") and example and "response" not in example:
            answer.pop("content", None)  # it has no body
        elif status.startswith("2") and example:
            kinds = answer.setdefault("content", {})
            content = kinds.setdefault(example["media_type"], {})
            if example["media_type"] != "application/json":
                kinds.pop("application/json", None)
            content["example"] = example["response"]


@cache
def _examples() -> dict[str, Json]:
    found: dict[str, Json] = json.loads(EXAMPLES_FILE.read_text(encoding="utf-8"))
    return found


_PROBLEM: Json = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "what programs compare"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
