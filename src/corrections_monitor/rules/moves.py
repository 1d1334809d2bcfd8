"""The state machines of an alert and of its ladder, as tables.

Two rules:
1. A move that is not in a table cannot happen: looking it up raises ``IllegalMove``.
2. Nothing but these tables decides the next state; the book only says what happened.

An **alert** is open until an officer acknowledges it, and opens again when its cause grows worse or when
nothing follows the acknowledgement for too long.  Who has acknowledged may hand it over.  A resolved
alert may still be noted upon, and has no other moves: what comes after is a new alert.

A **ladder** climbs while something pageable is open and nobody has answered:

    IDLE ─start▶ CLIMBING ─last step▶ SPENT ─repeat▶ SPENT
                  │  ▲                        start, from any state but the end of the alert, is a new
            pause ▼  │ resume                 round: step 0 of the ladder of the alert's severity now
                 HALTED       answer ▶ ANSWERED

HALTED is the state after the last episode has ended (not for tamper and sos, whose ladder goes on).
"""

from __future__ import annotations

from enum import StrEnum

from corrections_monitor.model.alerts import AlertState


class IllegalMove(Exception):
    """Something happened that cannot happen in this state."""


class Happening(StrEnum):
    """What can befall an alert."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    WORSEN = "worsen"  # a rise to a severity that pages
    FOLLOW_UP = "follow up"  # a note
    HAND_OVER = "hand over"
    EXPIRE = "expire"  # the acknowledgement: nothing followed


class Ladder(StrEnum):
    IDLE = "idle"
    CLIMBING = "climbing"
    HALTED = "halted"
    ANSWERED = "answered"
    SPENT = "spent"


class Climb(StrEnum):
    """What can befall a ladder."""

    START = "start"
    LAST_STEP = "last step"
    PAUSE = "pause"
    RESUME = "resume"
    REPEAT = "repeat"
    ANSWER = "answer"


ALERT_MOVES: dict[AlertState, dict[Happening, AlertState]] = {
    AlertState.OPEN: {
        Happening.ACKNOWLEDGE: AlertState.ACKNOWLEDGED,
        Happening.RESOLVE: AlertState.RESOLVED,
        Happening.WORSEN: AlertState.OPEN,
        Happening.FOLLOW_UP: AlertState.OPEN,
    },
    AlertState.ACKNOWLEDGED: {
        # Two officers may acknowledge the same alert, one of them before it was paged anew.
        Happening.ACKNOWLEDGE: AlertState.ACKNOWLEDGED,
        Happening.RESOLVE: AlertState.RESOLVED,
        Happening.WORSEN: AlertState.OPEN,
        Happening.FOLLOW_UP: AlertState.ACKNOWLEDGED,
        Happening.HAND_OVER: AlertState.ACKNOWLEDGED,
        Happening.EXPIRE: AlertState.OPEN,
    },
    AlertState.RESOLVED: {
        Happening.FOLLOW_UP: AlertState.RESOLVED,
    },
}

LADDER_MOVES: dict[Ladder, dict[Climb, Ladder]] = {
    Ladder.IDLE: {
        Climb.START: Ladder.CLIMBING,
        Climb.PAUSE: Ladder.IDLE,
        Climb.ANSWER: Ladder.ANSWERED,
    },
    Ladder.CLIMBING: {
        Climb.START: Ladder.CLIMBING,
        Climb.LAST_STEP: Ladder.SPENT,
        Climb.PAUSE: Ladder.HALTED,
        Climb.ANSWER: Ladder.ANSWERED,
    },
    Ladder.HALTED: {
        Climb.START: Ladder.CLIMBING,
        Climb.RESUME: Ladder.CLIMBING,
        Climb.PAUSE: Ladder.HALTED,
        Climb.ANSWER: Ladder.ANSWERED,
    },
    Ladder.ANSWERED: {
        Climb.START: Ladder.CLIMBING,
        Climb.PAUSE: Ladder.ANSWERED,
        Climb.ANSWER: Ladder.ANSWERED,
    },
    Ladder.SPENT: {
        Climb.START: Ladder.CLIMBING,
        Climb.REPEAT: Ladder.SPENT,
        Climb.PAUSE: Ladder.SPENT,
        Climb.ANSWER: Ladder.ANSWERED,
    },
}


def alert_after(state: AlertState, happening: Happening) -> AlertState:
    """The alert's next state; raises IllegalMove naming state and happening."""
    try:
        return ALERT_MOVES[state][happening]
    except KeyError:
        raise IllegalMove(f"an alert that is {state} cannot {happening}") from None


def ladder_after(state: Ladder, climb: Climb) -> Ladder:
    """The ladder's next state; raises IllegalMove naming state and happening."""
    try:
        return LADDER_MOVES[state][climb]
    except KeyError:
        raise IllegalMove(f"a ladder that is {state} cannot {climb}") from None
