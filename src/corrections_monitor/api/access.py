"""Who is behind a request: a session cookie, a session's token or a service's token as bearer.

A cookie travels by itself, so a request that changes something and came by cookie must come from our own
pages (OWASP, cross-site request forgery: verify origin), besides the cookie being SameSite=Strict.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.problems import Problem
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.model.cases import Role
from corrections_monitor.store.api_access import find_service, find_session
from corrections_monitor.store.pool import asking_officer

_COOKIE = "corrections_session"
SESSION_PREFIX = "cms_"
SESSION_PATH = "/api/v1/session"
FACTOR_PATH = "/api/v1/session/factor"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

log = logging.getLogger(__name__)


def new_session_token() -> str:
    """256 random bits; only their SHA-256 is stored, so a copy of the database opens no session."""
    return SESSION_PREFIX + secrets.token_urlsafe(32)


def is_secure(request: Request, state: ApiState) -> bool:
    """Whether officers come by TLS alone, to us or to a proxy in front."""
    return state.config.http.secure_cookies or request.url.scheme == "https"


def cookie_name(request: Request, state: ApiState) -> str:
    """Of the session's cookie; by TLS one that a browser takes from this very host and over TLS alone, so
    that no neighbouring host can put another in its place."""
    return f"__Host-{_COOKIE}" if is_secure(request, state) else _COOKIE


def digest(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


async def principal_of(request: Request, state: Annotated[ApiState, Depends(state_of)]) -> Principal:
    """The asker.  Raises the 401 without a valid session or token, the 403 across origins."""
    token, by_cookie = presented_token(request, state)
    if not token:
        raise _not_logged_in()
    if by_cookie and request.method not in SAFE_METHODS:
        require_same_origin(request)
    if by_cookie or token.startswith(SESSION_PREFIX):
        row = await find_session(state.store, digest(token), state.clock.wall_ms())
    else:
        row = await find_service(state.store, digest(token).hex())
    if row is None:
        raise _not_logged_in()
    asking_officer.set(row.principal_id)
    role = Role(row.role)
    if not row.second_factor and role in state.config.http.second_factor and not _enrols(request):
        raise Problem("second-factor-due", "您的角色须启用双因素登录，请先绑定验证器。")
    scopes = None if row.scopes is None else frozenset(row.scopes)
    offices = frozenset(row.offices)
    return Principal(
        row.principal_id, row.name, role, row.office_id, offices, by_cookie, row.session_id, scopes
    )


Asker = Annotated[Principal, Depends(principal_of)]


def _enrols(request: Request) -> bool:
    """What somebody may do who has to enrol first: that, ask who they are, and leave."""
    return request.url.path in (SESSION_PATH, FACTOR_PATH)


def may(permission: Permission) -> Callable[[Principal], Awaitable[Principal]]:
    """A dependency: the asker, who must hold the permission.  Raises the 403."""

    async def permitted(asker: Asker) -> Principal:
        require(asker, permission)
        return asker

    return permitted


def require(asker: Principal, permission: Permission) -> None:
    """Raises the 403 when the asker's role does not hold the permission."""
    if not asker.may(permission):
        log.warning("refused: %s (%s) may not: %s", asker.principal_id, asker.role, permission)
        raise Problem("not-permitted", f"角色 {asker.role} 无权进行此操作（{permission}）。")


def presented_token(request: Request, state: ApiState) -> tuple[str, bool]:
    """The token of a request and whether it came by cookie; empty when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip(), False
    return request.cookies.get(cookie_name(request, state), ""), True


def require_same_origin(request: Request) -> None:
    """Refuse what a browser says comes from another site.  Programs that send neither header are none."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        foreign = site not in ("same-origin", "none")
    else:
        foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if foreign:
        log.warning("refused: a %s from the pages of another site", request.method)
        raise Problem("cross-origin", "为防止跨站请求伪造，只接受本系统页面发出的修改请求。")


def _not_logged_in() -> Problem:
    return Problem(
        "not-logged-in",
        "请先登录：会话不存在或已过期。",
        headers={"WWW-Authenticate": 'Bearer realm="corrections-monitor"'},
    )
