"""How long an acknowledgement holds (确认时效): until something follows, or for its severity's time.

Who holds the matter is reminded first; when still nothing follows, the acknowledgement has come to
nothing, and the ladder starts anew and says why.  A note or a hand-over follows; a resolution ends it all.
"""

from __future__ import annotations

from dataclasses import replace

from corrections_monitor.model.alerts import Purpose, Why
from corrections_monitor.model.episodes import Kind
from corrections_monitor.model.settings import RulesSettings
from corrections_monitor.rules.climbing import Climber, Ledger
from corrections_monitor.rules.moves import Happening, alert_after
from corrections_monitor.rules.outcome import Noted
from corrections_monitor.rules.records import AlertRecord


class Patience:
    """Moves the time of acknowledged alerts; the climber pages."""

    def __init__(self, settings: RulesSettings, climber: Climber, ledger: Ledger) -> None:
        self._settings = settings
        self._climber = climber
        self._ledger = ledger

    def begin(self, record: AlertRecord, at_ms: int) -> None:
        """From now on something must follow."""
        expires_ms = self._settings.ack_expires_ms.get(record.alert.severity, 0)
        before_ms = self._settings.ack_reminder_ms
        record.reminded = not 0 < before_ms < expires_ms
        record.later_ms = at_ms + expires_ms - (0 if record.reminded else before_ms) if expires_ms else None

    def end(self, record: AlertRecord, at_ms: int, kind: Kind) -> tuple[str, ...]:
        """The time is up: remind, or start the ladder anew; returns who is paged by a step."""
        if self._climber.is_suspended(record, at_ms):
            self.begin(record, at_ms)
            return ()
        if not record.reminded:
            self._remind(record, at_ms)
            return ()
        self._ledger.note(record, at_ms, Noted.EXPIRED, *_holder(record))
        record.alert = replace(record.alert, state=alert_after(record.alert.state, Happening.EXPIRE))
        return self._climber.start(record, at_ms, kind, Why.EXPIRED)

    def _remind(self, record: AlertRecord, at_ms: int) -> None:
        record.reminded, record.later_ms = True, at_ms + self._settings.ack_reminder_ms
        self._ledger.note(record, at_ms, Noted.REMINDED, *_holder(record))
        for officer_id in _holder(record):
            self._climber.tell_aside(record, at_ms, officer_id, Purpose.REMINDER)


def _holder(record: AlertRecord) -> tuple[str, ...]:
    return (record.holder,) if record.holder is not None else ()
