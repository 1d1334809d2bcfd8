"""A stream of bytes cut into MQTT packets, whatever the sizes in which it comes.

A PUBLISH larger than ``max_packet`` must neither fill our memory nor be fetched again for ever, as it would
be from a persistent session if it only cost the connection.  So its head is kept, the rest is thrown away
as it comes, and the truncated message goes the way of all that cannot be used: acknowledged, quarantined.
"""

from __future__ import annotations

import mqtt5

from corrections_monitor.ingest.frames import (
    PUBLISH,
    MalformedFrame,
    Version,
    framed,
    read_packet,
    read_publish_5,
    read_publish_311,
    split,
)

_CONNECT_BYTE = b"\x10"
READ_AHEAD_BYTES_MAX = 524_288
"""Twice what one read of a socket brings: a client may send on without waiting for CONNACK."""


class PacketReader:
    """Feed it bytes, get whole packets.  ``version`` may be set once CONNECT has told it."""

    __slots__ = ("_max_packet", "_skip", "rest", "version")

    def __init__(self, version: Version, max_packet: int) -> None:
        self.version = version
        self._max_packet = max_packet
        self.rest = b""  # what came of a packet that is not whole yet
        self._skip = 0  # bytes of an oversized packet still to be thrown away

    def feed(self, data: bytes | memoryview) -> list[mqtt5.Packet]:
        """The packets completed by ``data``.  Raises MalformedFrame; then the stream is lost."""
        if self._skip:
            dropped = min(self._skip, len(data))
            self._skip -= dropped
            data = data[dropped:]
        whole = self.rest + bytes(data)
        packets: list[mqtt5.Packet] = []
        start = self._read_whole(whole, packets)
        self.rest = whole[start:]
        return packets

    def first_frame(self, data: bytes) -> bytes | None:
        """The first whole frame of a new connection, unread; what follows it stays for ``feed``."""
        self.rest += data
        if self.rest[:1] not in (b"", _CONNECT_BYTE):
            raise MalformedFrame("the first packet is no CONNECT")
        ends = split(self.rest, 0) if self.rest else None
        if ends is None or ends[1] > len(self.rest):
            if len(self.rest) > self._max_packet or (ends and ends[1] > self._max_packet):
                raise MalformedFrame("the first packet is too large")
            return None
        frame, self.rest = self.rest[: ends[1]], self.rest[ends[1] :]
        return frame

    def keep(self, data: bytes) -> None:
        """Put bytes aside unread.  Raises MalformedFrame if the client sends far ahead of its turn."""
        self.rest += data
        if len(self.rest) > READ_AHEAD_BYTES_MAX:
            raise MalformedFrame("too much was sent before CONNACK")

    def _read_whole(self, data: bytes, packets: list[mqtt5.Packet]) -> int:
        """Read packets from ``data`` and return where the incomplete one begins."""
        start, end = 0, len(data)
        read_publish = read_publish_311 if self.version is Version.V311 else read_publish_5
        while start < end:
            # Most frames have a length of two bytes; a call for each would cost a third of the reading.
            if end - start > 2 and data[start + 1] >= 0x80 > data[start + 2]:
                body = start + 3
                stop = body + (data[start + 1] & 0x7F | data[start + 2] << 7)
            else:
                ends = split(data, start)
                if ends is None:
                    return start
                body, stop = ends
            if stop - start > self._max_packet:
                if end - start < self._max_packet and stop > end:
                    return start
                packets.append(self._head_of(data, start, body))
                self._skip = max(stop - end, 0)
                start = min(stop, end)
            elif stop > end:
                return start
            elif data[start] >> 4 == PUBLISH:
                packets.append(read_publish(data, start, body, stop))
                start = stop
            else:
                packets.append(read_packet(data[start:stop], self.version))
                start = stop
        return start

    def _head_of(self, data: bytes, start: int, body: int) -> mqtt5.Packet:
        """The oversized PUBLISH at ``start`` with as much of its payload as is kept."""
        if data[start] >> 4 != PUBLISH:
            raise MalformedFrame("a packet is too large")
        head = data[body : start + self._max_packet]
        return read_packet(framed(data[start], head), self.version)
