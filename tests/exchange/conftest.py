from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# The small city and its violations serve here as well.
sys.path.append(str(Path(__file__).parent.parent / "api"))

from authority import Authority
from https_server import Platform


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """The other platform, over HTTPS."""
    with Platform(Authority(tmp_path / "authority")) as running:
        yield running
