"""MQTT frames of both versions, as ``mqtt5`` packets: a thin shim makes 3.1.1 look like 5.

In the frames used here 3.1.1 differs from 5 by the missing property block and by its return codes.  So a
3.1.1 frame gets an empty block put in on the way in and taken out on the way out (OASIS MQTT 3.1.1 and 5.0,
§3).  Only PUBLISH, the frame that counts, is read directly.
"""

from __future__ import annotations

import enum
import struct
from typing import Any

import mqtt5

from corrections_monitor.ingest.frame_text import check_text

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 8, 9, 10, 11

_LEAST_FIRST_BYTE = 0x10  # type 0 is reserved
_PROPERTY_OFFSET = {CONNACK: 2, SUBSCRIBE: 2, SUBACK: 2, UNSUBSCRIBE: 2}
_PROTOCOL_NAME = b"\x00\x04MQTT"
_PUBACK_HEAD = 0x4002
_PUBACK_FRAME = struct.Struct(">HH")
_QOS_BITS = 0x06

_CONNACK_TO_311 = {
    int(mqtt5.ConnAckReasonCode.SUCCESS): 0,
    int(mqtt5.ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION): 1,
    int(mqtt5.ConnAckReasonCode.CLIENT_ID_NOT_VALID): 2,
    int(mqtt5.ConnAckReasonCode.SERVER_UNAVAILABLE): 3,
    int(mqtt5.ConnAckReasonCode.SERVER_BUSY): 3,
    int(mqtt5.ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD): 4,
    int(mqtt5.ConnAckReasonCode.NOT_AUTHORIZED): 5,
}
_CONNACK_FROM_311 = {0: 0, 1: 132, 2: 133, 3: 136, 4: 134, 5: 135}
"""The six return codes of 3.1.1 as reason codes of 5."""


class Version(enum.IntEnum):
    """The protocol level byte of CONNECT."""

    V311 = 4
    V5 = 5


class MalformedFrame(ValueError):
    """The peer sent bytes that are no MQTT frame: the connection cannot be read any further."""


def read_packet(frame: bytes | memoryview, version: Version) -> mqtt5.Packet:
    """One whole frame as a packet.  Raises MalformedFrame."""
    try:
        if version is Version.V311:
            frame = bytes(frame)
            if frame[0] >> 4 == PUBLISH:
                return read_publish_311(frame, 0, _header_size(frame), len(frame))
            frame = _with_properties(frame)
        if not _is_plain(bytes(frame), 0, _header_size(frame), len(frame)):
            check_text(frame[0], bytes(frame[_header_size(frame) :]))
        return _read_5(frame)
    except (ValueError, IndexError, struct.error) as error:
        raise MalformedFrame(str(error)) from None


def _read_5(frame: bytes | memoryview) -> mqtt5.Packet:
    """One whole frame of MQTT 5 whose text is known to be well formed."""
    try:
        packet, size = mqtt5.read(frame if isinstance(frame, memoryview) else memoryview(frame))
    except (ValueError, IndexError, struct.error) as error:
        raise MalformedFrame(str(error)) from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # mqtt5's way to say that it is lost
            raise MalformedFrame("no packet that can be read") from None
        raise
    if size != len(frame):
        raise MalformedFrame(f"{len(frame) - size} bytes left over in a frame")
    return packet


def _is_plain(data: bytes, start: int, body: int, stop: int) -> bool:
    """A PUBLISH of MQTT 5 with an ASCII topic and no properties, as most are, whatever its payload."""
    end = body + 2 + int.from_bytes(data[body : body + 2])
    at = end + 2 if data[start] & _QOS_BITS else end
    return data[start] >> 4 == PUBLISH and at < stop and data[at] == 0 and data[body + 2 : end].isascii()


def write_packet(packet: mqtt5.Packet, version: Version) -> bytes:
    """The packet as a frame of the version spoken."""
    frame = packet.write()
    if version is Version.V5:
        return frame
    kind = frame[0] >> 4
    body = frame[_header_size(frame) :]
    if isinstance(packet, mqtt5.ConnectPacket):
        return framed(frame[0], _connect_311(packet))
    if isinstance(packet, mqtt5.ConnAckPacket):
        return framed(frame[0], bytes((body[0], _CONNACK_TO_311.get(int(packet.reason_code), 3))))
    if isinstance(packet, mqtt5.SubAckPacket):
        codes = bytes(min(int(code), 0x80) for code in packet.reason_codes)
        return framed(frame[0], body[:2] + codes)
    if isinstance(packet, mqtt5.PublishPacket):
        at = 2 + len(packet.topic.encode()) + (2 if packet.packet_id is not None else 0)
        return framed(frame[0], body[:at] + body[at + 1 :])
    if kind in (PUBACK, UNSUBACK):
        return framed(frame[0], body[:2])
    if kind in _PROPERTY_OFFSET:
        return framed(frame[0], body[:2] + body[3:])
    return framed(frame[0], b"")


