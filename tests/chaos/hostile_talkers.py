"""Known devices that say what means harm, in a process of its own, which takes nothing from the honest.

``python hostile_talkers.py PORT COUNT SEED ACCOUNT LOGINS``: all is sent, a thousand a second, until it is
acknowledged; what came of it is pickled to ACCOUNT.  LOGINS: JSON, password by device.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from precinct_of_bands import LAT, LON

from simulators.mqtt import Server
from simulators.sender import Sender

PER_S = 1_000


@dataclass
class Account:
    """What was acknowledged, and which of the payloads can have been no use to anybody."""

    acknowledged: int = 0
    reconnects: int = 0
    rubbish: Counter[bytes] = field(default_factory=Counter)


NASTY = [
    None, True, -0.0, 1e308, -1e308, 10**25, -(10**25), 2**63, 2**31, 0.1, "", "NaN", "\0", "\ud800",
    "张" * 50, [], {}, [[]], {"t": 1}, "x" * 5_000,
]  # fmt: skip
RAW = [
    b"",
    b"\0",
    b"NaN",
    b"[" * 5_000,
    b'{"fixes":' * 500,
    b"\xff\xfe\xfd",
    b"1e999",
    b'{"t":1,"t":2}',
    b'"\\ud800"',
]


def payload(rng: random.Random, device_id: str) -> tuple[str, bytes]:
    """What a hostile device says on one of its own topics: something good, spoilt."""
    now_ms = time.time_ns() // 1_000_000
    leaf = rng.choice(["fix", "band", "status", "owntracks"])
    topic = f"owntracks/u/{device_id}" if leaf == "owntracks" else f"cm/v1/county/{device_id}/{leaf}"
    good: dict[str, object] = {
        "fix": {"seq": 1, "fixes": [{"t": now_ms, "lon": LON, "lat": LAT, "acc": 5}] * 2, "bat": 80},
        "band": {"seq": 1, "t": now_ms, "ev": "heartbeat", "bat": 80, "id": "x"},
        "status": {"online": True, "t": now_ms},
        "owntracks": {"_type": "location", "tst": now_ms // 1_000, "lon": LON, "lat": LAT, "vel": 3},
    }[leaf]  # type: ignore[assignment]
    how = rng.choice((0, 1, 2, 2, 2, 2, 3, 4))
    if how == 0:
        return topic, rng.choice(RAW)
    if how == 1:
        return topic, rng.randbytes(rng.randrange(200))
    if how == 2:
        return topic, json.dumps(_spoilt(rng, good)).encode()
    body = bytearray(json.dumps(_spoilt(rng, good) if how == 3 else good).encode())
    for _ in range(rng.randrange(1, 4)):
        body[rng.randrange(len(body))] = rng.randrange(256)
    return topic, bytes(body[: rng.randrange(1, len(body) + 1)])


def _spoilt(rng: random.Random, value: object) -> object:
    """The same with one of its parts replaced, at whatever depth."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: _spoilt(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.6:
        at = rng.randrange(len(value))
        return [*value[:at], _spoilt(rng, value[at]), *value[at + 1 :]]
    return rng.choice(NASTY)


def is_rubbish(body: bytes) -> bool:
    """By another reader of JSON: nothing that could be an object."""
    try:
        return not isinstance(json.loads(body.decode()), dict)
    except (ValueError, RecursionError):
        return True


async def main(port: int, count: int, seed: int, passwords: dict[str, str]) -> Account:
    """Everything, in turns."""
    rng, account, names = random.Random(seed), Account(), list(passwords)

    def acked(_: int, refused: bool) -> None:
        assert not refused
        account.acknowledged += 1

    async with asyncio.TaskGroup() as group:
        senders = {
            name: Sender[int](Server("127.0.0.1", port, name, passwords[name]), name, acked, window=50)
            for name in names
        }
        tasks = [group.create_task(sender.run()) for sender in senders.values()]
        began_s = time.monotonic()
        for number in range(count):
            await asyncio.sleep(max(0.0, began_s + number / PER_S - time.monotonic()))
            name = names[number % len(names)]
            topic, body = payload(rng, name)
            account.rubbish.update([body] if is_rubbish(body) else [])
            senders[name].put(number, topic, body)
        async with asyncio.timeout(300):
            for sender in senders.values():
                await sender.idle.wait()
        for task in tasks:
            task.cancel()
    account.reconnects = sum(sender.connects - 1 for sender in senders.values())
    return account


if __name__ == "__main__":
    # Pickled by the name under which the test knows it.
    sys.modules["hostile_talkers"] = sys.modules["__main__"]
    Account.__module__ = "hostile_talkers"
    port, count, seed, file, logins = sys.argv[1:]
    account = asyncio.run(main(int(port), int(count), int(seed), json.loads(logins)))
    Path(file).write_bytes(pickle.dumps(account))
