"""From the database to the hub: alerts as they are notified, positions as they become newer.

Positions are not notified one by one — a fix every few milliseconds would drown the listeners — but read
every two seconds, in one query, while somebody is listening.
"""

from __future__ import annotations

import asyncio
import json
import logging

from corrections_monitor.api.hub import Change
from corrections_monitor.api.render import alert_object, position_object
from corrections_monitor.api.state import ApiState
from corrections_monitor.store.api_alerts import alerts_by_id
from corrections_monitor.store.api_people import positions_since
from corrections_monitor.store.api_rows import Away

POSITIONS_EVERY_S = 2.0
_GATHER_S = 0.05  # one answer touches an alert several times; told once is enough
_GATHER_MAX = 200
_WAITING_MAX = 10_000

_log = logging.getLogger(__name__)


async def feed(state: ApiState) -> None:
    """Keep the hub supplied until cancelled; a database that is away ends nothing but the streams."""
    changed: asyncio.Queue[str] = asyncio.Queue(_WAITING_MAX)
    async with asyncio.TaskGroup() as group:
        group.create_task(_hear(state, changed))
        group.create_task(_tell_alerts(state, changed))
        group.create_task(_tell_positions(state))


async def _hear(state: ApiState, changed: asyncio.Queue[str]) -> None:
    is_first = True
    async for _channel, alert_id in state.store.listen("alerts"):
        if alert_id:
            await changed.put(alert_id)
        elif not is_first:
            # The connection was broken for a while: nobody knows what was said meanwhile.
            state.hub.end_streams()
        is_first = False


async def _tell_alerts(state: ApiState, changed: asyncio.Queue[str]) -> None:
    while True:
        alert_ids = {await changed.get()}
        await asyncio.sleep(_GATHER_S)
        while not changed.empty() and len(alert_ids) < _GATHER_MAX:
            alert_ids.add(changed.get_nowait())
        offices = state.hub.offices
        if not offices:
            continue
        try:
            alerts = await alerts_by_id(state.store, offices, sorted(alert_ids), state.clock.wall_ms())
        except Away as fault:
            _log.warning("stream: alerts could not be read (%s); streams are ended", type(fault).__name__)
            state.hub.end_streams()
            continue
        for alert in alerts:
            whole = alert_object(alert, state.zone, sees_locations=True)
            text = json.dumps(whole, ensure_ascii=False)
            unlocated = json.dumps(whole | {"position": None}, ensure_ascii=False)
            state.hub.publish(Change("alert", whole["office_id"], text, unlocated))


async def _tell_positions(state: ApiState) -> None:
    since_ms = state.clock.wall_ms()
    while True:
        await asyncio.sleep(POSITIONS_EVERY_S)
        offices = state.hub.offices
        if not offices:
            since_ms = state.clock.wall_ms()
            continue
        try:
            found = await positions_since(state.store, offices, since_ms)
        except Away as fault:
            _log.warning("stream: positions could not be read (%s)", type(fault).__name__)
            continue
        for fix in found:
            told = {
                "person_id": fix["person_id"],
                "office_id": fix["office_id"],
                "device_id": fix["device_id"],
                **(position_object(fix, state.zone) or {}),
                "acc": fix["acc_m"],
            }
            text = json.dumps(told, ensure_ascii=False)
            state.hub.publish(Change("position", fix["office_id"], text, None))
            since_ms = max(since_ms, fix["arrival_ms"])
