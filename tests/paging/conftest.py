from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

# The small city of the rules' tests serves here as well.
sys.path.append(str(Path(__file__).parent.parent / "rules"))

from receivers import HttpReceiver, MailServer, RunningClock, SilentServer


@pytest.fixture
def clock() -> RunningClock:
    return RunningClock()


@pytest.fixture
async def receiver() -> AsyncIterator[HttpReceiver]:
    """An HTTP server that takes everything, unless told otherwise."""
    async with HttpReceiver() as server:
        yield server


@pytest.fixture
async def silent() -> AsyncIterator[SilentServer]:
    """A server that accepts connections and never says a word."""
    async with SilentServer() as server:
        yield server


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    """A real SMTP server."""
    async with MailServer() as server:
        yield server
