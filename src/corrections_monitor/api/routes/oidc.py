"""``/api/v1/session/oidc``: logging in by another platform, in two steps of the browser."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from corrections_monitor.api.access import is_secure
from corrections_monitor.api.oidc import Attempt, OidcError
from corrections_monitor.api.problems import Problem, invalid, not_found
from corrections_monitor.api.routes.session import start_session
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.store.api_access import find_login

PATH = "/api/v1/session/oidc"
CALLBACK_PATH = f"{PATH}/callback"
_COOKIE = "corrections_oidc"
ATTEMPT_S = 600

router = APIRouter(prefix=PATH, tags=["session"])
log = logging.getLogger(__name__)

State = Annotated[ApiState, Depends(state_of)]
Given = Annotated[str | None, Query(max_length=4_000)]


@router.get("/open", summary="可否统一认证 · Whether there is such a door")
async def is_open(state: State) -> dict[str, bool]:
    """For the login page, before anybody has logged in."""
    return {"open": state.oidc.is_open}


@router.get("", status_code=302, response_class=RedirectResponse, summary="统一身份认证 · Log in elsewhere")
async def begin(request: Request, state: State) -> Response:
    """Send the browser to the provider; 404 when none is configured."""
    if not state.oidc.is_open:
        raise not_found("统一身份认证")
    try:
        url, attempt = await state.oidc.begin(_redirect_uri(request, state))
    except OidcError as fault:
        return _told(_failed(fault), request)
    response = RedirectResponse(url, status_code=302)
    # Lax: the browser comes back from another site, and has to bring it along.
    response.set_cookie(
        _cookie_name(request, state),
        base64.urlsafe_b64encode(json.dumps(asdict(attempt)).encode()).decode(),
        max_age=ATTEMPT_S,
        httponly=True,
        samesite="lax",
        secure=is_secure(request, state),
        path=PATH,
    )
    return response


@router.get("/callback", status_code=303, response_class=RedirectResponse, summary="返回 · Back again")
async def finish(
    request: Request, state: State, code: Given = None, state_: Annotated[Given, Query(alias="state")] = None
) -> Response:
    """Open a session for the officer of that username and go to the console.  403 when there is none, or
    when the role needs a second factor and the provider saw none; a browser is sent to the login page, which
    says so."""
    try:
        return await _finish(request, state, code, state_)
    except Problem as problem:
        return _told(problem, request)


async def _finish(request: Request, state: ApiState, code: str | None, state_: str | None) -> Response:
    if not state.oidc.is_open:
        raise not_found("统一身份认证")
    attempt = _attempt(request.cookies.get(_cookie_name(request, state), ""))
    if attempt is None or not state_ or not hmac.compare_digest(attempt.state.encode(), state_.encode()):
        raise invalid("state", "登录已过期或不是从本页发起，请重新登录（not begun here, or too old）")
    if not code:
        raise Problem("wrong-credentials", "统一身份认证没有同意登录。")
    now_s = state.clock.wall_ms() // 1_000
    try:
        who = await state.oidc.finish(code, attempt, _redirect_uri(request, state), now_s)
    except OidcError as fault:
        raise _failed(fault) from None
    found = await find_login(state.store, who.username)
    if found is None or found.password_hash is None:
        # An account is opened and closed with its credential, however one logs in.
        raise Problem("not-registered", f"账号 {who.username} 未在本系统登记或已停用。")
    needs = found.factor_secret is not None or found.role in state.config.http.second_factor
    if needs and not who.second_factor:
        raise Problem("not-permitted", "您的角色须以双因素登录统一身份认证。")
    response = RedirectResponse("/", status_code=303)
    await start_session(found, request, response, state, by="oidc", second_factor=who.second_factor)
    name, secure = _cookie_name(request, state), is_secure(request, state)
    response.delete_cookie(name, path=PATH, secure=secure, httponly=True, samesite="lax")
    return response


def _cookie_name(request: Request, state: ApiState) -> str:
    """By TLS one that a browser takes over TLS alone; ``__Host-`` would send it to every path."""
    return f"__Secure-{_COOKIE}" if is_secure(request, state) else _COOKIE


def _told(problem: Problem, request: Request) -> Response:
    """A program gets the problem; a browser, which has come by a link, the login page that says it."""
    if "text/html" not in request.headers.get("accept", ""):
        raise problem
    return RedirectResponse(f"/#/login?problem={problem.slug}", status_code=303)


def _redirect_uri(request: Request, state: ApiState) -> str:
    base = state.config.http.public_url or str(request.base_url)
    return base.rstrip("/") + CALLBACK_PATH


def _attempt(cookie: str) -> Attempt | None:
    try:
        return Attempt(**json.loads(base64.urlsafe_b64decode(cookie)))
    except (binascii.Error, ValueError, TypeError):
        return None


def _failed(fault: OidcError) -> Problem:
    log.warning("oidc: %s", fault)
    return Problem("provider-failed", "统一身份认证无应答或应答不可信，请稍后再试，或用密码登录。")
