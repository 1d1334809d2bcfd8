"""From the bytes of a file to text, and what text and ids may hold."""

from __future__ import annotations

import re
from pathlib import Path

from corrections_monitor.cases.faults import WHOLE_FILE, Fault, shown
from corrections_monitor.cases.layout import KNOWN_FILES

ID_CHARS_MAX = 128  # ids become database keys and MQTT topic levels

_BEYOND_TWO_BYTES = re.compile("[\u0800-\U0010ffff]")  # what two bytes of UTF-8 cannot write: all Chinese
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_CONTROL_OR_BREAK = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")


def read_text(path: Path) -> str | Fault:
    """The text of a file: UTF-8, with or without a BOM, else GB18030; a Fault when it is neither.

    A few Chinese words in GB18030 happen to be valid UTF-8 and would come out as Hebrew or Cyrillic
    (住院 as סԺ): such a file is read as GB18030 if its neighbours show that the folder is.
    """
    if not path.is_file():
        return Fault(path.name, 1, WHOLE_FILE, "is not a file")
    try:
        raw = path.read_bytes()
    except OSError as error:
        return Fault(path.name, 1, WHOLE_FILE, f"cannot be read: {error.strerror}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        fault = Fault(path.name, line, WHOLE_FILE, "is neither UTF-8 nor GB18030 text")
        return _gb18030(raw) or fault
    if text.isascii() or _BEYOND_TWO_BYTES.search(text) or not _neighbours_are_gb18030(path):
        return text
    return _gb18030(raw) or text


def _gb18030(raw: bytes) -> str | None:
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return None


def _neighbours_are_gb18030(path: Path) -> bool:
    return any(_is_not_utf8(other) for name in KNOWN_FILES if (other := path.with_name(name)).is_file())


def _is_not_utf8(path: Path) -> bool:
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return True
    except OSError:
        return False
    return False


def text_fault(value: str) -> str | None:
    """Why a text cannot be kept, or None: databases and terminals refuse control characters."""
    if value.isprintable() or not _CONTROL.search(value):
        return None
    return f"{shown(value)} holds a character that is not text (NUL or another control character)"


def id_fault(value: str, forbidden: str = "") -> str | None:
    """Why a text cannot be an id, or None.  ``forbidden``: characters with a meaning where it is used."""
    if len(value) > ID_CHARS_MAX:
        return f"{shown(value)} is longer than {ID_CHARS_MAX} characters"
    if not value.isprintable() and _CONTROL_OR_BREAK.search(value):
        return f"{shown(value)} holds a line break or a control character"
    if value == "*":
        return '"*" cannot be an id: it means everyone in zones.geojson'
    found = next((c for c in forbidden if c in value), None)
    return None if found is None else f'{shown(value)} holds "{found}", which an id here cannot'
