"""What an officer's answer does to an alert: acknowledged, noted upon, handed over, resolved."""

from __future__ import annotations

from dataclasses import replace

from corrections_monitor.model.alerts import AlertState, Answer, Answered, Purpose, Why
from corrections_monitor.rules.climbing import Climber, Ledger
from corrections_monitor.rules.moves import Happening, IllegalMove, alert_after
from corrections_monitor.rules.outcome import Noted
from corrections_monitor.rules.patience import Patience
from corrections_monitor.rules.records import AlertRecord

_HAPPENING = {
    Answer.ACKNOWLEDGED: Happening.ACKNOWLEDGE,
    Answer.NOTED: Happening.FOLLOW_UP,
    Answer.HANDED_OVER: Happening.HAND_OVER,
    Answer.RESOLVED: Happening.RESOLVE,
}


def take_answer(
    record: AlertRecord, at_ms: int, answered: Answered, climber: Climber, patience: Patience, ledger: Ledger
) -> None:
    """Move the alert as the answer says; one that cannot be is noted and changes nothing.

    An answer comes from outside, and one that means nothing must not stop the monitoring.
    """
    try:
        if _is_outdated(record, answered):
            raise IllegalMove("the answer is older than the round")
        state = alert_after(record.alert.state, _HAPPENING[answered.answer])
    except IllegalMove:
        ledger.note(record, at_ms, Noted.UNHEEDED, answered.officer_id, answer=answered.answer)
        return
    record.alert = replace(record.alert, state=state)
    if answered.answer in (Answer.ACKNOWLEDGED, Answer.RESOLVED):
        climber.answer(record, at_ms, answered.officer_id, why=state)
    if answered.answer is Answer.HANDED_OVER and answered.to_officer is not None:
        record.holder = answered.to_officer
        climber.tell_aside(record, at_ms, answered.to_officer, Purpose.HANDED_OVER)
    if state is AlertState.ACKNOWLEDGED:
        patience.begin(record, at_ms)
    ledger.touch(record, at_ms)


def _is_outdated(record: AlertRecord, answered: Answered) -> bool:
    """Whether the answer was given before the alert was paged anew, to less than is known now; the store
    has opened the alert again.  A round that began for want of an answer tells nothing new: what was
    found out stands."""
    began_ms = record.alert.round_started_ms
    if began_ms is None or answered.at_ms > began_ms:
        return False
    return not (answered.answer is Answer.RESOLVED and record.alert.why is Why.EXPIRED)
