"""Telling systemd how the process stands (sd_notify(3)): ready, watchdog, reloading, stopping.

One datagram per word to the socket that ``NOTIFY_SOCKET`` names; without one, nothing happens.  Nothing
here ever raises or blocks: a supervisor that does not listen must not hold up monitoring.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping


class Supervisor:
    """The process that started this one, if it wants to be told."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the abstract namespace's NUL.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog_us = _watchdog_us(environ)

    @property
    def watchdog_s(self) -> float | None:
        """Seconds between calls of ``alive``: half of what systemd allows; None when none are awaited."""
        return self._watchdog_us / 2_000_000 if self._watchdog_us and self._address else None

    def ready(self, status: str = "") -> None:
        """Started, or reloaded; ``status`` is shown by ``systemctl status``."""
        self._send("READY=1", status)

    def status(self, status: str) -> None:
        self._send("", status)

    def alive(self) -> None:
        """Keep the watchdog quiet for one more period."""
        self._send("WATCHDOG=1")

    def reloading(self, monotonic_s: float) -> None:
        """A reload begins; ``ready`` ends it.  ``monotonic_s`` is CLOCK_MONOTONIC, as systemd demands."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(monotonic_s * 1_000_000)}")

    def stopping(self, status: str = "") -> None:
        self._send("STOPPING=1", status)

    def _send(self, words: str, status: str = "") -> None:
        if not self._address:
            return
        lines = [words] if words else []
        if status:
            lines.append("STATUS=" + status.replace("\n", " "))
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending,
        ):
            sending.setblocking(False)
            sending.connect(self._address)
            sending.send("\n".join(lines).encode())


def _watchdog_us(environ: Mapping[str, str]) -> int:
    """The watchdog's period when it is meant for this process, else 0."""
    period, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    meant_for_us = not pid or pid == str(os.getpid())
    return int(period) if period.isdecimal() and meant_for_us else 0
