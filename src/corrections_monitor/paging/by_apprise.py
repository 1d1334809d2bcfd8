"""Everything Apprise knows: mail, WeCom (企业微信), DingTalk (钉钉), SMS gateways and a hundred others.

Apprise is blocking, so each notice is sent on a thread.  The threads are daemons: one that hangs in a
provider's socket must not keep the program from ending.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import apprise

from corrections_monitor.paging.channels import Notice, lane_of
from corrections_monitor.paging.results import Handed, Result


class AppriseChannel:
    """The address of a notice is its Apprise URL."""

    def __init__(self, threads_max: Callable[[str], int] = lambda _channel: 16) -> None:
        """``threads_max``: by channel, how many in one lane, those nobody waits for any more included."""
        self._threads_max = threads_max
        self._running: Counter[str] = Counter()

    async def send(self, notice: Notice) -> Result:
        """Hand the text to Apprise and wait for its thread, which a cancellation does not end."""
        lane = lane_of(notice.channel)
        if self._running[lane] >= self._threads_max(notice.channel):
            return Result(Handed.TEMPORARY, "earlier messages to this provider still hang")
        self._running[lane] += 1
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()

        def tell(result: Result) -> None:
            self._running[lane] -= 1
            if not answer.done():
                answer.set_result(result)

        def work() -> None:
            result = _notify(notice)
            # The loop may be gone when a provider answers after the program's end.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(tell, result)

        threading.Thread(target=work, name="apprise", daemon=True).start()
        return await answer


def _notify(notice: Notice) -> Result:
    messenger = apprise.Apprise()
    if not messenger.add(notice.address):
        return Result(Handed.PERMANENT, "not an address that Apprise understands")
    for server in messenger:
        # What is longer than the provider takes is not the provider's to refuse: split at lines.
        if "overflow=" not in notice.address:
            server.overflow_mode = apprise.OverflowMode.SPLIT
    try:
        taken = messenger.notify(
            title=notice.text.title, body=notice.text.body, body_format=apprise.NotifyFormat.TEXT
        )
    except Exception as error:  # A plugin's own fault must not cost the page its next attempt.
        return Result(Handed.TEMPORARY, f"{type(error).__name__} in Apprise")
    if taken:
        return Result(Handed.SENT)
    return Result(Handed.TEMPORARY, "the provider could not be reached or refused")
