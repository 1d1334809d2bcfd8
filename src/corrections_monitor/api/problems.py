"""Errors as RFC 9457 problem details, which name the field at fault.

Titles are in Chinese first: the person who reads them is an officer.  ``type`` is what programs compare.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from corrections_monitor.store.api_rows import Away

PROBLEM_TYPE = "urn:corrections-monitor:problem:"

TITLES: Mapping[str, tuple[int, str]] = {
    "not-logged-in": (401, "未登录 · Not logged in"),
    "wrong-credentials": (401, "用户名、密码或验证码不正确 · Wrong credentials"),
    "second-factor-needed": (401, "请输入验证码 · Second factor needed"),
    "second-factor-due": (403, "请先绑定验证器 · Enrol a second factor first"),
    "not-registered": (403, "未登记的账号 · Not registered here"),
    "not-permitted": (403, "您的角色无此权限 · Not permitted to your role"),
    "cross-origin": (403, "请求来自其他网站 · Request from another site"),
    "not-found": (404, "未找到 · Not found"),
    "method-not-allowed": (405, "不支持此操作 · Method not allowed"),
    "already-answered": (409, "已由他人处理 · Already answered"),
    "no-order": (409, "没有生效的定位决定 · No order in force"),
    "conflict": (409, "与现有数据冲突 · Conflict"),
    "changed-meanwhile": (412, "数据已被他人修改 · Changed meanwhile"),
    "too-large": (413, "请求过大 · Request too large"),
    "invalid": (422, "请求内容有误 · Invalid request"),
    "too-many": (429, "尝试过于频繁 · Too many attempts"),
    "failed": (500, "系统内部错误 · Internal error"),
    "provider-failed": (502, "统一身份认证无应答或应答不可信 · Identity provider failed"),
    "unavailable": (503, "服务暂不可用 · Unavailable"),
}


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One field of the request and what is wrong with it."""

    field: str
    message: str


class Problem(Exception):
    """An answer other than success; ``slug`` is a key of the table above, ``extra`` are further members.

    Raises KeyError at once for a slug that is not in the table.
    """

    def __init__(
        self,
        slug: str,
        detail: str,
        *,
        faults: Sequence[FieldFault] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.slug = slug
        self.status, self.title = TITLES[slug]
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})
        self.extra = extra


def required_reason(reason: str, why: str) -> str:
    """What an officer gave as the reason, without blanks around it.  Raises the 422 that says ``why`` one is
    needed when there is none."""
    if not reason.strip():
        raise invalid("reason", f"{why}，并记入审计日志（a reason is required and logged）")
    return reason.strip()


def invalid(field: str, message: str) -> Problem:
    """The 422 for one field."""
    return Problem("invalid", f"{field}: {message}", faults=[FieldFault(field, message)])


def not_found(what: str) -> Problem:
    """The 404 for what is not there or lies outside the asker's jurisdiction: the two look the same."""
    return Problem("not-found", f"{what}不存在，或不在您的管辖范围内。")


def answer(problem: Problem) -> Response:
    """The problem as ``application/problem+json``."""
    body: dict[str, Any] = {
        "type": PROBLEM_TYPE + problem.slug,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        **problem.extra,
    }
    if problem.faults:
        body["errors"] = [{"field": f.field, "message": f.message} for f in problem.faults]
    # What is wrong may be said in the sender's own words, halves of surrogate pairs included.
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return Response(
        text, status_code=problem.status, headers=problem.headers, media_type="application/problem+json"
    )


def install(app: FastAPI) -> None:
    """Make every error of the application a problem document."""

    async def own(_request: Request, fault: Exception) -> Response:
        assert isinstance(fault, Problem)
        return answer(fault)

    async def validation(_request: Request, fault: Exception) -> Response:
        assert isinstance(fault, RequestValidationError)
        faults = [FieldFault(_field_name(e["loc"]), str(e["msg"])) for e in fault.errors()]
        detail = "; ".join(f"{f.field}: {f.message}" for f in faults)
        return answer(Problem("invalid", detail, faults=faults))

    async def http(_request: Request, fault: Exception) -> Response:
        assert isinstance(fault, HTTPException)
        return answer(_from_http(fault))

    async def away(_request: Request, _fault: Exception) -> Response:
        return answer(Problem("unavailable", "数据库暂不可用，请稍后再试。", headers={"Retry-After": "5"}))

    async def unexpected(_request: Request, _fault: Exception) -> Response:
        # The framework's error logger has the traceback; the asker learns nothing of the inside.
        return answer(Problem("failed", "系统内部错误，已记入日志。"))

    app.add_exception_handler(Problem, own)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Away, away)
    app.add_exception_handler(Exception, unexpected)


_SLUG_BY_STATUS = {
    401: "not-logged-in",
    403: "not-permitted",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
}


def _from_http(fault: HTTPException) -> Problem:
    slug = _SLUG_BY_STATUS.get(fault.status_code)
    if slug is None:
        slug = "invalid" if fault.status_code < 500 else "failed"
    return Problem(slug, str(fault.detail), headers=fault.headers)


def _field_name(location: Sequence[Any]) -> str:
    """``("body", "note")`` → ``note``; a body that is no JSON at all is ``body``."""
    rest = [str(part) for part in location[1:] if isinstance(part, str) or location[0] == "body"]
    if not rest or rest[0].isdigit():
        return str(location[0])
    return ".".join(rest)
