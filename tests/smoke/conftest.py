from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from program import Daemon, daemons


@pytest.fixture
def daemon(tmp_path: Path, database_url: str) -> Iterator[Callable[..., Daemon]]:
    """Makes daemons on this test's database, none started; whatever still runs at the end is killed."""
    with daemons(tmp_path, database_url) as make:
        yield make
