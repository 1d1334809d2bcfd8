"""Every move of an alert and of a ladder: the legal ones lead where they should, all others are refused."""

from __future__ import annotations

from itertools import product

import pytest

from corrections_monitor.model.alerts import AlertState
from corrections_monitor.rules.moves import Climb, Happening, IllegalMove, Ladder, alert_after, ladder_after

LEGAL_ALERT = {
    (AlertState.OPEN, Happening.ACKNOWLEDGE): AlertState.ACKNOWLEDGED,
    (AlertState.OPEN, Happening.RESOLVE): AlertState.RESOLVED,
    (AlertState.OPEN, Happening.WORSEN): AlertState.OPEN,
    (AlertState.ACKNOWLEDGED, Happening.ACKNOWLEDGE): AlertState.ACKNOWLEDGED,
    (AlertState.ACKNOWLEDGED, Happening.RESOLVE): AlertState.RESOLVED,
    (AlertState.ACKNOWLEDGED, Happening.WORSEN): AlertState.OPEN,
    (AlertState.ACKNOWLEDGED, Happening.EXPIRE): AlertState.OPEN,
    (AlertState.ACKNOWLEDGED, Happening.HAND_OVER): AlertState.ACKNOWLEDGED,
    **{(state, Happening.FOLLOW_UP): state for state in AlertState},
}
LEGAL_LADDER = {
    **{(state, Climb.START): Ladder.CLIMBING for state in Ladder},
    **{(state, Climb.ANSWER): Ladder.ANSWERED for state in Ladder},
    **{(state, Climb.PAUSE): state for state in Ladder},
    (Ladder.CLIMBING, Climb.PAUSE): Ladder.HALTED,
    (Ladder.CLIMBING, Climb.LAST_STEP): Ladder.SPENT,
    (Ladder.HALTED, Climb.RESUME): Ladder.CLIMBING,
    (Ladder.SPENT, Climb.REPEAT): Ladder.SPENT,
}


@pytest.mark.parametrize(("state", "happening"), list(product(AlertState, Happening)))
def test_alert_moves(state: AlertState, happening: Happening) -> None:
    if (state, happening) in LEGAL_ALERT:
        assert alert_after(state, happening) is LEGAL_ALERT[state, happening]
    else:
        with pytest.raises(IllegalMove, match=f"{state} cannot {happening}"):
            alert_after(state, happening)


@pytest.mark.parametrize(("state", "climb"), list(product(Ladder, Climb)))
def test_ladder_moves(state: Ladder, climb: Climb) -> None:
    if (state, climb) in LEGAL_LADDER:
        assert ladder_after(state, climb) is LEGAL_LADDER[state, climb]
    else:
        with pytest.raises(IllegalMove, match=f"{state} cannot {climb}"):
            ladder_after(state, climb)
