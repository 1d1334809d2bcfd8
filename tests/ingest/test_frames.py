"""Both versions on the wire: the same packets, whatever the pieces they come in, and no crash on rubbish."""

from __future__ import annotations

import mqtt5
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corrections_monitor.ingest.frames import (
    MalformedFrame,
    Version,
    connect_level,
    framed,
    read_packet,
    write_packet,
    write_pubacks,
)
from corrections_monitor.ingest.reader import PacketReader

QOS1 = mqtt5.QoS.AT_LEAST_ONCE
BOTH = pytest.mark.parametrize("version", list(Version))
PACKETS = [
    mqtt5.ConnectPacket("c", clean_start=True, keep_alive=30),
    mqtt5.ConnectPacket("c", username="d1", password=b"secret", keep_alive=30),
    mqtt5.ConnectPacket(
        "盘锦",
        username="d1",
        password=b"secret",
        will=mqtt5.Will("cm/v1/x/d1/status", payload=b"{}", qos=QOS1, retain=True),
    ),
    mqtt5.ConnAckPacket(session_present=True),
    mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD),
    mqtt5.PublishPacket("a/b", b"hello"),
    mqtt5.PublishPacket("a/b", b"", qos=QOS1, packet_id=7, retain=True, duplicate=True),
    mqtt5.PublishPacket("a/b", b"x" * 300, qos=mqtt5.QoS.EXACTLY_ONCE, packet_id=65535),
    mqtt5.PubAckPacket(9),
    mqtt5.SubscribePacket(3, [mqtt5.TopicFilter("a/+", max_qos=QOS1, retain_as_published=False), *[]]),
    mqtt5.SubAckPacket(3, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]),
    mqtt5.UnsubscribePacket(4, ["a/+"]),
    mqtt5.PingReqPacket(),
    mqtt5.PingRespPacket(),
    mqtt5.DisconnectPacket(),
]


@BOTH
@pytest.mark.parametrize("packet", PACKETS, ids=lambda p: type(p).__name__)
def test_what_is_written_is_read(version: Version, packet: mqtt5.Packet) -> None:
    assert read_packet(write_packet(packet, version), version) == packet


@BOTH
@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_a_stream_may_come_in_any_pieces(version: Version, size: int) -> None:
    stream = b"".join(write_packet(packet, version) for packet in PACKETS)
    reader = PacketReader(version, 10_000)
    read = [p for at in range(0, len(stream), size) for p in reader.feed(stream[at : at + size])]
    assert read == PACKETS


@BOTH
def test_a_message_too_large_comes_truncated_and_the_next_one_whole(version: Version) -> None:
    large = mqtt5.PublishPacket("a/b", b"x" * 50_000, qos=QOS1, packet_id=1)
    small = mqtt5.PublishPacket("a/b", b"y", qos=QOS1, packet_id=2)
    stream = write_packet(large, version) + write_packet(small, version)
    for size in (1_000, 4_096, len(stream)):
        reader = PacketReader(version, 5_000)
        read = [p for at in range(0, len(stream), size) for p in reader.feed(stream[at : at + size])]
        assert [p.packet_id for p in read] == [1, 2]
        assert 4_000 < len(read[0].payload) <= 5_000
        assert read[1] == small
        assert len(reader.rest) == 0


def test_acknowledgements_are_one_buffer() -> None:
    assert write_pubacks([1, 0x1234]) == b"\x40\x02\x00\x01\x40\x02\x12\x34"


@BOTH
@pytest.mark.parametrize(
    "frame",
    [
        b"\x30\x06\x00\x02\xff\xfe\x00x",  # a topic that is not UTF-8
        b"\x30\x02\x00\x05ab",  # a topic longer than its frame
        b"\x32\x03\x00\x01a",  # no packet id
        b"\x00\x00",
        b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
        b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\xff",  # a client id longer than its frame
    ],
)
def test_malformed_frames_are_named_so(version: Version, frame: bytes) -> None:
    with pytest.raises(MalformedFrame):
        PacketReader(version, 1_000).feed(frame)


BAD = b"\x00\x02\xff\xfe"


@pytest.mark.parametrize(
    ("first", "body"),
    [
        (0x10, b"\x00\x04MQTT\x05\x02\x00\x00\x00" + BAD),  # a client id
        (0x10, b"\x00\x04MQTT\x05\x02\x00\x00\x07\x26" + BAD + b"\x00\x00" + b"\x00\x00"),  # a property
        (0x10, b"\x00\x04MQTT\x05\x06\x00\x00\x00\x00\x01a\x00" + BAD + b"\x00\x00"),  # a last will's topic
        (0x10, b"\x00\x04MQTT\x05\x82\x00\x00\x00\x00\x01a" + BAD),  # a user name
        (0x20, b"\x00\x00\x05\x1f" + BAD),
        (0x32, BAD + b"\x00\x01\x00x"),
        (0x30, b"\x00\x01a\x05\x03" + BAD + b"x"),
        (0x30, b"\x00\x01a\x0f\x0b\x01\x02\x00\x00\x00\x01\x09\x00\x01a\x08" + BAD + b"x"),  # behind others
        (0x40, b"\x00\x01\x10\x05\x1f" + BAD),
        (0x82, b"\x00\x01\x00\x00\x01a\x00" + BAD + b"\x01"),  # the second filter
        (0x90, b"\x00\x01\x05\x1f" + BAD + b"\x00"),
        (0xA2, b"\x00\x01\x00" + BAD),
        (0xE0, b"\x00\x05\x1f" + BAD),
        (0xF0, b"\x18\x05\x15" + BAD),
    ],
)
def test_text_that_is_not_utf8_leaves_no_word_in_the_log(
    first: int, body: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(MalformedFrame, match="utf-8"):
        PacketReader(Version.V5, 1_000).feed(framed(first, body))
    assert capfd.readouterr().err == ""


@BOTH
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(st.binary(max_size=60), st.sampled_from(PACKETS).map(lambda p: p.write())), cut=st.data()
)
def test_no_bytes_crash_the_reader(
    version: Version, data: bytes, cut: st.DataObject, capfd: pytest.CaptureFixture[str]
) -> None:
    frame = bytearray(data)
    for _ in range(cut.draw(st.integers(0, 3))):
        if frame:
            frame[cut.draw(st.integers(0, len(frame) - 1))] = cut.draw(st.integers(0, 255))
    try:
        PacketReader(version, 1_000).feed(bytes(frame))
        reader = PacketReader(version, 1_000)
        first = reader.first_frame(bytes(frame))
        if first is not None and connect_level(first) == version:
            read_packet(first, version)
    except MalformedFrame:
        pass
    assert capfd.readouterr().err == ""
