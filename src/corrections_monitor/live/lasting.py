"""A nation in memory: millions of objects that are made once and last."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG_MAX = 100_000
"""Containers made until the youngest are searched for garbage.  A batch makes tens of thousands that live
until its commit; to search them every 700, as Python does, cost a tenth of the time with 10,000 devices."""


@contextmanager
def made_to_last() -> Iterator[None]:
    """What the block makes is never searched for garbage, neither while it is made (a third of the time that
    takes) nor again and again afterwards (seconds each); what only its making needed is given back."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX)
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
