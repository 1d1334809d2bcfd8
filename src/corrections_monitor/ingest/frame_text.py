"""Whether all text in a frame is UTF-8, seen before ``mqtt5`` reads it.

mqtt5 0.8 panics on text that is not, and a Rust panic writes to standard error by itself before anybody can
catch it: a stranger could fill the log.  So the strings of a frame (OASIS MQTT 5.0, §2.2.2 and §3) are
decoded here first.  Whatever else is wrong with a frame is left to mqtt5, which says so properly.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping

_FLAGS_AT = 7  # of CONNECT: behind name and level
_WILL, _USER_NAME = 0x04, 0x80
_QOS_BITS = 0x06

# What a property holds, by its number: so many bytes, or one of these.
_VARINT, _BINARY, _TEXT, _PAIR = -1, -2, -3, -4
_PROPERTIES: Mapping[int, int] = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
    0x0B: _VARINT,
    **dict.fromkeys((0x09, 0x16), _BINARY),
    **dict.fromkeys((0x03, 0x08, 0x12, 0x15, 0x1A, 0x1C, 0x1F), _TEXT),
    0x26: _PAIR,
}


def check_text(first: int, body: bytes) -> None:
    """Decode every string of a frame of MQTT 5, given its first byte and what follows the length.

    Raises UnicodeDecodeError.  A frame whose structure does not hold is looked at as far as it does.
    """
    with contextlib.suppress(IndexError, KeyError):
        _Walk(body).through(first)


class _Walk:
    """From field to field; raises IndexError behind the end, KeyError at an unknown property."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    def through(self, first: int) -> None:
        match first >> 4:
            case 1:
                self._connect()
            case 3:
                self._text()
                self._skip(2 if first & _QOS_BITS else 0)
                self._properties()
            case 2:  # CONNACK
                self._skip(2)
                self._properties()
            case 4 | 5 | 6 | 7:  # PUBACK to PUBCOMP
                self._skip(3)
                self._properties()
            case 8 | 10:  # SUBSCRIBE, UNSUBSCRIBE
                self._skip(2)
                self._properties()
                while True:
                    self._text()
                    self._skip(1 if first >> 4 == 8 else 0)
            case 9 | 11:  # SUBACK, UNSUBACK
                self._skip(2)
                self._properties()
            case 14 | 15:  # DISCONNECT, AUTH
                self._skip(1)
                self._properties()

    def _connect(self) -> None:
        flags = self._body[_FLAGS_AT]
        self._skip(10)
        self._properties()
        self._text()
        if flags & _WILL:
            self._properties()
            self._text()
            self._skip(self._number(2))
        if flags & _USER_NAME:
            self._text()

    def _properties(self) -> None:
        size = self._varint()
        end = self._at + size
        while self._at < end:
            match _PROPERTIES[self._number(1)]:
                case bytes_ if bytes_ > 0:
                    self._skip(bytes_)
                case kind if kind == _VARINT:
                    self._varint()
                case kind if kind == _BINARY:
                    self._skip(self._number(2))
                case kind:
                    for _ in range(2 if kind == _PAIR else 1):
                        self._text()

    def _text(self) -> None:
        size = self._number(2)
        start = self._at
        self._skip(size)
        self._body[start : self._at].decode()

    def _varint(self) -> int:
        value = 0
        for shift in itertools.count(0, 7):
            byte = self._number(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        return value

    def _number(self, size: int) -> int:
        start = self._at
        self._skip(size)
        return int.from_bytes(self._body[start : self._at])

    def _skip(self, size: int) -> None:
        self._at += size
        if self._at > len(self._body):
            raise IndexError
