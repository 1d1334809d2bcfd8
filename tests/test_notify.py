"""The words systemd hears, over a real datagram socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from corrections_monitor.notify import Supervisor


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.settimeout(2)
        yield listening


def test_the_life_of_a_service(heard: socket.socket) -> None:
    supervisor = Supervisor({"NOTIFY_SOCKET": heard.getsockname()})
    supervisor.ready("600 people")
    supervisor.alive()
    supervisor.status("two\nlines")
    supervisor.reloading(12.5)
    supervisor.stopping()
    assert [heard.recv(1_000).decode() for _ in range(5)] == [
        "READY=1\nSTATUS=600 people",
        "WATCHDOG=1",
        "STATUS=two lines",
        "RELOADING=1\nMONOTONIC_USEC=12500000",
        "STOPPING=1",
    ]


def test_an_abstract_socket() -> None:
    name = f"corrections-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name)
        Supervisor({"NOTIFY_SOCKET": "@" + name}).ready()
        assert listening.recv(100) == b"READY=1"


def test_the_watchdog_is_fed_twice_a_period_and_only_by_the_process_it_is_meant_for() -> None:
    asked = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000"}
    assert Supervisor(asked).watchdog_s == 15.0
    assert Supervisor(asked | {"WATCHDOG_PID": str(os.getpid())}).watchdog_s == 15.0
    assert Supervisor(asked | {"WATCHDOG_PID": "1"}).watchdog_s is None
    assert Supervisor({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "soon"}).watchdog_s is None


def test_nobody_listening_is_no_fault(tmp_path: Path) -> None:
    Supervisor({}).ready()
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()
