"""How a verb ends that does not end well; ``cli`` turns it into lines and an exit status."""

from __future__ import annotations


class _Lines(Exception):
    """What to tell the operator, one line each."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class FailedError(_Lines):
    """The work could not be done, or what was to be read is faulty (exit status 1)."""


class WrongCallError(_Lines):
    """The call or the configuration is wrong (exit status 2)."""


def first_line(fault: BaseException) -> str:
    """What the fault says, as one line."""
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0]
