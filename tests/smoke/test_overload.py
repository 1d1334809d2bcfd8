"""More than it can take: the oldest first, bounded, told to whoever asks, and nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import aiomqtt
import psycopg
from mqtt_world import Mosquitto, needs_mosquitto
from one_station import LAT, LON, now_ms, station, write
from program import Daemon, call_well, wait_for

from simulators import encode

pytestmark = needs_mosquitto
MESSAGES = 6_000
OLD_MS = 180_000  # three minutes: beyond what passes for monitoring


async def test_a_backlog_at_the_broker_is_blindness_until_it_is_worked_off(
    tmp_path: Path, database_url: str, mosquitto: Mosquitto, daemon: Callable[..., Daemon]
) -> None:
    call_well("import", write(station("a"), tmp_path / "cases"), database_url=database_url)
    run = daemon(mqtt=mosquitto.url(), endpoint=False, CORRECTIONS_INGEST__BATCH_MAX_MESSAGES="10")
    run.start()  # its session outlives it
    assert run.stop() == 0
    first_ms = now_ms() - OLD_MS
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
        for n in range(MESSAGES):
            payload = encode.fix_payload(n, [encode.fix(first_ms + n, LON, LAT, 8.0)])
            await client.publish(encode.fix_topic("county", "band-a"), payload, qos=1)

    run.start(wait=False)
    await asyncio.to_thread(wait_for, lambda: "judging what is" in run.readyz()[1], "it says how late it is")
    assert run.metric("detection_lag_seconds") > 120
    assert run.metric("inbox_messages") <= MESSAGES
    await asyncio.to_thread(wait_for, lambda: _stored(database_url) == MESSAGES, "all is stored", 60)
    await asyncio.to_thread(wait_for, lambda: run.readyz()[0] == 200, "it is in sight again")
    assert run.metric("detection_lag_seconds") < 120


def _stored(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM fixes").fetchone()
    assert row is not None
    return int(row[0])
