"""The officer's MQTT topic (CONTRACT §2): the alert object, over the broker and the daemon's endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from corrections_monitor.paging.channels import Notice
from corrections_monitor.paging.results import Handed, Result

Publish = Callable[[str, bytes], Awaitable[bool]]
"""(topic, payload) → whether it was acknowledged; False when nobody is there to take it."""

RECEIPT_S = 1.0  # what one road has taken waits no longer than this for a better word from another


class MqttChannel:
    """Publishes on every road there is at once; one acknowledgement is enough.

    ``direct`` is the road on which the officer's own client acknowledges: that is a receipt.  A broker's
    acknowledgement says no more than that the broker has it.
    """

    def __init__(self, roads: Sequence[Publish], direct: Publish | None = None) -> None:
        self._roads = tuple(roads)
        self._direct = direct

    async def send(self, notice: Notice) -> Result:
        """Publish the alert object to the officer's topic."""
        payload = msgspec.json.encode(notice.alert)
        asked = {
            asyncio.ensure_future(publish(notice.address, payload)): publish == self._direct
            for publish in self._roads
        }
        waiting, is_sent = set(asked), False
        try:
            while waiting:
                limit_s = RECEIPT_S if is_sent else None
                done, waiting = await asyncio.wait(
                    waiting, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    break
                taken = [road for road in done if road.exception() is None and road.result()]
                if any(asked[road] for road in taken):
                    return Result(Handed.DELIVERED)
                is_sent = is_sent or bool(taken)
        finally:
            for road in waiting:
                road.cancel()
        if is_sent:
            return Result(Handed.SENT)
        return Result(Handed.TEMPORARY, "no broker or officer's device acknowledged it")
