"""From the configuration to a page that arrives."""

from __future__ import annotations

import asyncio
import json

from mqtt_world import until
from outgoing import Outgoing
from receivers import HttpReceiver, RunningClock
from town import an_episode, opened

from corrections_monitor.config import load
from corrections_monitor.metrics import Metrics
from corrections_monitor.model.episodes import Kind
from corrections_monitor.paging.way_out import way_out, ways
from corrections_monitor.store import Store


async def test_what_is_configured_is_served(
    store: Store, database_url: str, clock: RunningClock, receiver: HttpReceiver
) -> None:
    config = load(
        None,
        {
            "CORRECTIONS_PAGING__WEBHOOKS__CENTRE__URL": receiver.url,
            "CORRECTIONS_PAGING__WEBHOOKS__CENTRE__SECRET": "0123456789abcdef",
        },
    )
    published: list[str] = []

    async def road(topic: str, payload: bytes) -> bool:
        assert json.loads(payload)["state"] == "open"
        published.append(topic)
        return True

    outgoing = Outgoing(store, database_url, clock, Metrics())
    await outgoing.decide(opened(an_episode(Kind.STRAP_CUT)), ways=ways(config.paging, mqtt=True))
    async with way_out(store, config, [road], clock, outgoing.metrics) as worker:
        running = asyncio.create_task(worker.run())
        await until(lambda: len(receiver.posts) == len(published) == 2)
        await outgoing.settle("sent", "delivered")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert sorted(published) == ["cm/v1/officers/duty1/page", "cm/v1/officers/duty2/page"]