def write_pubacks(packet_ids: list[int]) -> bytes:
    """Acknowledgements of success as one buffer: four bytes each, the same in both versions."""
    if len(packet_ids) == 1:  # as most are, with a connection for each device
        return _PUBACK_FRAME.pack(_PUBACK_HEAD, packet_ids[0])
    heads_and_ids: list[int] = [_PUBACK_HEAD] * (2 * len(packet_ids))
    heads_and_ids[1::2] = packet_ids
    return struct.pack(f">{len(heads_and_ids)}H", *heads_and_ids)


def read_publish_5(data: bytes, start: int, body: int, stop: int) -> mqtt5.Packet:
    """The PUBLISH of 5 that lies there, likewise; what is plain needs no second look at its text."""
    frame = data[start:stop]
    return _read_5(frame) if _is_plain(data, start, body, stop) else read_packet(frame, Version.V5)


def read_publish_311(data: bytes, start: int, body: int, stop: int) -> mqtt5.PublishPacket:
    """The PUBLISH of 3.1.1 that lies in ``data`` from ``start`` to ``stop``, its body at ``body``.

    Raises MalformedFrame.
    """
    try:
        flags = data[start]
        end = body + 2 + (data[body] << 8 | data[body + 1])
        topic = data[body + 2 : end].decode()
        packet_id = None
        if flags & _QOS_BITS:
            packet_id = data[end] << 8 | data[end + 1]
            end += 2
        if end > stop:
            raise MalformedFrame("a topic longer than its frame")
        return mqtt5.PublishPacket(
            topic,
            data[end:stop],
            qos=_QOS[flags >> 1 & 3],
            retain=flags & 1 == 1,
            duplicate=flags & 8 == 8,
            packet_id=packet_id,
        )
    except (ValueError, IndexError) as error:
        raise MalformedFrame(str(error)) from None


_QOS = (mqtt5.QoS.AT_MOST_ONCE, mqtt5.QoS.AT_LEAST_ONCE, mqtt5.QoS.EXACTLY_ONCE)


def _with_properties(frame: bytes) -> bytes:
    """A 3.1.1 frame as the 5 frame that says the same."""
    kind = frame[0] >> 4
    body = frame[_header_size(frame) :]
    if kind == CONNECT:
        return framed(frame[0], _connect_5(body))
    if kind == CONNACK:
        if len(body) != 2 or body[1] not in _CONNACK_FROM_311:
            raise MalformedFrame("a CONNACK with an unknown return code")
        return framed(frame[0], bytes((body[0], _CONNACK_FROM_311[body[1]], 0)))
    if kind == UNSUBACK:
        return framed(frame[0], body + b"\x00\x00")
    if kind in _PROPERTY_OFFSET:
        return framed(frame[0], body[:2] + b"\x00" + body[2:])
    return frame


def _connect_5(body: bytes) -> bytes:
    """Name, level, flags, keep-alive, [properties], client id, [will properties], the rest."""
    if body[:6] != _PROTOCOL_NAME or body[6] != Version.V311:
        raise MalformedFrame("not a CONNECT of MQTT 3.1.1")
    flags, payload = body[7], body[10:]
    at = 2 + int.from_bytes(payload[:2])
    will = b"\x00" if flags & 0x04 else b""
    return body[:6] + b"\x05" + body[7:10] + b"\x00" + payload[:at] + will + payload[at:]


def _connect_311(packet: Any) -> bytes:
    will = packet.will
    flags = (
        (0x02 if packet.clean_start else 0)
        | (0x04 | int(will.qos) << 3 | (0x20 if will.retain else 0) if will is not None else 0)
        | (0x40 if packet.password is not None else 0)
        | (0x80 if packet.username is not None else 0)
    )
    parts = [packet.client_id.encode()]
    if will is not None:
        parts += [will.topic.encode(), will.payload or b""]
    if packet.username is not None:
        parts.append(packet.username.encode())
    if packet.password is not None:
        parts.append(packet.password)
    head = _PROTOCOL_NAME + struct.pack(">BBH", Version.V311, flags, packet.keep_alive)
    return head + b"".join(struct.pack(">H", len(part)) + part for part in parts)


def framed(first: int, body: bytes) -> bytes:
    """``body`` under its header: the first byte and the length."""
    return bytes((first,)) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _header_size(frame: bytes | memoryview) -> int:
    at = 1
    while frame[at] & 0x80:
        at += 1
    return at + 1


def connect_level(frame: bytes | memoryview) -> int | None:
    """The protocol level a CONNECT asks for (4 is 3.1.1, 5 is 5), None when it is no MQTT CONNECT."""
    at = _header_size(frame)
    if frame[0] >> 4 != CONNECT or bytes(frame[at : at + 6]) != _PROTOCOL_NAME or len(frame) < at + 7:
        return None
    return frame[at + 6]


def split(data: bytes, start: int) -> tuple[int, int] | None:
    """Where the body of the frame at ``start`` begins and where the frame ends (which may lie beyond
    ``data``); None when not even its length is there.  Raises MalformedFrame."""
    if data[start] < _LEAST_FIRST_BYTE:
        raise MalformedFrame("a frame of no known type")
    at, size, shift = start + 1, 0, 0
    for byte in data[at : at + 4]:
        at += 1
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            return at, at + size
        shift += 7
    if shift == 28:
        raise MalformedFrame("a length of more than four bytes")
    return None
