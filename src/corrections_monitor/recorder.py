"""``record``: what the broker brings, as a recording (CONTRACT §4); audited; nobody without an order."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from corrections_monitor.clock import SystemClock
from corrections_monitor.config import Config
from corrections_monitor.detection.city import City
from corrections_monitor.ingest.broker import BrokerSession
from corrections_monitor.ingest.inbox import Inbox
from corrections_monitor.ingest.message import Message
from corrections_monitor.ingest.topics import Family, route
from corrections_monitor.model.times import format_time
from corrections_monitor.replay import calendar_of
from corrections_monitor.store import Store

TELL_EVERY_S = 10.0


async def record_to(
    file: Path,
    reason: str,
    seconds: float | None,
    store: Store,
    config: Config,
    user: str,
    told: Callable[[str], None],
) -> int:
    """Write messages to ``file`` until interrupted, or for ``seconds``; return how many.

    Devices' messages are written while an order is in force for who wears them.  Raises OSError.
    """
    assert config.mqtt.url is not None
    clock = SystemClock()
    cases, _ = await store.load_cases()
    city = City(cases, calendar_of(cases, config.site.timezone))
    await store.audit.append(clock.wall_ms(), f"cli:{user}", "record", str(file), {"reason": reason})
    inbox = Inbox(config.ingest.inbox_max_messages, config.ingest.inbox_max_bytes, clock)
    # A session of its own: the daemon's is not touched, and what was sent before we came is not ours.
    broker = BrokerSession(
        config.mqtt.url, f"{config.mqtt.client_id}-record-{os.getpid()}", inbox, clock, session_expiry_s=0
    )
    session = asyncio.create_task(broker.run())
    count = 0
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out, contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                told_s = clock.monotonic_s()
                while True:
                    intake = await inbox.take(1_000, 0.5)
                    for message in intake.messages:
                        if _may_keep(message, city):
                            out.write(_line(message, config))
                            count += 1
                    out.flush()
                    intake.ack()
                    if clock.monotonic_s() - told_s > TELL_EVERY_S:
                        told_s = clock.monotonic_s()
                        told(
                            f"record: {count} messages"
                            + ("" if broker.connected else f"; {broker.last_error}")
                        )
    finally:
        session.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await session
    return count


def _may_keep(message: Message, city: City) -> bool:
    family, owner = route(message.topic)
    device = city.device_no.get(owner)
    if family is Family.UNKNOWN or family is Family.ACK or device is None:
        return False
    person = city.person_at(device, message.arrival_ms)
    if person < 0 or city.protected[person]:
        return False
    return bool(city.permitted(np.array([person], np.int32), np.array([message.arrival_ms], np.int64))[0])


def _line(message: Message, config: Config) -> bytes:
    row: dict[str, object] = {
        "at": format_time(message.arrival_ms, config.site.timezone),
        "topic": message.topic,
    }
    try:
        row["payload"] = msgspec.json.decode(message.payload)
    except msgspec.MsgspecError:
        row["payload_b64"] = base64.b64encode(message.payload).decode()
    return msgspec.json.encode(row) + b"\n"
