"""numpy columns to PostgreSQL's binary COPY format, without touching a row in Python.

A binary COPY row is a field count (int16), then per field its length (int32) and its bytes, all big
endian (PostgreSQL manual, COPY, "Binary Format").  With fields of fixed width a table of rows is one
structured array.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"


def binary_copy(columns: Sequence[tuple[NDArray[Any], str]]) -> bytes:
    """The whole COPY stream of columns (each n values) as big-endian numpy types such as ``>i8``.

    Masked values become NULL.  A field of a NULL has no bytes, so rows go together by which fields they
    lack, each in the order given.
    """
    masks = [np.ma.getmask(values) for values, _ in columns]
    lacking = np.zeros(len(columns[0][0]), dtype=np.int64)
    for k, mask in enumerate(masks):
        lacking |= np.asarray(mask, dtype=np.int64) << k
    if not lacking.any():
        return _HEADER + _rows(columns, 0) + _TRAILER
    parts = []
    for pattern in np.unique(lacking):
        which = lacking == pattern
        parts.append(_rows([(np.ma.getdata(values)[which], kind) for values, kind in columns], int(pattern)))
    return _HEADER + b"".join(parts) + _TRAILER


def _rows(columns: Sequence[tuple[NDArray[Any], str]], lacking: int) -> bytes:
    """Rows that all lack the fields whose bits are set."""
    fields: list[tuple[str, str]] = [("count", ">i2")]
    for k, (_, kind) in enumerate(columns):
        fields.append((f"len{k}", ">i4"))
        if not lacking >> k & 1:
            fields.append((f"val{k}", kind))
    table = np.empty(len(columns[0][0]), np.dtype(fields))
    table["count"] = len(columns)
    for k, (values, kind) in enumerate(columns):
        table[f"len{k}"] = -1 if lacking >> k & 1 else np.dtype(kind).itemsize
        if not lacking >> k & 1:
            table[f"val{k}"] = values
    return table.tobytes()
