"""The ledger's sender: everything is acknowledged in the end, whatever happens to the broker."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from signal import SIGKILL

import aiomqtt
from mqtt_world import Mosquitto, needs_mosquitto, until

from simulators import encode
from simulators.ledger import Key, Ledger, Message, keys_of, replay
from simulators.mqtt import parse_url, publish_frame

pytestmark = needs_mosquitto


def messages(count: int) -> list[Message]:
    made = []
    for i in range(count):
        device = f"d{i % 7}"
        text = encode.fix_payload(i, [encode.fix(1_000 + i, 122.0, 41.0, 8.0, src="wifi")], 80)
        made.append(Message(i, encode.fix_topic("c", device), text))
    return made


async def hear(broker: Mosquitto, heard: Counter[str], ready: asyncio.Event) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.subscribe("cm/#", qos=1)
        ready.set()
        async for message in client.messages:
            heard[f"{message.topic}{json.loads(bytes(message.payload))['seq']}"] += 1  # type: ignore[arg-type]


async def test_one_connection_sends_all_once(mosquitto: Mosquitto) -> None:
    heard: Counter[str] = Counter()
    ready = asyncio.Event()
    listener = asyncio.create_task(hear(mosquitto, heard, ready))
    await ready.wait()
    ledger = await replay(messages(500), parse_url(mosquitto.url()), rate=5_000)
    await until(lambda: len(heard) == 500)
    listener.cancel()
    assert set(heard.values()) == {1}
    assert (ledger.sent, len(ledger.acked), len(ledger.refused)) == (500, 500, 0)
    assert Key("d3", 1_003, "wifi") in ledger.fixes


async def test_a_connection_of_its_own_for_each_device(mosquitto: Mosquitto) -> None:
    passwords = {f"d{i}": "secret" for i in range(7)}
    ledger = await replay(messages(70), parse_url(mosquitto.url()), rate=1_000, passwords=passwords)
    assert len(ledger.acked) == 70


async def test_a_killed_broker_gets_again_what_it_did_not_acknowledge(mosquitto: Mosquitto) -> None:
    ledger = Ledger()
    sending = asyncio.create_task(
        replay(messages(600), parse_url(mosquitto.url()), rate=1_000, ledger=ledger, window=20)
    )
    await until(lambda: len(ledger.acked) > 100)
    mosquitto.end(SIGKILL)
    await until(lambda: ledger.sent == 600)
    assert len(ledger.acked) < 600
    mosquitto.start()
    await sending
    assert ledger.acked == set(range(600))
    assert ledger.reconnects >= 1


def test_the_ledger_is_written_as_keys(tmp_path: Path) -> None:
    ledger = Ledger()
    topic = encode.band_topic("c", "b1")
    ledger.note(0, Message(0, topic, encode.band_payload(1, 5, "strap_cut")), refused=False)
    ledger.note(1, Message(0, topic, encode.band_payload(2, 6, "sos")), refused=True)
    ledger.write(tmp_path / "l.ndjson")
    assert json.loads((tmp_path / "l.ndjson").read_text()) == {"device_id": "b1", "t": 5, "ev": "strap_cut"}


def test_what_carries_no_rows_has_no_keys() -> None:
    assert keys_of(encode.status_topic("c", "d"), encode.status_payload(True, 1)) == ([], [])
    assert keys_of("cm/v1/c/d/fix", "{broken") == ([], [])
    assert keys_of("owntracks/u/d", "{}") == ([], [])


def test_long_frames_carry_their_length() -> None:
    frame = publish_frame(b"t", b"x" * 200, 7)
    assert frame[1] & 127 | frame[2] << 7 == len(frame) - 3
