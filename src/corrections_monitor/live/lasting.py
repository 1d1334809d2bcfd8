"""A nation in memory: millions of objects that are made once and last."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
