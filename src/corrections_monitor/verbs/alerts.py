"""``ack``: an officer's answer, given by hand where there is no console."""

from __future__ import annotations

import argparse
import asyncio

from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Config
from corrections_monitor.errors import FailedError
from corrections_monitor.model.alerts import AlertState, Answer
from corrections_monitor.model.times import format_time
from corrections_monitor.store.answers import AnswerResult, Given, Via, may_answer
from corrections_monitor.store.api_alerts import answer_alert
from corrections_monitor.store.pool import EVERYTHING
from corrections_monitor.verbs.common import guarded, opened


def ack(options: argparse.Namespace, config: Config) -> int:
    """Acknowledge an alert as an officer; 1 and whose it is when somebody else was first."""

    async def work() -> AnswerResult:
        async with opened(config) as store:
            async with store.seeing(EVERYTHING) as connection:
                if not await may_answer(connection, options.alert_id, options.officer):
                    raise FailedError(
                        f"ack: no alert {options.alert_id} that officer {options.officer} may answer"
                    )
            at_ms = SystemClock().wall_ms()
            given = Given(Answer.ACKNOWLEDGED, options.officer, at_ms, options.note, via=Via.CLI)
            return await answer_alert(store, EVERYTHING, options.alert_id, given)

    result = asyncio.run(guarded(work(), "ack"))
    if not result.won and not (result.by == options.officer and result.state is AlertState.ACKNOWLEDGED):
        at = format_time(result.at_ms, config.site.timezone)
        raise FailedError(f"ack: {options.alert_id} was {result.state} by {result.by} at {at}")
    print(f"{options.alert_id} acknowledged by {options.officer}")
    return 0
