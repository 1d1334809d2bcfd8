"""When is blindness told, and when sight: once per blindness, whoever notices and however it flickers.

Pure: what is seen and the time are given.  Two processes may look at the same time (``run`` and ``serve``);
which of them tells is settled by ``Marker``: it stands while a blindness has been told and not yet ended.
"""

from __future__ import annotations

import contextlib
import json
from enum import StrEnum
from pathlib import Path


class Word(StrEnum):
    BLIND = "blind"
    BACK = "back"


class Blindness:
    """One observer's view; ``observe`` it about every second."""

    def __init__(self, tell_after_s: float, is_blind: bool = False) -> None:
        """``tell_after_s``: what lasts shorter is told to nobody, so that a restart wakes no one and
        flickering is one blindness; ``is_blind``: a blindness was told before and not ended."""
        self._tell_after_s = tell_after_s
        self._is_blind = is_blind
        self._changing_since_s: float | None = None
        self.reason = ""

    @property
    def is_blind(self) -> bool:
        return self._is_blind

    def observe(self, reason: str | None, now_s: float) -> Word | None:
        """What is to be told now, if anything; ``reason``: why nobody is monitored, None when all is well."""
        if reason is not None:
            self.reason = reason
        if (reason is not None) is self._is_blind:
            self._changing_since_s = None
            return None
        if self._changing_since_s is None:
            self._changing_since_s = now_s
        if now_s - self._changing_since_s < self._tell_after_s:
            return None
        self._is_blind = not self._is_blind
        self._changing_since_s = None
        return Word.BLIND if self._is_blind else Word.BACK


class Marker:
    """A file that exists while a told blindness lasts: who makes it tells of it, who takes it away tells of
    its end.  Its content is for the operator."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def stands(self) -> bool:
        return self._path.exists()

    def since_ms(self) -> int | None:
        """When the blindness was told; None when there is none."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            return int(json.loads(self._path.read_bytes())["since_ms"])
        return None

    def make(self, since_ms: int, reason: str) -> bool:
        """Whether we are the one to tell.  Raises OSError when the folder cannot be written."""
        body = json.dumps({"since_ms": since_ms, "reason": reason}, ensure_ascii=False)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._path.open("x", encoding="utf-8") as out:
                out.write(body)
        except FileExistsError:
            return False
        return True

    def take_away(self) -> bool:
        """Whether we are the one to tell that it is over."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True
