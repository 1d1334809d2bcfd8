"""How a run of the killings and faults was asked for: the whole or a slice, and from which seed."""

from __future__ import annotations

import os
import secrets

import pytest

WHOLE = os.environ.get("CHAOS") == "whole"
"""``make chaos``: all of it; else a slice, three minutes together."""

only_whole = pytest.mark.skipif(not WHOLE, reason="make chaos")

_SETTLED_SEED = 20_261_125
SEED = int(os.environ.get("SEED") or (secrets.randbelow(1_000_000) if WHOLE else _SETTLED_SEED))
"""``make chaos`` draws a new one each time; the slice keeps one, so that a red test speaks of the change at
hand."""


def announce(what: str) -> None:
    """For whoever wants to see it again: the seed, and what is done with it."""
    print(f"\nchaos: seed {SEED}, {what}", flush=True)
