"""Crossings stay whole where a line runs exactly through a corner."""

from __future__ import annotations

import numpy as np
import pytest

from corrections_monitor.geofence.segments import crosses


@pytest.mark.parametrize(
    ("name", "before", "after", "odd"),
    [
        ("the boundary goes through", (1.0, -1.0), (1.0, 1.0), True),
        ("it goes through, slanting", (0.5, -1.0), (1.75, 1.0), True),
        ("it turns back above", (0.5, 1.0), (1.5, 1.0), False),
        ("it turns back below", (0.5, -1.0), (1.5, -1.0), False),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_line_through_a_corner_crosses_once_or_not_at_all(
    name: str, before: tuple[float, float], after: tuple[float, float], odd: bool, backwards: bool
) -> None:
    corner = (1.0, 0.0)
    edges = np.array([[*before, *corner], [*corner, *after]])
    if backwards:
        edges = edges[:, [2, 3, 0, 1]]
    zero, two = np.zeros(2), np.full(2, 2.0)
    assert bool(crosses(edges, zero, zero, two, zero).sum() % 2) is odd, name
    assert bool(crosses(edges, two, zero, zero, zero).sum() % 2) is odd, name
