from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# The processes of smoke's tests serve here as well.
sys.path.append(str(Path(__file__).parent.parent / "smoke"))

from program import Daemon, daemons


@pytest.fixture
def daemon(tmp_path: Path, database_url: str) -> Iterator[Callable[..., Daemon]]:
    """Makes daemons on this test's database, none started; whatever still runs at the end is killed."""
    with daemons(tmp_path, database_url) as make:
        yield make


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """For a database server of the test's own, which runs as another user: pytest's own folder is closed to
    others by every session of pytest that begins."""
    with tempfile.TemporaryDirectory(prefix="corrections-test-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
