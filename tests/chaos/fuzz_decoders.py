"""A coverage-guided fuzzer (atheris) on MQTT framing and on decoders: ``python fuzz_decoders.py -runs=N …``.

The first bytes choose what is fuzzed.  Framing may raise MalformedFrame and nothing else; decoding may raise
nothing, counts every message once, and gives numbers that are numbers.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import atheris

with atheris.instrument_imports(include=["corrections_monitor.ingest"]):
    from corrections_monitor.ingest.decode import decode
    from corrections_monitor.ingest.frames import MalformedFrame, Version
    from corrections_monitor.ingest.message import Message
    from corrections_monitor.ingest.reader import PacketReader

import numpy as np

from corrections_monitor.model.settings import DetectionSettings

NOW_MS = 1_795_000_000_000
DEVICES = {"d1": 0, "d2": 1}
ZONE, SETTINGS = ZoneInfo("Asia/Shanghai"), DetectionSettings()
TOPICS = (
    "cm/v1/x/d1/fix",
    "cm/v1/x/d1/band",
    "cm/v1/x/d1/status",
    "cm/v1/officers/o1/ack",
    "owntracks/u/d1",
    "traccar/positions",
)
SEEDS = (
    b'\x00{"seq":17,"fixes":[{"t":1795000000000,"lon":1.2e2,"lat":41.12,"acc":8.5,"src":"gnss"}],"crs":"gcj02"}',
    b'\x01{"seq":18,"t":1795000000000,"ev":"cmd_failed","bat":83,"id":"x"}',
    b'\x02{"online":false,"t":1795000000000}',
    b'\x03{"alert_id":"a","note":"n"}',
    b'\x04{"_type":"location","tst":1795000000,"lon":122,"lat":41,"vel":3,"acc":5,"cog":9}',
    b'\x05{"position":{"fixTime":"2026-11-18T11:06:40Z","longitude":122,"latitude":41,"speed":1,"valid":true},'
    b'"device":{"uniqueId":"d1"}}',
    b"\x80\x10\x13\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01x\x00\x01y",
    b"\x81\x32\x0a\x00\x03a/b\x00\x01abc",
    b"\x80\x82\x08\x00\x01\x00\x00\x02a/\x01",
)
FRAMING = 0x80


def frames(data: bytes, version: Version) -> None:
    """Whole, in two pieces, and as the first frame of a connection."""
    for cut in (len(data), len(data) // 2):
        with contextlib.suppress(MalformedFrame):
            reader = PacketReader(version, 1_000)
            reader.feed(data[:cut])
            reader.feed(data[cut:])
    with contextlib.suppress(MalformedFrame):
        PacketReader(version, 1_000).first_frame(data)


def payload(data: bytes, topic: str) -> None:
    """One message beside a good one, which it must not touch."""
    good = Message(TOPICS[0], b'{"fixes":[{"t":1795000000000,"lon":122,"lat":41}]}', NOW_MS)
    found = decode([Message(topic, data, NOW_MS), good], DEVICES, ZONE, SETTINGS)
    assert sum(found.counts.values()) == 2
    fixes = found.batch.fixes
    assert len(fixes) >= 1
    assert np.isfinite(fixes.lon).all()
    assert np.isfinite(fixes.lat).all()
    assert (np.abs(fixes.lon) <= 180).all()
    assert (np.abs(fixes.lat) <= 90).all()


def one(data: bytes) -> None:
    """What the fuzzer calls."""
    if not data:
        return
    if data[0] >= FRAMING:
        frames(data[1:], Version.V5 if data[0] % 2 else Version.V311)
    else:
        payload(data[1:], TOPICS[data[0] % len(TOPICS)])


if __name__ == "__main__":
    corpus = Path(sys.argv[-1])
    for number, seed in enumerate(SEEDS):
        (corpus / f"seed{number}").write_bytes(seed)
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
