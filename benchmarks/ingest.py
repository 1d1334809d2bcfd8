"""From the bytes of a socket to columns: CPU per message, beside the usual way of doing it.

    python -m benchmarks.ingest [--quick]

A process of its own plays the broker: after CONNECT and SUBSCRIBE it sends a prepared stream of PUBLISH
frames (QoS 1, one fix of 133 bytes each, 10,000 devices in turn) as fast as it is read.  Ours is the
``BrokerSession`` with inbox, ``decode`` and acknowledgement; the usual way is aiomqtt, one message at a time,
``json.loads``, the same checks in Python, the same arrays at the end.  CPU is that of this process alone.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from zoneinfo import ZoneInfo

import aiomqtt
import mqtt5
import numpy as np

from benchmarks.report import Row, report
from corrections_monitor.clock import SystemClock
from corrections_monitor.ingest.broker import BrokerSession
from corrections_monitor.ingest.decode import decode
from corrections_monitor.ingest.frames import Version, write_packet
from corrections_monitor.ingest.inbox import Inbox
from corrections_monitor.ingest.message import Message
from corrections_monitor.ingest.topics import SUBSCRIPTIONS
from corrections_monitor.live.lasting import YOUNG_MAX
from corrections_monitor.model.settings import DetectionSettings

DEVICES = {f"d{n:05d}": n for n in range(10_000)}
ZONE = ZoneInfo("Asia/Shanghai")
SETTINGS = DetectionSettings()
BATCH = 5_000
TARGET_US = 4.0
TARGET_TIMES = 30.0


def payload(n: int, t_ms: int) -> bytes:
    """The message of CONTRACT §2."""
    fix = {"t": t_ms + n // len(DEVICES), "lon": 122.0 + n % 997 / 9970, "lat": 41.1 + n % 991 / 9910}
    fix |= {"acc": 8.5, "spd": 1.2, "hdg": 90, "src": "gnss"}
    return json.dumps({"seq": n, "fixes": [fix], "crs": "wgs84", "bat": 83}, separators=(",", ":")).encode()


def play(told: Connection, count: int, version: Version, topics: int) -> None:
    """The broker: one client, one stream; tells its port."""
    t_ms = time.time_ns() // 1_000_000 - 60_000
    stream = b"".join(
        write_packet(
            mqtt5.PublishPacket(
                f"cm/v1/xinglongtai/d{n % len(DEVICES):05d}/fix",
                payload(n, t_ms),
                qos=mqtt5.QoS.AT_LEAST_ONCE,
                packet_id=n % 65_535 + 1,
            ),
            version,
        )
        for n in range(count)
    )
    suback = mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE] * topics)
    with socket.create_server(("127.0.0.1", 0)) as server:
        told.send(server.getsockname()[1])
        client, _ = server.accept()
        client.recv(65_536)
        client.sendall(write_packet(mqtt5.ConnAckPacket(), version))
        client.recv(65_536)
        client.sendall(write_packet(suback, version) + stream)
        while client.recv(65_536):
            pass


async def ours(port: int, count: int, version: Version) -> float:
    """Seconds of CPU from subscribed to all in columns and acknowledged."""
    gc.set_threshold(YOUNG_MAX)  # as the daemon does
    clock = SystemClock()
    inbox = Inbox(50_000, 64 << 20, clock)
    session = BrokerSession(f"mqtt://127.0.0.1:{port}", "bench", inbox, clock, version=version)
    task = asyncio.create_task(session.run())
    while not session.connected:  # noqa: ASYNC110 - a session sets no event
        await asyncio.sleep(0.001)
    start, seen = time.process_time(), 0
    while seen < count:
        intake = await inbox.take(BATCH, 0.2)
        seen += len(decode(intake.messages, DEVICES, ZONE, SETTINGS).batch.fixes)
        intake.ack()
    spent = time.process_time() - start
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return spent


async def usual(port: int, count: int, version: Version) -> float:
    """The same with aiomqtt, message by message."""
    protocol = aiomqtt.ProtocolVersion.V5 if version is Version.V5 else aiomqtt.ProtocolVersion.V311
    async with aiomqtt.Client("127.0.0.1", port, identifier="bench", protocol=protocol) as client:
        await client.subscribe("cm/v1/+/+/fix", qos=1)
        start = time.process_time()
        rows: list[tuple[float, ...]] = []
        async for message in client.messages:
            said, now_ms = json.loads(message.payload), time.time_ns() // 1_000_000
            device = DEVICES[str(message.topic).split("/")[3]]
            for fix in said["fixes"]:
                old = now_ms - fix["t"] > SETTINGS.retention_ms
                if old or not (-180 <= fix["lon"] <= 180 and -90 <= fix["lat"] <= 90 and fix["acc"] >= 0):
                    raise ValueError(fix)
                rows.append(
                    (device, said["seq"], said["bat"], fix["t"], fix["lon"], fix["lat"], fix["acc"], now_ms)
                )
            if len(rows) == count:
                break
        for first in range(0, count, BATCH):
            np.array(rows[first : first + BATCH])
        return time.process_time() - start


def measured(
    way: Callable[[int, int, Version], Awaitable[float]], count: int, version: Version, repeats: int
) -> list[float]:
    """Microseconds of CPU per message, one figure per repeat."""
    figures = []
    topics = len(SUBSCRIPTIONS) if way is ours else 1
    for _ in range(repeats):
        mine, its = multiprocessing.Pipe()
        broker = multiprocessing.get_context("spawn").Process(target=play, args=(its, count, version, topics))
        broker.start()
        port = mine.recv()
        gc.collect()
        figures.append(asyncio.run(way(port, count, version)) / count * 1e6)  # type: ignore[arg-type]
        broker.terminate()
        broker.join()
    return figures


def decoding(repeats: int) -> list[float]:
    """Microseconds of CPU per message for ``decode`` alone, in batches."""
    t_ms = time.time_ns() // 1_000_000
    messages = [
        Message(f"cm/v1/xinglongtai/d{n:05d}/fix", payload(n, t_ms - 60_000), t_ms) for n in range(BATCH)
    ]
    figures = []
    for _ in range(repeats):
        start = time.process_time()
        for _ in range(5):
            decode(messages, DEVICES, ZONE, SETTINGS)
        figures.append((time.process_time() - start) / (5 * BATCH) * 1e6)
    return figures


def main(argv: list[str] | None = None) -> int:
    """0 when the ratio is met: microseconds tell as much of the neighbours on the machine as of us."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer messages, fewer repeats")
    quick = parser.parse_args(argv).quick
    count, repeats = (20_000, 3) if quick else (100_000, 7)
    beside = Row("aiomqtt, message by message", "µs/message", measured(usual, count // 5, Version.V5, 3))
    rows = [
        Row(
            f"socket to columns and acknowledged, {name}",
            "µs/message",
            figures,
            TARGET_US,
            at_most=True,
            beside=beside.what,
            times=beside.median / float(np.median(figures)),
        )
        for name, version in (("MQTT 5", Version.V5), ("MQTT 3.1.1", Version.V311))
        for figures in [measured(ours, count, version, repeats)]
    ]
    ratio = Row("CPU of aiomqtt to ours, MQTT 5", "times", [rows[0].times or 0.0], TARGET_TIMES)
    rows += [Row("decode alone", "µs/message", decoding(repeats)), beside, ratio]
    name = "ingest-quick" if quick else "ingest"
    packages = ("mqtt5", "msgspec", "numpy", "aiomqtt", "paho-mqtt")
    report(name, rows, date=datetime.now(UTC).isoformat(timespec="seconds"), packages=packages)
    return 0 if ratio.holds else 1


if __name__ == "__main__":
    sys.exit(main())
