"""Named statements: ``sql/<family>.sql`` holds ``-- name: x`` blocks, asked for as ``query("family.x")``."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import LiteralString

_FOLDER = Path(__file__).parent / "sql"
_NAME = re.compile(r"^-- name: (\w+)[^\n]*\n", re.MULTILINE)


@cache
def query(name: str) -> LiteralString:
    """The statement ``family.x``.  Raises KeyError when there is none.

    The text comes from a file of this package, never from outside: it is as good as a literal.
    """
    family, _, statement = name.partition(".")
    return _family(family)[statement]


@cache
def _family(family: str) -> dict[str, LiteralString]:
    parts = _NAME.split((_FOLDER / f"{family}.sql").read_text(encoding="utf-8"))
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
