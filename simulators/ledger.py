"""An independent account of what was acknowledged, for tests that kill the receiver.

``replay`` sends recorded rows at a rate over one connection to a broker or one connection per device to
the daemon's own endpoint, QoS 1, and resends until everything is acknowledged.  What each message carried
is read here from its JSON, not by the daemon's decoder: the keys are those of the store, (device, t, src)
for fixes and (device, t, ev) for events.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from simulators.mqtt import Server
from simulators.recording import open_text
from simulators.sender import Sender

DEFAULT_SRC = "gnss"


class Key(NamedTuple):
    """What makes a stored row unique; ``what`` is a fix's src or an event's ev."""

    device_id: str
    t_ms: int
    what: str


class Message(NamedTuple):
    """One recorded message.  ``at`` as recorded; payload as JSON text."""

    at: str | int
    topic: str
    payload: str


def keys_of(topic: str, payload: str) -> tuple[list[Key], list[Key]]:
    """The keys of fixes and of events in one message of our own topics; none where it is not such.

    Times are epoch milliseconds in the payload, as the simulators write them.
    """
    parts = topic.split("/")
    if len(parts) != 5 or parts[:2] != ["cm", "v1"]:
        return [], []
    try:
        body: Any = json.loads(payload)
    except ValueError:
        return [], []
    device_id = parts[3]
    if parts[4] == "fix" and "fixes" in body:
        return [Key(device_id, f["t"], f.get("src", DEFAULT_SRC)) for f in body["fixes"] if "t" in f], []
    if parts[4] == "band" and "ev" in body:
        return [], [Key(device_id, body["t"], body["ev"])]
    return [], []


@dataclass
class Ledger:
    """What was sent and what of it was acknowledged.  Message numbers are indices into the input."""

    sent: int = 0
    acked: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    fixes: set[Key] = field(default_factory=set)
    events: set[Key] = field(default_factory=set)
    reconnects: int = 0

    def note(self, number: int, message: Message, refused: bool) -> None:
        """Enter one acknowledgement."""
        if refused:
            self.refused.add(number)
            return
        self.acked.add(number)
        fixes, events = keys_of(message.topic, message.payload)
        self.fixes.update(fixes)
        self.events.update(events)

    def write(self, path: Path) -> None:
        """Acknowledged keys as NDJSON: ``{"device_id","t","src"}`` or ``{"device_id","t","ev"}``."""
        with open_text(path, "w") as file:
            for name, keys in (("src", self.fixes), ("ev", self.events)):
                for key in sorted(keys):
                    row = {"device_id": key.device_id, "t": key.t_ms, name: key.what}
                    file.write(json.dumps(row) + "\n")


def read_recording(path: Path) -> list[Message]:
    """The messages of a recording, payloads as compact JSON text."""
    with open_text(path, "r") as file:
        rows = [json.loads(line) for line in file if line.strip()]
    return [Message(r["at"], r["topic"], json.dumps(r["payload"], separators=(",", ":"))) for r in rows]


def device_of(topic: str) -> str:
    """The device a topic of ours belongs to."""
    return topic.split("/")[3]


async def replay(
    messages: Sequence[Message],
    server: Server,
    *,
    rate: float,
    ledger: Ledger | None = None,
    passwords: Mapping[str, str] | None = None,
    window: int = 100,
    timeout_s: float = 120.0,
) -> Ledger:
    """Send all messages, about ``rate`` a second, and wait until each one has been acknowledged.

    With ``passwords`` (device_id → password) every device has a connection of its own, as to the daemon's
    own endpoint; without, one connection to a broker carries all.  The receiver may be killed and
    started again meanwhile.  The ledger may be handed in so as to be watched.  Raises TimeoutError when
    something is still unacknowledged after ``timeout_s`` seconds.
    """
    ledger = Ledger() if ledger is None else ledger
    names: Iterable[str] = dict.fromkeys(device_of(m.topic) for m in messages) if passwords else ("ledger",)

    def acked(number: int, refused: bool) -> None:
        ledger.note(number, messages[number], refused)

    senders: dict[str, Sender[int]] = {}
    for name in names:
        target = server.as_user(name, passwords[name]) if passwords else server
        senders[name] = Sender(target, f"sender-{name}", acked, window=window)
    try:
        async with asyncio.timeout(timeout_s), asyncio.TaskGroup() as group:
            tasks = [group.create_task(s.run(), name=s.client_id) for s in senders.values()]
            start = asyncio.get_running_loop().time()
            for number, message in enumerate(messages):
                name = device_of(message.topic) if passwords else "ledger"
                senders[name].put(number, message.topic, message.payload)
                ledger.sent += 1
                ahead_s = start + ledger.sent / rate - asyncio.get_running_loop().time()
                if ahead_s > 0.005:
                    await asyncio.sleep(ahead_s)
            for sender in senders.values():
                await sender.idle.wait()
            for task in tasks:
                task.cancel()
    finally:
        ledger.reconnects = sum(max(0, s.connects - 1) for s in senders.values())
    return ledger
