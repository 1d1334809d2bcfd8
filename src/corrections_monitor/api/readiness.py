"""Whether the house is fit to monitor, as ``serve`` can tell: a database answers and a daemon leads."""

from __future__ import annotations

import asyncio

from corrections_monitor.api.state import ApiState
from corrections_monitor.model.times import SECOND_MS
from corrections_monitor.store.api_access import is_led
from corrections_monitor.store.api_rows import Away

ANSWER_WITHIN_S = 5.0


async def blind_reason(state: ApiState) -> str | None:
    """Why nobody is monitoring, or None.

    A daemon may be absent for ``run.blind_after_ms`` (a restart, a hand-over, our own start) before that
    is called blind.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            led = await is_led(state.store)
    except (Away, TimeoutError) as fault:
        return f"数据库无应答 · the database does not answer ({type(fault).__name__})"
    now_s = state.clock.monotonic_s()
    if led:
        state.last_led_s = now_s
    absent_ms = (now_s - state.last_led_s) * SECOND_MS
    if absent_ms <= state.config.run.blind_after_ms:
        return None
    return "没有监控进程在运行 · no daemon is monitoring (corrections-monitor run)"
