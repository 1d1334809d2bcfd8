"""``/api/v1/people/{id}/commands``: down to the wearer's device (下行指令)."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from corrections_monitor.api.access import may, principal_of
from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.parameters import known_parameters
from corrections_monitor.api.problems import Problem, invalid, not_found
from corrections_monitor.api.render import Json
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.model.cases import CaseSet, Device
from corrections_monitor.model.commands import Cmd, Command, Origin, command_id
from corrections_monitor.model.times import format_time
from corrections_monitor.rules.commanding import county_of, worn_now
from corrections_monitor.store.api_commands import commands_of, issue
from corrections_monitor.store.api_rows import Row

router = APIRouter(
    prefix="/api/v1/people",
    tags=["commands"],
    dependencies=[Depends(principal_of), Depends(known_parameters)],
)

State = Annotated[ApiState, Depends(state_of)]

MESSAGE_MAX, VIBRATE_MAX_S, INTERVAL_MIN_S = 200, 60, 5


class Order(BaseModel):
    """``arg``: seconds for ``set_interval`` (and, if given, ``vibrate``), text for ``message``.

    Without ``device_id`` it goes to every device the person wears.  The same ``key`` given again is the
    same order, not another.
    """

    model_config = ConfigDict(extra="forbid")

    cmd: Cmd
    arg: StrictInt | StrictStr | None = None
    device_id: str | None = Field(default=None, max_length=200, pattern=r"^[^\x00]*$")
    key: str | None = Field(default=None, max_length=100, pattern=r"^[^\x00]*$")


@router.post("/{person_id}/commands", status_code=202, summary="下行指令 · Command a device")
async def order(
    person_id: str,
    asker: Annotated[Principal, Depends(may(Permission.COMMAND))],
    state: State,
    given: Order,
) -> Json:
    """Locate now, vibrate, message, set interval.  It is said again until the device answers or
    ``commands.expires`` has passed; logged, and on the timeline of the person's gravest open alert."""
    cases, now_ms = await _seen(person_id, asker, state), state.clock.wall_ms()
    if not any(o.person_id == person_id and o.span.holds(now_ms) for o in cases.orders.values()):
        raise Problem("no-order", "该人员没有生效的定位决定，不得下发指令（no order is in force）。")
    devices = [d for d in worn_now(cases, person_id, now_ms) if given.device_id in (None, d.device_id)]
    if not devices:
        raise invalid("device_id", "该人员没有佩戴此设备（not worn by this person now）")
    _check(given, devices)
    name = given.key or secrets.token_hex(16)
    commands = [
        Command(
            command_id(asker.principal_id, name, person_id, device.device_id, given.cmd),
            person_id,
            device.device_id,
            county_of(cases, person_id),
            given.cmd,
            given.arg,
            asker.principal_id,
            Origin.OFFICER,
            None,
            now_ms,
            now_ms + state.config.commands.expires_ms,
        )
        for device in devices
    ]
    return {"items": [_told(row, state) for row in await issue(state.store, asker.offices, commands)]}


@router.get("/{person_id}/commands", summary="指令记录 · Commands to a person's devices")
async def list_(
    person_id: str, asker: Annotated[Principal, Depends(may(Permission.READ))], state: State
) -> Json:
    """The newest hundred, newest first, by officers and by rules, with what became of each."""
    await _seen(person_id, asker, state)
    found = await commands_of(state.store, asker.offices, person_id)
    return {"items": [_told(row, state) for row in found], "next": None}


async def _seen(person_id: str, asker: Principal, state: ApiState) -> CaseSet:
    cases, _ = await state.cases.current(state.store)
    person = cases.people.get(person_id)
    if person is None or person.office_id not in asker.offices:
        raise not_found("人员")
    return cases


def _check(given: Order, devices: list[Device]) -> None:
    """Whether ``arg`` is what the command needs.  A slower interval would make the person look silent: that
    is an edit of the device's binding, not a command."""
    slowest_s = min(d.report_every_s for d in devices)
    arg = given.arg
    match given.cmd:
        case Cmd.SET_INTERVAL:
            if not isinstance(arg, int) or not INTERVAL_MIN_S <= arg <= max(slowest_s, INTERVAL_MIN_S):
                raise invalid(
                    "arg", f"应为 {INTERVAL_MIN_S} 至 {slowest_s} 秒（seconds; slower: edit the device）"
                )
        case Cmd.MESSAGE:
            if not isinstance(arg, str) or not 0 < len(arg.strip()) <= MESSAGE_MAX or "\x00" in arg:
                raise invalid("arg", f"应为 1 至 {MESSAGE_MAX} 字的文本（text）")
        case Cmd.VIBRATE:
            if arg is not None and not (isinstance(arg, int) and 1 <= arg <= VIBRATE_MAX_S):
                raise invalid("arg", f"应为 1 至 {VIBRATE_MAX_S} 秒，或不填（seconds, or nothing）")
        case Cmd.LOCATE_NOW:
            if arg is not None:
                raise invalid("arg", "不需要参数（takes none）")


def _told(row: Row, state: ApiState) -> Json:
    return {
        "id": row["command_id"],
        "device_id": row["device_id"],
        "cmd": row["cmd"],
        "arg": row["arg"],
        "state": row["state"],
        "issued_by": row["issued_by"],
        "origin": row["origin"],
        "alert_id": row["alert_id"],
        "issued_at": format_time(row["issued_ms"], state.zone),
        "expires_at": format_time(row["expires_ms"], state.zone),
        "sent_at": format_time(row["sent_ms"], state.zone),
        "answered_at": format_time(row["answered_ms"], state.zone),
        "attempts": row["attempts"],
        "last_error": row["last_error"],
    }
