"""Random worlds: the engine tells what the reference tells, however rows are cut and whenever it is killed.

A slice; ``benchmarks/oracle.py`` runs as many worlds as wanted.
"""

from __future__ import annotations

import random

import numpy as np
import pytest
from oracle import PROOFS, Run, exactly, state_of, told, verdict
from worlds import world

from corrections_monitor.detection.snapshot import restore, snapshot

# Between them these turn red on most ways of breaking the engine that were tried; they take half a minute.
TELLING = (0, 3, 5, 7, 8, 11, 12, 18, 22, 47, 55, 100)


@pytest.mark.parametrize("seed", TELLING)
def test_engine_and_reference_agree_on_a_random_world(seed: int) -> None:
    one = world(seed)
    found = verdict(one, seed)
    assert not found.differs, (found.differs, found.missing, found.surplus)


def test_the_same_seed_makes_the_same_world_and_the_same_output() -> None:
    assert list(told(world(3))) == list(told(world(3)))
    hashes = {exactly(Run(world(3), random.Random(3), most=40).transitions()) for _ in range(2)}
    assert len(hashes) == 1


DERIVED = (*PROOFS, "storied", "beyond", "since_ms")  # of memories and cases


def test_whatever_a_column_holds_is_brought_back() -> None:
    """A kill at the one moment at which a column matters is rare even in random worlds."""
    run = Run(world(0), random.Random(0))
    columns = vars(run.engine.columns)
    for number, name in enumerate(columns):
        if name not in DERIVED:
            columns[name][:] = np.arange(len(columns[name])) + number
    again = restore(snapshot(run.engine), run.cases, run.calendar, run.world.settings)
    assert state_of(again) == state_of(run.engine)
