"""``/a/{token}``: the page behind a one-time link.  It shows; a press acknowledges; no login, no scripts.

It tells no more than the message it came in.  Opening and pressing are in the audit log.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from corrections_monitor.api.jurisdiction import PERMISSIONS, Permission
from corrections_monitor.api.parameters import is_storable
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.links import PATH, Link, digest, read_link
from corrections_monitor.model.alerts import AlertState, Answer
from corrections_monitor.model.cases import CaseSet
from corrections_monitor.model.times import from_ms
from corrections_monitor.paging.notices import Manner, facts_of
from corrections_monitor.rules.text import page_rows
from corrections_monitor.store.answers import Given, Via
from corrections_monitor.store.api_alerts import AlertRow, alerts_by_id
from corrections_monitor.store.links import answer_once, link_key, log_opened
from corrections_monitor.store.notices import AlertToTell

router = APIRouter(include_in_schema=False)

State = Annotated[ApiState, Depends(state_of)]
NOTE_MAX = 500

STYLE = (
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:1rem;color:#111;"
    "background:#fff}"
    "h1{font-size:1.3rem}dt{color:#555;font-size:.9rem}dd{margin:0 0 .6rem}"
    "button{font:inherit;font-weight:bold;width:100%;padding:.9rem;border:0;"
    "border-radius:.4rem;background:#0b5cad;color:#fff}input{font:inherit;width:100%;box-sizing:border-box;padding:.6rem}"
    "small{display:block;font-weight:normal}label{display:block;margin-top:.8rem;color:#555;font-size:.9rem}a{color:#0b5cad}"
    ".said{border-left:.3rem solid #0b5cad;padding:.3rem .8rem;background:#eef4fb}"
)
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'sha256-"
        + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
        + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}


@dataclass(frozen=True, slots=True)
class _Opened:
    """A sound link with what it names."""

    token: str
    link: Link
    found: AlertToTell
    cases: CaseSet


class _Refused(Exception):
    """The link shows nothing: status and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@router.get(PATH + "{token}")
async def show(token: str, state: State) -> HTMLResponse:
    """The alert as the message told it, and the button."""
    try:
        opened = await _opened(token, state)
    except _Refused as refused:
        return _page(refused.status, "链接无效 · Link not valid", _said(str(refused)))
    await log_opened(state.store, opened.link.alert_id, opened.link.officer_id, state.clock.wall_ms())
    return _alert_page(200, opened, state)


@router.post(PATH + "{token}")
async def press(token: str, request: Request, state: State) -> HTMLResponse:
    """Acknowledge as the officer the link names, once."""
    try:
        opened = await _opened(token, state)
    except _Refused as refused:
        return _page(refused.status, "链接无效 · Link not valid", _said(str(refused)))
    given = Given(
        Answer.ACKNOWLEDGED, opened.link.officer_id, state.clock.wall_ms(), await _note(request), via=Via.LINK
    )
    offices = frozenset(opened.cases.offices)
    result = await answer_once(state.store, offices, opened.link.alert_id, given, digest(token))
    return _alert_page(200 if result.won else 409, await _opened(token, state), state)


async def _opened(token: str, state: ApiState) -> _Opened:
    now_ms = state.clock.wall_ms()
    link = read_link(await link_key(state.store, now_ms), token)
    if link is None:
        raise _Refused(404, "链接不完整或不是本系统发出的。 Not a link of this system.")
    if link.expires_ms <= now_ms:
        raise _Refused(410, "链接已过期，请登录控制台处理。 Expired: please log in to the console.")
    cases, _ = await state.cases.current(state.store)
    officer = cases.officers.get(link.officer_id)
    found = await alerts_by_id(state.store, frozenset(cases.offices), [link.alert_id], now_ms)
    if officer is None or Permission.ANSWER not in PERMISSIONS[officer.role] or not found:
        raise _Refused(404, "该警情或人员已不存在。 The alert or the officer is no more.")
    return _Opened(token, link, _to_tell(found[0], cases), cases)


def _to_tell(row: AlertRow, cases: CaseSet) -> AlertToTell:
    """As the message is made from it."""
    up = cases.offices_up(row.alert["office_id"])
    return AlertToTell(
        row,
        up[0].name if up else row.alert["office_id"],
        tuple(office.office_id for office in up),
        tuple(cases.zones.values()),
        {officer.officer_id: officer.name for officer in cases.officers.values()},
    )


async def _note(request: Request) -> str | None:
    """What was typed beside the button."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    note = form.get("note", [""])[0].strip()[:NOTE_MAX]
    return note if note and is_storable(note) else None


def _alert_page(status: int, opened: _Opened, state: ApiState) -> HTMLResponse:
    site, now_ms = state.config.site, state.clock.wall_ms()
    manner = Manner(site.language, state.config.paging.personal_data, state.zone)
    title, rows = page_rows(
        facts_of(opened.found, 0, manner, now_ms), manner.language, manner.naming, state.zone
    )
    told = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in rows)
    is_open = opened.found.alert.alert["state"] == AlertState.OPEN
    below = _form(opened.token) if is_open else _said(_who_has_it(opened, state))
    console = '<p class="console"><a href="/">打开控制台（需登录） · Console</a></p>'
    return _page(status, title, f"{below}<dl>{told}</dl>{console}")


def _form(token: str) -> str:
    return (
        f'<form method="post" action="{PATH}{escape(token, quote=True)}">'
        "<button>确认收到，由我处理<small>Acknowledge</small></button>"
        "<label>备注（可不填） · Note"
        f'<input name="note" maxlength="{NOTE_MAX}" autocomplete="off"></label></form>'
    )


def _who_has_it(opened: _Opened, state: ApiState) -> str:
    row = opened.found.alert.alert
    resolved = row["state"] == AlertState.RESOLVED
    by = row["resolved_by"] if resolved else row["acknowledged_by"]
    at_ms = row["resolved_ms"] if resolved else row["acknowledged_ms"]
    if by is None or at_ms is None:
        return "该警情已经结束。 This alert is over."
    name = opened.found.officers.get(by, by)
    at = from_ms(at_ms, state.zone).strftime("%m-%d %H:%M")
    if resolved:
        return f"已由 {name} 于 {at} 处置，不必再处理。 Resolved by {name}."
    if by == opened.link.officer_id:
        return f"您已于 {at} 确认，请及时处置。 You have acknowledged this."
    return f"已由 {name} 于 {at} 确认，您不必处理。 {name} has taken this."


def _said(text: str) -> str:
    return f'<p class="said" role="status">{escape(text)}</p>'


def _page(status: int, title: str, body: str) -> HTMLResponse:
    return HTMLResponse(
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>",
        status_code=status,
        headers=_HEADERS,
    )
