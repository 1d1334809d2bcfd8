"""Whatever comes: nothing raises, nothing is lost, and both ways of reading agree."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from mqtt_world import DEVICES, NOW_MS, SETTINGS, ZONE, said

from corrections_monitor.ingest import decode as decoding
from corrections_monitor.ingest.decode import Decoded, decode
from corrections_monitor.ingest.message import Message
from corrections_monitor.ingest.quick import read_quick

NUMBERS = st.one_of(
    st.integers(-(10**25), 10**25),
    st.floats(),
    st.sampled_from([0, -1, 90, 180, 181, 100, 10**400, NOW_MS, NOW_MS * 1000, 1e308]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
GOOD_FIX = st.fixed_dictionaries(
    {
        "t": st.integers(NOW_MS - 3, NOW_MS),
        "lon": st.sampled_from([122.0, 122.1]),
        "lat": st.just(41),
    },
    optional={
        "acc": st.sampled_from([None, 0, 5.5, 900]),
        "spd": st.sampled_from([None, 0, 3.25]),
        "hdg": st.sampled_from([None, 0, 360]),
        "src": st.sampled_from([None, "gnss", "lbs"]),
    },
)
ODD_FIX = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("t", "lon", "lat", "acc", "spd", "hdg", "src"), st.one_of(NUMBERS, JSON)),
)
FIX_MESSAGE = st.fixed_dictionaries(
    {"fixes": st.lists(st.one_of(GOOD_FIX, GOOD_FIX, ODD_FIX, JSON), max_size=5)},
    optional={
        "seq": st.one_of(st.integers(0, 9), JSON),
        "bat": st.one_of(st.integers(0, 100), JSON),
        "crs": st.one_of(st.sampled_from(["wgs84", "gcj02", "bd09"]), JSON),
    },
)
BAND_MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "t": st.one_of(st.just(NOW_MS), NUMBERS, JSON),
        "ev": st.one_of(st.sampled_from(["sos", "heartbeat", "cmd_ok"]), JSON),
        "seq": JSON,
        "bat": st.one_of(st.integers(0, 100), JSON),
        "id": JSON,
        "fixes": JSON,
    },
)
TOPICS = st.sampled_from(
    [
        *(f"cm/v1/x/{device}/{leaf}" for device in (*DEVICES, "no") for leaf in ("fix", "band", "status")),
        "cm/v1/officers/o1/ack",
        "owntracks/u/d1",
        "traccar/positions",
        "",
        "cm/v1/\x00/d1/fix",
        "cm/v1/x//fix",
    ]
)


def encode(value: Any) -> bytes:
    return json.dumps(value).encode()


PAYLOADS = st.one_of(
    st.binary(max_size=40), JSON.map(encode), FIX_MESSAGE.map(encode), BAND_MESSAGE.map(encode)
)
MESSAGES = st.builds(
    said, PAYLOADS, TOPICS, retained=st.booleans(), login=st.sampled_from([None, "d1", "device/d1"])
)


def check_text(text: str | None) -> None:
    """A database takes it."""
    assert text is None or "\x00" not in text
    (text or "").encode("utf-8")


@settings(max_examples=400, deadline=None)
@given(st.lists(MESSAGES, max_size=6))
def test_nothing_raises_and_columns_are_sound(messages: list[Message]) -> None:
    decoded = decode(messages, DEVICES, ZONE, SETTINGS)
    batch = decoded.batch
    assert sum(decoded.counts.values()) == len(messages)
    assert decoded.message_index.tolist() == sorted(set(decoded.message_index.tolist()))
    for rows in (batch.fixes, batch.events):
        assert (np.diff(rows.message) >= 0).all()
        assert ((rows.message >= 0) & (rows.message < len(batch.messages))).all()
        assert (np.abs(rows.t_ms - NOW_MS) <= SETTINGS.retention_ms).all()
    assert (np.abs(batch.fixes.lon) <= 180).all()
    assert (np.abs(batch.fixes.lat) <= 90).all()
    assert (batch.fixes.acc_m >= 0).all()
    assert np.isfinite(batch.fixes.acc_m).all()
    keys = list(
        zip(batch.messages.device[batch.fixes.message], batch.fixes.t_ms, batch.fixes.src, strict=True)
    )
    assert len(keys) == len(set(keys))
    for reject in decoded.rejects:
        for text in (reject.detail, reject.topic, reject.device_id):
            check_text(text)
    for ack in decoded.acks:
        for text in (ack.officer_id, ack.alert_id, ack.note):
            check_text(text)
    for reply in decoded.replies:
        check_text(reply.command_id)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(GOOD_FIX, ODD_FIX, JSON), min_size=1, max_size=6))
def test_every_fix_is_stored_or_in_quarantine(fixes: list[Any]) -> None:
    distinct = [
        {**fix, "t": fix["t"] + 10 * n} if isinstance(fix, dict) and type(fix.get("t")) is int else fix
        for n, fix in enumerate(fixes)
    ]
    decoded = decode([said({"fixes": distinct})], DEVICES, ZONE, SETTINGS)
    stored = len(decoded.batch.fixes)
    repeated = stored + len(decoded.rejects) < len(distinct)
    assert stored + len(decoded.rejects) <= len(distinct)
    assert not repeated or len({json.dumps(fix) for fix in distinct}) < len(distinct)


@settings(max_examples=300, deadline=None)
@given(st.lists(MESSAGES, max_size=5))
def test_the_quick_way_and_the_slow_way_agree(messages: list[Message]) -> None:
    def without_quick(messages: Any, devices: Any, settings: Any) -> Any:
        nothing = read_quick([], devices, settings)
        return type(nothing)(
            nothing.messages, nothing.fixes, nothing.events, 0, 0, list(range(len(messages)))
        )

    one = decode(messages, DEVICES, ZONE, SETTINGS)
    original = decoding.read_quick
    decoding.read_quick = without_quick
    try:
        other = decode(messages, DEVICES, ZONE, SETTINGS)
    finally:
        decoding.read_quick = original
    assert said_by(one) == said_by(other)


def said_by(decoded: Decoded) -> Any:
    batch = decoded.batch
    columns = [
        (name, np.asarray(column).dtype.str, np.asarray(column).tobytes())
        for part in (batch.messages, batch.fixes, batch.events)
        for name, column in ((name, getattr(part, name)) for name in type(part).__dataclass_fields__)
    ]
    return columns, sorted(map(repr, decoded.rejects)), decoded.counts
