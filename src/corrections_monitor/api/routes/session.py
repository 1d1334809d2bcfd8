"""``/api/v1/session``: logging in with password and second factor, who one is, logging out."""

from __future__ import annotations

import logging
import math
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from corrections_monitor.api.access import (
    Asker,
    cookie_name,
    digest,
    is_secure,
    new_session_token,
    presented_token,
    require_same_origin,
)
from corrections_monitor.api.jurisdiction import Principal
from corrections_monitor.api.parameters import known_parameters
from corrections_monitor.api.passwords import Crowded
from corrections_monitor.api.problems import Problem, invalid
from corrections_monitor.api.second_factor import enrolment_uri, new_secret, step_of
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.model.times import SECOND_MS, format_time
from corrections_monitor.store.api_access import (
    LoginRow,
    close_session,
    find_login,
    note_failed_login,
    open_session,
)
from corrections_monitor.store.api_accounts import factor_secret, note_enrolment, offer_factor, use_factor

router = APIRouter(prefix="/api/v1/session", tags=["session"], dependencies=[Depends(known_parameters)])

log = logging.getLogger(__name__)

State = Annotated[ApiState, Depends(state_of)]


class Login(BaseModel):
    """``otp`` may always be sent; it is looked at only for officers who have a second factor."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    username: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")
    password: str = Field(min_length=1, max_length=1_000)
    otp: str | None = Field(default=None, max_length=20)


class Code(BaseModel):
    """The six digits that the authenticator shows."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    otp: str = Field(min_length=1, max_length=20)


@router.post("", summary="登录 · Log in")
async def log_in(login: Login, request: Request, response: Response, state: State) -> dict[str, object]:
    """Exchange name, password and, for those who have one, the second factor for a session: a cookie for
    browsers, the same token for programs.  401 ``second-factor-needed``: the password was right, send
    ``otp`` with it."""
    require_same_origin(request)
    address = _address(request)
    _refuse_if_locked_out(state, login.username, address)
    # Counted as a failure before it is checked, so that guesses sent all at once count as well.
    state.lockout.failed(login.username, address, state.clock.monotonic_s())
    found = await find_login(state.store, login.username)
    try:
        fits = await state.passwords.fits(login.password, found.password_hash if found else None)
    except Crowded:
        raise Problem("too-many", "登录请求过多，请稍后再试。", headers={"Retry-After": "2"}) from None
    if not fits or found is None:
        await note_failed_login(state.store, login.username, address, state.clock.wall_ms())
        raise Problem("wrong-credentials", "用户名或密码不正确。")
    if found.factor_secret is not None:
        await _check_code(found.officer_id, found.factor_secret, login, address, state)
    state.lockout.succeeded(login.username, address)
    return await start_session(
        found, request, response, state, by="password", second_factor=found.factor_secret is not None
    )


async def start_session(
    found: LoginRow, request: Request, response: Response, state: ApiState, *, by: str, second_factor: bool
) -> dict[str, object]:
    """Open a session for an officer, set its cookie on the response, and say who it is."""
    token = new_session_token()
    now_ms = state.clock.wall_ms()
    expires_ms = now_ms + state.config.http.session_ms
    await open_session(
        state.store,
        digest(token),
        found.officer_id,
        _address(request),
        now_ms,
        expires_ms,
        second_factor=second_factor,
        by=by,
    )
    response.set_cookie(
        cookie_name(request, state),
        token,
        max_age=state.config.http.session_ms // SECOND_MS,
        httponly=True,
        samesite="strict",
        secure=is_secure(request, state),
        path="/",
    )
    response.headers["Cache-Control"] = "no-store"
    return {
        "token": token,
        "expires_at": format_time(expires_ms, state.zone),
        "officer_id": found.officer_id,
        "name": found.name,
        "role": found.role,
        "office_id": found.office_id,
        "must_enrol": not second_factor and found.role in state.config.http.second_factor,
    }


@router.get("", summary="我是谁 · Who am I")
async def who_am_i(asker: Asker) -> dict[str, object]:
    """The officer behind this session."""
    return {
        "officer_id": asker.principal_id,
        "name": asker.name,
        "role": asker.role,
        "office_id": asker.office_id,
    }


@router.delete("", status_code=204, summary="退出 · Log out")
async def log_out(asker: Asker, request: Request, state: State) -> Response:
    """End this session at once, for the cookie and the token alike."""
    token, _ = presented_token(request, state)
    await close_session(state.store, digest(token), asker.principal_id, state.clock.wall_ms())
    response = Response(status_code=204)
    name, secure = cookie_name(request, state), is_secure(request, state)
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="strict")
    return response


@router.post("/factor", status_code=201, summary="绑定验证器 · Begin to enrol a second factor")
async def enrol(asker: Asker, state: State) -> dict[str, object]:
    """A new secret and the ``otpauth:`` address of its QR code; it counts once its first code was right.
    409 when one is in use: an admin can take it away."""
    _require_officer(asker)
    secret = new_secret()
    if not await offer_factor(state.store, asker.principal_id, secret, state.clock.wall_ms()):
        raise Problem("conflict", "已绑定验证器；如已遗失，请管理员解除后重新绑定。")
    return {"secret": secret, "uri": enrolment_uri(secret, asker.principal_id)}


@router.put("/factor", status_code=204, summary="确认验证器 · Confirm it with a first code")
async def confirm(code: Code, asker: Asker, state: State) -> Response:
    """From now on a login needs a code; this session counts as one with a second factor."""
    _require_officer(asker)
    secret = await factor_secret(state.store, asker.principal_id)
    now_ms = state.clock.wall_ms()
    step = None if secret is None else step_of(secret, code.otp, now_ms)
    if step is None or not await use_factor(state.store, asker.principal_id, step, now_ms):
        raise invalid("otp", "验证码不正确，请核对手机时间后再试（wrong or used code）")
    await note_enrolment(state.store, asker.principal_id, asker.session_id, now_ms)
    return Response(status_code=204)


async def _check_code(officer_id: str, secret: str, login: Login, address: str, state: ApiState) -> None:
    """Raises the 401 for a code that is missing, wrong, or used before."""
    if not login.otp:
        state.lockout.not_failed(login.username, address)
        raise Problem("second-factor-needed", "请输入验证器显示的六位数字。")
    now_ms = state.clock.wall_ms()
    step = step_of(secret, login.otp, now_ms)
    if step is None or not await use_factor(state.store, officer_id, step, now_ms):
        await note_failed_login(state.store, login.username, address, now_ms)
        raise Problem("wrong-credentials", "用户名、密码或验证码不正确。")


def _require_officer(asker: Principal) -> None:
    if asker.session_id is None:
        raise Problem("not-permitted", "服务令牌没有验证器。")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _refuse_if_locked_out(state: ApiState, username: str, address: str) -> None:
    wait_s = state.lockout.wait_s(username, address, state.clock.monotonic_s())
    if wait_s > 0:
        seconds = math.ceil(wait_s)
        log.warning("refused: too many failed logins from %s", address)
        raise Problem(
            "too-many",
            f"失败次数过多，请 {seconds} 秒后再试。",
            headers={"Retry-After": str(seconds)},
            retry_after_s=seconds,
        )
