"""The officer's MQTT topic (CONTRACT §2): the alert object, over the broker and the daemon's endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from corrections_monitor.paging.channels import Notice
from corrections_monitor.paging.results import Handed, Result

Publish = Callable[[str, bytes], Awaitable[bool]]
"""(topic, payload) → whether it was acknowledged; False when nobody is there to take it."""


class MqttChannel:
    """Publishes on every road there is; one acknowledgement is enough."""

    def __init__(self, roads: Sequence[Publish]) -> None:
        self._roads = tuple(roads)

    async def send(self, notice: Notice) -> Result:
        """Publish the alert object to the officer's topic."""
        payload = msgspec.json.encode(notice.alert)
        taken = [await publish(notice.address, payload) for publish in self._roads]
        if any(taken):
            return Result(Handed.SENT)
        return Result(Handed.TEMPORARY, "no broker or officer's device acknowledged it")
