"""A machine whose wall clock is off: what it tells the daemon's processes is shifted where they read it."""

from __future__ import annotations

from pathlib import Path

SHIM = """
import os, pathlib
from corrections_monitor import clock

machine = clock.SystemClock.wall_ms
clock.SystemClock.wall_ms = lambda self: machine(self) + int(pathlib.Path(os.environ["SHIFT"]).read_text())
clock.STEADY_S = float(os.environ["STEADY_S"])
"""


class Shift:
    """How far the machine's clock is off."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "shift"
        (folder / "sitecustomize.py").write_text(SHIM)
        self.by(0)

    def by(self, shift_ms: int) -> None:
        partial = self._file.with_suffix(".new")
        partial.write_text(str(shift_ms))
        partial.replace(self._file)

    def environ(self, steady_s: float) -> dict[str, str]:
        return {"PYTHONPATH": str(self._file.parent), "SHIFT": str(self._file), "STEADY_S": str(steady_s)}
